"""A snapshot of the writer's memory makes a start short; whatever happens to it changes nothing that can be seen."""

import shutil

import pytest


def removed(snapshots):
    shutil.rmtree(snapshots)


def damaged(snapshots):
    for path in snapshots.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def cut_short(snapshots):
    for path in snapshots.iterdir():
        path.write_bytes(path.read_bytes()[:40])


def unusable(snapshots):
    shutil.rmtree(snapshots)
    snapshots.write_text("no directory")


@pytest.mark.parametrize("harm", [None, removed, damaged, cut_short, unusable])
@pytest.mark.parametrize("is_killed", [False, True])
def test_what_was_begun_goes_on_whatever_became_of_the_snapshot(own_sluice, harm, is_killed):
    sluice = own_sluice()
    api = sluice.client()
    key = {"Idempotency-Key": "before-the-snapshot"}
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}, key).json
    action = api.post(f"/runs/{run['id']}/actions", {"tool_id": "t", "payload_hash": "sha256:1"}).json["action_id"]
    assert sluice.stop() == 0
    snapshots = sluice.data / "snapshots"
    [snapshot] = snapshots.iterdir()
    assert snapshot.stat().st_mode & 0o077 == 0, "others may not read it"

    sluice.start()
    later = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    if is_killed:
        sluice.kill()
    else:
        assert sluice.stop() == 0
    if harm:
        harm(snapshots)
    sluice.start()
    again = api.post("/runs", {"agent_id": "a", "user_id": "u"}, key)
    assert again.headers["idempotency-replayed"] == "true" and again.json["id"] == run["id"]
    path = f"/runs/{run['id']}/actions/{action}/approve"
    assert api.post(path, {"payload_hash": "sha256:2"}).status == 409
    assert api.post(path, {"payload_hash": "sha256:1"}).status == 200
    assert api.post(f"/runs/{later}/events", {"type": "USER_MESSAGE"}).json["seq"] == 1
    assert sluice.stop() == 0
    assert sluice.run("log", "verify", "--data-dir", sluice.data).returncode == 0


def test_a_log_put_back_from_a_backup_does_not_get_a_later_logs_snapshot(own_sluice, tmp_path):
    sluice = own_sluice()
    api = sluice.client()
    api.post("/runs", {"agent_id": "a", "user_id": "u"})
    assert sluice.stop() == 0
    shutil.copytree(sluice.data, tmp_path / "backup")
    sluice.start()
    gone = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    assert sluice.stop() == 0
    later = sluice.data / "snapshots"
    shutil.copytree(later, tmp_path / "later")
    shutil.rmtree(sluice.data)
    shutil.copytree(tmp_path / "backup", sluice.data)
    shutil.rmtree(later)
    shutil.copytree(tmp_path / "later", later)
    # The log ends before the snapshot's position, and then comes to that position in another way.
    for _ in range(2):
        sluice.start()
        assert api.post(f"/runs/{gone}/events", {"type": "USER_MESSAGE"}).status == 404
        api.post("/runs", {"agent_id": "a", "user_id": "u"})
        sluice.kill()
