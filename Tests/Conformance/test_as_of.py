"""`?as_of=` gives what a GET gave then, byte for byte; what does not come from the log says so."""

import concurrent.futures
import datetime
import json
import random
import re

import pytest

from busy_workspace import BusyWorkspace
from served_routes import World, canonical, served
from sluice_process import SluiceProcess
from waiting import eventually

EVENTS = 20_000
SEED = 20261127
MOMENTS = 30
ANSWERS_A_MOMENT = 12


def at(path, moment):
    return f"{path}{'&' if '?' in path else '?'}as_of={moment}"


def comparable(path, answer):
    """The bytes, but for the members that tell when it was asked, and when keys were used, which no log says."""
    if path.startswith("/api/v1/auth/api-keys"):
        return re.sub(rb',"lastUsedAt":"[^"]*"', b"", answer.content)
    if path.startswith("/api/context/export") and answer.status == 200:
        return re.sub(rb'"generated_at":"[^"]*"', b"", answer.content)
    return answer.content


class Recording:
    """A history, and answers that were given in the course of it."""

    def __init__(self, sluice):
        self.sluice, self.answers = sluice, []
        api = sluice.client()
        busy = BusyWorkspace(api, SEED)
        newest = 0
        for moment in range(1, MOMENTS + 1):
            while newest < EVENTS * moment / MOMENTS:
                busy.change()
                if busy.random.random() < 0.1:
                    busy.add_events(300)
                newest = self.newest()
            paths = busy.addresses()
            self.record(api, busy.random.sample(paths, min(ANSWERS_A_MOMENT, len(paths))))

    def newest(self):
        return self.sluice.client().get("/readyz").json["position"]

    def record(self, api, paths):
        for path in paths:
            answer = api.get(path)
            if answer.status == 200:
                assert "sluice-position" in answer.headers or "content-length" not in answer.headers, path
            position = answer.headers.get("sluice-position") or str(self.newest())
            self.answers.append((path, position, answer.status, comparable(path, answer)))

    def check(self, answers):
        api = self.sluice.client()
        for path, position, status, content in answers:
            answer = api.get(at(path, position))
            assert (answer.status, answer.headers.get("sluice-position")) == (status, position), (path, answer)
            assert comparable(path, answer) == content, (path, position)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("as-of"), {"SLUICE_HISTORY_INTERVAL": "1000"}).start()
    yield Recording(process)
    assert process.stop() == 0


def test_what_was_answered_at_any_position_is_answered_again_after_a_restart_and_a_rebuild_too(recording):
    sluice = recording.sluice
    assert recording.newest() >= EVENTS and len(recording.answers) > MOMENTS * ANSWERS_A_MOMENT * 0.9
    assert {status for _, _, status, _ in recording.answers} >= {200, 404}
    recording.check(recording.answers)
    some = random.Random(SEED).sample(recording.answers, 40)
    sluice.restart()
    recording.check(some[:20])
    assert sluice.stop() == 0
    assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
    sluice.start()
    recording.check(some[20:])


def bases(sluice):
    return sorted(int(path.stem.split("-")[1]) for path in (sluice.data / "as-of").glob("*.base"))


def test_bases_are_made_in_the_background_and_outlive_a_restart(recording):
    sluice = recording.sluice
    eventually(lambda: bases(sluice) and bases(sluice)[-1] + 1000 > recording.newest(), bool)
    assert all(after - before == 1000 for before, after in zip(bases(sluice), bases(sluice)[1:])), "all of it is recent"
    metrics = dict(line.split(" ") for line in sluice.client().get("/metrics").content.decode().splitlines() if line[0] != "#")
    assert float(metrics["sluice_history_base_position"]) == bases(sluice)[-1]
    size = sum(path.stat().st_size for path in (sluice.data / "as-of").glob("*.base"))
    assert float(metrics["sluice_history_bases_bytes"]) == size
    before = {path.name: path.stat().st_mtime_ns for path in (sluice.data / "as-of").glob("*.base")}
    sluice.restart()
    recording.check(random.Random(2).sample(recording.answers, 10))
    after = {path.name: path.stat().st_mtime_ns for path in (sluice.data / "as-of").glob("*.base")}
    assert after.items() >= before.items()


