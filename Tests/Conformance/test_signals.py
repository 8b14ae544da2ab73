"""Signals, the log's pipe and the service manager, from outside: with real pipes and real datagrams."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from sluice_process import ADMIN_KEY, SluiceProcess
from waiting import until_true

DRAIN_SECONDS_MAX = 15
ANOTHER_KEY = "conformance-another-key-0123456789"


class Piped:
    """A daemon whose standard error is a pipe of the test's."""

    def __init__(self, directory, reads=True, **settings):
        self.sluice = SluiceProcess(directory, settings)
        self.read_end, write_end = os.pipe()
        if not reads:
            os.close(self.read_end)
        with open(self.sluice.output, "ab") as output:
            self.process = self.sluice.process = subprocess.Popen(
                [self.sluice.binary, "serve", "--data-dir", self.sluice.data, "--listen", self.sluice.listen],
                env=self.sluice.environment(), stdout=output, stderr=write_end)
        os.close(write_end)
        self.api = self.sluice.client()

    def ready(self):
        def is_ready():
            assert self.process.poll() is None, self.process.returncode
            with contextlib.suppress(OSError):
                return self.api.get("/readyz").status == 200
        until_true(is_ready)
        return self

    def read(self):
        """Whatever is in the pipe now."""
        fcntl.fcntl(self.read_end, fcntl.F_SETFL, os.O_NONBLOCK)
        text = b""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.read_end, 1 << 20):
                text += part
        return text.decode()

    def metric(self, name):
        return float(self.api.get("/metrics").content.decode().split(f"\n{name} ")[1].split()[0])


@pytest.fixture
def piped(tmp_path):
    made = []

    def make(**arguments):
        made.append(Piped(tmp_path, **arguments))
        return made[-1]

    yield make
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def fill(daemon):
    """Sends requests, each a line of the log, until lines are dropped."""
    def is_full():
        for _ in range(200):
            assert daemon.api.get("/runs", {"X-Request-Id": "x" * 100}).status == 200
        return daemon.metric("sluice_log_lines_dropped_total") > 0
    until_true(is_full, 120)


def test_a_full_log_pipe_stops_nothing_and_its_losses_are_counted(piped):
    daemon = piped(SLUICE_LOG_LEVEL="trace").ready()
    fill(daemon)
    assert daemon.api.get("/healthz").status == 200 and daemon.api.get("/readyz").status == 200
    assert daemon.api.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    seen = []
    until_true(lambda: seen.append(daemon.read()) or "log lines dropped" in "".join(seen))
    line = next(line for line in "".join(seen).splitlines() if "log lines dropped" in line)
    assert int(line.split("count=")[1].split()[0]) > 0


def test_a_stop_ends_a_daemon_whose_log_is_not_read(piped):
    daemon = piped(SLUICE_LOG_LEVEL="trace").ready()
    fill(daemon)
    begin = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(timeout=60) == 0
    assert time.monotonic() - begin < DRAIN_SECONDS_MAX


def test_the_last_lines_are_written_before_the_end(piped):
    daemon = piped(SLUICE_LOG_LEVEL="debug").ready()
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(timeout=60) == 0
    assert " stopped\n" in daemon.read()


def test_a_reader_of_the_log_that_is_gone_ends_nothing(piped):
    daemon = piped(reads=False).ready()
    assert daemon.api.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(timeout=60) == 0


