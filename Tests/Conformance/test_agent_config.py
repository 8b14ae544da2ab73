"""What may be changed of an agent without deploying it anew."""

import json
import subprocess

import openai
import pytest

from agents_world import World, agents, module_sluice, world  # noqa: F401 - fixtures
from metered_team import MeteredTeam
from sluice_process import ADMIN_KEY, ROOT
from test_contract import Contract

UPDATE = """
import dataclasses, json, sys
from runagents import Client
from runagents.types import AgentConfigLLM
client = Client(endpoint=sys.argv[1], api_key=sys.argv[2])
before = client.agents.get_config("by-client")
after = client.agents.update_config("by-client", system_prompt="Be brief", llm_configs=[
    AgentConfigLLM(role="chat", model="m", provider="openai", monthly_budget_usd=2.5), {"role": "embedding", "model": "e"}])
print(json.dumps([dataclasses.asdict(each) for each in (before, after, client.model_spend.get())]))
"""


@pytest.fixture
def team(sluice):
    team = MeteredTeam(
        sluice, system_prompt="Pay", llm_configs=[{"role": "chat", "provider": "vllm", "model": "m", "temperature": 0.2}],
        framework="plain")
    assert team.post("/tools", {"name": "bank", "base_url": "https://bank.test", "auth_type": "None"}).status == 201
    assert team.post("/policies", {"name": "careful", "spec": {"policies": []}}).status == 201
    yield team
    team.model.close()


def put(team, body, agent="payer"):
    return team.api.put(f"{team.base}/agents/{agent}/config", body)


def config(team):
    return team.get("/agents/payer/config").json


def test_the_configuration_has_the_published_shape(sluice, team):
    contract = Contract(sluice.client(sluice.key("admin", team.workspace)))
    team.ask()
    answer = contract.ask("GET", "/agents/{agentName}/config", agentName="payer").json
    usage, = answer.pop("model_usage")
    assert answer == {
        "agent_name": "payer", "namespace": team.workspace, "image": "registry.test/payer:1", "runtime": "plain",
        "system_prompt": "Pay", "llm_configs": [{"role": "chat", "provider": "vllm", "model": "m"}],
        "required_tools": [], "policies": []}
    assert (usage["label"], usage["estimated_spend_usd"], usage["status"]) == ("chat: m", 0.0057, "Uncapped")
    changed = contract.ask("PUT", "/agents/{agentName}/config", {"required_tools": ["bank"]}, agentName="payer").json
    assert changed["required_tools"] == ["bank"] and changed["system_prompt"] == "Pay"
    contract.ask("PUT", "/agents/{agentName}/config", {"required_tools": 7}, agentName="payer")
    for method, body in (("GET", None), ("PUT", {})):
        answer = contract.ask(method, "/agents/{agentName}/config", body, agentName="nobody")
        assert (answer.status, answer.error) == (404, "agent nobody not found")


def test_only_what_is_given_changes(team):
    body = {
        "system_prompt": "Pay slowly", "policies": ["careful", "careful"], "required_tools": ["bank"],
        "llm_configs": [{"role": "chat", "model_provider": "p", "model": "m", "monthly_budget_usd": 1.50}]}
    answer = put(team, body)
    assert answer.status == 200 and int(answer.headers["sluice-position"]) > 0
    assert answer.json == config(team)
    for name, value in body.items():
        assert answer.json[name] == (["careful"] if name == "policies" else value)
    agent = team.get("/agents/payer").json
    assert agent["spec"]["systemPrompt"] == "Pay slowly" and agent["spec"]["requiredTools"] == [{"name": "bank"}]
    assert agent["spec"]["llmConfig"]["model_provider"] == "p" and agent["spec"]["image"] == "registry.test/payer:1"
    assert team.get("/policies/careful").json["used_by"] == [{"name": "payer", "namespace": team.workspace}]
    assert put(team, {"policies": [], "system_prompt": ""}).status == 200
    assert config(team)["policies"] == [] and "system_prompt" not in config(team)
    assert config(team)["required_tools"] == ["bank"]
    answer = put(team, {"system_prompt": None, "unknown": 1}).json
    assert "unknown member unknown" in answer.pop("warnings")[0] and answer == config(team)


def test_a_change_is_an_event_and_nothing_to_change_is_none(team):
    def revisions():
        lines = team.sluice.run("log", "cat", "--data-dir", team.sluice.data).stdout.split("\n")[:-1]
        return [event["data"]["revision"] for event in map(json.loads, lines)
                if event["workspace"] == team.workspace and event["type"] == "agent.deployed"]
    assert revisions() == [1]
    assert put(team, {}).status == 200
    assert revisions() == [1]
    assert put(team, {"system_prompt": "x"}).status == 200
    assert revisions() == [1, 2]