def test_a_damaged_base_is_made_again_and_never_answers(recording):
    sluice = recording.sluice
    eventually(lambda: len(bases(sluice)) > 5, bool)
    assert sluice.stop() == 0
    damaged = {}
    for path in sorted((sluice.data / "as-of").glob("*.base"))[2:5]:
        content = bytearray(path.read_bytes())
        for place in range(100, len(content) - 2000, 997):
            content[place] ^= 1
        path.write_bytes(content)
        damaged[path] = bytes(content)
    sluice.start()
    api = sluice.client()
    for path, position, status, content in random.Random(3).sample(recording.answers, 20):
        answer = api.get(at(path, position))
        while answer.status == 503:
            answer = api.get(at(path, position))
        assert (answer.status, comparable(path, answer)) == (status, content), (path, position)
    # Those that no question has met, too.
    eventually(lambda: all(path.exists() and path.read_bytes() != content for path, content in damaged.items()), bool)
    eventually(lambda: bases(sluice)[-1] + 1000 > recording.newest(), bool)


def test_a_base_that_a_crash_has_interrupted_is_made_again(own_sluice):
    sluice = own_sluice(SLUICE_HISTORY_INTERVAL="100")
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    lines = "\n".join(json.dumps({"type": "X", "data": {"n": n}}) for n in range(200)).encode()
    seen = {}
    for turn in range(6):
        assert api.post(f"/runs/{run}/events", content=lines, headers={"Content-Type": "application/x-ndjson"}).status == 201
        position = api.get("/readyz").json["position"]
        seen[position] = api.get(at(f"/runs/{run}/events", position)).content
        eventually(lambda: len(bases(sluice)) > turn, bool)
        sluice.kill()
        sluice.start()
        api = sluice.client()
        for position, content in seen.items():
            assert api.get(at(f"/runs/{run}/events", position)).content == content
    eventually(lambda: bases(sluice)[-1] + 100 > api.get("/readyz").json["position"], bool)
    names = {path.suffix for path in (sluice.data / "as-of").iterdir()}
    assert ".draft" not in names


def test_many_who_ask_for_many_positions_at_once_get_their_own(recording):
    api = recording.sluice.client()
    some = random.Random(1).sample(recording.answers, 24)

    def ask(recorded):
        path, position, status, content = recorded
        while True:
            answer = api.get(at(path, position))
            if answer.status not in (429, 503):
                return (answer.status, comparable(path, answer)) == (status, content), answer
            code = {429: "too_many_requests", 503: "history_busy"}[answer.status]
            assert answer.headers["sluice-error-code"] == code and answer.headers["retry-after"], answer

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for is_same, answer in pool.map(ask, some):
            assert is_same, answer
    kept = list((recording.sluice.data / "as-of").glob("[0-9]*.sqlite"))
    assert 0 < len(kept) <= 8, "no more are kept than may be"


def test_a_time_is_the_position_of_its_last_event(recording):
    sluice = recording.sluice
    api = sluice.client()
    shown = sluice.run("log", "cat", "--data-dir", sluice.data, "--from", 15_000, "--limit", 400).stdout.splitlines()
    events = [json.loads(line) for line in shown]
    event = events[200]
    last = max(each["position"] for each in events if each["time"] <= event["time"])
    answer = api.get(at("/runs?status=COMPLETED", event["time"]))
    assert answer.headers["sluice-position"] == str(last)
    assert answer.content == api.get(at("/runs?status=COMPLETED", last)).content
    # The same instant, as somebody in another place writes it.
    moment = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    there = moment.astimezone(datetime.timezone(datetime.timedelta(hours=-3))).isoformat()
    assert api.get(at("/runs?status=COMPLETED", there)).headers["sluice-position"] == str(last)
    before = api.get(at("/runs?status=COMPLETED", "1999-12-31T00:00:00Z"))
    assert (before.headers["sluice-position"], before.json) == ("0", [])
    assert api.get(at("/runs", 0)).json == []


def test_pages_of_a_past_list_stay_in_the_past(recording):
    api = recording.sluice.client()
    position = EVENTS // 2
    whole = api.get(at("/runs?agent_id=agen-1", position)).json
    assert len(whole) > 4
    got, path = [], at("/runs?agent_id=agen-1&limit=2", position)
    while path:
        answer = api.get(path)
        got += answer.json
        link = re.fullmatch(r'<\?([^>]*)>; rel="next"', answer.headers.get("link", ""))
        assert not link or re.findall("as_of=[^&]*", link[1]) == [f"as_of={position}"]
        path = f"/runs?{link[1]}" if link else None
    assert got == whole


