"""`sluice backup` and `sluice restore`: what is brought back is, byte for byte, what was there."""

import datetime
import json
import os
import shutil
import time

import pytest

from backups import answers, contents, data, position, segments
from sluice_process import SluiceProcess

DATA, NOT_FOUND, UNUSABLE, IN_USE, USAGE = 65, 66, 73, 75, 64
SMALL = {"SLUICE_SEGMENT_BYTES_MAX": "65536"}


def say(api, run, messages):
    """Many events by one command."""
    lines = [json.dumps({"type": "USER_MESSAGE", "data": {"message": message}}) for message in messages]
    answer = api.post(
        f"/runs/{run}/events", content="\n".join(lines).encode(), headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 201, answer


def work(sluice, count, label="a"):
    """Runs with messages that fill segments, and with actions, some of which wait."""
    api = sluice.client()
    for number in range(count):
        run = api.post("/runs", {"agent_id": label, "user_id": f"u{number}"}).json["id"]
        say(api, run, [os.urandom(3000).hex() for _ in range(4)])
        action = api.post(f"/runs/{run}/actions", {"tool_id": "t"})
        assert action.status == 201, action
        if number % 2:
            api.post(f"/runs/{run}/actions/{action.json['action_id']}/reject", {"reason": "no"})


def backup(sluice, place, *more):
    return sluice.run("backup", place, "--data-dir", sluice.data, *more)


def restored(sluice, place, directory, *until):
    """A daemon over what a restore has made, and what the restore said."""
    directory.mkdir()
    other = SluiceProcess(directory, sluice.settings)
    said = data(sluice.run("restore", place, "--data-dir", other.data, "--json", *until))
    shutil.copy(sluice.data / "master.key", other.data / "master.key")
    return other, said


@pytest.fixture
def started():
    """Starts daemons that are stopped at the test's end."""
    running = []

    def start(process):
        running.append(process)
        return process.start()

    yield start
    for process in running:
        process.stop()


def test_a_restored_daemon_answers_every_get_with_the_same_bytes(own_sluice, tmp_path, started):
    sluice = own_sluice(**SMALL)
    api = sluice.client()
    assert api.post("/api/v1/tools", {
        "name": "bank", "base_url": "https://bank.test", "credentials": {"api_key": "s3cr3t"}}).status == 201
    assert api.post("/api/v1/approval-connectors", {
        "name": "ops", "endpoint": "https://hooks.test/x", "enabled": False}).status < 300
    work(sluice, 12)
    place = tmp_path / "backup"
    said = data(backup(sluice, place, "--json"))
    before = answers(sluice)
    assert said["position"] == position(sluice), "it was made beside the daemon, which goes on"
    work(sluice, 2, "later")
    other, restore = restored(sluice, place, tmp_path / "other")
    assert restore["position"] == said["position"] and restore["root_hash"] == said["root_hash"]
    assert answers(started(other)) == before


def test_segments_are_restored_byte_for_byte(own_sluice, tmp_path):
    sluice = own_sluice(**SMALL)
    work(sluice, 12)
    sluice.stop()
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    other, _ = restored(sluice, place, tmp_path / "other")
    assert len(segments(sluice.data / "log")) > 2
    assert segments(other.data / "log") == segments(sluice.data / "log")
    assert (other.data / "keyring").read_bytes() == (sluice.data / "keyring").read_bytes()
    assert not (place / "master.key").exists()


def test_a_restore_to_a_position_answers_as_the_daemon_did_then(own_sluice, tmp_path, started):
    sluice = own_sluice(**SMALL)
    work(sluice, 6)
    then, before = position(sluice), answers(sluice)
    work(sluice, 6, "later")
    sluice.stop()
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    other, said = restored(sluice, place, tmp_path / "other", "--until", then)
    assert said["position"] == then
    assert data(sluice.run("log", "verify", "--data-dir", other.data, "--json"))["root_hash"] == said["root_hash"]
    assert answers(started(other)) == before


def test_a_restore_to_a_time_answers_as_the_daemon_did_then(own_sluice, tmp_path, started):
    sluice = own_sluice(**SMALL)
    work(sluice, 3)
    then, before = position(sluice), answers(sluice)
    shown = sluice.run("log", "cat", "--data-dir", sluice.data, "--from", then).stdout.splitlines()[0]
    last = json.loads(shown)["time"]
    # The clock is past that microsecond before anything else is recorded.
    while datetime.datetime.now(datetime.timezone.utc) <= datetime.datetime.fromisoformat(last):
        time.monotonic()
    work(sluice, 3, "later")
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    other, said = restored(sluice, place, tmp_path / "other", "--until", last)
    assert said["position"] == then
    assert answers(started(other)) == before


def test_no_commands_events_are_restored_in_part(own_sluice, tmp_path):
    sluice = own_sluice()
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    start = position(sluice)
    say(api, run, [str(number) for number in range(9)])
    end = position(sluice)
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    ends = {}
    for until in range(start, end + 1):
        _, said = restored(sluice, place, tmp_path / f"until-{until}", "--until", until)
        ends[until] = said["position"]
    assert set(ends.values()) <= {start, end}, ends
    assert ends[start] == start and ends[end] == end


def test_a_second_backup_copies_only_what_is_new(own_sluice, tmp_path):
    sluice = own_sluice(**SMALL)
    work(sluice, 12)
    place = tmp_path / "backup"
    first = data(backup(sluice, place, "--json"))
    kept = {name: (place / name).stat().st_mtime_ns for name in contents(place) if name.endswith(".seg")}
    work(sluice, 2)
    second = data(backup(sluice, place, "--json"))
    assert first["copied_segments"] == first["segments"] > 2
    assert second["copied_segments"] < second["segments"] and second["position"] > first["position"]
    same = [name for name, changed in kept.items() if (place / name).exists()
            and (place / name).stat().st_mtime_ns == changed]
    assert len(same) == len(kept) - 1, "all but the one that was open"
    assert data(sluice.run("backup", "verify", place, "--json"))["problems"] == []


def test_a_backup_beside_writers_is_whole(own_sluice, tmp_path):
    sluice = own_sluice(**SMALL)
    place = tmp_path / "backup"
    for _ in range(4):
        work(sluice, 3)
        assert backup(sluice, place).returncode == 0
        report = data(sluice.run("backup", "verify", place, "--json"))
        assert report["problems"] == [] and report["position"] > 0


@pytest.mark.parametrize("which", ["*.seg", "keyring-*"])
def test_every_flipped_bit_of_a_backup_is_found_and_stops_a_restore(own_sluice, tmp_path, which):
    sluice = own_sluice()
    work(sluice, 2)
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    [file] = place.rglob(which)
    whole = bytearray(file.read_bytes())
    for offset in (0, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1:])
        ended = sluice.run("backup", "verify", place)
        assert ended.returncode == 1 and file.name in ended.stdout
        ended = sluice.run("restore", place, "--data-dir", tmp_path / "other")
        assert ended.returncode == DATA and file.name in ended.stderr
        assert not (tmp_path / "other").exists(), "nothing was written"


