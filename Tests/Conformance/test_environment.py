"""Faults of the environment that other files do not have: memory, half-copied directories, files that go away."""

import errno
import os
import pathlib
import resource
import shutil
import subprocess
import threading

import pytest

from backups import answers
from sluice_process import SluiceProcess
from test_faults import LARGE, LOG_UNUSABLE, SEGMENT_BYTES_MAX, Work, contents, segment, verify_after_stop
from waiting import eventually, until_true

CONFIGURATION, DIRECTORY_UNUSABLE = 78, 73
ADDRESS_SPACE_MIN_MIB = 2048
CONTROL_GROUPS = pathlib.Path("/sys/fs/cgroup/memory")
GROUP_BYTES = 96 << 20


# Memory


@pytest.mark.parametrize("mebibytes", [300, 600, ADDRESS_SPACE_MIN_MIB - 1])
def test_too_little_address_space_is_refused_with_the_number_that_is_needed(tmp_path, mebibytes):
    sluice = SluiceProcess(tmp_path)
    ended = subprocess.run(
        ["/bin/sh", "-c", f'ulimit -v {mebibytes * 1024}; exec "$0" "$@"', sluice.binary, "serve", "--data-dir",
         sluice.data, "--listen", sluice.listen],
        env=sluice.environment(), capture_output=True, text=True, timeout=60)
    assert ended.returncode == CONFIGURATION, ended
    assert str(ADDRESS_SPACE_MIN_MIB) in ended.stderr and "ulimit -v" in ended.stderr, ended.stderr
    assert not sluice.data.exists(), "nothing was made"


def test_the_least_address_space_is_enough_for_a_start_and_its_work(tmp_path):
    sluice = SluiceProcess(tmp_path)
    sluice.command_prefix = ["/bin/sh", "-c", f'ulimit -v {ADDRESS_SPACE_MIN_MIB * 1024}; exec "$0" "$@"']
    work = Work(sluice.start())
    for _ in range(3):
        assert work.write(LARGE).status == 201
    work.check()
    verify_after_stop(sluice)


def written_until_the_end(sluice, beside=8):
    """Clients that write until the process has ended; what was acknowledged, by event."""
    acknowledged, lock = {}, threading.Lock()

    def write():
        work = Work(sluice)
        while sluice.process.poll() is None:
            try:
                answer = work.write(LARGE)
            except (OSError, ValueError):
                break
            if answer.status == 201:
                with lock:
                    acknowledged[answer.json["event_id"]] = (work.run, answer.json["seq"])

    threads = [threading.Thread(target=write) for _ in range(beside)]
    for thread in threads:
        thread.start()
    return acknowledged, threads


def assert_recorded(sluice, acknowledged):
    found = {
        (event["event_id"], (run, event["seq"]))
        for run in {run for run, _ in acknowledged.values()}
        for event in sluice.client().get(f"/runs/{run}/events?limit=1000").json}
    assert set(acknowledged.items()) <= found


