"""Starting and stopping what is measured: programs, servers, and C sources that are compiled first."""

import json
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from context import LOADS, Bench, NotMeasured


def raise_descriptor_limit() -> None:
    """Lets this process and what it starts have as many descriptors as the system permits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def needed(name: str) -> str:
    """The path of a program that a Debian package brings."""
    found = shutil.which(name)
    if not found:
        raise NotMeasured(f"{name} is not installed")
    return found


def output(command: list, *, user: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints; the end of its complaint when it fails."""
    ended = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, env=os.environ | (environment or {}),
        **_identity(user))
    if ended.returncode != 0:
        complaint = " ".join((ended.stderr or ended.stdout).split())
        raise NotMeasured(f"{Path(command[0]).name} ended with {ended.returncode}: {complaint[-300:]}")
    return ended.stdout


def compiled(bench: Bench, name: str) -> Path:
    """One of the load programs in C."""
    binary = bench.directory / name
    if not binary.exists():
        output([needed("cc"), "-O2", "-Wall", "-o", binary, LOADS / f"{name}.c"])
    return binary


def native(bench: Bench, name: str, *arguments: object) -> dict:
    """What a load program in C measured."""
    return json.loads(output([compiled(bench, name), *arguments]))


class Server:
    """A process that serves until it is stopped. As a context it is stopped at the end, whatever happens."""

    stop_signal = signal.SIGTERM

    def __init__(
        self, command: list, log: Path, *, user: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                [str(each) for each in command], stdout=out, stderr=out, env=os.environ | (environment or {}),
                **_identity(user))

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def await_ready(self, is_ready: Callable[[], bool], *, seconds: float = 120, interval: float = 0.02) -> None:
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NotMeasured(f"{Path(self.process.args[0]).name} did not start: {self.complaint()}")
            time.sleep(interval)

    def complaint(self) -> str:
        return " ".join(self.log.read_text(errors="replace").split())[-300:]

    def stop(self) -> None:
        if self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def resident_mib(self) -> float:
        return self._memory_kib("status", "VmRSS") / 1024

    @property
    def peak_mib(self) -> float:
        """The most that was resident."""
        return self._memory_kib("status", "VmHWM") / 1024

    @property
    def proportional_kib(self) -> int:
        """Resident memory, with pages shared by several processes in equal parts."""
        return self._memory_kib("smaps_rollup", "Pss")

    def _memory_kib(self, file: str, name: str) -> int:
        text = Path(f"/proc/{self.process.pid}/{file}").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def own_directory(path: Path, user: str) -> Path:
    """A directory for a server that does not run as root."""
    path.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
    return path


def _identity(user: str | None) -> dict:
    """Root lends a peer the user that its package made for it; anybody else runs it as themselves."""
    if user is None or os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise NotMeasured(f"there is no user {user}") from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