def test_an_interrupted_backup_leaves_the_one_before(own_sluice, tmp_path):
    sluice = own_sluice(**SMALL)
    work(sluice, 6)
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    before = data(sluice.run("backup", "verify", place, "--json"))
    work(sluice, 6)
    # What a backup leaves that was killed before its manifest.
    (place / "incoming").mkdir()
    (place / "incoming" / "00000000000000000001.seg").write_bytes(b"half")
    (place / "incoming" / "keyring.draft").write_bytes(b"half")
    (place / "log" / "00000000000000000009-0000000000000000.seg").write_bytes(b"not named")
    (place / "manifest.json.draft").write_bytes(b"{")
    assert data(sluice.run("backup", "verify", place, "--json")) == before
    assert backup(sluice, place).returncode == 0
    after = data(sluice.run("backup", "verify", place, "--json"))
    assert after["problems"] == [] and after["position"] > before["position"]
    named = {each["file"] for each in json.loads((place / "manifest.json").read_text())["segments"]}
    assert {path.name for path in (place / "log").iterdir()} == named
    assert not (place / "incoming").exists() and not (place / "manifest.json.draft").exists()


def test_a_destroyed_key_is_gone_from_the_next_backup(own_sluice, tmp_path):
    sluice = own_sluice()
    api = sluice.client()
    assert api.post("/api/v1/tools", {
        "name": "bank", "base_url": "https://bank.test", "credentials": {"api_key": "s3cr3t"}}).status == 201
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    [old] = place.glob("keyring-*")
    key = old.read_bytes()
    assert api.delete("/api/v1/secrets/tool/bank/api_key").status < 300
    assert backup(sluice, place).returncode == 0
    [new] = place.glob("keyring-*")
    gone = [key[at:at + 256] for at in range(256, len(key), 256) if any(key[at:at + 256])
            and key[at:at + 256] not in new.read_bytes()]
    assert gone and new.name != old.name


