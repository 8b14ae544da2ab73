"""What the daemon does when the machine under it fails: the disk, the files, the clock."""

import errno
import functools
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import ADMIN_KEY, SluiceProcess
from waiting import until_true

LOG_UNUSABLE, DIRECTORY_UNUSABLE, IN_USE = 65, 73, 75
SEGMENT_BYTES_MAX = 65_536
SMALL, LARGE = 500, 50_000  # Sizes of messages; each large one begins a segment.


class Work:
    """A run that is written to, and what of it was acknowledged."""

    def __init__(self, sluice):
        self.api = sluice.client()
        self.run = self.api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
        self.acknowledged = []

    def write(self, size=SMALL, message=None, **headers):
        data = {"message": message or secrets.token_hex(size // 2)}
        answer = self.api.post(f"/runs/{self.run}/events", {"type": "USER_MESSAGE", "data": data}, headers)
        if answer.status == 201:
            self.acknowledged.append(answer.json)
        return answer

    def check(self):
        """Reads work, and everything acknowledged is there, in order; returns the events."""
        for path in ("/healthz", "/runs", f"/runs/{self.run}", "/api/agents", "/api/v1/auth/api-keys", "/metrics"):
            assert self.api.get(path).status == 200, path
        events = self.api.get(f"/runs/{self.run}/events").json
        assert [each["seq"] for each in events] == list(range(1, len(events) + 1))
        for event in self.acknowledged:
            assert events[event["seq"] - 1] == event
        return events


def refusal(answer, *codes):
    """The code of a refused write; nothing when it succeeded. Anything but that and these codes is wrong."""
    if answer.status == 201:
        return None
    assert answer.status == 503 and answer.headers["sluice-error-code"] in codes, answer
    assert int(answer.headers["retry-after"]) > 0 and answer.error, answer
    return answer.headers["sluice-error-code"]


def not_ready(api):
    answer = api.get("/readyz")
    return answer.status == 503 and answer.error


def verify_after_stop(sluice):
    assert sluice.stop() == 0, sluice.output.read_text()
    verified = sluice.run("log", "verify", "--data-dir", sluice.data)
    assert verified.returncode == 0, verified.stdout


def contents(directory):
    """Every file but the lock, byte by byte."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file() and path.name != "LOCK"}


def assert_start_refused(sluice, data, code, *words, **settings):
    """The start ends with the code, and last with one line that has the words; the log's lines come before it."""
    ended = sluice.run("serve", "--data-dir", data, "--listen", "127.0.0.1:0", **settings)
    *log, message = ended.stderr.splitlines()
    assert message.startswith("sluice: ") and all(" info sluice: " in line for line in log), ended.stderr
    assert not [word for word in words if word not in message], message
    assert ended.returncode == code, message


# A full disk


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request, tmp_path):
    """A daemon that is not started yet, with a file system of its own for its data."""
    sluice = SluiceProcess(tmp_path)
    small = sluice.data
    small.mkdir()
    commands = [["mount", "-t", "tmpfs", "-o", "size=8m", "sluice-faults", sluice.data]]
    if request.param == "ext4":
        image = tmp_path / "image"
        commands = [
            ["truncate", "-s", "16M", image], ["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, sluice.data]]
    if os.geteuid() != 0 or any(subprocess.run(each, capture_output=True).returncode for each in commands):
        pytest.skip("needs root to mount a small file system")
    sluice.data.chmod(0o700)
    yield sluice
    if sluice.process and sluice.process.poll() is None:
        sluice.kill()
    subprocess.run(["umount", "--lazy", small], check=True)


def fill(directory):
    """Takes all the space that is left; deleting the file gives it back."""
    path = directory / "filler"
    with open(path, "wb", buffering=0) as file:
        # Twice, because a file system may give back what it had reserved for the flush.
        for _ in range(2):
            with pytest.raises(OSError) as failure:
                while file.write(bytes(65_536)):
                    pass
            assert failure.value.errno == errno.ENOSPC
            os.fsync(file)
    return path


NO_SPACE = ("read_only", "projection_no_space")


def started(sluice):
    """Starts the daemon; whether it is ready, or has ended."""
    try:
        sluice.start()
    except AssertionError:
        if sluice.process.poll() is None:
            raise
    return sluice.process.poll() is None


def test_a_full_disk_refuses_writes_and_serves_reads_until_there_is_space(small_disk):
    work = Work(small_disk.start())
    for _ in range(3):
        assert work.write().status == 201
    filler = fill(small_disk.data)
    # The last pages of the log and of the read models have room for a little more.
    until_true(lambda: refusal(work.write(), *NO_SPACE))
    assert "space" in until_true(lambda: refusal(work.write(), *NO_SPACE) and not_ready(work.api))
    work.check()
    refused = {"message": secrets.token_hex(SMALL), "Idempotency-Key": "once"}
    assert refusal(work.write(**refused), *NO_SPACE)
    filler.unlink()
    until_true(lambda: not refusal(work.write(**refused), *NO_SPACE))
    until_true(lambda: not not_ready(work.api))
    events = work.check()
    assert [each["data"]["message"] for each in events].count(refused["message"]) == 1
    verify_after_stop(small_disk)
    small_disk.start()
    assert work.check() == events


def apart(sluice, name):
    """Has one of the files of the data be on the small disk, and the others elsewhere; returns the small disk."""
    small = sluice.data
    sluice.data = sluice.directory / "apart"
    sluice.data.mkdir(mode=0o700)
    if name == "log":
        (small / name).mkdir(mode=0o700)
    (sluice.data / name).symlink_to(small / name)
    return small


def test_a_full_disk_of_the_log_alone_makes_it_read_only_until_there_is_space(small_disk):
    small = apart(small_disk, "log")
    work = Work(small_disk.start())
    assert work.write().status == 201
    filler = fill(small)
    until_true(lambda: refusal(work.write(), *NO_SPACE) == "read_only")
    work.check()
    filler.unlink()
    until_true(lambda: not refusal(work.write(), *NO_SPACE))
    work.check()
    verify_after_stop(small_disk)


def recorded(api):
    """The newest position of the log."""
    lines = api.get("/metrics").content.decode().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("sluice_log_position ")))


def test_nothing_is_recorded_that_a_full_disk_of_the_read_models_keeps_from_view(small_disk):
    small = apart(small_disk, "read-model.sqlite")
    api = small_disk.start().client()
    new_run = {"agent_id": "a", "user_id": "u"}
    assert api.post("/api/v1/deploy", {"agent_name": "a", "image": "i"}).status == 201
    runs = [api.post("/runs", new_run).json["id"] for _ in range(3)]
    filler = fill(small)
    until_true(lambda: refusal(api.post("/runs", new_run), *NO_SPACE) == "projection_no_space")
    before = recorded(api)
    for path, body in [("/runs", new_run), (f"/runs/{runs[0]}/events", {"type": "T", "data": {}}),
                       ("/api/v1/auth/api-keys", {"name": "k", "role": "viewer"}),
                       ("/api/policies", {"name": "p", "spec": {"policies": []}})]:
        for headers in ({}, {"Idempotency-Key": "k"}):
            assert refusal(api.post(path, body, headers), *NO_SPACE) == "projection_no_space"
    assert recorded(api) == before
    # A stop does not wait for space, whether or not it may be repeated.
    assert api.post(f"/runs/{runs[1]}/cancel").status == 503 and recorded(api) == before + 1
    keyed = {"Idempotency-Key": "stop"}
    assert api.post(f"/runs/{runs[2]}/cancel", {}, keyed).status == 503 and recorded(api) == before + 2
    assert api.post("/api/v1/agents/a/stop", {}, {"Idempotency-Key": "agent"}).status == 503 and recorded(api) == before + 3
    assert api.delete("/api/v1/agents/a").status == 503 and recorded(api) > before + 3
    filler.unlink()
    until_true(lambda: not refusal(api.post("/runs", new_run), *NO_SPACE))
    assert [api.get(f"/runs/{run}").json["status"] for run in runs[1:]] == ["FAILED", "FAILED"]
    assert api.get("/api/v1/agents/a").status == 404
    # The request that was answered by 503 is repeated with its answer.
    assert api.post(f"/runs/{runs[2]}/cancel", {}, keyed).status == 200
    verify_after_stop(small_disk)


def test_secrets_are_refused_on_a_full_disk_and_taken_when_there_is_space(small_disk):
    api = small_disk.start().client()
    # More keys than the keyring's last block has room for.
    many = [{"name": f"KEY_{number}", "value": "s"} for number in range(64)]
    deploy = {"agent_name": "a", "image": "i", "env": many}
    tool = {"name": "t", "base_url": "https://x.test", "credentials": {"api_key": "s"}}
    filler = fill(small_disk.data)
    assert until_true(lambda: refusal(api.post("/api/v1/deploy", deploy), "keyring_no_space", *NO_SPACE))
    assert until_true(lambda: refusal(api.post("/api/v1/tools", tool), "keyring_no_space", *NO_SPACE))
    filler.unlink()
    until_true(lambda: not refusal(api.post("/api/v1/deploy", deploy), "keyring_no_space", *NO_SPACE))
    until_true(lambda: not refusal(api.post("/api/v1/tools", tool), "keyring_no_space", *NO_SPACE))
    assert len(api.get("/api/v1/secrets").json) == 65
    small_disk.restart()
    assert "cannot be opened" not in small_disk.output.read_text()



@pytest.mark.parametrize("before", ["never started", "stopped", "killed"])
def test_a_start_on_a_full_disk_says_so_or_serves_reads(small_disk, before):
    work = None
    if before != "never started":
        work = Work(small_disk.start())
        assert work.write().status == 201
    if before == "killed":
        small_disk.kill()
    if before == "stopped":
        assert small_disk.stop() == 0
        # As SQLite leaves it when its last connection is closed before the process ends.
        for file in small_disk.data.glob("*.sqlite-*"):
            file.unlink()
    filler = fill(small_disk.data)
    if started(small_disk):
        until_true(lambda: refusal(work.write(), *NO_SPACE))
        work.check()
        filler.unlink()
    else:
        output = small_disk.output.read_text()
        assert small_disk.process.returncode > 0, output
        message = output.splitlines()[-1]
        assert message.startswith("sluice: ") and "space" in message and "free some" in message, message
        filler.unlink()
        small_disk.start()
        work = work or Work(small_disk)
    until_true(lambda: not refusal(work.write(), *NO_SPACE))
    work.check()
    verify_after_stop(small_disk)


# A broken disk


@pytest.fixture
def faulty(faulty):
    """The same with small segments."""
    return functools.partial(faulty, SLUICE_SEGMENT_BYTES_MAX=str(SEGMENT_BYTES_MAX))


@pytest.mark.parametrize("call, error, size", [
    ("fdatasync", errno.EIO, SMALL), ("fdatasync", errno.ENOSPC, SMALL), ("fdatasync", errno.EIO, LARGE),
    ("pwrite", errno.EIO, SMALL), ("pwrite", errno.EIO, LARGE)])
def test_a_failed_write_or_sync_stops_all_writes_until_a_restart(faulty, call, error, size):
    sluice = faulty()
    work = Work(sluice)
    for _ in range(3):
        assert work.write(size).status == 201
    fault = sluice.faults / call
    fault.write_text(str(error))
    assert refusal(work.write(size), "stopped")
    fault.unlink()
    for answer in (
            work.write(), work.api.post("/runs", {"agent_id": "a", "user_id": "u"}),
            work.api.patch(f"/runs/{work.run}", {"status": "COMPLETED"}),
            work.api.post("/api/deploy", {"agent_name": "a", "image": "i"})):
        assert refusal(answer, "stopped") and os.strerror(error) in answer.error and "restart" in answer.error
    assert os.strerror(error) in not_ready(work.api)
    work.check()
    sluice.restart()
    work.check()
    assert work.write(size).status == 201
    verify_after_stop(sluice)


@pytest.mark.parametrize("call, size", [("pwrite", SMALL), ("pwrite", LARGE), ("fdatasync", LARGE)])
def test_a_log_without_space_says_so_and_goes_on_by_itself(faulty, call, size):
    sluice = faulty()
    work = Work(sluice)
    for _ in range(3):
        assert work.write(size).status == 201
    fault = sluice.faults / call
    fault.write_text(str(errno.ENOSPC))
    for _ in range(3):
        assert refusal(answer := work.write(size), "read_only") and "space" in answer.error, answer
    assert "space" in until_true(lambda: refusal(work.write(size), "read_only") and not_ready(work.api))
    work.check()
    fault.unlink()
    until_true(lambda: not refusal(work.write(size), "read_only"))
    work.check()
    sluice.restart()
    work.check()
    verify_after_stop(sluice)


# A directory that is not as it was left


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A daemon that was stopped, with three segments or more."""
    sluice = SluiceProcess(tmp_path_factory.mktemp("closed"), {"SLUICE_SEGMENT_BYTES_MAX": str(SEGMENT_BYTES_MAX)})
    work = Work(sluice.start())
    for _ in range(4):
        assert work.write(LARGE).status == 201
    assert sluice.stop() == 0
    return sluice


def segment(log, index):
    return sorted(log.glob("*.seg"))[index]


def patch(path, offset, byte):
    content = bytearray(path.read_bytes())
    content[offset] ^= byte
    path.write_bytes(content)


DAMAGE = {
    "a foreign file": (lambda log: (log / "notes.txt").write_text("mine"), "notes.txt", "move it away"),
    # Byte 8 of a segment is its format's version: 1 becomes 3.
    "a newer format": (lambda log: patch(segment(log, -1), 8, 2), "version 3", "upgrade"),
    "no first segment": (lambda log: segment(log, 0).unlink(), ".seg", "backup"),
    "no newest segment": (lambda log: segment(log, -1).unlink(), ".seg", "closed at position", "backup"),
    "a sealed header changed": (lambda log: patch(segment(log, 1), 20, 4), ".seg", "offset 0", "backup"),
    "the newest frame cut": (lambda log: os.truncate(segment(log, -1), 5000), "closed at position", "backup"),
    "the newest header cut": (lambda log: os.truncate(segment(log, -1), 100), "closed at position", "backup"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_log_stops_the_start_and_is_left_as_it_is(closed, tmp_path, damage):
    data = shutil.copytree(closed.data, tmp_path / "data")
    change, *words = DAMAGE[damage]
    change(data / "log")
    before = contents(data)
    assert_start_refused(closed, data, LOG_UNUSABLE, *words)
    assert contents(data) == before


SEALED_DAMAGE = {
    "a segment changed": (lambda log: patch(segment(log, 1), 5000, 4), ".seg", "offset 4096", "backup"),
    "no segment in the middle": (lambda log: segment(log, 1).unlink(), ".seg", "backup"),
}


@pytest.mark.parametrize("damage", SEALED_DAMAGE)
def test_sealed_damage_stops_a_start_that_reads_it_and_ends_one_that_reads_it_later(closed, tmp_path, damage):
    data = shutil.copytree(closed.data, tmp_path / "data")
    change, *words = SEALED_DAMAGE[damage]
    change(data / "log")
    before = contents(data / "log")
    # A start that begins with a snapshot looks at older segments when it is up.
    ended = closed.run("serve", "--data-dir", data, "--listen", "127.0.0.1:0")
    assert ended.returncode == LOG_UNUSABLE
    message = ended.stderr.splitlines()[-1]
    assert message.startswith("sluice: ") and not [word for word in words if word not in message], message
    shutil.rmtree(data / "snapshots")
    assert_start_refused(closed, data, LOG_UNUSABLE, *words)
    assert contents(data / "log") == before


def test_a_log_that_ends_before_the_read_models_do_stops_the_start(closed, tmp_path):
    data = shutil.copytree(closed.data, tmp_path / "data")
    segment(data / "log", -1).unlink()
    (data / "log" / "CLEAN").unlink()
    before = contents(data / "log")
    # With another admin's key the start has something to write, and may not before it has looked.
    another = {"SLUICE_API_KEY": "another-" + ADMIN_KEY}
    assert_start_refused(closed, data, LOG_UNUSABLE, "lost events", "backup", **another)
    assert contents(data / "log") == before


def test_a_file_in_place_of_the_directory_stops_the_start(closed, tmp_path):
    file = tmp_path / "data"
    file.write_text("mine")
    assert_start_refused(closed, file, DIRECTORY_UNUSABLE, str(file), "--data-dir")
    assert file.read_text() == "mine"


def test_a_read_only_directory_stops_the_start_and_is_left_as_it_is(small_disk):
    assert Work(small_disk.start()).write().status == 201
    assert small_disk.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk.data], check=True)
    before = contents(small_disk.data)
    for data in (small_disk.data, small_disk.data / "new"):
        assert_start_refused(small_disk, data, DIRECTORY_UNUSABLE, str(data), "Read-only file system", "--data-dir")
    assert contents(small_disk.data) == before


def test_a_second_daemon_is_refused_even_when_the_lock_was_deleted(own_sluice):
    first = own_sluice()
    work = Work(first)
    (first.data / "LOCK").unlink()
    second = SluiceProcess(first.directory)
    if started(second):
        second.kill()
        pytest.fail("two daemons work on one directory")
    assert second.process.returncode == IN_USE
    assert work.write().status == 201
    work.check()
    verify_after_stop(first)


# A clock that is wrong


def test_times_never_go_backwards_when_the_clock_is_set_back(faulty):
    sluice = faulty()
    work = Work(sluice)
    clock = sluice.faults / "clock"
    assert work.write().status == 201
    clock.write_text("-3600")
    assert work.write().status == 201
    sluice.restart()
    assert work.write().status == 201
    clock.unlink()
    assert work.write().status == 201
    assert work.api.patch(f"/runs/{work.run}", {"status": "COMPLETED"}).status == 200
    work.check()
    verify_after_stop(sluice)
    cat = sluice.run("log", "cat", "--data-dir", sluice.data)
    times = [json.loads(line)["time"] for line in cat.stdout.splitlines()]
    assert len(times) == 7 and times == sorted(times)


def test_deadlines_are_kept_when_the_clock_was_set_back_and_is_right_again(faulty):
    sluice = faulty(SLUICE_RUN_TIMEOUT="1s")
    before = Work(sluice)
    clock = sluice.faults / "clock"
    clock.write_text("-3600")
    meanwhile = Work(sluice)
    clock.unlink()
    for work in (before, meanwhile):
        until_true(lambda: work.api.get(f"/runs/{work.run}").json["status"] == "FAILED")


# What may be read for a while


def test_payloads_cannot_be_read_once_their_time_is_over(faulty):
    sluice = faulty(SLUICE_PAYLOAD_RETENTION="1d", SLUICE_RUN_TIMEOUT="60d", SLUICE_APPROVAL_WINDOW="60d")
    tool = ScriptedTool()
    store_tool(sluice, "bank", tool.url)
    agent = GovernedAgent(sluice, "payer", [
        ("allow", ["PUT"], tool.url + "/*"), ("approval_required", ["POST"], tool.url + "/*")])
    run = agent.start()
    assert agent.call(run, "PUT", "bank", "/limit", b"7").content == b"done"
    action = agent.blocked(run, "POST", "bank", "/pay", b"a private matter")
    assert action["payload"] == "a private matter"
    sluice.restart()
    assert agent.action(run, action["action_id"])["payload"] == "a private matter"
    sluice.set_clock_ahead(3 * 86_400)
    # Old keys are looked for at a start, and every hour.
    sluice.restart()
    shown = until_true(
        lambda: next(
            (found for found in [agent.action(run, action["action_id"])] if "payload" not in found), None))
    assert "cannot be shown" in shown["payload_note"] and shown["payload_hash"] == action["payload_hash"]
    tool.close()
    verify_after_stop(sluice)
