"""As the first process of a container without an init, the daemon leaves no zombies and heeds signals."""

import os
import pathlib
import signal
import subprocess

import pytest

from deployed_agents import DeployedAgents
from sluice_process import SluiceProcess
from waiting import eventually

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


class FirstProcess(SluiceProcess):
    """A daemon that is process 1 of its namespace."""

    command_prefix = UNSHARE


@pytest.fixture
def daemon(tmp_path):
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs namespaces of processes")
    daemon = FirstProcess(tmp_path).start()
    yield daemon
    daemon.kill()


def stat(process):
    """Name, state and parent of a process."""
    text = (pathlib.Path("/proc") / str(process) / "stat").read_text()
    state, parent = text.rsplit(")", 1)[1].split()[:2]
    return text.split("(", 1)[1].rsplit(")", 1)[0], state, int(parent)


def descendants(process):
    """Every process below that one at one moment, as (id, name, state, parent)."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = stat(entry)
            except (FileNotFoundError, ProcessLookupError):
                pass
    below, grown = {process}, True
    while grown:
        more = {each for each, (_, _, parent) in found.items() if parent in below}
        grown = not more <= below
        below |= more
    return [(each, *found[each]) for each in below & found.keys() - {process}]


def first_process(daemon):
    """The id that process 1 of the namespace has outside."""
    first, = [each for each, _, _, parent in descendants(daemon.process.pid) if parent == daemon.process.pid]
    return first


def test_starts_of_agents_leave_no_zombie(daemon):
    agents = DeployedAgents(daemon)
    for number in range(3):
        agents.deploy(f"short-{number}", "def handler(request, context=None):\n    return 'hello'\n")
        assert agents.ask(f"short-{number}")["response"] == "hello"
        assert agents.api.delete(f"/api/v1/agents/short-{number}").status in (200, 204)
    eventually(
        lambda: [each for each in descendants(daemon.process.pid) if each[2] == "Z"], lambda zombies: not zombies)
    first = first_process(daemon)
    assert [name for _, name, _, parent in descendants(daemon.process.pid) if parent == first]


def test_an_orphan_of_any_process_is_reaped(daemon):
    first = first_process(daemon)
    # A shell in the namespace that ends before its child: the child becomes the first process's.
    subprocess.run(["nsenter", "-t", str(first), "-p", "-m", "sh", "-c", "(sleep 0.2 &) & exit 0"], check=True)
    eventually(
        lambda: [each for each in descendants(daemon.process.pid) if each[1] == "sleep"], lambda left: not left)


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 0), (signal.SIGINT, 0)])
def test_a_signal_to_the_first_process_stops_the_daemon(daemon, number, code):
    os.kill(first_process(daemon), number)
    assert daemon.process.wait(timeout=60) == code


def test_the_status_of_a_daemon_that_cannot_start_is_the_first_processes(tmp_path):
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs namespaces of processes")
    ended = subprocess.run(
        [*UNSHARE, SluiceProcess.binary, "serve", "--data-dir", tmp_path / "d", "--listen", "nonsense"],
        capture_output=True, text=True, timeout=60)
    assert ended.returncode == 78 and "listen must be" in ended.stderr