def test_a_backup_of_another_log_is_refused_and_left_alone(own_sluice, tmp_path):
    first, second = own_sluice(), own_sluice()
    for sluice in (first, second):
        work(sluice, 2)
    place = tmp_path / "backup"
    assert backup(first, place).returncode == 0
    before = contents(place)
    ended = backup(second, place)
    assert ended.returncode == DATA and "another log" in ended.stderr
    assert {name: content for name, content in contents(place).items() if "incoming" not in name} == before
    assert backup(first, place).returncode == 0


def test_a_log_that_lost_events_does_not_replace_a_longer_backup(own_sluice, tmp_path):
    sluice = own_sluice()
    work(sluice, 2)
    short = tmp_path / "short"
    assert backup(sluice, short).returncode == 0
    work(sluice, 2)
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    other, _ = restored(sluice, short, tmp_path / "other")
    ended = backup(other, place)
    assert ended.returncode == DATA and "another destination" in ended.stderr


def test_places_that_cannot_be_backups_are_refused(own_sluice, tmp_path):
    sluice = own_sluice()
    file = tmp_path / "file"
    file.write_text("x")
    filled = tmp_path / "filled"
    filled.mkdir()
    (filled / "letter.txt").write_text("x")
    for place in (sluice.data, sluice.data / "backup", sluice.data.parent, file, filled, tmp_path / "no" / "parent"):
        ended = backup(sluice, place)
        assert ended.returncode == UNUSABLE and ended.stderr.startswith("sluice: "), (place, ended)
    assert not (sluice.data / "backup").exists()
    assert (filled / "letter.txt").exists()
    ended = sluice.run("backup", tmp_path / "backup", "--data-dir", tmp_path / "nothing")
    assert ended.returncode == NOT_FOUND
    for missing in (tmp_path / "nothing", filled):
        assert sluice.run("backup", "verify", missing).returncode == NOT_FOUND


@pytest.mark.parametrize("manifest", ["", "{}", "[1]", '{"format": 2}', '{"format": 1, "segments": [{"file": "../x"}]}'])
def test_a_manifest_that_is_none_is_refused(own_sluice, tmp_path, manifest):
    sluice = own_sluice()
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    (place / "manifest.json").write_text(manifest)
    for ended in (backup(sluice, place), sluice.run("backup", "verify", place),
                  sluice.run("restore", place, "--data-dir", tmp_path / "other")):
        assert ended.returncode == DATA, ended


def test_a_restore_refuses_what_it_cannot_do(own_sluice, tmp_path):
    sluice = own_sluice()
    work(sluice, 2)
    place = tmp_path / "backup"
    end = data(backup(sluice, place, "--json"))["position"]
    filled = tmp_path / "filled"
    filled.mkdir()
    (filled / "letter.txt").write_text("x")

    def refused(code, *arguments):
        ended = sluice.run("restore", place, *arguments)
        assert ended.returncode == code, ended
        return ended.stderr

    assert "not empty" in refused(UNUSABLE, "--data-dir", filled)
    refused(UNUSABLE, "--data-dir", sluice.data)
    assert f"ends at position {end}" in refused(NOT_FOUND, "--data-dir", tmp_path / "x", "--until", end + 1)
    refused(NOT_FOUND, "--data-dir", tmp_path / "x", "--until", "2001-01-01T00:00:00Z")
    refused(NOT_FOUND, "--data-dir", tmp_path / "x", "--until", "0")
    refused(USAGE, "--data-dir", tmp_path / "x", "--until", "yesterday")
    refused(USAGE)
    assert not (tmp_path / "x").exists()


def test_no_daemon_starts_where_a_restore_was_broken_off(own_sluice, tmp_path):
    sluice = own_sluice()
    work(sluice, 1)
    place = tmp_path / "backup"
    assert backup(sluice, place).returncode == 0
    target = tmp_path / "other"
    (target / "restore.partial" / "log").mkdir(parents=True)
    target.chmod(0o700)
    (target / "restore.partial" / "log" / "00000000000000000001.seg").write_bytes(b"half")
    ended = sluice.run("serve", "--data-dir", target, "--listen", "127.0.0.1:0")
    assert ended.returncode == UNUSABLE and "broken off" in ended.stderr
    assert sluice.run("restore", place, "--data-dir", target).returncode == 0
    assert not (target / "restore.partial").exists()


def test_an_empty_log_can_be_backed_up_and_grows_in_the_backup(own_sluice, tmp_path):
    sluice = own_sluice()
    place = tmp_path / "backup"
    first = data(backup(sluice, place, "--json"))
    work(sluice, 1)
    assert data(backup(sluice, place, "--json"))["position"] > first["position"]
    assert data(sluice.run("backup", "verify", place, "--json"))["problems"] == []
