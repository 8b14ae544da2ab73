"""What a deploy does not name is found in its sources; code that would not be run is never replaced in silence."""

import pytest

from agents_world import world  # noqa: F401 - a fixture
from deployed_agents import DeployedAgents
from sluice_process import SluiceProcess
from test_builds import Builds

NO_REQUIREMENTS = "# none\n"
HANDLER = "def handler(request, context=None):\n    return {text}\n"
CLERK = """
class Clerk:
    def invoke(self, question):
        return f"clerk heard {question}"
"""
# Agents in the shapes of the published examples: their files, the answer to "hello", the entry point and the packages.
EXAMPLES = {
    "requirements-file": (
        {"agent.py": "import idna\n" + HANDLER.format(text="idna.encode('bücher').decode()"),
         "requirements.txt": "# what it needs\nidna>=3  # names\nrunagents\n"},
        "xn--bcher-kva", "agent.py", ["idna>=3"]),
    "included-requirements": (
        {"main.py": "import idna\n" + HANDLER.format(text="idna.encode('bücher').decode()"),
         "requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "idna>=3\n"},
        "xn--bcher-kva", "main.py", ["idna>=3"]),
    "mapped-imports": (
        {"agent.py": "from dotenv import dotenv_values\nimport io\n"
         + HANDLER.format(text="dotenv_values(stream=io.StringIO('KEY=mapped'))['KEY']")},
        "mapped", "agent.py", ["python-dotenv"]),
    "pyproject": (
        {"pyproject.toml": '[project]\nname = "clerk"\nversion = "1"\ndependencies = ["idna>=3"]\n',
         "src/clerk/__init__.py": "", "src/clerk/words.py": "GREETING = 'well'\n",
         "src/clerk/agent.py": "import idna\nfrom clerk.words import GREETING\n" + HANDLER.format(text="GREETING")},
        "well", "src/clerk/agent.py", ["idna>=3"]),
    "source-folder": (
        {"src/agent.py": "from words import GREETING\n" + HANDLER.format(text="GREETING + request['message']"),
         "src/words.py": "GREETING = 'well, '\n"},
        "well, hello", "src/agent.py", []),
    "annotated": (
        {"agent.py": f"from typing import Any\n{CLERK}\nagent: Any = Clerk()\n"}, "clerk heard hello", "agent.py", []),
    "guarded": (
        {"agent.py": "import os\n\nif os.environ.get('NO_SUCH_VARIABLE'):\n    handler = None\nelse:\n"
         "    def handler(request, context=None):\n        return 'guarded'\n"},
        "guarded", "agent.py", []),
    "optional-import": (
        {"agent.py": "try:\n    import no_such_module_of_sluice as fast\nexcept ImportError:\n    fast = None\n\n"
         + HANDLER.format(text="str(fast)")},
        "None", "agent.py", []),
    "folder-module": (
        {"README.md": "A desk.", "desk/clerk.py": "import phrases\n" + HANDLER.format(text="phrases.GREETING"),
         "desk/phrases.py": "GREETING = 'at the desk'\n"},
        "at the desk", "desk/clerk.py", []),
    "imported-handler": (
        {"main.py": "from desk.clerk import handler\n", "desk/__init__.py": "",
         "desk/clerk.py": HANDLER.format(text="'imported'")},
        "imported", "main.py", []),
}
NOT_RUN = {
    "script": ({"agent.py": "print('imported')\n"}, "the code of agent.py is not run"),
    "object-without-a-method": (
        {"agent.py": "class Clerk:\n    def answer(self, question):\n        return question\n\nagent = Clerk()\n"},
        "the code of agent.py is not run"),
    "text-for-an-agent": ({"agent.py": "def build():\n    return 1\n\nagent = 'clerk'\n"}, "the code of agent.py is not run"),
    "defined-below-the-main-guard": (
        {"agent.py": "def build():\n    return 1\n\nif __name__ == '__main__':\n    def handler(request): return build()\n"},
        "the code of agent.py is not run"),
    "library": ({"geo/shapes.py": "def area(x):\n    return x\n"}, "the code of geo/shapes.py is not run"),
    "javascript": ({"index.js": "export function handler(r) { return 1 }\n"}, "deploy it as an image"),
    "syntax-error": ({"agent.py": "def handler(request)\n    return 1\n"}, "agent.py, line 1: syntax error"),
}


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("found-starts"),
        {"SLUICE_INVOKE_ATTEMPTS_MAX": "2", "SLUICE_INVOKE_BACKOFF_MIN": "100ms"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def agents(module_sluice):
    return DeployedAgents(module_sluice)


def parameters(cases):
    return [pytest.param(name, *case, id=name) for name, case in cases.items()]


@pytest.mark.parametrize("name, files, answer, entry_point, requirements", parameters(EXAMPLES))
def test_an_example_runs_without_naming_anything(agents, name, files, answer, entry_point, requirements):
    deployed = agents.api.post("/api/v1/deploy", {"agent_name": name, "source_files": files})
    assert deployed.status == 201, deployed
    assert (deployed.json["entry_point"], deployed.json["requirements"]) == (entry_point, requirements)
    assert f"entry_point {entry_point} was found in the sources" in deployed.json["decision_reason"]
    assert "entry_point" not in deployed.json.get("missing", {})
    status = agents.eventually(lambda: agents.status(name), lambda status: status["phase"] in ("Running", "Failed"))
    assert status["phase"] == "Running", status
    assert agents.ask(name)["response"] == answer


@pytest.mark.parametrize("name, files, answer, entry_point, requirements", parameters(EXAMPLES))
def test_an_analysis_a_build_and_a_deploy_find_the_same(agents, name, files, answer, entry_point, requirements):
    analysis = agents.api.post("/api/v1/analyze", {"files": files}).json
    assert (analysis["entry_point"], analysis["detected_requirements"]) == (entry_point, requirements)
    assert analysis["tier"] == "native", analysis["tier_reason"]
    found = agents.api.post("/api/v1/requirements", {"files": files}).json
    assert found == {"requirements": requirements, "entry_point": entry_point}
    named, unnamed = (
        agents.api.post("/api/v1/builds", {"name": "same", "files": files} | more).json for more in (
            {"entry_point": entry_point, "requirements": "\n".join(requirements) or NO_REQUIREMENTS}, {}))
    recipe = agents.api.get(f"/api/v1/builds/{unnamed['id']}").json["dockerfile"]
    assert f'ENV USER_ENTRY_POINT="{entry_point}"' in recipe and all(f'"{line}"' in recipe for line in requirements)
    assert recipe == agents.api.get(f"/api/v1/builds/{named['id']}").json["dockerfile"]


@pytest.mark.parametrize("name, files, words", parameters(NOT_RUN))
def test_code_that_would_not_be_run_fails_the_deploy_and_says_so(agents, name, files, words):
    name = f"idle-{name}"
    answer = agents.api.post("/api/v1/deploy", {"agent_name": name, "source_files": files})
    assert answer.status == 201, answer
    assert answer.json["missing"]["entry_point"] == ["handler"] and words in answer.json["decision_reason"]
    assert [words in warning for warning in answer.json["warnings"]].count(True) == 1, answer.json["warnings"]
    assert words in agents.await_phase(name, "Failed")["message"]
    run = agents.finished(agents.start(name))
    assert run["status"] == "FAILED" and words in run["reason"]
    preview = agents.api.post("/api/v1/deploy/preview", {"agent_name": name, "source_files": files}).json
    assert preview["user_state"] == "compatibility_setup" and words in preview["short_reason"]
    built = Builds(agents.sluice)
    failed = built.ended(built.request("idle", files=files))
    assert failed["status"] == "FAILED" and words in failed["error"]


def test_an_entry_point_that_is_named_is_run_whatever_is_found(agents):
    files = {"agent.py": HANDLER.format(text="'found'"), "other.py": HANDLER.format(text="'named'")}
    for name, more, response in (("found", {}, "found"), ("named", {"entry_point": "other.py"}, "named")):
        answer = agents.api.post("/api/v1/deploy", {"agent_name": name, "source_files": files} | more)
        assert answer.status == 201 and answer.json["entry_point"] == more.get("entry_point", "agent.py")
        assert agents.ask(name)["response"] == response


def test_sources_without_code_are_answered_for_by_the_runtimes_own_loop(world):
    world.deploy("# A prompt is all that it has.\nPROMPT = 'You are a cashier.'\n")
    deployed = world.api.get(f"/api/v1/agents/{world.agent_name}").json
    assert "entry_point" not in deployed.get("missing", {})
    assert world.agents.ask(world.agent_name)["response"] == "hello"


def test_requirements_that_are_named_win(agents):
    files = {"agent.py": "import no_such_module_of_sluice\n" + HANDLER.format(text="1"), "requirements.txt": "idna\n"}
    answer = agents.deploy("named-packages", "", source_files=files, requirements=NO_REQUIREMENTS)
    assert answer["requirements"] == []
    agents.await_phase("named-packages", "Failed", "No module named 'no_such_module_of_sluice'")


def test_a_guess_that_no_index_has_says_which_import_it_is_of(agents):
    answer = agents.deploy("guessed", "import no_such_module_of_sluice\n" + HANDLER.format(text="1"))
    assert answer["requirements"] == ["no-such-module-of-sluice"]
    agents.await_phase("guessed", "Failed", "guessed from the imports of no_such_module_of_sluice; the build failed")


def test_lines_that_name_no_package_of_an_index_are_left_out_aloud(agents):
    files = {
        "agent.py": HANDLER.format(text="'well'"),
        "requirements.txt": "--index-url https://index.test/simple\nidna\n-e ./mine\n"
        "git+https://user:secret-of-git@git.test/mine.git\nmine @ https://files.test/mine.whl\n"}
    answer = agents.deploy("left-out", "", source_files=files)
    assert answer["requirements"] == ["idna"]
    left = [warning for warning in answer["warnings"] if "is left out" in warning]
    assert [warning.split('"')[1] for warning in left] == [
        "--index-url https://index.test/simple", "-e ./mine", "git+https://***@git.test/mine.git",
        "mine @ https://files.test/mine.whl"]
    assert agents.ask("left-out")["response"] == "well"


def test_what_was_found_stays_after_a_restart_and_a_rebuild(own_sluice):
    agents = DeployedAgents(own_sluice())
    files, answer, *_ = EXAMPLES["folder-module"]
    agents.deploy("kept", "", source_files=files)
    assert agents.ask("kept")["response"] == answer
    agents.sluice.stop()
    for file in agents.sluice.data.glob("read-model.sqlite*"):
        file.unlink()
    agents.sluice.start()
    assert agents.ask("kept")["response"] == answer
    rolled = agents.api.post("/api/v1/agents/kept/rollback", {"version": 1})
    assert rolled.status == 409, "there is one version"
    agents.deploy("kept", HANDLER.format(text="'newer'"))
    agents.await_phase("kept", "Running")
    rolled = agents.api.post("/api/v1/agents/kept/rollback", {"version": 1})
    assert rolled.status == 201 and rolled.json["entry_point"] == "desk/clerk.py"


def test_without_python_a_deploy_says_that_its_sources_were_not_analysed(own_sluice):
    agents = DeployedAgents(own_sluice(SLUICE_AGENT_PYTHON="no-such-python"))
    answer = agents.deploy("unread", HANDLER.format(text="1"))
    assert any("cannot be analysed on this machine" in warning for warning in answer["warnings"])
    agents.await_phase("unread", "Failed", "name entry_point and requirements")
