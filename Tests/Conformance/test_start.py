"""A start listens first: what it answers until the log is read, and that it stops at once when asked."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from http_client import HTTPClient
from sluice_process import SluiceProcess
from waiting import until_true

ADDRESS_UNUSABLE, DIRECTORY_UNUSABLE, IN_USE = 69, 73, 75
STOP_SECONDS_MAX = 1
SEGMENT_BYTES_MAX = 65_536
EVENTS_COUNT = 40
SLOW_READ_MILLISECONDS = 20
RECOVERING, KEYS, FOLDING, CATCHING_UP = (
    "recovering the log", "opening the keys", "folding the log", "bringing the read models up to date")


class Start:
    """A daemon that is being started, and is not awaited."""

    def __init__(self, sluice, output=None, **settings):
        self.sluice = sluice
        with open(sluice.output, "ab") as file:
            self.process = subprocess.Popen(
                [sluice.binary, "serve", "--data-dir", sluice.data, "--listen", sluice.listen],
                env=sluice.environment() | settings, stdout=output or file, stderr=subprocess.STDOUT)
        sluice.process = self.process
        self.api = HTTPClient("127.0.0.1", sluice.port, None)

    def answer(self, path="/readyz"):
        """The first answer that there is."""
        return self.until(lambda answer: True, path)

    def until(self, fact, path="/readyz", seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.sluice.output.read_text()
            with contextlib.suppress(OSError):
                answer = self.api.get(path)
                if fact(answer):
                    return answer
            time.sleep(0.01)
        raise AssertionError(f"not so after {seconds} s: {self.sluice.output.read_text()}")

    def until_phase(self, phase):
        return self.until(lambda answer: answer.status == 503 and answer.json.get("phase") == phase)

    def stop(self, number=signal.SIGTERM):
        """The exit code, and how long that took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout=60), time.monotonic() - begin


@pytest.fixture
def waiting_for_key(tmp_path):
    """A start that waits for its master key: a FIFO that nothing writes to."""
    sluice = SluiceProcess(tmp_path)
    fifo = tmp_path / "master.key"
    os.mkfifo(fifo, 0o600)
    start = Start(sluice, SLUICE_MASTER_KEY_FILE=str(fifo))
    yield start
    if start.process.poll() is None:
        start.process.kill()
        start.process.wait()


