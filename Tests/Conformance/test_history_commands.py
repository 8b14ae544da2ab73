"""`sluice diff` and `sluice replay --step`: what changed, and what a run was after each event."""

import json
import os
import pty
import random
import shutil
import subprocess

import pytest

from busy_workspace import BusyWorkspace
from sluice_process import BINARY, SluiceProcess

NOT_FOUND, USAGE = 66, 64
PLANTED = "planted-secret-9f2c"


def position(sluice):
    return sluice.client().get("/readyz").json["position"]


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    sluice = SluiceProcess(tmp_path_factory.mktemp("diff")).start()
    api = sluice.client()
    spec = {"connection": {"baseUrl": "https://a.test"}}
    api.post("/api/tools", {"name": "kept", "spec": spec})
    api.post("/api/tools", {"name": "gone", "spec": spec})
    api.post("/api/policies", {"name": "back", "spec": {"policies": []}})
    sluice.early = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    over = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    api.patch(f"/runs/{over}", {"status": "COMPLETED"})
    sluice.start_position = position(sluice)
    api.post("/api/tools", {"name": "kept", "spec": {"connection": {"baseUrl": "https://b.test"}}})
    api.delete("/api/v1/tools/gone")
    api.post("/api/tools", {"name": "brief", "spec": spec})
    api.delete("/api/v1/tools/brief")
    api.post("/api/v1/secrets", {"owner_kind": "tool", "owner": "kept", "name": "token", "value": PLANTED})
    sluice.action = api.post(f"/runs/{sluice.early}/actions", {
        "tool_id": "t", "tool_method": "POST", "tool_url": "https://a.test/pay"}).json["action_id"]
    api.post(f"/runs/{sluice.early}/actions/{sluice.action}/approve")
    api.patch(f"/runs/{sluice.early}", {"status": "COMPLETED"})
    sluice.made_key = api.post("/api/v1/auth/api-keys", {"name": "k", "role": "viewer"}).json
    sluice.end_position = position(sluice)
    api.post("/api/tools", {"name": "later", "spec": spec})
    yield sluice
    assert sluice.stop() == 0


def diff(sluice, *arguments):
    ended = sluice.run("diff", "--data-dir", sluice.data, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_diff_names_what_changed_and_nothing_else(changed):
    data = json.loads(diff(changed, "--from", changed.start_position, "--to", changed.end_position, "--json"))
    assert (data["after_position"], data["through_position"]) == (changed.start_position, changed.end_position)
    assert sum(data["events"].values()) == changed.end_position - changed.start_position
    found = {(each["kind"], each["name"]): each for each in data["changes"]}
    assert {key: each["change"] for key, each in found.items()} == {
        ("tool", "kept"): "changed", ("tool", "gone"): "deleted", ("secret", "tool/kept/token"): "created",
        ("run", changed.early): "changed", ("action", changed.action): "created",
        ("api_key", changed.made_key["key"]["id"]): "created"}
    fields = {each["field"]: (each.get("before"), each.get("after")) for each in found["tool", "kept"]["fields"]}
    assert fields.pop("spec.connection.baseUrl") == ("https://a.test", "https://b.test")
    assert fields.pop("revision") == (1, 2)
    fields = {each["field"]: (each.get("before"), each.get("after")) for each in found["run", changed.early]["fields"]}
    assert fields["status"] == ("RUNNING", "COMPLETED")
    assert changed.made_key["token"] not in json.dumps(data) and PLANTED not in json.dumps(data)


def test_moments_may_be_times_and_the_end_may_be_left_out(changed):
    shown = changed.run("log", "cat", "--data-dir", changed.data, "--from", changed.end_position).stdout.splitlines()
    time = json.loads(shown[0])["time"]
    text = diff(changed, "--from", time)
    assert text.startswith(f"after position {changed.end_position} through {changed.end_position + len(shown) - 1}")
    assert "created tool/later" in text and "tool/kept" not in text
    assert "0 events" in diff(changed, "--from", "999999")
    everything = diff(changed, "--from", 0)
    assert "created tool/kept" in everything and "tool/gone" not in everything
    for wrong in (["--from", "soon"], [], ["--from", 1, "--to", "-5"]):
        assert changed.run("diff", "--data-dir", changed.data, *wrong).returncode == USAGE


def test_a_replay_shows_what_the_run_was_after_each_event(changed):
    ended = changed.run("replay", "--data-dir", changed.data, "--run", changed.early, "--step")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("1. run.created  position ") and "+0" in lines[0]
    assert any(line.strip().startswith("run PAUSED_APPROVAL") for line in lines)
    assert f"   action {changed.action} on t (POST https://a.test/pay): BLOCKED" in lines
    assert f"   action {changed.action} on t (POST https://a.test/pay): APPROVED" in lines
    assert lines[-1] == "   run is over: COMPLETED"
    assert changed.run("replay", "--data-dir", changed.data, "--step").returncode == USAGE
    missing = changed.run(
        "replay", "--data-dir", changed.data, "--step", "--run", "00000000-0000-4000-8000-000000000000")
    assert missing.returncode == NOT_FOUND


def test_at_a_terminal_each_step_waits_for_whoever_looks(changed):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "replay", "--data-dir", changed.data, "--run", changed.early, "--step"], stdin=follower,
        stdout=subprocess.PIPE, text=True, env=changed.environment())
    os.close(follower)
    os.write(leader, b"\ne\nwhat\nq\n")
    shown, _ = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0
    assert "1. run.created" in shown and "2. " in shown and "\n3. " not in shown
    assert '"type":"' in shown, "in full"
    assert "Enter: the next event" in shown


