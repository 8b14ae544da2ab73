"""Whole agents: deployed from source, asking a model, calling tools through the gate, waiting for approvals."""

import itertools
import json

import pytest

from deployed_agents import DeployedAgents
from scripted_agent import ScriptedAgent
from scripted_model import ScriptedModel, tool_call, words
from sluice_process import SluiceProcess

NO_HANDLER = "# The runtime's own loop does it all.\n"
numbers = itertools.count()


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("loop"),
        {"SLUICE_INVOKE_ATTEMPTS_MAX": "2", "SLUICE_INVOKE_BACKOFF_MIN": "100ms", "SLUICE_INVOKE_TIMEOUT": "60s"},
    ).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def agents(module_sluice):
    return DeployedAgents(module_sluice)


@pytest.fixture
def approver(module_sluice):
    return module_sluice.client(module_sluice.key("approver"))


@pytest.fixture
def world(agents):
    world = World(agents)
    yield world
    world.model.close()
    world.tool.close()


class World:
    """A model, a tool with a POST and a GET, and names of their own for the agents that use them."""

    def __init__(self, agents):
        self.agents, self.api = agents, agents.api
        self.model, self.tool = ScriptedModel(), ScriptedAgent()
        self.tool.answers["/"] = lambda body: (200, {"charged": body.get("amount")})
        number = next(numbers)
        self.model_name, self.tool_name, self.agent_name = f"model-{number}", f"pay-{number}", f"loop-{number}"
        assert self.api.post("/api/v1/model-providers", {
            "name": self.model_name, "credentials": {"api_key": "sk-of-the-loop"},
            "spec": {"provider": "openai", "endpoint": self.model.url, "models": [self.model_name],
                     "auth": {"type": "APIKey"}}}).status == 201
        assert self.api.post("/api/v1/tools", {"name": self.tool_name, "spec": {
            "description": "Charges cards", "connection": {"baseUrl": self.tool.url},
            "capabilities": [{"name": "create-charge", "method": "POST", "path": "/charges"}]}}).status == 201

    @property
    def function(self):
        return f"{self.tool_name}__create-charge"

    def deploy(self, code=NO_HANDLER, **more):
        self.agents.deploy(
            self.agent_name, code, required_tools=[self.tool_name], system_prompt="You are a cashier.",
            llm_config={"provider": "openai", "model": self.model_name}, **more)

    def charge_and_say(self, *calls):
        """The model asks for the calls, one a turn, then says what the last tool said."""
        def say(body):
            answered = [message for message in body["messages"] if message["role"] == "tool"]
            if len(answered) < len(calls):
                return tool_call(self.function, calls[len(answered)], f"call-{len(answered)}")
            return words("the tool said " + answered[-1]["content"])
        self.model.say = say

    def needs_approval(self):
        name = f"policy-of-{self.agent_name}"
        assert self.api.post("/api/v1/policies", {"name": name, "spec": {"policies": [
            {"permission": "approval_required", "resource": self.tool.url + "/*", "operations": ["POST"]}]}}).status == 201
        return {"policies": [name]}

    def pending(self, run):
        """The request that the run waits with."""
        self.agents.eventually(
            lambda: self.api.get(f"/runs/{run}").json["status"], lambda status: status != "RUNNING")
        assert self.api.get(f"/runs/{run}").json["status"] == "PAUSED_APPROVAL", self.agents.events(run)
        requests = self.api.get("/api/v1/approvals/requests?status=PENDING").json
        return next(each for each in requests if each.get("run_id") == run)

    def checkpointed(self, run):
        """The checkpoint that the run's agent has left, once its turn has ended."""
        self.agents.eventually(lambda: self.types(run), lambda types: "INVOKE_COMPLETED" in types)
        action = next(event["data"]["action_id"] for event in self.agents.events(run)
                      if event["type"] == "APPROVAL_REQUIRED")
        return self.api.get(f"/runs/{run}/checkpoint/{action}").json

    def decide(self, approver, run, decision, body=None):
        request = self.pending(run)
        answer = approver.post(f"/api/v1/approvals/requests/{request['id']}/{decision}", body or {})
        assert answer.status == 200, answer

    def types(self, run):
        return [event["type"] for event in self.agents.events(run)]


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
