"""A hostile package: its build backend, fetched from a real index and run by the real installer, gets nowhere."""

import os
import pathlib
import time

import pytest

import system_calls
from package_index import Listener, PackageIndex
from sluice_process import SluiceProcess

MEBIBYTE = 1024 * 1024
FILES = {"agent.py": "def handler(request, context=None):\n    return 'built'\n"}
SECONDS_MAX = 180


class HostileBuilds:
    """A daemon whose packages come from the tests' own index, beside the configured one."""

    def __init__(self, directory, index):
        self.index = index
        self.sluice = SluiceProcess(directory, {
            "PIP_EXTRA_INDEX_URL": index.url, "SLUICE_AGENT_BUILD_BYTES_MAX": str(256 * MEBIBYTE),
            "SLUICE_AGENT_BUILD_FILES_MAX": "20000", "SLUICE_AGENT_SANDBOX": "required"}).start()

    @property
    def environments(self):
        return self.sluice.data / "environments"

    def build(self, name, code):
        """Builds an agent that needs a package whose installation runs `code`; the build and its log."""
        self.index.add(name, code)
        api = self.sluice.client()
        answer = api.post("/api/v1/builds", {"name": name, "files": FILES, "requirements": name})
        assert answer.status == 202, answer
        build = answer.json
        deadline = time.monotonic() + SECONDS_MAX
        while build["status"] not in ("SUCCEEDED", "FAILED"):
            assert time.monotonic() < deadline, (build, self.sluice.output.read_text()[-2000:])
            time.sleep(0.05)
            build = api.get("/api/v1/builds/" + build["id"]).json
        return build, api.get(f"/api/v1/builds/{build['id']}/logs").json["logs"]

    def used_bytes(self):
        status = os.statvfs(self.sluice.data)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def remainders(self):
        return [path.name for path in self.environments.iterdir() if path.name.startswith(".")]


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    index = PackageIndex()
    builds = HostileBuilds(tmp_path_factory.mktemp("builds"), index)
    yield builds
    assert builds.sluice.stop() == 0
    index.stop()


def test_a_package_reaches_the_index_and_nothing_else(builds):
    victim = Listener()
    build, log = builds.build("reaches", f"""
import os, socket, urllib.error, urllib.request
for address in [("127.0.0.1", {victim.port}), ("127.0.0.1", {builds.sluice.port}), ("127.0.0.1", {builds.index.port}),
                ("169.254.169.254", 80), ("10.0.0.1", 80), ("1.1.1.1", 443)]:
    try:
        socket.create_connection(address, timeout=2)
        print("REACHED", address)
    except OSError as error:
        print("CLOSED", address)
print("INTERFACES", [name for _, name in socket.if_nameindex()])
def tunnel(target):
    with socket.create_connection(("127.0.0.1", 8081), timeout=30) as proxy:
        proxy.sendall(f"CONNECT {{target}} HTTP/1.1\\r\\n\\r\\n".encode())
        return proxy.recv(4096).split(b" ")[1].decode()
for target in ("127.0.0.1:{victim.port}", "127.0.0.1:{builds.sluice.port}", "169.254.169.254:80", "localhost:{victim.port}",
               "[::1]:{victim.port}", "[::ffff:127.0.0.1]:{victim.port}", "metadata.google.internal:80",
               "127.0.0.1:{builds.index.port}0", "127.0.0.1.:{builds.index.port}"):
    print("TUNNEL", target, tunnel(target))
def ask(method, url):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code
print("PROXY", os.environ["HTTP_PROXY"])
print("INDEX", ask("GET", "{builds.index.url}/reaches/"), ask("POST", "{builds.index.url}/reaches/"))
print("DAEMON", ask("GET", "http://127.0.0.1:{builds.sluice.port}/healthz"), ask("GET", "http://169.254.169.254/latest/"))
raise SystemExit(1)
""")
    assert build["status"] == "FAILED"
    assert "REACHED" not in log and log.count("CLOSED") == 6, log
    assert "INTERFACES ['lo']" in log
    tunnels = [line.split()[-1] for line in log.splitlines() if "TUNNEL" in line]
    assert len(tunnels) == 9 and set(tunnels) <= {"403", "400"}, log
    assert "INDEX 200 405" in log and "DAEMON 403 403" in log, log
    assert victim.connections == 0
    for host in ("169.254.169.254:80", f"127.0.0.1:{victim.port}", f"127.0.0.1:{builds.sluice.port}"):
        assert host in log.split("sluice: connections refused to")[1], log
    assert "build-hosts" in log
    victim.stop()


def test_a_package_sees_no_more_of_an_index_than_it_asks_for(builds):
    """One request a connection, without a body: nothing that follows it arrives."""
    before = len(builds.index.requests)
    builds.build("smuggles", f"""
import socket
with socket.create_connection(("127.0.0.1", 8081), timeout=30) as proxy:
    proxy.sendall(b"GET {builds.index.url}/smuggles/ HTTP/1.1\\r\\nContent-Length: 60\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
                  b"GET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    while proxy.recv(65536):
        pass
raise SystemExit(1)
""")
    asked = builds.index.requests[before:]
    assert "/simple/smuggles/" in asked and "/smuggled" not in asked, asked