EVENTS, PAIRS, SEED = 4_000, 12, 20261130
OVER = ("COMPLETED", "FAILED", "CANCELLED")


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A log of many segments, its events as `log cat` prints them all."""
    sluice = SluiceProcess(tmp_path_factory.mktemp("long"), {"SLUICE_SEGMENT_BYTES_MAX": "65536"}).start()
    busy = BusyWorkspace(sluice.client(), SEED)
    while position(sluice) < EVENTS:
        busy.change()
    assert sluice.stop() == 0
    assert len(list((sluice.data / "log").glob("*.seg"))) > 8
    sluice.lines = printed(sluice)
    sluice.events = [json.loads(line) for line in sluice.lines]
    return sluice


def printed(sluice, *arguments):
    ended = sluice.run("log", "cat", "--data-dir", sluice.data, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def known(sluice, moment):
    """What everything was at a position: all of it has come since position 0."""
    data = json.loads(diff(sluice, "--from", 0, "--to", moment, "--json"))
    return {
        (each["kind"], each["workspace"], each["name"]): {
            field["field"]: field["after"] for field in each["fields"] if "after" in field}
        for each in data["changes"] if each["change"] != "deleted"}


def test_events_from_any_position_on_are_those_that_the_whole_log_has_from_there(long):
    choose = random.Random(SEED)
    for first in [1, 2, EVENTS, *(choose.randrange(1, EVENTS) for _ in range(PAIRS))]:
        assert printed(long, "--from", first, "--limit", 50) == long.lines[first - 1:first + 49], first
    assert printed(long, "--from", len(long.lines) + 1) == printed(long, "--from", 10**15) == []


def test_the_end_of_a_log_is_read_without_what_is_before_it(long):
    copy = long.data.parent / "torn"
    shutil.copytree(long.data, copy)
    segments = sorted((copy / "log").glob("*.seg"))
    segments[0].write_bytes(segments[0].read_bytes()[:4096] + bytes(5000))
    last = int(segments[-1].stem)
    ended = long.run("log", "cat", "--data-dir", copy, "--from", last, "--limit", 3)
    assert (ended.returncode, ended.stdout.splitlines()) == (0, long.lines[last - 1:last + 2])
    damaged = long.run("log", "cat", "--data-dir", copy)
    assert damaged.returncode == 65 and "damaged" in damaged.stderr


def test_a_diff_of_any_two_positions_is_the_difference_of_what_is_known_at_both(long):
    choose = random.Random(SEED)
    for _ in range(PAIRS):
        begin, end = sorted(choose.sample(range(1, EVENTS), 2))
        data = json.loads(diff(long, "--from", begin, "--to", end, "--json"))
        assert sum(data["events"].values()) == end - begin
        before, after = known(long, begin), known(long, end)
        over = {key for key, facts in before.items() if key[0] == "run" and facts.get("status") in OVER}
        gone = {key for key, facts in before.items() if key[0] == "action" and ("run", key[1], facts["run_id"]) in over}
        expected = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} - over - gone
        found = {(each["kind"], each["workspace"], each["name"]): each for each in data["changes"]}
        assert found.keys() == expected, (begin, end)
        for key, each in found.items():
            old, new = before.get(key, {}), after.get(key, {})
            fields = {} if each["change"] == "deleted" else {
                name: (old.get(name), new.get(name)) for name in old.keys() | new.keys()
                if old.get(name) != new.get(name)}
            assert {field["field"]: (field.get("before"), field.get("after")) for field in each["fields"]} == fields, key


def test_a_replay_shows_the_events_of_a_run_wherever_they_are(long):
    runs = [event["run_id"] for event in long.events if event["type"] == "run.created"]
    for run in random.Random(SEED).sample(runs, PAIRS):
        ended = long.run("replay", "--data-dir", long.data, "--run", run)
        expected = [line for line, event in zip(long.lines, long.events) if event.get("run_id") == run]
        assert (ended.returncode, ended.stdout.splitlines()) == (0, expected), run
        until = json.loads(expected[0])["position"]
        ended = long.run("replay", "--data-dir", long.data, "--run", run, "--until", until)
        assert ended.stdout.splitlines() == expected[:1]
