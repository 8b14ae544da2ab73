"""Agents deployed from source are built, started, called, restarted, replaced and stopped by Sluice itself."""

import os
import pathlib
import signal

import pytest

from deployed_agents import DeployedAgents
from sluice_process import SluiceProcess

ECHO = """
import os

def handler(request, context=None):
    return {"response": f"{os.environ['AGENT_NAME']} heard {request['message']}", "pid": os.getpid()}
"""


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("agents"),
        {"SLUICE_INVOKE_ATTEMPTS_MAX": "2", "SLUICE_INVOKE_BACKOFF_MIN": "100ms", "SLUICE_INVOKE_TIMEOUT": "20s"},
    ).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def agents(module_sluice):
    return DeployedAgents(module_sluice)


def test_a_handler_answers_a_run(agents):
    agents.deploy("echo", ECHO)
    assert agents.ask("echo", "a question")["response"] == "echo heard a question"
    assert agents.await_phase("echo", "Running")["message"].startswith("ready")


def test_sources_without_code_get_the_runtimes_own_loop(agents):
    agents.deploy("plain", "# Nothing but a prompt.\n")
    agents.await_phase("plain", "Running")
    run = agents.start("plain")
    assert agents.finished(run)["status"] == "FAILED", "there is no model to ask"


def test_an_async_handler_and_modules_in_folders_work(agents):
    answer = agents.sluice.client().post("/api/v1/deploy", {
        "agent_name": "async", "entry_point": "src/main.py",
        "source_files": {
            "src/main.py": "from src.words import greeting\nasync def handler(request, context=None):\n"
            "    return greeting + request['message']\n",
            "src/__init__.py": "", "src/words.py": "greeting = 'well, '\n"}})
    assert answer.status == 201
    assert agents.ask("async")["response"] == "well, hello"


def test_a_requirement_is_installed_and_shared(agents):
    code = "import idna\ndef handler(request, context=None):\n    return idna.__version__\n"
    agents.deploy("requiring", code, requirements="# what it needs\nidna>=3\n")
    assert agents.ask("requiring")["response"].startswith("3.")
    environments = set(os.listdir(agents.sluice.data / "environments"))
    agents.deploy("requiring-too", code + "\n", requirements="idna>=3")
    assert agents.ask("requiring-too")["response"].startswith("3.")
    assert set(os.listdir(agents.sluice.data / "environments")) == environments


def test_a_requirement_that_does_not_exist_is_the_agents_status(agents):
    agents.deploy("unbuildable", ECHO, requirements="no-such-package-of-sluice-tests==99")
    agents.await_phase("unbuildable", "Failed", "no-such-package-of-sluice-tests")
    run = agents.start("unbuildable")
    assert "no-such-package-of-sluice-tests" in agents.finished(run)["reason"]
    agents.deploy("unbuildable", ECHO)
    assert agents.ask("unbuildable")["response"] == "unbuildable heard hello"


@pytest.mark.parametrize("requirement", ["--index-url=http://x", "/etc", "x @ file:///etc", "-r other.txt"])
def test_a_requirement_names_a_package_and_nothing_else(agents, requirement):
    agents.deploy("sly", ECHO, requirements=requirement)
    agents.await_phase("sly", "Failed", "name packages of the index")


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "a//b.py", "./a.py", "a/../../b.py"])
def test_a_source_stays_in_its_bundle(agents, path):
    answer = agents.api.post("/api/v1/deploy", {"agent_name": "outside", "source_files": {path: "x = 1"}})
    assert answer.status == 400 and "relative path" in answer.error


def test_code_that_cannot_be_imported_is_the_agents_status(agents):
    agents.deploy("broken", "import no_such_module\ndef handler(request): pass\n", requirements="# none")
    agents.await_phase("broken", "Failed", "no_such_module")


def test_a_crash_fails_the_attempt_and_the_next_call_finds_a_new_process(agents):
    agents.deploy("crashing", """
import os

def handler(request, context=None):
    if request["message"] == "crash":
        os._exit(3)
    return {"response": "alive"}
""")
    assert agents.ask("crashing")["response"] == "alive"
    assert agents.finished(agents.start("crashing", "crash"))["status"] == "FAILED"
    assert agents.ask("crashing")["response"] == "alive"


def test_a_process_that_is_killed_is_replaced(agents):
    agents.deploy("killed", ECHO)
    before = set(processes(agents.sluice))
    agents.ask("killed")
    agents.deploy("killed", ECHO.replace("heard", "has heard"))
    agents.await_phase("killed", "Running")
    agents.ask("killed")
    started = agents.eventually(
        lambda: set(processes(agents.sluice)) - before, lambda started: len(started) == 1)
    os.kill(started.pop(), signal.SIGKILL)
    assert agents.ask("killed")["response"] == "killed has heard hello"


