"""Agents deployed as an image run in a container that Sluice starts: no network, one socket in and one out."""

import contextlib
import json
import pathlib
import subprocess
import tarfile
import tempfile
import time

import pytest

from deployed_agents import DeployedAgents
from governed_agent import store_tool
from scripted_tool import ScriptedTool
from sluice_process import ROOT, SluiceProcess

RUNTIME = next((ROOT / ".venv").glob("runagents-1.4.2/lib/python3*/site-packages/runagents"), None)
AGENT = """
import json, os, socket, urllib.request

def reached(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return "reached"
    except OSError as error:
        return type(error).__name__

def written(path):
    try:
        open(path, "w").close()
        return "written"
    except OSError as error:
        return type(error).__name__

def handler(request, context=None):
    asked = request["message"]
    if asked == "look":
        port = int(os.environ["HOST_PORT"])
        return json.dumps({
            "network": [reached("127.0.0.1", port), reached("1.1.1.1", 53)], "user": os.getuid(),
            "written": [written(path) for path in ("/app/x", "/run/x", "/etc/x")], "scratch": written(os.path.join(os.environ["HOME"], "x")),
            "rights": [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")][0],
            "processes": len([name for name in os.listdir("/proc") if name.isdigit()])})
    if asked == "die":
        os._exit(3)
    if asked == "pay":
        with urllib.request.urlopen(os.environ["TOOL_URL_BANK"] + "/charges", b"7") as response:
            return response.read().decode()
    return "image heard " + asked
"""


def wanted(entry):
    """No compiled files; and no word of the host's that its packages are installed by others."""
    return None if "__pycache__" in entry.name or entry.name.endswith("EXTERNALLY-MANAGED") else entry


class Engine:
    """A container engine with images of its own."""

    def __init__(self, program, arguments, directory):
        self.program = program
        self.arguments = arguments
        self.directory = directory

    def run(self, *arguments):
        return subprocess.run([self.program, *self.arguments, *arguments], capture_output=True, text=True, timeout=120)

    def make(self, name, files, changes=()):
        """An image of some of the host's files; no registry is asked."""
        archive = self.directory / "image.tar"
        with tarfile.open(archive, "w", dereference=True) as tar:
            # Docker makes directories that are not listed for root alone.
            for directory in sorted({parent for _, target in files for parent in pathlib.Path(target).parents}):
                entry = tarfile.TarInfo(str(directory))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            for path, target in files:
                tar.add(path, target, filter=wanted)
        change = [part for each in changes for part in ("--change", each)]
        made = self.run("import", *change, str(archive), name)
        assert made.returncode == 0, made.stderr
        archive.unlink()


@contextlib.contextmanager
def podman(directory):
    """A podman as these machines take it."""
    # Podman takes no path of more than 50 characters for what it keeps while it runs.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        yield Engine("podman", [
            "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs",
            "--root", str(directory / "store"), "--runroot", place + "/run"], directory)


@contextlib.contextmanager
def docker(directory):
    """A docker daemon of our own, that touches nothing of the host's network."""
    # A socket's address is short.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, open(directory / "dockerd.log", "wb") as log:
        address = f"unix://{place}/docker.sock"
        daemon = subprocess.Popen([
            "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs",
            "--data-root", str(directory / "data"), "--exec-root", place + "/exec", "--pidfile", place + "/pid",
            "--host", address], stdout=log, stderr=log)
        engine = Engine("docker", ["--host", address], directory)
        try:
            deadline = time.monotonic() + 60
            while daemon.poll() is None and engine.run("ps").returncode != 0 and time.monotonic() < deadline:
                time.sleep(0.1)
            yield engine
        finally:
            daemon.terminate()
            daemon.wait(30)


def python_files():
    """The host's Python and what it is linked to."""
    python = pathlib.Path("/usr/bin/python3").resolve()
    library = pathlib.Path("/usr/lib") / python.name
    linked = set()
    for binary in [python, *(library / "lib-dynload").glob("*.so")]:
        listed = subprocess.run(["ldd", binary], capture_output=True, text=True).stdout
        linked |= {word for word in listed.split() if word.startswith("/")}
    return [(str(python), "/usr/bin/python3"), (str(library), str(library))] + [(path, path) for path in sorted(linked)]


@pytest.fixture(scope="module", params=[podman, docker], ids=lambda make: make.__name__)
def engine(request, tmp_path_factory):
    try:
        with request.param(tmp_path_factory.mktemp("engine")) as engine:
            listed = engine.run("ps")
            if listed.returncode != 0:
                pytest.skip(f"{engine.program} does not work on this machine, so that no image is run by it here: "
                            + listed.stderr[-500:])
            fill(engine)
            yield engine
    except FileNotFoundError as error:
        pytest.fail(f"{error.filename} is not installed: `make test` installs it")


def fill(engine):
    code = engine.directory / "agent.py"
    code.write_text(AGENT)
    engine.make(
        "localhost/agent:1",
        python_files() + [(str(RUNTIME), "/usr/lib/python3/dist-packages/runagents"), (str(code), "/app/agent.py")],
        changes=['CMD ["python3","-m","runagents.runtime"]', "ENV PATH=/usr/bin:/bin",
                 "ENV RUNAGENTS_USER_CODE_DIR=/app", "ENV USER_ENTRY_POINT=agent.py"])
    engine.make("localhost/empty:1", [(str(code), "/app/agent.py")], changes=['CMD ["/app/agent"]'])


