"""`sluice diff` and `sluice replay --step`: what changed, and what a run was after each event."""

import json
import os
import pty
import subprocess

import pytest

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
