"""A run that reaches a limit of its effects fails with a reason that names the limit."""

import pytest

from deployed_agents import DeployedAgents
from governed_agent import GovernedAgent, store_tool
from scripted_model import ScriptedModel
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess


class World:
    def __init__(self, directory):
        self.sluice = SluiceProcess(directory, {
            "SLUICE_RUN_TOOL_CALLS_MAX": "4", "SLUICE_RUN_MODEL_CALLS_MAX": "3", "SLUICE_RUN_REPEATS_MAX": "2"}).start()
        self.tool, self.model = ScriptedTool(), ScriptedModel()
        store_tool(self.sluice, "pay", self.tool.url)
        assert self.sluice.client().post("/api/v1/model-providers", {"name": "m", "spec": {
            "provider": "vllm", "endpoint": self.model.url, "models": ["m"],
            "prices": {"m": {"input_per_million_usd": 10_000, "output_per_million_usd": 0}}}}).status == 201

    def agent(self, name, **deploy):
        return GovernedAgent(self.sluice, name, [("allow", ["*"], self.tool.url + "/*")], **deploy)

    def ask(self, agent, run, text):
        return self.sluice.client(agent.token).post(
            "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": text}]},
            headers={"X-Run-ID": run})

    def close(self):
        assert self.sluice.stop() == 0
        self.tool.close()
        self.model.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("limits"))
    yield world
    world.close()


def refused(answer, code, said):
    assert (answer.status, code) == (409, "RUN_ENDED"), answer
    assert said in str(answer.json["error"]), answer.json


def test_calls_of_tools_are_limited(world):
    agent = world.agent("caller")
    run, calls = agent.start(), len(world.tool.calls)
    for number in range(4):
        assert agent.call(run, "POST", "pay", "/x", str(number).encode()).status == 200
    answer = agent.call(run, "POST", "pay", "/x", b"one more")
    refused(answer, answer.code, "run-tool-calls-max")
    assert len(world.tool.calls) == calls + 4
    assert agent.run(run)["status"] == "FAILED" and "run-tool-calls-max" in agent.run(run)["reason"]


def test_identical_calls_are_limited_and_reads_are_not(world):
    agent = world.agent("repeater")
    run = agent.start()
    for _ in range(3):
        assert agent.call(run, "GET", "pay", "/status").status == 200
    run = agent.start()
    for _ in range(2):
        assert agent.call(run, "POST", "pay", "/x", b"same").status == 200
    answer = agent.call(run, "POST", "pay", "/x", b"same")
    refused(answer, answer.code, "run-repeats-max")
    assert agent.run(run)["status"] == "FAILED"


def test_calls_of_models_are_limited(world):
    agent = world.agent("asker")
    run, calls = agent.start(), world.model.calls.qsize()
    for number in range(3):
        assert world.ask(agent, run, str(number)).status == 200
    answer = world.ask(agent, run, "one more")
    refused(answer, answer.json["code"], "run-model-calls-max")
    assert world.model.calls.qsize() == calls + 3
    assert agent.run(run)["status"] == "FAILED" and "run-model-calls-max" in agent.run(run)["reason"]


def test_an_agents_deploy_names_its_own_limits(world):
    agent = world.agent("own", limits={"tool_calls": 1, "model_cost_usd": 0.1})
    run = agent.start()
    assert agent.call(run, "POST", "pay", "/x", b"1").status == 200
    answer = agent.call(run, "POST", "pay", "/x", b"2")
    refused(answer, answer.code, "1 tool calls")
    run = agent.start()
    # Seven tokens of a cent each.
    assert [world.ask(agent, run, str(number)).status for number in range(3)] == [200, 200, 409]
    assert "0.1 USD" in agent.run(run)["reason"]


def test_the_limits_of_a_deploy_stay_unless_the_next_one_names_them(world):
    agent = world.agent("kept", limits={"tool_calls": 1})
    api = world.sluice.client()
    assert api.post("/api/deploy", {"agent_name": "kept", "image": "i2"}).status == 201
    draft = api.post("/api/v1/deploy-drafts", {
        "agent_config": {"agent_name": "kept", "custom_image": "i3", "use_custom_image": True}}).json
    assert api.post(f"/api/v1/deploy-drafts/{draft['id']}/complete", {}).status == 200
    run = agent.start()
    assert agent.call(run, "POST", "pay", "/x", b"1").status == 200
    answer = agent.call(run, "POST", "pay", "/x", b"2")
    refused(answer, answer.code, "1 tool calls")


def test_a_deploy_of_a_draft_names_limits(world):
    agent = world.agent("drafted")
    api = world.sluice.client()
    draft = api.post("/api/v1/deploy-drafts", {
        "agent_config": {"agent_name": "drafted", "custom_image": "i3", "use_custom_image": True}}).json
    deployed = api.post("/api/deploy", {"draft_id": draft["id"], "limits": {"tool_calls": 1}})
    assert deployed.status == 201, deployed
    run = agent.start()
    assert agent.call(run, "POST", "pay", "/x", b"1").status == 200
    answer = agent.call(run, "POST", "pay", "/x", b"2")
    refused(answer, answer.code, "1 tool calls")


def test_the_limits_hold_while_an_earlier_version_serves(world):
    agent, deployed = world.agent("serving", limits={"tool_calls": 1}), DeployedAgents(world.sluice)
    deployed.deploy("serving", "def handler(request, context=None):\n    return 'well'\n")
    deployed.await_phase("serving", "Running")
    deployed.deploy("serving", "def handler(request, context=None)\n    return 'never'\n")
    deployed.await_phase("serving", "Failed")
    run = agent.start()
    assert agent.call(run, "POST", "pay", "/x", b"1").status == 200
    answer = agent.call(run, "POST", "pay", "/x", b"2")
    refused(answer, answer.code, "1 tool calls")


@pytest.mark.parametrize("limits", [{"tool_calls": 0}, {"calls": 1}, {"model_cost_usd": "1"}, {"repeats": 1.5}, []])
def test_limits_that_say_nothing_are_refused(world, limits):
    answer = world.sluice.client().post("/api/deploy", {"agent_name": "odd", "image": "i", "limits": limits})
    assert answer.status == 400, answer


def test_a_limit_counts_over_a_restart(world):
    agent = world.agent("restarted")
    run = agent.start()
    assert [world.ask(agent, run, str(number)).status for number in range(2)] == [200, 200]
    world.sluice.restart()
    assert [world.ask(agent, run, str(number)).status for number in range(2, 4)] == [200, 409]
