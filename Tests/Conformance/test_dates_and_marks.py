"""Dates that no calendar has are refused, and no entry of a timeline passes for the end of a stream."""

import json
import urllib.parse

import pytest

BAD_DATES = [
    "2026-02-30", "2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-01", "2026-01-00", "2026-1-1", "x"]
BAD_TIMES = [date + "T00:00:00Z" for date in BAD_DATES] + [
    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+99:99",
    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00-00:60", "2026-01-01T00:00:00", "2026-01-01T00:00:00+1:00"]


@pytest.mark.parametrize("time", BAD_TIMES)
@pytest.mark.parametrize("path", ["/runs", "/api/v1/agents", "/governance/requests"])
def test_as_of_takes_times_of_the_calendar_alone(api, path, time):
    answer = api.get(f"{path}?as_of={urllib.parse.quote(time)}")
    assert answer.status == 400 and "as_of must be" in answer.error


@pytest.mark.parametrize("date", BAD_DATES)
@pytest.mark.parametrize("name", ["from", "to"])
def test_days_of_usage_are_days_of_the_calendar(api, name, date):
    answer = api.get(f"/api/v1/model-usage?{name}={date}")
    assert answer.status == 400, answer


@pytest.mark.parametrize("time", BAD_TIMES)
def test_a_backtest_begins_at_a_time_of_the_calendar(api, time):
    answer = api.post("/api/v1/policies/backtest", {
        "policy": {"name": "p", "spec": {"policies": [{"permission": "allow", "resource": "http://x/*"}]}}, "since": time})
    assert answer.status == 400 and "since" in answer.error, answer


def test_a_leap_day_and_an_offset_are_times(api, run):
    for time in ("2000-02-29T00:00:00Z", "2096-02-29T00:00:00Z", "2096-12-31T23:59:59.999+23:59"):
        answer = api.get(f"/runs?as_of={urllib.parse.quote(time)}")
        assert "as_of must be" not in answer.content.decode(), answer


@pytest.mark.parametrize("type", ["end", "END", "revoked", "error"])
def test_no_entry_passes_for_the_end_of_a_stream(api, run, type):
    run = run["id"]
    for each in (type, "USER_MESSAGE"):
        answer = api.post(f"/runs/{run}/events", {"type": each, "data": {"message": "m"}})
        assert answer.status == 201, answer
    api.patch(f"/runs/{run}", {"status": "COMPLETED"})
    for path in (f"/runs/{run}/events/stream", f"/runs/{run}/events/stream?format=cloudevents"):
        frames = [dict(line.split(": ", 1) for line in frame.split("\n")) for frame in
                  api.get(path).content.decode().split("\n\n") if frame and not frame.startswith(":")]
        names = [frame["event"].strip().lower() for frame in frames]
        assert names.count("end") == 1 and names[-1] == "end" and "revoked" not in names and "error" not in names
        assert "user_message" in names
        entry = json.loads(next(frame["data"] for frame in frames if frame["event"] == "entry"))
        assert type in json.dumps(entry)
