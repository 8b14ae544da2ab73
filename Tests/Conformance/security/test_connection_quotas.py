"""One agent's connections to the gate leave room for others, also in a container and without a sandbox (invariant 22)."""

import pytest

from hostile_agent import ASKING, HOSTILE, HostileAgents
from sluice_process import SluiceProcess
from test_image_agents import RUNTIME, podman, python_files

CONNECTIONS_MAX = 16
OPENED = 200
# Opens connections until none is served any more, from the agent's process and from a child of it.
GREEDY = f"""
import builtins, os, socket

def served():
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    try:
        connection.connect(GATE)
        connection.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: gate\\r\\n\\r\\n")
        return connection if connection.recv(1) else None
    except OSError:
        return None

def open_many():
    return [each for each in (served() for _ in range({OPENED})) if each]

held = builtins.held = open_many()
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, str(len(open_many())).encode())
    os._exit(0)
os.close(write)
print(len(held), os.read(read, 100).decode())
"""
REACHES = "print(ask('GET', '/runs/' + run)[0], ask('GET', '/healthz')[0])"
SETTINGS = {
    "SLUICE_INVOKE_ATTEMPTS_MAX": "1", "SLUICE_AGENT_FILES_MAX": "4096",
    "SLUICE_AGENT_CONNECTIONS_MAX": str(CONNECTIONS_MAX)}


def check(agents, gate):
    """`gate` is Python for the path of the gate's socket."""
    held, by_child = map(int, agents.attempt("hostile", f"GATE = {gate}\n" + GREEDY).split())
    assert 0 < held and held + by_child <= CONNECTIONS_MAX
    assert agents.attempt("victim", REACHES).split() == ["200", "200"]
    assert agents.ask("hostile", "import builtins\nfor each in builtins.held:\n    each.close()")["response"] == ""
    agents.eventually(
        lambda: agents.ask("hostile", ASKING + "print(ask('GET', '/healthz')[0])")["response"].strip(),
        lambda answer: answer == "200")
    assert "sluice_gate_connections_refused_total" in agents.api.get("/metrics").content.decode()


def test_an_agent_without_a_sandbox_takes_its_own_share_of_connections_alone(tmp_path):
    sluice = SluiceProcess(tmp_path, SETTINGS | {"SLUICE_AGENT_SANDBOX": "none"}).start()
    try:
        agents = HostileAgents(sluice)
        for name in ("hostile", "victim"):
            agents.deploy(name, HOSTILE)
        # By a path that is short enough for a socket's address.
        check(agents, f"'/proc/self/fd/%d/gate.sock' % __import__('os').open({str(sluice.data / 'run')!r}, 0o10000000)")
    finally:
        assert sluice.stop() == 0


def test_an_agent_in_a_container_takes_its_own_share_of_connections_alone(tmp_path):
    with podman(tmp_path) as engine:
        listed = engine.run("ps")
        if listed.returncode != 0:
            pytest.skip(f"podman does not work on this machine, so that no image is run by it here: {listed.stderr[-500:]}")
        code = engine.directory / "agent.py"
        code.write_text(HOSTILE)
        engine.make(
            "localhost/hostile:1",
            python_files() + [(str(RUNTIME), "/usr/lib/python3/dist-packages/runagents"), (str(code), "/app/agent.py")],
            changes=['CMD ["python3","-m","runagents.runtime"]', "ENV PATH=/usr/bin:/bin",
                     "ENV RUNAGENTS_USER_CODE_DIR=/app", "ENV USER_ENTRY_POINT=agent.py"])
        sluice = SluiceProcess(tmp_path, SETTINGS | {
            "SLUICE_CONTAINER_ENGINE": engine.program, "SLUICE_CONTAINER_ARGUMENTS": " ".join(engine.arguments)}).start()
        try:
            agents = HostileAgents(sluice)
            for name in ("hostile", "victim"):
                answer = agents.api.post("/api/v1/deploy", {"agent_name": name, "image": "localhost/hostile:1"})
                assert answer.status == 201, answer
            check(agents, "'/run/sluice/gate.sock'")
        finally:
            assert sluice.stop() == 0
