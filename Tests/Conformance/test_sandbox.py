"""A hostile agent: what its handler finds out and tries comes back as its answer, and all of it comes to nothing."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from deployed_agents import DeployedAgents
from hostile_agent import HOSTILE
from sluice_process import ADMIN_KEY, BINARY, SluiceProcess

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("hostile"),
        {"SLUICE_AGENT_SCRATCH_BYTES_MAX": str(32 * MEBIBYTE), "SLUICE_AGENT_PROCESSES_MAX": "64",
         "SLUICE_AGENT_MEMORY_BYTES_MAX": str(512 * MEBIBYTE), "SLUICE_INVOKE_ATTEMPTS_MAX": "1",
         "SLUICE_AGENT_SANDBOX": "required"}).start()
    agents = DeployedAgents(process)
    agents.deploy("hostile", HOSTILE)
    agents.deploy("victim", "def handler(request, context=None):\n    return 'SECRET-OF-THE-VICTIM'\n")
    agents.await_phase("hostile", "Running")
    yield agents
    assert process.stop() == 0


@pytest.fixture
def attempt(agents):
    return lambda code: agents.ask("hostile", code)["response"]


def test_it_reaches_no_address(agents, attempt):
    addresses = [("127.0.0.1", agents.sluice.port), ("10.0.0.1", 80), ("169.254.169.254", 80), ("1.1.1.1", 443)]
    addresses += [(address, agents.sluice.port) for address in host_addresses()]
    found = attempt(f"""
import socket
for address in {addresses!r}:
    try:
        socket.create_connection(address, timeout=2)
        print("REACHED", address)
    except OSError as error:
        print(error)
print(socket.if_nameindex())
""")
    assert "REACHED" not in found
    assert found.strip().endswith("[(1, 'lo')]"), found


def test_it_sees_no_file_of_the_host(agents, attempt):
    places = [agents.sluice.data, agents.sluice.directory, "/etc/shadow", "/etc/passwd", "/root/.bashrc", "/root/.ssh",
              "/home", "/var", "/sys", "/opt", "/srv", "/run/sluice/agent", "/mnt", "/boot"]
    found = attempt(f"""
import os
for place in {[str(place) for place in places]!r}:
    if os.path.exists(place):
        print("SEEN", place)
print(sorted(os.listdir("/")), sorted(os.listdir("/run/sluice")), sorted(os.listdir("/bundle")))
""")
    assert "SEEN" not in found
    assert "'gate.sock', 'launch.py'" in found and "'src', 'venv'" in found, found


def test_it_does_not_find_another_agent(attempt):
    found = attempt("""
import os
for root, _, files in os.walk("/"):
    if root.startswith(("/proc", "/usr", "/bundle/venv")):
        continue
    for name in files:
        if name == "agent.py":
            path = os.path.join(root, name)
            print(path, "SECRET-OF-THE" + "-VICTIM" in open(path).read())
""")
    assert found.strip() == "/bundle/src/agent.py False"


def test_it_sees_no_process_of_the_host(agents, attempt):
    found = attempt(f"""
import os
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print(len(pids) < 20, any("sluice" in open(f"/proc/{{pid}}/cmdline").read() and "serve" in
      open(f"/proc/{{pid}}/cmdline").read() for pid in pids))
try:
    os.kill({agents.sluice.process.pid}, 0)
    print("SIGNALLED")
except OSError as error:
    print(error)
""")
    assert found.startswith("True False") and "SIGNALLED" not in found, found


def test_it_has_no_rights(attempt):
    found = attempt("""
import os
status = open("/proc/self/status").read()
print(os.getuid(), os.getgid(), [line for line in status.splitlines() if line.startswith(("CapEff", "CapBnd", "NoNew"))])
for action in (lambda: os.setuid(0), lambda: os.mkdir("/x"), lambda: os.mkdir("/bundle/src/x"),
               lambda: open("/bundle/src/agent.py", "a"), lambda: open("/usr/x", "w"), lambda: os.mknod("/dev/shm/d", 0o60600, 0x800),
               lambda: open("/dev/x", "w"), lambda: open("/run/sluice/x", "w"), lambda: open("/proc/sys/kernel/hostname", "w")):
    try:
        action()
        print("DONE", action)
    except OSError as error:
        print(error)