@pytest.mark.parametrize("body, says", [
    ({"required_tools": ["bank", "safe", "till"]}, 'tool "safe" not found; tool "till" not found'),
    ({"policies": ["reckless"]}, 'policy "reckless" not found'),
    ({"llm_configs": [{"model": "m", "model_provider": "zzz"}]}, 'model provider "zzz" not found'),
    ({"identity_provider": "nobody"}, 'identity provider "nobody" not found'),
    ({"llm_configs": [{"role": "chat"}]}, "llm_configs[0].model is required"),
    ({"llm_configs": {}}, "llm_configs must be an array"),
    ({"llm_configs": [{"model": "m"}, {"model": "m", "monthly_budget_usd": "1"}]}, "llm_configs[1].monthly_budget_usd"),
    ({"llm_configs": [{"model": "m", "api_key": "sk-x"}]}, "holds the secret api_key"),
    ({"system_prompt": 7}, "system_prompt must be a string"),
    ({"identity_provider": []}, "identity_provider must be a string"),
    ({"monthly_budget_usd": -1}, "monthly_budget_usd must be a number"),
    ({"policies": [1]}, "policies must be an array of strings"),
])
def test_what_cannot_be_is_refused_whole(team, body, says):
    before = config(team)
    answer = put(team, {"system_prompt": "other"} | body)
    assert answer.status == 400 and says in answer.error, answer
    assert config(team) == before


def test_who_may(sluice, team):
    path = f"{team.base}/agents/payer/config"
    for role, status in (("operator", 200), ("viewer", 403), ("approver", 403), ("agent", 403)):
        client = sluice.client(sluice.key(role, team.workspace))
        assert client.put(path, {"system_prompt": role}).status == status
        assert client.get(path).status == 200
    assert sluice.client(team.key).get(path).status == 200
    another = team.post("/auth/api-keys", {"name": "x", "role": "agent", "agent": "x", "workspace": team.workspace})
    assert sluice.client(another.json["token"]).get(path).status == 403
    assert team.api.request("DELETE", path).status == 405


def test_the_older_path_has_the_namespace(sluice, team):
    client = sluice.client(sluice.key("admin", team.workspace))
    path = f"/api/agents/{team.workspace}/payer/config"
    assert client.put(path, {"system_prompt": "older"}).json == client.get(path).json == config(team)
    answer = client.get("/api/agents/elsewhere/payer/config")
    assert (answer.status, answer.error) == (404, "agent elsewhere/payer not found")


def test_a_budget_takes_hold_at_once_and_can_be_lifted(team):
    team.ask()
    assert put(team, {"monthly_budget_usd": 0.001}).json["monthly_budget_usd"] == 0.001
    with pytest.raises(openai.APIStatusError) as caught:
        team.ask()
    assert caught.value.status_code == 402
    assert "monthly_budget_usd" not in put(team, {"monthly_budget_usd": None}).json
    team.ask()


def test_a_running_agent_takes_its_new_configuration(world):
    world.deploy()
    assert world.agents.ask(world.agent_name)["response"] == "hello"
    assert json.loads(world.model.next_call()[2])["messages"][0]["content"] == "You are a cashier."
    answer = world.api.put(f"/api/v1/agents/{world.agent_name}/config", {"system_prompt": "You are a clerk."})
    assert answer.status == 200, answer
    world.agents.await_phase(world.agent_name, "Running")
    world.agents.ask(world.agent_name)
    assert json.loads(world.model.next_call()[2])["messages"][0]["content"] == "You are a clerk."


def test_the_published_client_reads_and_changes_it(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    answer = api.post("/api/v1/deploy", {"agent_name": "by-client", "image": "i", "system_prompt": "Pay"})
    assert answer.status == 201
    ran = subprocess.run(
        [ROOT / ".venv/runagents-1.4.2/bin/python", "-c", UPDATE, sluice.url, ADMIN_KEY], capture_output=True, text=True,
        timeout=120)
    assert ran.returncode == 0, ran.stderr
    before, after, spend = json.loads(ran.stdout)
    assert (before["system_prompt"], after["system_prompt"], after["image"]) == ("Pay", "Be brief", "i")
    assert [each["model"] for each in after["llm_configs"]] == ["m", "e"]
    assert after["llm_configs"][0]["monthly_budget_usd"] == 2.5
    assert [each["status"] for each in after["model_usage"]] == ["Active", "Uncapped"]
    assert spend["summary"]["total_budget_usd"] >= 2.5
    assert "by-client" in [each["agent_name"] for each in spend["top_models"]]
