"""Agents of frameworks, deployed from the files that their authors write: what waits for an approval is done once."""

import os

import pytest

from framework_agents import FRAMEWORKS, IS_REWORDED, FrameworkWorld
from sluice_process import SluiceProcess

IS_EVERYTHING = os.environ.get("FRAMEWORKS") == "all"
DISTURBANCES = ["undisturbed", "process_killed", "daemon_killed"]


@pytest.fixture(scope="module")
def framework_sluice(tmp_path_factory):
    """A daemon whose agents see the environments that `make clients` has installed: those are in no sandbox."""
    process = SluiceProcess(tmp_path_factory.mktemp("frameworks"), {
        "SLUICE_AGENT_SANDBOX": "none", "SLUICE_INVOKE_BACKOFF_MIN": "100ms", "SLUICE_INVOKE_TIMEOUT": "60s",
        "SLUICE_AGENT_START_TIMEOUT": "120s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def approver(framework_sluice):
    return framework_sluice.client(framework_sluice.key("approver"))


def chosen(frameworks=FRAMEWORKS):
    """Each framework that is tested by default, or every one."""
    return [
        pytest.param(framework, id=framework.file) for framework in frameworks
        if framework.is_default or IS_EVERYTHING]


@pytest.fixture
def make(framework_sluice):
    made = []

    def make(framework, **more):
        assert framework.packages, f"{framework.environment} is not installed: run `make clients`"
        made.append(FrameworkWorld(framework_sluice, framework, **more))
        return made[-1]

    yield make
    for world in made:
        world.close()


def disturb(world, how):
    if how == "process_killed":
        world.kill_process()
    elif how == "daemon_killed":
        world.sluice.restart()


@pytest.mark.parametrize("how", DISTURBANCES if IS_EVERYTHING else ["process_killed"])
@pytest.mark.parametrize("framework", chosen())
def test_an_approved_payment_is_made_once(make, approver, framework, how):
    world = make(framework)
    run = world.start()
    action, = world.blocked(run)
    assert not world.bank.payments
    asked = world.cashier.asked
    disturb(world, how)
    world.decide(approver, run, action)
    finished = world.agents.finished(run)
    assert finished["status"] == "COMPLETED", world.agents.events(run)
    assert len(world.bank.payments) == 1
    assert "done" in world.agents.answer(run)["response"], world.agents.answer(run)
    if IS_REWORDED and not framework.is_interrupted:
        # The model is not asked again for what it has answered: its one answer is that to the payment's receipt.
        assert world.cashier.asked == asked + 1


@pytest.mark.parametrize("framework", chosen(FRAMEWORKS if IS_EVERYTHING else FRAMEWORKS[:1]))
def test_a_rejected_payment_is_not_made(make, approver, framework):
    world = make(framework)
    run = world.start()
    action, = world.blocked(run)
    world.decide(approver, run, action, "reject")
    assert world.agents.finished(run)["status"] == "FAILED"
    assert not world.bank.payments


PARALLEL = [each for each in FRAMEWORKS if each.file in (
    "langgraph_graph", "langchain_agent", "openai_agents", "pydantic_ai", "smolagents", "llama_index")]


@pytest.mark.parametrize("order", ["in_order", "in_reverse"])
@pytest.mark.parametrize("framework", chosen(PARALLEL if IS_EVERYTHING else PARALLEL[:1]))
def test_two_payments_of_one_turn_are_decided_one_by_one_and_made_once_each(make, approver, framework, order):
    world = make(framework, payments=2)
    run = world.start()
    decided = 0
    while world.agents.eventually(
            lambda: world.api.get(f"/runs/{run}").json["status"], lambda status: status != "RUNNING"
    ) == "PAUSED_APPROVAL":
        actions = [each for each in world.api.get(f"/runs/{run}/actions").json if each["status"] == "BLOCKED"]
        for action in actions if order == "in_order" else reversed(actions):
            world.decide(approver, run, action)
            decided += 1
        assert decided <= 2
    finished = world.agents.finished(run)
    assert finished["status"] == "COMPLETED", world.agents.events(run)
    assert sorted(call.body[:12] for call in world.bank.payments) == sorted({
        call.body[:12] for call in world.bank.payments}) and len(world.bank.payments) == 2
