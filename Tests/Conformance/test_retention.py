"""Finished runs that are not kept any more are gone from everything; what was proved of the log stays proved."""

import json
import os
import shutil
import subprocess

import pytest

from backups import answers, data
from read_log import records
from sluice_process import BINARY
from waiting import eventually

SETTINGS = {"SLUICE_SEGMENT_BYTES_MAX": "65536", "SLUICE_RUN_RETENTION": "1s"}
MARK = b"expired-run-marker"
# One word. The search index keeps the beginning of a word once for several that share it.
WORD = b"zqxjwvkybhg"


def command(sluice, *arguments):
    return subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120, env=sluice.environment())


def post(api, path, body):
    answer = api.post(path, body)
    assert answer.status < 300, answer
    return answer.json


def talk(api, run, text, count=12):
    for _ in range(count):
        post(api, f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {
            "message": text + " " + os.urandom(1500).hex()}})


def marked_run(api):
    """A run with the mark in its events and its action, which was rejected: so it is at its end. A second one failed for
    a reason that the search index has."""
    failed = post(api, "/runs", {"agent_id": "a", "user_id": WORD.decode()})["id"]
    post(api, f"/runs/{failed}/cancel", {"reason": "because of " + WORD.decode()})
    assert [each["id"] for each in api.get(f"/runs?q={WORD.decode()}").json] == [failed]
    run = post(api, "/runs", {"agent_id": "a", "user_id": MARK.decode()})["id"]
    talk(api, run, MARK.decode())
    # The name of a tool is the one text of an action that its record does not seal.
    action = post(api, f"/runs/{run}/actions", {
        "tool_id": MARK.decode(), "capability": MARK.decode()})["action_id"]
    post(api, f"/runs/{run}/actions/{action}/reject", {"reason": MARK.decode()})
    assert api.get(f"/runs/{run}").json["status"] == "FAILED"
    return run, action


