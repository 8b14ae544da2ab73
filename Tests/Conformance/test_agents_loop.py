"""Whole agents: deployed from source, asking a model, calling tools through the gate, waiting for approvals."""

import json

from agents_world import World, agents, approver, module_sluice, world  # noqa: F401 - fixtures
from deployed_agents import DeployedAgents
from scripted_model import words


def test_the_runtimes_loop_asks_the_model_and_calls_the_tool(world):
    world.deploy()
    world.charge_and_say({"amount": 5})
    assert world.agents.ask(world.agent_name, "charge five")["response"] == 'the tool said {"charged": 5}'
    path, headers, body = world.tool.next_call()
    assert (path, body) == ("/charges", {"amount": 5}) and world.tool.calls.empty()
    assert headers["x-end-user-id"] == "ada"
    first = json.loads(world.model.next_call()[2])
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert first["messages"][0]["content"] == "You are a cashier."
    assert [tool["function"]["name"] for tool in first["tools"]] == [world.function]


def test_the_models_key_is_the_gates_alone(world):
    world.deploy("""
import json, os

def handler(request, context=None):
    return json.dumps(dict(os.environ))
""")
    environment = world.agents.ask(world.agent_name)["response"]
    assert "sk-of-the-loop" not in environment and world.model_name in environment
    world.deploy("""
from runagents.runtime import call_llm

def handler(request, context=None):
    return call_llm([{"role": "user", "content": request["message"]}])["choices"][0]["message"]["content"]
""")
    world.agents.await_phase(world.agent_name, "Running")
    assert world.agents.ask(world.agent_name)["response"] == "hello"
    assert world.model.next_call()[1]["authorization"] == "Bearer sk-of-the-loop"


def test_a_call_that_needs_approval_pauses_the_run_and_is_made_once(world, approver):
    world.deploy(**world.needs_approval())
    world.charge_and_say({"amount": 7})
    run = world.agents.start(world.agent_name)
    request = world.pending(run)
    assert request["tool_id"] == world.tool_name and world.tool.calls.empty()
    world.decide(approver, run, "approve")
    assert world.agents.finished(run)["status"] == "COMPLETED", json.dumps(world.agents.events(run), indent=1)
    assert world.agents.answer(run)["response"] == 'the tool said {"charged": 7}'
    assert world.tool.next_call()[2] == {"amount": 7} and world.tool.calls.empty()
    types = world.types(run)
    assert types.index("APPROVAL_REQUIRED") < types.index("APPROVAL_GRANTED") < types.index("TOOL_CALLED")
    assert types[-1] == "COMPLETED"


def test_a_rejected_call_is_never_made(world, approver):
    world.deploy(**world.needs_approval())
    world.charge_and_say({"amount": 8})
    run = world.agents.start(world.agent_name)
    world.decide(approver, run, "reject", {"reason": "too much"})
    assert world.agents.finished(run)["status"] == "FAILED"
    assert world.tool.calls.empty()


def test_the_token_of_an_agents_address_is_nowhere(world, approver):
    world.deploy(**world.needs_approval())
    world.charge_and_say({"amount": 3}, {"amount": 4})
    run = world.agents.start(world.agent_name)
    checkpoint = world.checkpointed(run)
    assert checkpoint["pending_calls"][0]["url"].endswith(f"/egress/{world.tool_name}/charges")
    world.decide(approver, run, "approve", {"scope": "run"})
    assert world.agents.finished(run)["status"] == "COMPLETED"
    assert len(world.agents.answer(run)["tool_calls_made"]) == 2
    for document in (checkpoint, world.agents.events(run), world.api.get(f"/runs/{run}").json):
        assert "ra_agent_" not in json.dumps(document)
    for path in world.agents.sluice.data.rglob("*"):
        if path.is_file() and "environments" not in path.parts:
            assert b"ra_agent_" not in path.read_bytes(), path


def test_an_approval_outlives_the_daemon(own_sluice):
    sluice = own_sluice(SLUICE_INVOKE_BACKOFF_MIN="100ms")
    world = World(DeployedAgents(sluice))
    try:
        world.deploy(**world.needs_approval())
        world.charge_and_say({"amount": 9})
        run = world.agents.start(world.agent_name)
        world.pending(run)
        world.checkpointed(run)
        sluice.restart()
        world.decide(sluice.client(sluice.key("approver")), run, "approve")
        assert world.agents.finished(run)["status"] == "COMPLETED", world.agents.events(run)
        assert world.tool.next_call()[2] == {"amount": 9} and world.tool.calls.empty()
    finally:
        world.model.close()
        world.tool.close()


def test_two_calls_in_turn_wait_for_an_approval_each(world, approver):
    world.deploy(**world.needs_approval())
    world.charge_and_say({"amount": 1}, {"amount": 2})
    run = world.agents.start(world.agent_name)
    world.decide(approver, run, "approve", {"scope": "once"})
    assert world.tool.next_call()[2] == {"amount": 1}
    world.decide(approver, run, "approve", {"scope": "once"})
    assert world.agents.finished(run)["status"] == "COMPLETED", world.agents.events(run)
    assert world.tool.next_call()[2] == {"amount": 2} and world.tool.calls.empty()


def test_a_model_that_fails_fails_the_run(world):
    world.deploy()
    world.model.say = lambda body: (503, {"error": "down"})
    run = world.agents.start(world.agent_name)
    assert world.agents.finished(run)["status"] == "FAILED"


def test_a_handler_that_uses_the_openai_sdk_needs_no_key(world):
    world.deploy("""
import os
import openai

def handler(request, context=None):
    client = openai.OpenAI()
    stream = client.chat.completions.create(
        model=os.environ["LLM_MODEL"], messages=[{"role": "user", "content": request["message"]}], stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream)
""", requirements="openai>=1.60,<3")
    world.model.say = lambda body: words("you said " + body["messages"][-1]["content"])
    assert world.agents.ask(world.agent_name, "good day")["response"].strip() == "you said good day"
    assert world.model.next_call()[1]["authorization"] == "Bearer sk-of-the-loop"