def test_a_crash_loop_is_the_agents_status(agents):
    agents.deploy("looping", "import os\nprint('about to end', flush=True)\nos._exit(7)\ndef handler(request): pass\n")
    agents.await_phase("looping", "Failed", "exit code 7")
    agents.await_phase("looping", "Failed", "crashed 5 times")
    assert agents.status("looping")["message"].split("\n")[0].endswith("; its last output: about to end")
    agents.deploy("looping", ECHO)
    assert agents.ask("looping")["response"] == "looping heard hello"
    agents.await_phase("looping", "Running")


@pytest.mark.parametrize("code, reason", [
    ("import not_installed\n\ndef handler(request): pass\n",
     "agent.py cannot be imported: ModuleNotFoundError: No module named 'not_installed'"),
    ("x = 1\n", "agent.py defines nothing that can be called: define handler(request)")])
def test_the_list_of_agents_says_why_a_module_cannot_be_called(agents, code, reason):
    name = f"uncallable-{len(code)}"
    agents.deploy(name, code, entry_point="agent.py", requirements="# none")
    agents.await_phase(name, "Failed", "crashed 5 times")
    listed = agents.sluice.run("agents", "list", "--url", agents.sluice.url).stdout
    line, = [line for line in listed.splitlines() if line.startswith(name)]
    assert reason in line


def test_a_handler_that_raises_leaves_its_traceback_in_the_agents_output(agents):
    agents.deploy("raising", "def divide(by):\n    return 1 / by\n\ndef handler(request):\n    return divide(0)\n")
    agents.finished(agents.start("raising"))
    shown = agents.sluice.run("agents", "logs", "raising", "--url", agents.sluice.url).stdout
    assert "in divide" in shown and "ZeroDivisionError: division by zero" in shown


def test_a_long_data_directory_is_no_obstacle_to_sockets(tmp_path):
    directory = tmp_path / ("long" * 30)
    directory.mkdir()
    sluice = SluiceProcess(directory).start()
    try:
        agents = DeployedAgents(sluice)
        agents.deploy("deep", """
import os, urllib.request

def handler(request, context=None):
    return urllib.request.urlopen(os.environ["GOVERNANCE_URL"] + "/runs").status
""")
        assert agents.ask("deep")["response"] == "200"
    finally:
        assert sluice.stop() == 0


def test_a_deploy_that_a_crash_cut_off_is_built_at_the_next_start(own_sluice):
    sluice = own_sluice()
    agents = DeployedAgents(sluice)
    agents.deploy("cut", ECHO)
    sluice.restart()
    agents.await_phase("cut", "Running")
    assert not [name for name in os.listdir(sluice.data / "environments") if name.startswith(".")]


def test_a_hanging_agent_fails_by_the_timeout(own_sluice):
    sluice = own_sluice(SLUICE_INVOKE_TIMEOUT="2s", SLUICE_INVOKE_ATTEMPTS_MAX="1")
    agents = DeployedAgents(sluice)
    agents.deploy("hanging", "import time\ndef handler(request, context=None):\n    time.sleep(3600)\n")
    agents.await_phase("hanging", "Running")
    assert "2.0 seconds" in agents.finished(agents.start("hanging"))["reason"]


def test_a_flooding_agent_is_kept_bounded(agents):
    agents.deploy("flooding", """
def handler(request, context=None):
    for number in range(200_000):
        print("a line of the flood", number, "x" * 60)
    return "done"
""")
    assert agents.ask("flooding")["response"] == "done"
    directory = agents.sluice.data / "agents"
    sizes = [sum(f.stat().st_size for f in one.iterdir()) for one in directory.iterdir()]
    assert 1_000_000 < max(sizes) < 3_500_000


def test_a_redeploy_replaces_the_process_and_lets_calls_finish(agents):
    agents.deploy("moving", """
import time

def handler(request, context=None):
    if request["message"] == "slow":
        time.sleep(3)
    return "first"
""")
    agents.await_phase("moving", "Running")
    slow = agents.start("moving", "slow")
    agents.eventually(
        lambda: agents.events(slow), lambda events: any(event["type"] == "INVOKE_REQUESTED" for event in events))
    agents.deploy("moving", "def handler(request, context=None):\n    return 'second'\n")
    agents.await_phase("moving", "Running")
    assert agents.ask("moving")["response"] == "second"
    assert agents.finished(slow)["status"] == "COMPLETED"
    assert agents.answer(slow)["response"] in ("first", "second")


def test_a_deleted_agent_is_stopped(agents):
    agents.deploy("leaving", ECHO)
    agents.ask("leaving")
    before = processes(agents.sluice)
    assert agents.api.delete("/api/v1/agents/leaving").status == 200
    agents.eventually(lambda: processes(agents.sluice), lambda now: len(now) < len(before))
    answer = agents.api.post("/runs", {"agent_id": "leaving", "user_id": "u", "invoke": True})
    assert answer.status == 404 and answer.error == "agent leaving not found"