""")
    assert found.startswith("65534 65534")
    assert "CapEff:\\t0000000000000000" in found and "NoNewPrivs:\\t1" in found, found
    assert "DONE" not in found, found


def test_it_makes_no_namespace_of_its_own(attempt):
    found = attempt("""
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), os.strerror(ctypes.get_errno()))
print(subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True).returncode != 0)
print(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
""")
    assert found.split("\n")[:3] == ["-1 Operation not permitted", "True", "-1"], found


def test_it_cannot_fill_the_disk(agents, attempt):
    before = os.statvfs(agents.sluice.data)
    found = attempt("""
import os
for directory in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/"):
    written = 0
    try:
        for number in range(100):
            with open(f"{directory}/fill{number}", "wb") as file:
                for _ in range(16):
                    written += file.write(bytes(1 << 20))
                    file.flush()
    except OSError as error:
        print(directory, written >> 20, error)
for directory in ("/tmp", "/dev/shm"):
    for name in os.listdir(directory):
        os.unlink(f"{directory}/{name}")
""")
    assert len(found.strip().split("\n")) == 5, found
    for line in found.strip().split("\n"):
        assert int(line.split()[1]) <= 33, found
    # The two in memory have one budget together.
    assert sum(int(line.split()[1]) for line in found.split("\n") if line.startswith(("/tmp ", "/dev/shm "))) <= 32, found
    after = os.statvfs(agents.sluice.data)
    assert (before.f_bavail - after.f_bavail) * before.f_frsize < 256 * MEBIBYTE


def test_its_memory_is_in_no_file_without_a_name(attempt):
    found = attempt("""
import multiprocessing, os
from multiprocessing import shared_memory
try:
    os.memfd_create("hidden")
    print("MADE")
except OSError as error:
    print(error)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
memory = shared_memory.SharedMemory(create=True, size=1024)
memory.buf[0] = 7
print(memory.buf[0])
memory.close()
memory.unlink()
""")
    assert "Operation not permitted" in found and "MADE" not in found, found
    assert "[1, 2]\n7" in found, found


def test_its_processes_are_limited(attempt):
    found = attempt("""
import os, signal, time
children = []
try:
    while len(children) < 1000:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        children.append(pid)
except OSError as error:
    print(error)
print(len(children) < 64)
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
""")
    assert "Resource temporarily unavailable" in found and found.strip().endswith("True"), found


def test_its_memory_and_files_are_limited(attempt):
    found = attempt("""
try:
    bytearray(1 << 30)
    print("HAD")
except MemoryError:
    print("refused")
files = []
try:
    while len(files) < 5000:
        files.append(open("/dev/null"))
except OSError as error:
    print(error)
files.clear()
""")
    assert "refused" in found and "Too many open files" in found and "HAD" not in found, found


def test_the_gate_gives_no_rights_but_its_own(attempt):
    found = attempt(f"""
import os, urllib.request, urllib.error
gate = os.environ["GOVERNANCE_URL"]
origin = gate.split("/as/")[0]
def ask(method, url, key=None):
    request = urllib.request.Request(url, b"{{}}" if method == "POST" else None, method=method)
    if key:
        request.add_header("Authorization", "Bearer " + key)
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code
print(ask("GET", origin + "/healthz"), ask("GET", gate + "/runs"))
print([ask("GET", origin + path, "{ADMIN_KEY}") for path in
       ("/runs", "/api/agents", "/api/v1/auth/api-keys", "/metrics", "/api/v1/agents")])
print([ask("POST", gate + path) for path in ("/deploy", "/api/v1/deploy", "/auth/api-keys", "/tools")])
print(ask("GET", origin + "/as/ra_agent_" + "0" * 64 + "/runs"), ask("GET", origin + "/as/{ADMIN_KEY}/runs"))
print(ask("GET", gate + "/../../metrics"), ask("GET", origin + "/as//../api/agents"))
""")
    lines = found.strip().split("\n")
    assert lines[0] == "200 200", found
    assert lines[1] == "[404, 404, 404, 404, 404]"
    assert lines[2] == "[404, 404, 404, 404]"
    assert lines[3] == "401 401"
    assert lines[4] == "404 404"


def test_no_secret_stands_where_others_read(agents, attempt):
    """The token is neither in a command line of the host, nor in a file of the data directory, nor in the output."""
    # Backwards, because an answer that has the token as it is would be masked.
    token = attempt("import os; print(os.environ['GOVERNANCE_URL'].rsplit('/', 1)[1][::-1])").strip()[::-1]
    assert token.startswith("ra_agent_")
    attempt("import os, sys; sys.stderr.write(os.environ['GOVERNANCE_URL'] + '\\n')")
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                assert token.encode() not in (entry / "cmdline").read_bytes()
            except OSError:
                pass
    outputs = [file.read_bytes() for file in (agents.sluice.data / "agents").rglob("*.log")]
    assert any(b"/as/***" in output for output in outputs)
    assert not any(token.encode() in output for output in outputs)
    assert token not in agents.sluice.output.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_daemon_that_is_not_root_gives_no_more():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-"))
    shutil.copy(BINARY, directory / "sluice")
    os.chown(directory, 65534, 65534)
    process = SluiceProcess(
        directory, {"SLUICE_AGENT_PROCESSES_MAX": "64", "SLUICE_AGENT_PYTHON": shutil.which("python3", path="/usr/bin"),
                    "SLUICE_AGENT_SANDBOX": "required", "HOME": str(directory)})
    process.binary, process.user = directory / "sluice", 65534
    try:
        agents = DeployedAgents(process.start())
        agents.deploy("hostile", HOSTILE)
        found = agents.ask("hostile", f"""
import os, signal, socket, time
children = []
try:
    while len(children) < 500:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        children.append(pid)
except OSError as error:
    print(error)
for pid in children:
    os.kill(pid, signal.SIGKILL)
for path in ("/x", "/dev/x", "/run/sluice/x", "/bundle/src/x"):
    try:
        open(path, "w")
        print("WRITTEN", path)
    except OSError:
        pass
print(os.getuid(), os.path.exists({str(directory)!r}), socket.if_nameindex())
""")["response"]
        assert found.strip().split("\n") == ["[Errno 11] Resource temporarily unavailable", "65534 False [(1, 'lo')]"]
        assert process.stop() == 0
    finally:
        process.stop()
        shutil.rmtree(directory, ignore_errors=True)


def test_a_required_sandbox_that_does_not_work_stops_the_start(tmp_path):
    process = SluiceProcess(tmp_path, {"SLUICE_AGENT_SANDBOX": "required", "PATH": str(tmp_path)})
    with pytest.raises(AssertionError, match="ended with 69"):
        process.start()
    assert "Install bubblewrap" in process.output.read_text()


def host_addresses():
    listing = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return [address for address in listing if ":" not in address]