def test_a_failed_start_ends_although_its_output_is_not_read(tmp_path):
    sluice = SluiceProcess(tmp_path)
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETFL, os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while os.write(write_end, b"x" * 4096):
            pass
    fcntl.fcntl(write_end, fcntl.F_SETFL, 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", sluice.port))
        taken.listen()
        failed = subprocess.Popen(
            [sluice.binary, "serve", "--data-dir", sluice.data, "--listen", sluice.listen],
            env=sluice.environment(), stdout=write_end, stderr=write_end)
        assert failed.wait(timeout=60) == 69
    os.close(read_end)
    os.close(write_end)


@pytest.mark.parametrize("number", [
    signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPIPE,
    signal.SIGXFSZ, signal.SIGWINCH, signal.SIGURG, signal.SIGCONT, signal.SIGCHLD, signal.SIGHUP,
], ids=lambda number: number.name)
def test_a_signal_without_effect_ends_nothing(own_sluice, number):
    sluice = own_sluice()
    for _ in range(3):
        sluice.process.send_signal(number)
        assert sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    assert sluice.stop() == 0


def test_a_signal_without_effect_is_logged(own_sluice):
    sluice = own_sluice()
    sluice.process.send_signal(signal.SIGUSR1)
    until_true(lambda: "signal without effect" in sluice.output.read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_stop_drains_whatever_follows_it(own_sluice, number):
    sluice = own_sluice()
    body = json.dumps({"agent_id": "a", "user_id": "u"}).encode()
    with socket.create_connection(("127.0.0.1", sluice.port)) as client:
        client.sendall(
            f"POST /runs HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        # The body is being read.
        assert client.recv(65_536).startswith(b"HTTP/1.1 100")
        client.sendall(body[:1])
        sluice.process.send_signal(number)
        until_true(lambda: refuses_connections(sluice))
        # What follows a stop hastens nothing.
        for follower in (number, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT, signal.SIGTERM):
            sluice.process.send_signal(follower)
        client.sendall(body[1:])
        assert client.recv(65_536).startswith(b"HTTP/1.1 201")
    assert sluice.process.wait(timeout=60) == 0


def refuses_connections(sluice):
    try:
        socket.create_connection(("127.0.0.1", sluice.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_hangup_reloads_the_level_of_the_log_and_the_admin_key(tmp_path):
    config = tmp_path / "sluice.json"
    config.write_text(json.dumps({"log-level": "info", "api-key": ADMIN_KEY}))
    sluice = SluiceProcess(tmp_path)
    sluice.settings = {}
    environment = sluice.environment()
    del environment["SLUICE_API_KEY"]
    with open(sluice.output, "ab") as output:
        sluice.process = subprocess.Popen(
            [sluice.binary, "serve", "--data-dir", sluice.data, "--listen", sluice.listen, "--config", config],
            env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        until_true(lambda: "listens on" in sluice.output.read_text())
        config.write_text(json.dumps({"log-level": "debug", "api-key": ANOTHER_KEY, "heartbeat": "20s"}))
        sluice.process.send_signal(signal.SIGHUP)
        until_true(lambda: "settings reloaded" in sluice.output.read_text())
        line = next(line for line in sluice.output.read_text().splitlines() if "settings reloaded" in line)
        assert "awaiting_restart=heartbeat" in line and "log_level=debug" in line
        until_true(lambda: sluice.client(ANOTHER_KEY).get("/runs").status == 200)
        until_true(lambda: sluice.client(ADMIN_KEY).get("/runs").status == 401)
        until_true(lambda: "debug sluice: " in sluice.output.read_text())
        # Settings that cannot be read change nothing.
        config.write_text("{")
        sluice.process.send_signal(signal.SIGHUP)
        until_true(lambda: "settings not reloaded" in sluice.output.read_text())
        assert sluice.client(ANOTHER_KEY).get("/runs").status == 200
    finally:
        assert sluice.stop() == 0


class ServiceManager:
    """systemd's end of the socket: reads what a service says of itself."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.messages = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while message := self.socket.recv(65_536):
            self.messages.append(message.decode().split("\n"))

    def said(self, assignment):
        return [message for message in list(self.messages) if any(each.startswith(assignment) for each in message)]


@pytest.mark.parametrize("is_abstract", [False, True])
def test_the_service_manager_is_told_of_the_start_and_of_the_stop(own_sluice, tmp_path, is_abstract):
    name = f"sluice-{os.getpid()}-{tmp_path.name}" if is_abstract else str(tmp_path / "notify")
    manager = ServiceManager("\0" + name if is_abstract else name)
    sluice = own_sluice(NOTIFY_SOCKET="@" + name if is_abstract else name)
    until_true(lambda: manager.said("READY=1"))
    first = manager.messages.index(manager.said("READY=1")[0])
    assert manager.said("EXTEND_TIMEOUT_USEC=") and manager.said("STATUS=")
    assert not any("STOPPING=1" in message for message in manager.messages[:first])
    assert not manager.said("WATCHDOG=1")
    assert sluice.stop() == 0
    until_true(lambda: manager.said("STOPPING=1"))


def test_the_watchdog_is_fed_while_the_writer_answers_and_no_longer(faulty, tmp_path):
    manager = ServiceManager(str(tmp_path / "notify"))
    sluice = faulty(
        NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000", SLUICE_APPEND_STALL_TIMEOUT="500ms")
    until_true(lambda: len(manager.said("WATCHDOG=1")) > 3)
    (sluice.faults / "delay").write_text("4000")
    with contextlib.suppress(OSError):
        writer = threading.Thread(
            target=lambda: sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}), daemon=True)
        writer.start()
    answer = until_true(lambda: (found := sluice.client(None).get("/readyz")).status == 503 and found)
    assert "not confirmed a write" in answer.error and sluice.client(None).get("/healthz").status == 200
    pings = len(manager.said("WATCHDOG=1"))
    metrics = sluice.client().get("/metrics").content.decode()
    assert "sluice_log_stalled_seconds" in metrics
    until_true(lambda: "log write stalled" in sluice.output.read_text())
    assert len(manager.said("WATCHDOG=1")) <= pings + 1
    (sluice.faults / "delay").unlink()
    writer.join()
    until_true(lambda: sluice.client(None).get("/readyz").status == 200)
    until_true(lambda: "log write no longer stalled" in sluice.output.read_text())
    until_true(lambda: len(manager.said("WATCHDOG=1")) > pings + 2)


def test_the_watchdog_of_another_process_is_left_alone(own_sluice, tmp_path):
    manager = ServiceManager(str(tmp_path / "notify"))
    own_sluice(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000", WATCHDOG_PID="1")
    until_true(lambda: manager.said("READY=1"))
    assert not manager.said("WATCHDOG=1")
