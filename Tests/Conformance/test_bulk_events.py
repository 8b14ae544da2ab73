"""Many events in one request, as newline-delimited JSON: all of them, in order and durable, or none."""

import json
import uuid

import pytest

LINES = {"Content-Type": "application/x-ndjson"}


def lines(events):
    return "".join(json.dumps(event) + "\n" for event in events).encode()


def message(number):
    return {"type": "AGENT_MESSAGE", "actor": "a", "data": {"message": f"number {number}"}}


def timeline(api, run):
    return api.get(f"/runs/{run['id']}/events").json


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/x-ndjson; charset=utf-8", "application/jsonl"])
def test_each_line_becomes_an_event_in_the_order_of_the_lines(api, run, content_type):
    path = f"/runs/{run['id']}/events"
    single = api.post(path, message(0)).json
    answer = api.post(path, content=lines(message(number) for number in range(1, 1001)), headers={"Content-Type": content_type})
    assert answer.status == 201
    assert answer.json == {"count": 1000, "first_seq": single["seq"] + 1, "last_seq": single["seq"] + 1000}
    shown = timeline(api, run)
    assert [entry["data"]["message"] for entry in shown] == [f"number {number}" for number in range(1001)]
    assert [entry["seq"] for entry in shown] == list(range(1, 1002))
    assert len({entry["event_id"] for entry in shown}) == 1001
    assert int(answer.headers["sluice-position"]) >= 1001
    # An entry looks the same, however it came.
    assert set(shown[0]) == set(shown[1])


@pytest.mark.parametrize(
    "body, says",
    [
        (b"", "1 to 1000"),
        (b"\n \r\n", "1 to 1000"),
        (lines([message(1)] * 1001), "1 to 1000"),
        (lines([message(1)]) + b'{"type": "A"', "line 2"),
        (lines([message(1)]) + b"\n[1]\n", "line 3"),
        (lines([message(1), {"actor": "a"}]), "event 2 of 2"),
        (lines([message(1), {"type": "APPROVED"}, message(2)]), "event 2 of 3"),
        (lines([message(1), {"type": "A", "data": "text"}]), "event 2 of 2"),
        (b"\xff\xfd\n", "line 1"),
    ],
)
def test_one_bad_line_refuses_them_all_and_is_named(api, run, body, says):
    answer = api.post(f"/runs/{run['id']}/events", content=body, headers=LINES)
    assert answer.status == 400 and says in answer.json["error"], answer
    assert timeline(api, run) == []


def test_a_repeated_request_adds_nothing(api, run):
    path, headers = f"/runs/{run['id']}/events", LINES | {"Idempotency-Key": str(uuid.uuid4())}
    first = api.post(path, content=lines([message(1), message(2)]), headers=headers)
    again = api.post(path, content=lines([message(1), message(2)]), headers=headers)
    assert (again.status, again.json) == (201, first.json) and again.headers["idempotency-replayed"] == "true"
    assert api.post(path, content=lines([message(1)]), headers=headers).status == 422
    assert len(timeline(api, run)) == 2


def test_a_finished_run_takes_none(api, run):
    api.patch(f"/runs/{run['id']}", {"status": "COMPLETED"})
    assert api.post(f"/runs/{run['id']}/events", content=lines([message(1)]), headers=LINES).status == 409


def test_other_routes_take_one_object_whatever_the_content_type_says(api, run):
    assert api.post(f"/runs/{run['id']}/actions", content=lines([{"tool_id": "t"}] * 2), headers=LINES).status == 400
    assert api.post("/runs", {"agent_id": "a", "user_id": "u"}, LINES).status == 201