def test_a_process_that_gets_no_more_memory_loses_nothing_that_was_acknowledged(own_sluice):
    """Whether it ends or is refused an allocation that it can do without: the next start has everything."""
    sluice = own_sluice()
    acknowledged, threads = written_until_the_end(sluice)
    until_true(lambda: len(acknowledged) > 20)
    pages = int(pathlib.Path(f"/proc/{sluice.process.pid}/statm").read_text().split()[0])
    resource.prlimit(sluice.process.pid, resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
    count = len(acknowledged)
    eventually(lambda: sluice.process.poll() is not None or len(acknowledged) > count + 200, bool)
    if sluice.process.poll() is None:
        sluice.kill()
    for thread in threads:
        thread.join(timeout=60)
    sluice.start()
    assert_recorded(sluice, acknowledged)
    verify_after_stop(sluice)


@pytest.fixture
def control_group(tmp_path):
    """A control group that ends its processes when they use more than it allows."""
    group = CONTROL_GROUPS / f"sluice-{os.getpid()}-{tmp_path.name}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(GROUP_BYTES))
    except OSError as error:
        pytest.skip(f"needs control groups for memory: {error}")
    yield group
    until_true(lambda: not (group / "cgroup.procs").read_text())
    group.rmdir()


def test_a_daemon_that_is_killed_for_its_memory_loses_nothing_that_was_acknowledged(control_group, own_sluice):
    sluice = own_sluice()
    (control_group / "cgroup.procs").write_text(str(sluice.process.pid))
    acknowledged, threads = written_until_the_end(sluice, beside=32)
    until_true(lambda: len(acknowledged) > 20)
    # What is charged to the group is taken from it, down to less than any daemon needs.
    limit = GROUP_BYTES
    while sluice.process.poll() is None and limit > 1 << 20:
        limit //= 2
        try:
            (control_group / "memory.limit_in_bytes").write_text(str(limit))
        except OSError:
            pass
    eventually(sluice.process.poll, lambda code: code is not None)
    for thread in threads:
        thread.join(timeout=60)
    sluice.start()
    assert_recorded(sluice, acknowledged)
    verify_after_stop(sluice)


# A directory that was copied in part


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A daemon that was stopped, with several segments, a secret, and a signed head; and what it answers."""
    sluice = SluiceProcess(tmp_path_factory.mktemp("whole"), {
        "SLUICE_SEGMENT_BYTES_MAX": str(SEGMENT_BYTES_MAX), "SLUICE_CHECKPOINT_INTERVAL": "1s"})
    work = Work(sluice.start())
    for size in (LARGE, LARGE, LARGE, 500, 500, 500):
        assert work.write(size).status == 201
    assert work.api.post("/api/v1/tools", {
        "name": "bank", "base_url": "https://bank.test", "credentials": {"api_key": "s3cr3t"}}).status == 201
    position = work.api.get("/readyz").json["position"]
    signed = sluice.data / "audit" / "checkpoint"
    eventually(lambda: int(signed.read_text().splitlines()[1]), lambda size: size >= position)
    before = answers(sluice)
    assert sluice.stop() == 0
    sluice.before = before
    return sluice


def without(*patterns):
    def remove(data):
        for path in [path for pattern in patterns for path in data.glob(pattern)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return remove


def with_only(*names):
    return lambda data: [
        shutil.rmtree(path) if path.is_dir() else path.unlink() for path in list(data.iterdir())
        if path.name not in names]


def cut_off(*patterns):
    """The copy ended within the newest segment: what comes after it in the alphabet is missing."""
    def cut(data):
        newest = segment(data / "log", -1)
        os.truncate(newest, newest.stat().st_size // 2)
        without(*patterns)(data)
    return cut


LATER = ["log/CLEAN", "read-model*", "snapshots"]
REFUSED = {
    "without the log": (without("log"), LOG_UNUSABLE, "were signed", "backup"),
    "with an empty log": (without("log/*"), LOG_UNUSABLE, "were signed", "backup"),
    "without the log's mark, within the log": (cut_off("log/CLEAN"), LOG_UNUSABLE, "were signed", "backup"),
    "up to within the log": (cut_off(*LATER), LOG_UNUSABLE, "were signed", "backup"),
    "without the newest segment": (
        lambda data: (segment(data / "log", -1).unlink(), without(*LATER)(data)), LOG_UNUSABLE, "were signed", "backup"),
    "without the log and its audit": (without("log", "audit"), LOG_UNUSABLE, "lost events", "backup"),
    "the log alone": (with_only("log"), CONFIGURATION, "keyring", "backup"),
    "without keyrings": (without("keyring*"), CONFIGURATION, "keyring", "backup"),
    "without the master key": (without("master.key"), CONFIGURATION, "master.key", "backup"),
}


@pytest.mark.parametrize("part", REFUSED)
def test_a_copy_that_lacks_what_cannot_be_made_again_is_refused_and_left_as_it_is(whole, tmp_path, part):
    data = shutil.copytree(whole.data, tmp_path / "data")
    change, code, *words = REFUSED[part]
    change(data)
    before = contents(data)
    for _ in range(2):
        ended = whole.run("serve", "--data-dir", data, "--listen", "127.0.0.1:0")
        message = ended.stderr.splitlines()[-1]
        assert ended.returncode == code and message.startswith("sluice: "), ended.stderr
        assert not [word for word in words if word not in message], message
    after = contents(data)
    kept = [path for path in before if "read-model" not in path.name and path.parent.name != "run"]
    assert {path: after.get(path) for path in kept} == {path: before[path] for path in kept}


SERVED = {
    "without read models": without("read-model*"),
    "without the write-ahead log": without("read-model.sqlite-wal"),
    "without snapshots": without("snapshots"),
    "without the log's mark": without("log/CLEAN"),
    "without the audit": without("audit"),
    "with one keyring": without("keyring.second", "keyring.id"),
    "with the other keyring": without("keyring", "keyring.id"),
    "without marks": without("clock", "key-uses", "notices", "run"),
    "with the log and the keys alone": with_only("log", "keyring", "master.key"),
}


@pytest.mark.parametrize("part", SERVED)
def test_a_copy_that_has_the_log_and_its_keys_answers_as_before(whole, tmp_path, part):
    sluice = SluiceProcess(tmp_path, whole.settings)
    shutil.copytree(whole.data, sluice.data)
    SERVED[part](sluice.data)
    sluice.start()
    assert answers(sluice) == whole.before
    assert Work(sluice).write().status == 201
    verify_after_stop(sluice)


def test_an_earlier_log_is_started_once_its_audit_is_moved_away(whole, tmp_path):
    sluice = SluiceProcess(tmp_path, whole.settings)
    shutil.copytree(whole.data, sluice.data)
    cut_off(*LATER)(sluice.data)
    shutil.move(sluice.data / "audit", tmp_path / "audit")
    sluice.start()
    assert "cut a torn tail" in sluice.output.read_text()
    verify_after_stop(sluice)


# A directory that is not there, or that goes away


def test_a_directory_below_none_is_refused_with_its_path(tmp_path):
    sluice = SluiceProcess(tmp_path)
    data = tmp_path / "no" / "such" / "parent"
    ended = sluice.run("serve", "--data-dir", data, "--listen", sluice.listen)
    assert ended.returncode == DIRECTORY_UNUSABLE and str(data) in ended.stderr and "--data-dir" in ended.stderr, ended
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_file_system_that_becomes_read_only_stops_all_writes_and_serves_reads(faulty, call):
    """As ext4 does after an error of its own (`errors=remount-ro`)."""
    sluice = faulty()
    work = Work(sluice)
    for _ in range(3):
        assert work.write().status == 201
    (sluice.faults / call).write_text(str(errno.EROFS))
    refused = work.write()
    assert refused.status == 503 and refused.headers["sluice-error-code"] == "stopped", refused
    assert os.strerror(errno.EROFS) in refused.error and "restart" in refused.error, refused
    work.check()
    assert work.api.get("/readyz").status == 503
    (sluice.faults / call).unlink()
    sluice.restart()
    work.check()
    assert work.write().status == 201
    verify_after_stop(sluice)


def test_the_log_of_a_directory_that_was_renamed_is_whole_under_its_new_name(own_sluice):
    """Files that are open stay the same files, whatever their directory is called."""
    sluice = own_sluice()
    work = Work(sluice)
    assert work.write().status == 201
    moved = sluice.data.with_name("moved")
    sluice.data.rename(moved)
    for _ in range(3):
        work.write()
    sluice.kill()
    sluice.data = moved
    sluice.start()
    work.check()
    verify_after_stop(sluice)