def test_idle_agents_stop_and_start_again(own_sluice):
    agents = DeployedAgents(own_sluice(SLUICE_AGENT_IDLE_TIMEOUT="1s"))
    agents.deploy("idle", ECHO)
    first = agents.ask("idle")
    agents.eventually(lambda: processes(agents.sluice), lambda now: not now)
    assert agents.ask("idle")["response"] == first["response"]


def test_a_call_that_the_daemons_end_cuts_off_is_made_again(own_sluice):
    sluice = own_sluice(SLUICE_INVOKE_BACKOFF_MIN="100ms")
    agents = DeployedAgents(sluice)
    agents.deploy("slow", "import time\ndef handler(request, context=None):\n    time.sleep(2)\n    return 'done'\n")
    agents.await_phase("slow", "Running")
    runs = [agents.start("slow") for _ in range(4)]
    agents.eventually(
        lambda: agents.events(runs[-1]), lambda events: any(event["type"] == "INVOKE_REQUESTED" for event in events))
    sluice.restart()
    assert {agents.finished(run)["status"] for run in runs} == {"COMPLETED"}


def test_places_go_to_whoever_is_called(own_sluice):
    agents = DeployedAgents(own_sluice(SLUICE_AGENT_INSTANCES_MAX="1"))
    for name in ("one", "two", "one"):
        agents.deploy(name, ECHO)
        assert agents.ask(name)["response"] == f"{name} heard hello"
    agents.eventually(lambda: processes(agents.sluice), lambda now: len(now) == 1)


def test_a_killed_daemon_leaves_no_process_and_the_next_one_works(own_sluice):
    sluice = own_sluice()
    agents = DeployedAgents(sluice)
    agents.deploy("survivor", ECHO)
    agents.ask("survivor")
    orphans = processes(sluice)
    assert orphans
    sluice.kill()
    agents.eventually(lambda: [pid for pid in orphans if is_alive(pid)], lambda alive: not alive)
    sluice.start()
    assert agents.ask("survivor")["response"] == "survivor heard hello"
    assert len(os.listdir(sluice.data / "bundles")) == 1


def test_agents_without_a_sandbox_run_where_that_is_allowed(own_sluice):
    sluice = own_sluice(SLUICE_AGENT_SANDBOX="none")
    agents = DeployedAgents(sluice)
    agents.deploy("open", ECHO)
    assert agents.ask("open")["response"] == "open heard hello"
    assert "without a sandbox" in sluice.output.read_text()
    launcher, = processes(sluice)
    own = children(launcher)
    assert own
    os.kill(launcher, signal.SIGKILL)
    agents.eventually(lambda: [pid for pid in own if is_alive(pid)], lambda alive: not alive)
    assert agents.ask("open")["response"] == "open heard hello"
    orphans = processes(sluice)
    orphans += [child for pid in orphans for child in children(pid)]
    sluice.kill()
    agents.eventually(lambda: [pid for pid in orphans if is_alive(pid)], lambda alive: not alive)


def test_without_bubblewrap_agents_are_refused(own_sluice, tmp_path):
    only_python = tmp_path / "bin"
    only_python.mkdir()
    python = os.path.realpath("/usr/bin/python3")
    (only_python / "python3").symlink_to(python)
    agents = DeployedAgents(own_sluice(PATH=str(only_python)))
    agents.deploy("refused", ECHO)
    agents.await_phase("refused", "Failed", "agent-sandbox=none")
    assert "Install bubblewrap" in agents.finished(agents.start("refused"))["reason"]


def processes(sluice):
    """The launchers of a daemon's agents, as the host sees them: all that was started by it and still runs."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command, status = (entry / "cmdline").read_bytes(), (entry / "status").read_text()
        except OSError:
            continue
        if (str(sluice.data).encode() in command and b"launch.py" in command
                and b"serve" not in command.split(b"\0") and f"PPid:\t{sluice.process.pid}\n" in status):
            found.append(int(entry.name))
    return found


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    try:
        return "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def test_what_old_deploys_have_left_is_removed_at_the_next_start(own_sluice):
    process = own_sluice()
    agents = DeployedAgents(process)

    def kept():
        return {name: {entry.name for entry in (process.data / name).iterdir()} for name in ("bundles", "environments")}

    agents.deploy("kept", ECHO)
    assert agents.ask("kept")["response"] == "kept heard hello"
    first = kept()
    agents.deploy("kept", ECHO + "# another")
    agents.deploy("gone", "# other sources\n" + ECHO, requirements="idna")
    assert agents.ask("kept")["response"] == "kept heard hello" and agents.ask("gone")["response"] == "gone heard hello"
    both = kept()
    assert len(both["bundles"]) == 3 and len(both["environments"]) == 2
    assert agents.api.request("DELETE", "/api/v1/agents/gone").status == 200
    assert process.stop() == 0
    process.start()
    agents.await_phase("kept", "Running")
    agents.eventually(kept, lambda now: len(now["bundles"]) == 1 and now["environments"] == first["environments"])
    assert not kept()["bundles"] & first["bundles"], "what is deployed now is kept, not what was before"
    assert agents.ask("kept")["response"] == "kept heard hello"