@pytest.fixture
def worked(faulty):
    """A stopped daemon with a log of many segments, whose reads can be made slow."""
    sluice = faulty(SLUICE_SEGMENT_BYTES_MAX=str(SEGMENT_BYTES_MAX))
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    for _ in range(EVENTS_COUNT):
        answer = api.post(
            f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": os.urandom(15_000).hex()}})
        assert answer.status == 201
    sluice.run_id = run
    assert sluice.stop() == 0
    # Without them a start reads the whole log twice.
    shutil.rmtree(sluice.data / "snapshots", ignore_errors=True)
    for path in sluice.data.glob("read-model*"):
        path.unlink()
    return sluice


def read_slowly(sluice):
    (sluice.faults / "read-delay").write_text(str(SLOW_READ_MILLISECONDS))


def read_fast(sluice):
    (sluice.faults / "read-delay").unlink()


def test_health_is_ok_while_readiness_names_the_phase(waiting_for_key):
    ready = waiting_for_key.until_phase(KEYS)
    assert ready.json["status"] == "starting" and ready.json["progress"].keys() == {"done", "of"}
    assert int(ready.headers["retry-after"]) > 0
    health = waiting_for_key.api.get("/healthz")
    assert health.status == 200 and health.json["status"] == "ok"
    assert waiting_for_key.api.request("HEAD", "/readyz").status == 503


@pytest.mark.parametrize("method, path", [
    ("GET", "/runs"), ("POST", "/runs"), ("GET", "/api/agents"), ("GET", "/metrics"), ("GET", "/nothing/of/ours"),
    ("GET", "/openapi.json"), ("DELETE", "/api/v1/agents/a"), ("POST", "/as/key/egress/tool/x"), ("GET", "/oauth/callback"),
])
def test_everything_else_is_refused_until_the_start_has_ended(waiting_for_key, method, path):
    waiting_for_key.until_phase(KEYS)
    answer = waiting_for_key.api.request(method, path, {} if method == "POST" else None)
    assert answer.status == 503 and answer.headers["sluice-error-code"] == "starting", answer
    assert int(answer.headers["retry-after"]) > 0 and "/readyz" in answer.error
    assert answer.headers["x-request-id"]


def test_a_base_path_holds_while_starting(tmp_path):
    sluice = SluiceProcess(tmp_path)
    fifo = tmp_path / "master.key"
    os.mkfifo(fifo, 0o600)
    start = Start(sluice, SLUICE_MASTER_KEY_FILE=str(fifo), SLUICE_BASE_PATH="/sluice")
    try:
        assert start.until(lambda answer: answer.json.get("phase") == KEYS, "/sluice/readyz").status == 503
        assert start.api.get("/sluice/healthz").status == 200
        assert start.api.get("/sluice/runs").headers["sluice-error-code"] == "starting"
    finally:
        start.process.kill()
        start.process.wait()


def test_a_connection_outlives_the_start(worked):
    read_slowly(worked)
    start = Start(worked)
    start.until_phase(FOLDING)
    connection = start.api.connection()
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    assert response.status == 503 and response.read()
    client = connection.sock.getsockname()
    read_fast(worked)
    start.until(lambda answer: answer.status == 200)
    connection.request("GET", f"/runs/{worked.run_id}", headers=worked.client().headers)
    response = connection.getresponse()
    assert response.status == 200 and response.read()
    assert connection.sock.getsockname() == client
    connection.close()


def test_the_progress_counts_up_to_its_end(worked):
    read_slowly(worked)
    start = Start(worked)
    for phase in (FOLDING, CATCHING_UP):
        seen = start.until(
            lambda answer: answer.json.get("phase") == phase and answer.json["progress"]["done"] > 0)
        assert 0 < seen.json["progress"]["done"] <= seen.json["progress"]["of"]
    read_fast(worked)
    assert start.until(lambda answer: answer.status == 200).json["status"] == "ready"


@pytest.mark.parametrize("phase", [RECOVERING, FOLDING, CATCHING_UP])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_honoured_within_a_second(worked, phase, number):
    segments = {path.name: path.read_bytes() for path in worked.data.glob("**/*.seg")}
    read_slowly(worked)
    start = Start(worked)
    start.until_phase(phase)
    code, seconds = start.stop(number)
    assert code == 0 and seconds < STOP_SECONDS_MAX, (code, seconds)
    assert {path.name: path.read_bytes() for path in worked.data.glob("**/*.seg")} == segments
    read_fast(worked)
    worked.start()
    assert len(worked.client().get(f"/runs/{worked.run_id}/events").json) == EVENTS_COUNT
    assert worked.stop() == 0


def test_a_stop_is_honoured_while_a_file_blocks(waiting_for_key):
    waiting_for_key.until_phase(KEYS)
    code, seconds = waiting_for_key.stop()
    assert code == 0 and seconds < STOP_SECONDS_MAX, (code, seconds)


def test_a_stop_during_the_start_loses_no_first_admin_key(tmp_path, shim):
    """The key is shown once. A stop comes while its line is written and the read models wait for a slow disk."""
    faults = tmp_path / "faults"
    faults.mkdir()
    (faults / "output-delay").write_text("600")
    (faults / "read-delay").write_text("5000")
    sluice = SluiceProcess(tmp_path, {"SLUICE_API_KEY": "", "LD_PRELOAD": str(shim), "FAULTS": str(faults)})
    start = Start(sluice)
    until_true((faults / "output-begun").exists)
    code, seconds = start.stop()
    assert code == 0 and seconds < STOP_SECONDS_MAX, (code, seconds)
    key = re.search(r"The first admin key, shown this once:\s+(\S+)", sluice.output.read_text())
    assert key, sluice.output.read_text()
    for fault in ("output-delay", "read-delay"):
        (faults / fault).unlink()
    sluice.start()
    assert sluice.client(key[1]).get("/runs").status == 200
    assert sluice.stop() == 0


def test_a_stop_during_the_start_does_not_wait_for_readers_of_its_output(waiting_for_key, tmp_path):
    """Both outputs are a pipe that is full."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETFL, os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while os.write(write_end, b"x" * 4096):
            pass
    fcntl.fcntl(write_end, fcntl.F_SETFL, 0)
    sluice = SluiceProcess(tmp_path / "full")
    sluice.directory.mkdir()
    start = Start(
        sluice, output=write_end, SLUICE_MASTER_KEY_FILE=str(tmp_path / "master.key"), SLUICE_LOG_LEVEL="trace")
    try:
        start.until_phase(KEYS)
        code, seconds = start.stop()
        assert code == 0 and seconds < STOP_SECONDS_MAX, (code, seconds)
    finally:
        os.close(read_end)
        os.close(write_end)


def test_a_stop_does_not_wait_for_a_client_that_sends_slowly(waiting_for_key):
    waiting_for_key.until_phase(KEYS)
    with socket.create_connection(("127.0.0.1", waiting_for_key.sluice.port)) as client:
        client.sendall(b"POST /runs HTTP/1.1\r\nHost: s\r\nContent-Length: 1000\r\n\r\n{")
        code, seconds = waiting_for_key.stop()
    assert code == 0 and seconds < STOP_SECONDS_MAX, (code, seconds)


def test_a_start_that_was_killed_while_rebuilding_is_repeated(worked):
    read_slowly(worked)
    start = Start(worked)
    start.until(lambda answer: answer.json.get("phase") == CATCHING_UP and answer.json["progress"]["done"] > 1)
    worked.kill()
    read_fast(worked)
    worked.start()
    assert len(worked.client().get(f"/runs/{worked.run_id}/events").json) == EVENTS_COUNT


def test_a_wrong_address_fails_before_the_log_is_read(worked):
    read_slowly(worked)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", worked.port))
        taken.listen()
        begin = time.monotonic()
        failed = worked.run("serve", "--data-dir", worked.data, "--listen", worked.listen)
        seconds = time.monotonic() - begin
    assert failed.returncode == ADDRESS_UNUSABLE and "choose another --listen" in failed.stderr
    # A fold alone takes longer.
    assert seconds < 10, failed.stderr


def test_a_second_daemon_of_a_directory_answers_nothing(waiting_for_key):
    waiting_for_key.until_phase(KEYS)
    first = waiting_for_key.sluice
    second = first.run("serve", "--data-dir", first.data, "--listen", first.listen)
    assert second.returncode == IN_USE and str(waiting_for_key.process.pid) in second.stderr


def test_the_log_names_the_phase_every_five_seconds(waiting_for_key):
    waiting_for_key.until_phase(KEYS)
    output = pathlib.Path(waiting_for_key.sluice.output)
    deadline = time.monotonic() + 30
    while output.read_text().count("phase=opening the keys") < 2:
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)


def test_a_socket_for_agents_that_cannot_be_bound_ends_the_daemon(tmp_path):
    sluice = SluiceProcess(tmp_path)
    blocking = sluice.data / "run" / "gate.sock" / "in-the-way"
    blocking.mkdir(parents=True)
    sluice.data.chmod(0o700)
    with contextlib.suppress(AssertionError):
        sluice.start()
    assert sluice.process.wait(timeout=30) == DIRECTORY_UNUSABLE
    said = sluice.output.read_text()
    assert f"cannot listen for agents on {sluice.data}/run/gate.sock" in said and "remove what is there" in said
    shutil.rmtree(blocking.parent)
    assert sluice.start().stop() == 0
