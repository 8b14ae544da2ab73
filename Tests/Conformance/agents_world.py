"""A model, a tool and a deployed agent that uses both, with an approver: what tests of whole agents begin with."""

import itertools

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
