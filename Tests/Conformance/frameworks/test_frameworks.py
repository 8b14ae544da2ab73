"""Agents of frameworks, deployed from the files that their authors write: what waits for an approval is done once."""

import json
import os

import pytest

from framework_agents import FRAMEWORKS, IS_REWORDED, FrameworkWorld

IS_EVERYTHING = os.environ.get("FRAMEWORKS") == "all"
DISTURBANCES = ["undisturbed", "process_replaced", "process_killed", "daemon_killed"]


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
    if how == "process_replaced":
        world.replace_process()
    elif how == "process_killed":
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
    assert finished["status"] == "COMPLETED", world.failure(run)
    assert len(world.bank.payments) == 1
    assert "done" in world.agents.answer(run)["response"], world.agents.answer(run)
    if IS_REWORDED and not framework.is_interrupted:
        # The model is not asked again for what it has answered: its one answer is that to the payment's receipt.
        assert world.cashier.asked == asked + 1


@pytest.mark.parametrize("how", ["undisturbed", "process_killed"] if IS_EVERYTHING else ["undisturbed"])
@pytest.mark.parametrize("framework", chosen(FRAMEWORKS if IS_EVERYTHING else FRAMEWORKS[:1]))
def test_a_rejected_payment_is_not_made(make, approver, framework, how):
    world = make(framework)
    run = world.start()
    action, = world.blocked(run)
    disturb(world, how)
    world.decide(approver, run, action, "reject")
    assert world.agents.finished(run)["status"] == "FAILED"
    assert not world.bank.payments


# An agent whose tools ask by `interrupt()` has one payment.
SEVERAL = [each for each in FRAMEWORKS if not each.is_interrupted]
ORDERS = [("in_order", "undisturbed"), ("in_reverse", "undisturbed"), ("in_reverse", "process_replaced"),
          ("in_reverse", "process_killed"), ("in_reverse", "daemon_killed")]


def pending(world, run):
    """The actions that wait, once the run waits; none when it has ended."""
    status = world.agents.eventually(
        lambda: world.api.get(f"/runs/{run}").json["status"], lambda status: status != "RUNNING")
    found = world.api.get(f"/runs/{run}/actions").json if status == "PAUSED_APPROVAL" else []
    return [each for each in found if each["status"] == "BLOCKED"]


@pytest.mark.parametrize("order, how", ORDERS if IS_EVERYTHING else ORDERS[:2])
@pytest.mark.parametrize("framework", chosen(SEVERAL if IS_EVERYTHING else SEVERAL[:1]))
def test_two_payments_of_one_turn_are_decided_one_by_one_and_made_once_each(make, approver, framework, order, how):
    world = make(framework, payments=2)
    run = world.start()
    decided = 0
    while actions := pending(world, run):
        if not decided:
            disturb(world, how)
        for action in actions if order == "in_order" else reversed(actions):
            world.decide(approver, run, action)
            decided += 1
        assert decided <= 2
    assert world.agents.finished(run)["status"] == "COMPLETED", world.failure(run)
    assert sorted(json.loads(call.body)["amount"] for call in world.bank.payments) == [7, 8]


@pytest.mark.parametrize("framework", chosen(SEVERAL if IS_EVERYTHING else []))
def test_the_payment_that_was_not_rejected_is_made_at_most_once(make, approver, framework):
    world = make(framework, payments=2)
    run = world.start()
    decisions = iter(["approve", "reject"])
    while actions := pending(world, run):
        for action in actions:
            world.decide(approver, run, action, next(decisions))
    assert world.agents.finished(run)["status"] == "FAILED", world.failure(run)
    assert [json.loads(call.body)["amount"] for call in world.bank.payments] in ([], [7])