def test_a_package_makes_no_system_call_that_is_closed(builds):
    build, log = builds.build("calls", system_calls.PROBE + "\nraise SystemExit(1)\n")
    assert build["status"] == "FAILED"
    system_calls.check(log)


def test_a_package_that_fills_the_disk_is_ended(builds):
    before = builds.used_bytes()
    build, log = builds.build("fills", """
import os, sys
for number in range(100000):
    with open(os.path.join(sys.prefix, f"fill{number}"), "wb") as file:
        file.write(bytes(16 << 20))
""")
    assert build["status"] == "FAILED" and "agent-build-bytes-max" in build["error"], (build, log)
    assert builds.used_bytes() - before < 512 * MEBIBYTE
    assert builds.remainders() == []


def test_a_package_that_makes_files_without_end_is_ended(builds):
    build, log = builds.build("crowds", """
import os, sys
for number in range(10_000_000):
    if number % 1000 == 0:
        os.mkdir(os.path.join(sys.prefix, f"crowd{number}"))
    os.close(os.open(os.path.join(sys.prefix, f"crowd{number // 1000 * 1000}", str(number)), os.O_CREAT | os.O_WRONLY))
""")
    assert build["status"] == "FAILED" and "agent-build-files-max" in build["error"], (build, log)
    assert builds.remainders() == []


def test_a_package_that_forks_without_end_is_held(builds):
    build, log = builds.build("forks", """
import os, signal, time
children = []
try:
    while len(children) < 5000:
        pid = os.fork()
        if pid == 0:
            time.sleep(600)
            os._exit(0)
        children.append(pid)
except OSError as error:
    print("STOPPED", len(children) < 600, error.errno)
for pid in children:
    os.kill(pid, signal.SIGKILL)
raise SystemExit(1)
""")
    assert build["status"] == "FAILED" and "STOPPED True 11" in log, log


STRANGE_TREE = """
import os, sys
site = os.path.join(sys.prefix, "strange")
os.mkdir(site)
for name in (b"\\xff\\xfe", b"\\xc0", b"new\\nline"):
    path = os.fsencode(site) + b"/" + name
    os.mkdir(path)
    open(path + b"/\\x80", "w").close()
    os.chmod(path, 0)
os.symlink("/etc", os.path.join(site, "link"))
os.mkfifo(os.path.join(site, "pipe"))
"""


def test_names_that_are_no_text_are_sealed_and_removed(builds):
    build, log = builds.build("strange", STRANGE_TREE)
    assert build["status"] == "SUCCEEDED", log
    [strange] = builds.environments.glob("*/venv/strange")
    names = os.listdir(os.fsencode(strange))
    assert {b"\xff\xfe", b"\xc0", b"new\nline", b"link"} == set(names)
    assert (strange.parent.parent / "complete").exists()
    for name in names:
        status = os.lstat(os.fsencode(strange) + b"/" + name)
        assert status.st_uid == os.getuid(), name
    build, log = builds.build("strange-and-failed", STRANGE_TREE + "\nraise SystemExit(1)\n")
    assert build["status"] == "FAILED"
    assert builds.remainders() == []


DEEP_TREE = """
import os, sys
os.mkdir(os.path.join(sys.prefix, "deep"))
os.chdir(os.path.join(sys.prefix, "deep"))
for _ in range(100):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
os.chdir("/tmp")
"""


def test_trees_deeper_than_any_path_leave_nothing(builds):
    """One build fails by its depth, the other by itself; nothing of either passes for a built environment."""
    before = set(builds.environments.iterdir())
    for name, more in (("deep", ""), ("deep-and-failed", "\nraise SystemExit(1)\n")):
        build, log = builds.build(name, DEEP_TREE + more)
        assert build["status"] == "FAILED", log
    made = set(builds.environments.iterdir()) - before
    assert len(made) == 2 and all(path.name.endswith(".failed") for path in made), made
    assert all(sorted(os.listdir(path)) == ["build.log", "complete"] for path in made)


def test_a_remainder_is_never_taken_for_an_environment(builds):
    """An environment without its mark is one whose removal or installation was interrupted."""
    build, _ = builds.build("marked", "pass")
    assert build["status"] == "SUCCEEDED"
    complete = [path for path in builds.environments.iterdir() if (path / "complete").exists()]
    half = max((path for path in complete if not path.name.endswith(".failed")), key=lambda path: path.stat().st_mtime)
    os.chmod(half, 0o700)
    (half / "complete").unlink()
    removing = builds.environments / ".removing-1"
    (removing / "venv").mkdir(parents=True)
    again, log = builds.build("marked", "pass")
    assert again["status"] == "SUCCEEDED", log
    assert (half / "complete").exists()
    builds.sluice.stop()
    os.chmod(half, 0o700)
    (half / "complete").unlink()
    builds.sluice.start()
    deadline = time.monotonic() + SECONDS_MAX
    while pathlib.Path(half).exists() or removing.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
