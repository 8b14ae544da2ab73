"""Starts, kills and restarts the built binary, as an operator would."""

import itertools
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import described_answers
from http_client import HTTPClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY", ROOT / ".build/debug/sluice"))
ADMIN_KEY = "conformance-admin-key-0123456789"
READY_SECONDS_MAX = 60


# Below the ports that the system gives to outgoing connections: none of them takes a port between its choice and its
# use, nor while a daemon restarts. Each process begins at a port of its own.
_ports = itertools.cycle(random.SystemRandom().sample(range(10_000, 32_000), 22_000))


def free_port():
    for port in _ports:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class SluiceProcess:
    """A daemon over one data directory; `kill` and `start` may alternate."""

    binary = BINARY
    """What is run, and as whom; `None` is the tests' own user."""
    user = None
    listen_host = "127.0.0.1"
    command_prefix = []

    def __init__(self, directory, settings=None):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.output = self.directory / "output.txt"
        self.settings = settings or {}
        self.port = free_port()
        self.process = None

    @property
    def url(self):
        return f"http://{self.listen}"

    @property
    def listen(self):
        host = f"[{self.listen_host}]" if ":" in self.listen_host else self.listen_host
        return f"{host}:{self.port}"

    def environment(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
        # Most images that tests deploy are names alone, and most builds are of sources that run in the sandbox.
        defaults = {"SLUICE_API_KEY": ADMIN_KEY, "SLUICE_CONTAINER_ENGINE": "none", "SLUICE_BUILD_IMAGES": "off"}
        return environment | defaults | self.settings

    def start(self):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                [*self.command_prefix, self.binary, "serve", "--data-dir", self.data, "--listen", self.listen],
                env=self.environment(), stdout=output, stderr=subprocess.STDOUT, user=self.user, group=self.user,
                extra_groups=None if self.user is None else [])
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"sluice ended with {self.process.returncode}:\n{self.output.read_text()}")
            try:
                if self.client(None).get("/readyz").status == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError(f"sluice was not ready in {READY_SECONDS_MAX} s:\n{self.output.read_text()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(timeout=60)
        return self.process.returncode if self.process else None

    def set_clock_ahead(self, seconds):
        """Sets the wall clock of a faulty daemon, and confirms the step."""
        (self.faults / "clock").write_text(str(seconds))
        clock = self.client().get("/api/v1/clock").json
        answer = self.client().post("/api/v1/clock/confirm", {"wall_time": clock["wall_time"]})
        assert answer.status == 200 and answer.json["follows_wall_clock"], answer

    def memory_mib(self, kind):
        """Resident memory: `VmRSS` now, `VmHWM` at most."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(kind + ":")[1].split()[0]) // 1024

    def client(self, key=ADMIN_KEY, **headers):
        """The requests of one key, whose answers have to be what the API's document says."""
        return HTTPClient(self.listen_host, self.port, key, headers, described_answers.check)

    def key(self, role, workspace=None):
        """Makes a key of a role; returns its text."""
        body = {"name": f"a {role}", "role": role} | ({"workspace": workspace} if workspace else {})
        if role == "agent":
            body["any_agent"] = True
        answer = self.client().post("/api/v1/auth/api-keys", body)
        assert answer.status == 201, answer
        return answer.json["token"]

    def run(self, *arguments, **settings):
        """Runs another subcommand to its end."""
        return subprocess.run(
            [BINARY, *map(str, arguments)], env=self.environment() | settings, capture_output=True, text=True,
            timeout=300)
