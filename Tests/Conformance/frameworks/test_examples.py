"""The examples of frameworks' own documentation, deployed as they stand: they run, pause and resume."""

import os
import pathlib

import pytest

from example_model import Assistant
from framework_agents import Framework, FrameworkWorld

FOLDER = pathlib.Path(__file__).parent
IS_EVERYTHING = os.environ.get("FRAMEWORKS") == "all"
# A script that asks the model at its import, and one that prints its answer.
DEFAULTS = ("openai_agents/unguarded", "pydantic_ai/streamed_in_main")
REFUSED = {
    "pydantic_ai/bank_support": "need SupportDependencies, and its customer_id is not known: define an object",
    "loops/script": "script.py asks a model while it is imported, in script.py, line 5, and defines nothing",
    "openai_agents/agent_inside_guard": "agent_inside_guard.py defines nothing that can be called",
}


def examples():
    """Each example by its path: a file, or a folder of files."""
    found = sorted(path for path in (FOLDER / "examples").glob("*/*") if path.name != "__pycache__")
    names = [f"{path.parent.name}/{path.stem}" for path in found]
    return [
        pytest.param(path, id=name) for path, name in zip(found, names) if IS_EVERYTHING or name in DEFAULTS]


def sources(path):
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.suffix in (".py", ".yaml"))
    root = path.parent if path.is_file() else path
    return {str(each.relative_to(root)): each.read_text() for each in files}


@pytest.fixture
def world(framework_sluice, path):
    environment = path.parent.name
    framework = Framework(path.stem, f"{environment}_{path.stem}", environment)
    assert framework.packages, f"{environment} is not installed: run `make frameworks`"
    world = FrameworkWorld(framework_sluice, framework, model=Assistant(), sources=sources(path), is_awaited=False)
    yield world
    world.close()


@pytest.mark.parametrize("path", examples())
def test_an_example_runs_pauses_and_resumes(world, approver):
    world.await_start()
    run = world.start()
    finished = world.after_approvals(approver, run, world.kill_process)
    assert finished["status"] == "COMPLETED", world.failure(run)
    bodies = [call.body for call in world.bank.payments]
    assert bodies and len(set(bodies)) == len(bodies), world.failure(run)
    assert "done" in world.agents.answer(run)["response"], world.agents.answer(run)


@pytest.mark.parametrize("path, message", [
    pytest.param(FOLDER / f"refused/{name}.py", message, id=name) for name, message in REFUSED.items()])
def test_an_example_that_cannot_be_called_says_what_to_do(world, message):
    world.agents.await_phase(world.name, "Failed", containing=message)
    assert not world.cashier.asked