@pytest.mark.parametrize("asked, code", [
    ("18446744073709551615", "as_of_out_of_range"), ("999999999", "as_of_out_of_range"),
    ("2999-01-01T00:00:00Z", "as_of_out_of_range"), ("", "bad_request"), ("-1", "bad_request"),
    ("yesterday", "bad_request"), ("2026-13-01T00:00:00Z", "bad_request"), ("1.5", "bad_request"),
    ("99999999999999999999999", "bad_request")])
def test_no_moment_of_the_log_is_refused(recording, asked, code):
    answer = recording.sluice.client().get(at("/runs", asked))
    assert (answer.status, answer.headers["sluice-error-code"]) == (404 if code == "as_of_out_of_range" else 400, code), answer
    if code == "as_of_out_of_range":
        assert str(recording.newest()) in answer.error


def test_a_key_of_today_looks_back_and_one_that_is_revoked_does_not(recording):
    sluice = recording.sluice
    api = sluice.client()
    made = api.post("/api/v1/auth/api-keys", {"name": "brief", "role": "viewer"}).json
    brief = sluice.client(made["token"])
    then = recording.newest()
    assert brief.get(at("/runs", 100)).status == 200, "older than the key itself"
    assert api.delete(f"/api/v1/auth/api-keys/{made['key']['id']}").status == 200
    assert brief.get(at("/runs", then)).status == 401
    listed = api.get(at("/api/v1/auth/api-keys", then)).json
    assert made["key"]["id"] in [key["id"] for key in listed], "it was there then"


def test_every_get_answers_as_of_or_says_that_it_does_not(recording):
    """And the document says which."""
    sluice = recording.sluice
    world, key = World(sluice), sluice.key("agent")
    newest = recording.newest()
    api = sluice.client()
    gets = [route for route in served(sluice) if route["method"] == "GET"]
    assert len(gets) > 150
    for route in gets:
        if "as_of" not in route:
            assert re.search(r"/egress/|/echo|^/oauth/|^/decisions/", route["path"]), route
            continue
        path = world.address(route["path"], key)
        answer = api.get(at(path, newest))
        if route["as_of"]:
            assert answer.headers.get("sluice-position") == str(newest), (path, answer)
            assert answer.status in (200, 404) or re.search(r"explain|/statement$", path), (path, answer)
        else:
            assert answer.status == 400 and answer.headers["sluice-error-code"] == "as_of_not_answered", (path, answer)
    document = api.get("/openapi.json").json
    described = {
        canonical(path) for path, item in document["paths"].items()
        if any(each.get("$ref", "").endswith("/AsOf") for each in item.get("get", {}).get("parameters", []))}
    assert described == {canonical(route["path"]) for route in gets if route.get("as_of")}


def test_a_stream_and_a_change_do_not_take_it(recording):
    api = recording.sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    answers = [
        api.get(at(f"/runs/{run}/events", 5), headers={"Accept": "text/event-stream"}),
        api.post("/runs?as_of=5", {"agent_id": "a", "user_id": "u"}), api.patch(f"/runs/{run}?as_of=5", {}),
        api.delete("/api/v1/tools/x?as_of=5")]
    for answer in answers[1:]:
        assert (answer.status, answer.headers["sluice-error-code"]) == (400, "as_of_not_answered"), answer
    assert answers[0].status in (400, 404)


def test_a_read_model_that_would_be_too_large_is_refused_with_what_to_do(own_sluice):
    sluice = own_sluice(SLUICE_HISTORY_BYTES_MAX="1048576")
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    for _ in range(30):
        assert api.post(f"/runs/{run}/events", {"type": "X", "data": {"text": "x" * 100_000}}).status == 201
    position = api.get("/readyz").json["position"]
    answer = api.get(at(f"/runs/{run}", position - 1))
    assert (answer.status, answer.headers["sluice-error-code"]) == (400, "history_too_large"), answer
    assert "history-bytes-max" in answer.error
    assert api.get(at(f"/runs/{run}", 3)).json["id"] == run, "a smaller one is answered all the same"