def settings(engine, program=None):
    return {
        "SLUICE_CONTAINER_ENGINE": str(program or engine.program),
        "SLUICE_CONTAINER_ARGUMENTS": " ".join(engine.arguments),
        "SLUICE_INVOKE_ATTEMPTS_MAX": "2", "SLUICE_INVOKE_BACKOFF_MIN": "100ms"}


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory, engine):
    process = SluiceProcess(tmp_path_factory.mktemp("images"), settings(engine)).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def agents(module_sluice):
    return Images(module_sluice)


class Images(DeployedAgents):
    def deploy_image(self, name, image="localhost/agent:1", **more):
        answer = self.api.post("/api/v1/deploy", {"agent_name": name, "image": image} | more)
        assert answer.status == 201, answer


def containers(engine):
    return engine.run("ps", "--all", "--quiet").stdout.split()


def test_an_image_is_started_and_answers_runs(agents, engine):
    agents.deploy_image("imaged")
    assert agents.await_phase("imaged", "Running")["message"] == "ready"
    assert agents.ask("imaged", "a question")["response"] == "image heard a question"
    assert len(containers(engine)) == 1
    invoked = agents.api.post("/api/v1/agents/imaged/invoke", {"message": "more"})
    assert invoked.status == 200 and invoked.json["response"] == "image heard more"


def test_a_container_has_no_network_no_rights_and_nothing_to_write_but_memory(agents, module_sluice):
    agents.deploy_image("hostile", env=[{"name": "HOST_PORT", "value": str(module_sluice.port)}])
    found = json.loads(agents.ask("hostile", "look")["response"])
    assert "reached" not in found["network"] and found["written"] == ["OSError"] * 3 and found["scratch"] == "written"
    assert found["user"] == 65_534 and int(found["rights"], 16) == 0 and found["processes"] < 10


def test_a_tool_is_called_through_the_gate_and_waits_for_an_approval(agents, module_sluice):
    tool = ScriptedTool()
    store_tool(module_sluice, "bank", tool.url)
    assert agents.api.post("/api/v1/policies", {"name": "asks", "spec": {"policies": [
        {"permission": "approval_required", "resource": tool.url + "/*"}]}}).status == 201
    agents.deploy_image("payer", required_tools=["bank"], policies=["asks"])
    run = agents.start("payer", "pay")
    paused = agents.eventually(lambda: agents.api.get(f"/runs/{run}").json, lambda run: run["status"] != "RUNNING")
    assert paused["status"] == "PAUSED_APPROVAL" and not tool.calls, agents.events(run)
    action = agents.api.get(f"/runs/{run}/actions/{paused['blocked_action_id']}").json
    approver = module_sluice.client(module_sluice.key("approver"))
    approved = approver.post(
        f"/runs/{run}/actions/{action['action_id']}/approve", headers={"X-Payload-Hash": action["payload_hash"]})
    assert approved.status == 200, approved
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert [call.body for call in tool.calls] == [b"7"] and agents.answer(run)["response"] == "done"
    tool.close()


def test_a_container_that_ends_is_started_again(agents):
    agents.deploy_image("mortal")
    agents.await_phase("mortal", "Running")
    assert agents.finished(agents.start("mortal", "die"))["status"] == "FAILED"
    assert agents.ask("mortal", "back")["response"] == "image heard back"


def test_a_call_waits_for_the_next_container_while_the_end_of_one_is_not_yet_known(own_sluice, engine, tmp_path):
    lingering = tmp_path / "lingering"
    lingering.write_text(f"""#!/bin/sh
case " $* " in *" run "*) ;; *) exec {engine.program} "$@" ;; esac
{engine.program} "$@"
code=$?
sleep 2
exit $code
""")
    lingering.chmod(0o755)
    agents = Images(own_sluice(**settings(engine, lingering)))
    agents.deploy_image("lingers")
    agents.await_phase("lingers", "Running")
    assert agents.finished(agents.start("lingers", "die"))["status"] == "FAILED"
    assert agents.ask("lingers", "back")["response"] == "image heard back"


@pytest.mark.parametrize("image, words", [
    ("localhost/nothing:1", "localhost/nothing"), ("localhost/empty:1", "python3"), ("--privileged", "no name")])
def test_an_image_that_cannot_be_run_says_why(agents, image, words):
    name = "broken-" + words.replace("/", "-").replace(" ", "-")
    agents.deploy_image(name, image)
    status = agents.await_phase(name, "Failed")
    assert words in status["message"], status


def test_containers_end_with_the_daemon_however_it_ends(agents, module_sluice, engine):
    agents.deploy_image("ended")
    assert agents.ask("ended")["response"] == "image heard hello"
    module_sluice.kill()
    agents.eventually(lambda: containers(engine), lambda left: not left)
    module_sluice.start()
    assert agents.status("ended") == {"phase": "Running", "message": "ready"}
    assert agents.ask("ended")["response"] == "image heard hello"


def test_without_an_engine_an_image_says_so(own_sluice):
    for settings in ({"SLUICE_CONTAINER_ENGINE": "none"}, {"SLUICE_CONTAINER_ENGINE": "/nowhere/podman"}):
        process = own_sluice(**settings)
        api = process.client()
        assert api.post("/api/v1/deploy", {"agent_name": "imaged", "image": "localhost/agent:1"}).status == 201
        refused = api.post("/api/v1/agents/imaged/invoke", {"message": "m"})
        assert refused.status == 409 and "container engine" in refused.error
        status = api.get("/api/v1/agents/imaged").json["status"]
        assert status["phase"] == "Pending" and "no container engine" in status["message"]