def stored(directory):
    """Every byte of a directory, and of segments what they hold."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield path, path.read_bytes()


def holders(directory):
    """Where the mark is: in files as they are, and in the records of segments."""
    found = {str(path) for path, content in stored(directory) if MARK in content or WORD[2:] in content}
    for path, _ in stored(directory):
        if path.suffix == ".seg" and path.parent.name == "log":
            named = path.with_name(path.name[:20] + ".seg")
            if named == path:
                found |= {f"{path}:{position}" for position, record in records(path) if MARK in record or WORD in record}
    return sorted(found)


def test_an_expired_run_is_gone_and_every_proof_holds(own_sluice, tmp_path):
    # Long enough for a checkpoint and a backup that still have the run.
    sluice = own_sluice(**SETTINGS | {"SLUICE_RUN_RETENTION": "5s"})
    api = sluice.client()
    for kind, body in [("tools", {"name": "bank", "base_url": "https://bank.test"}),
                       ("policies", {"name": "pay", "spec": {"rules": []}})]:
        post(api, f"/api/v1/{kind}", body)
    kept = post(api, "/runs", {"agent_id": "b", "user_id": "kept"})["id"]
    talk(api, kept, "kept", 2)
    run, action = marked_run(api)
    key = tmp_path / "log.key"
    key.write_text(command(sluice, "audit", "key", "--url", sluice.url).stdout)
    checkpoint = tmp_path / "checkpoint"
    checkpoint.write_text(command(sluice, "audit", "checkpoint", "--url", sluice.url).stdout)
    before = json.loads(command(sluice, "export", "--url", sluice.url, "--run", kept, "--format", "json").stdout)
    place = tmp_path / "backup"
    data(command(sluice, "backup", place, "--data-dir", sluice.data, "--json"))

    gone = eventually(lambda: api.get(f"/runs/{run}"), lambda answer: answer.status == 404)
    assert "expired" in gone.content.decode()

    def pruned():
        # What goes on has the newest segment sealed, and so pruned.
        talk(api, kept, "kept", 1)
        return holders(sluice.data / "log")

    eventually(pruned, lambda found: not found)
    for path in [f"/runs/{run}", f"/runs/{run}/events", f"/runs/{run}/actions", f"/runs/{run}/audit/export",
                 f"/runs/{run}/actions/{action}/receipt"]:
        assert api.get(path).status == 404, path
    listed = api.get("/runs?limit=200").json
    assert [each["id"] for each in listed] == [kept]
    assert MARK not in api.get("/governance/requests").content

    # A checkpoint of before is still the head of what the log begins with, and exports are proven under new ones.
    consistent = command(sluice, "audit", "consistency", checkpoint, "--key", key.read_text().strip(), "--url", sluice.url)
    assert consistent.returncode == 0, consistent.stdout + consistent.stderr
    export = tmp_path / "export"
    export.write_text(command(sluice, "export", "--url", sluice.url, "--run", kept, "--format", "ndjson").stdout)
    verified = command(sluice, "verify", export, "--key", key.read_text().strip(), "--json")
    assert verified.returncode == 0 and json.loads(verified.stdout)["proven"], verified.stdout
    old = tmp_path / "old-export"
    old.write_text(json.dumps(before))
    assert command(sluice, "verify", old, "--key", key.read_text().strip()).returncode == 0

    # The same answers after a restart, from the log alone.
    shown = answers(sluice)
    assert shown["/api/v1/tools"][0] == 200 and b"bank" in shown["/api/v1/tools"][1]
    assert sluice.stop() == 0
    assert holders(sluice.data) == []
    checked = command(sluice, "log", "verify", "--data-dir", sluice.data, "--json")
    report = json.loads(checked.stdout.splitlines()[0])
    assert checked.returncode == 0 and report["pruned_records"] >= 12, checked.stdout
    for path in sluice.data.glob("read-model*"):
        path.unlink()
    shutil.rmtree(sluice.data / "snapshots", ignore_errors=True)
    sluice.start()
    assert answers(sluice) == shown
    assert "expired" in api.get(f"/runs/{run}").content.decode()

    # The next backup has what the log has, and no more; it is whole, and so is what it brings back.
    assert holders(place) != []
    said = data(command(sluice, "backup", place, "--data-dir", sluice.data, "--json"))
    assert holders(place) == []
    assert command(sluice, "backup", "verify", place).returncode == 0
    restored = tmp_path / "restored"
    back = data(command(sluice, "restore", place, "--data-dir", restored, "--json"))
    assert back["root_hash"] == said["root_hash"] and holders(restored) == []


def test_runs_are_kept_for_ever_unless_somebody_says_otherwise(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    run, _ = marked_run(api)
    assert sluice.stop() == 0
    sluice.start()
    assert api.get(f"/runs/{run}").status == 200
    shown = command(sluice, "serve", "--print-config")
    assert "run-retention = forever" in shown.stdout


@pytest.mark.parametrize("value", ["0s", "soon", "-1d"])
def test_a_retention_that_is_none_is_refused(own_sluice, tmp_path, value):
    ended = subprocess.run(
        [BINARY, "serve", "--data-dir", tmp_path / "d", "--set", f"run-retention={value}", "--listen", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0 and "run-retention must be forever" in ended.stderr


def test_an_unfinished_run_does_not_expire(own_sluice):
    sluice = own_sluice(**SETTINGS)
    api = sluice.client()
    open_run = post(api, "/runs", {"agent_id": "a", "user_id": "u"})["id"]
    ended, _ = marked_run(api)
    eventually(lambda: api.get(f"/runs/{ended}").status, lambda status: status == 404)
    assert api.get(f"/runs/{open_run}").status == 200
    metrics = api.get("/metrics").content.decode()
    assert 'sluice_runs{status="FAILED"} 0' in metrics and 'sluice_runs{status="RUNNING"} 1' in metrics


def test_a_run_that_lost_its_end_alone_is_not_restored_as_unfinished(own_sluice, tmp_path):
    """The beginning is in a segment with little of it, which waits; the rest is in segments that are pruned at once."""
    sluice = own_sluice(**SETTINGS | {"SLUICE_RUN_RETENTION": "10s"})
    api = sluice.client()
    run = post(api, "/runs", {"agent_id": "a", "user_id": "u"})["id"]
    kept = post(api, "/runs", {"agent_id": "b", "user_id": "u"})["id"]
    talk(api, kept, "kept", 30)
    talk(api, run, "more", 60)
    assert api.patch(f"/runs/{run}", {"status": "COMPLETED"}).status == 200
    talk(api, kept, "kept", 30)
    ended = api.get("/readyz").json["position"]

    def pruned():
        shown = command(sluice, "log", "verify", "--data-dir", sluice.data, "--json").stdout
        return json.loads(shown.splitlines()[0])["pruned_records"]

    eventually(pruned, lambda count: count == 61)
    place = tmp_path / "backup"
    data(command(sluice, "backup", place, "--data-dir", sluice.data, "--json"))
    refused = command(sluice, "restore", place, "--data-dir", tmp_path / "mid", "--until", ended)
    assert refused.returncode == 66 and "or later" in refused.stderr, refused.stdout + refused.stderr
    later = refused.stderr.split("restore to position ")[1].split()[0]
    whole = data(command(sluice, "restore", place, "--data-dir", tmp_path / "whole", "--until", later, "--json"))
    assert whole["position"] >= int(later)
