"""An agent acts in its own turns alone, and what was given to it ends with it (cases G2, G12, G27 and their kind)."""

import itertools
import json

import pytest

from consent_world import World, consent
from governed_agent import GovernedAgent, store_tool
from hostile_agent import ASKING, HOSTILE, HostileAgents
from scripted_model import ScriptedModel
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from waiting import eventually

numbers = itertools.count()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A tool that acts for people with their tokens, and a managed agent that may call it."""
    world = World(tmp_path_factory.mktemp("apart"), SLUICE_AGENT_SANDBOX="required")
    agents = HostileAgents(world.sluice)
    agents.deploy("hostile", HOSTILE, policies=["mailer-rules"], required_tools=["mail"])
    world.agents = agents
    yield world
    world.close()


@pytest.fixture
def ceos_run(world):
    """An idle run of the same agent that a client drives, for a user who has consented."""
    api = world.sluice.client()
    run = api.post("/runs", {"agent_id": "hostile", "user_id": "ceo"}).json["id"]
    key = api.post("/api/v1/auth/api-keys", {"name": "h", "role": "agent", "agent": "hostile"}).json["token"]
    answer = world.agent.call(run, "GET", "mail", "/inbox", token=key)
    if answer.status == 403:
        assert consent(answer.json["authorization_url"])[0] == 200
        assert world.agent.call(run, "GET", "mail", "/inbox", token=key).status == 200
    return run


def test_a_managed_agent_has_no_effect_on_a_run_that_it_is_in_no_turn_of(world, ceos_run):
    """G2: in a turn for ada it calls tools and models for ceo, and writes to ceo's run."""
    model = ScriptedModel()
    world.sluice.client().post("/api/v1/model-providers", {
        "name": "apart", "spec": {"provider": "vllm", "endpoint": model.url, "models": ["apart"]}})
    calls = len(world.tool.calls)
    events = world.sluice.client().get(f"/runs/{ceos_run}/events").json
    code = f"""
other = {{"X-Run-ID": "{ceos_run}"}}
answers = [
    ask("GET", "/egress/mail/inbox", None, other), ask("POST", "/egress/mail/inbox", b"x", other),
    ask("GET", "/egress/none/x", None, other),
    ask("POST", "/v1/chat/completions", {{"model": "apart", "messages": []}}, other),
    ask("POST", "/v1/embeddings", {{"model": "apart", "input": "x"}}, other),
    ask("POST", "/runs/{ceos_run}/checkpoint", {{"action_id": "a"}}),
    ask("POST", "/runs/{ceos_run}/tool-result", {{"tool_id": "mail", "result": "x"}}),
    ask("POST", "/runs/{ceos_run}/events", {{"type": "NOTE"}}),
    ask("POST", "/runs/{ceos_run}/actions", {{"tool_id": "mail"}}),
    ask("POST", "/governance/requests", {{"subject": "ceo", "tool_id": "mail", "run_id": "{ceos_run}"}}),
]
print(json.dumps([[status, headers.get("Sluice-Error-Code")] for status, _, headers in answers]))
"""
    answers = json.loads(world.agents.attempt("hostile", code))
    assert answers == [[409, "not_in_turn"]] * 10
    assert len(world.tool.calls) == calls and model.calls.empty()
    assert world.sluice.client().get(f"/runs/{ceos_run}/events").json == events
    model.close()


# Waits for a run of the next version, and has every effect on it that an agent can have.
EARLIER_VERSION = """
import time
ask("POST", f"/runs/{run}/events", {"type": "HERE"})
others = []
while not others:
    others = [each["id"] for each in json.loads(ask("GET", "/runs?status=RUNNING")[1]) if each["id"] != run]
    time.sleep(0.05)
other, named = others[0], {"X-Run-ID": others[0]}
calls = [
    ("POST", "/egress/mail/forged", {}, named), ("GET", "/egress/mail/forged", None, named),
    ("POST", "/v1/chat/completions", {"model": "apart", "messages": []}, named),
    ("POST", f"/runs/{other}/events", {"type": "NOTE"}), ("POST", f"/runs/{other}/actions", {"tool_id": "mail"}),
    ("POST", f"/runs/{other}/checkpoint", {"action_id": "a"}),
    ("POST", f"/runs/{other}/tool-result", {"tool_id": "mail", "result": "x"}),
    ("POST", "/governance/requests", {"subject": "ceo", "tool_id": "mail", "run_id": other})]
while True:
    refused = [ask(*call)[2].get("Sluice-Error-Code") for call in calls]
    # Before its process is called for the run no attempt is open.
    if "attempt_superseded" not in refused:
        break
    time.sleep(0.05)
print(json.dumps(refused))
"""
# Ends once the earlier version has ended, and tells which runs it saw.
NEXT_VERSION = """
import json, os, time, urllib.request

def handler(request, context=None):
    while True:
        with urllib.request.urlopen(os.environ["GOVERNANCE_URL"] + "/runs?status=RUNNING") as response:
            if {each["id"] for each in json.load(response)} == {request["run_id"]}:
                return {"response": "ended"}
        time.sleep(0.05)
"""


def test_an_earlier_version_of_an_agent_has_no_effect_on_the_runs_of_its_successor(world):
    """G2: it is still in a turn for ada, when the ceo's run is begun by the version that replaced it."""
    agents, more = world.agents, {"policies": ["mailer-rules"], "required_tools": ["mail"]}
    agents.deploy("replaced", HOSTILE, **more)
    agents.attempt("replaced", "")
    earlier = agents.start("replaced", ASKING + EARLIER_VERSION)
    agents.eventually(lambda: agents.events(earlier), lambda events: "HERE" in {e["type"] for e in events})
    agents.deploy("replaced", NEXT_VERSION, **more)
    agents.await_phase("replaced", "Running")
    run = agents.start("replaced", user="ceo")
    assert agents.finished(earlier)["status"] == "COMPLETED", agents.events(earlier)
    assert json.loads(agents.answer(earlier)["response"]) == ["not_in_turn"] * 8
    assert agents.finished(run)["status"] == "COMPLETED"
    assert {event["source"] for event in agents.events(run)} <= {"server"}, agents.events(run)
    assert "/forged" not in {call.target for call in world.tool.calls}


def test_a_managed_agent_names_no_user_of_its_model_calls(world):
    model = ScriptedModel()
    world.sluice.client().post("/api/v1/model-providers", {
        "name": "labels", "spec": {"provider": "vllm", "endpoint": model.url, "models": ["labels"]}})
    status = world.agents.attempt("hostile", """
print(ask("POST", "/v1/chat/completions", {"model": "labels", "messages": []},
          {"X-End-User-ID": "ceo", "X-Run-ID": "none"})[0])
""")
    assert status.strip() == "200"
    usage = world.sluice.client().get("/api/v1/model-usage?group_by=user&agent=hostile").json
    assert "ceo" not in json.dumps(usage)
    model.close()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("successors")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def tool():
    tool = ScriptedTool()
    yield tool
    tool.close()


class Successor:
    """An agent with a grant of a day, which is deleted; another is deployed under its name."""

    def __init__(self, gate, tool):
        self.gate, self.tool, number = gate, tool, next(numbers)
        self.api, self.name, self.shop = gate.client(), f"agent-{number}", f"shop-{number}"
        store_tool(gate, self.shop, tool.url)
        self.agent = GovernedAgent(gate, self.name, [("approval_required", [], tool.url + "/*")])
        run = self.agent.start()
        self.agent.blocked(run, "POST", self.shop, "/a", b"{}")
        self.agent.approve_request(run, scope="agent_user_ttl", duration="1h")
        assert self.agent.call(self.agent.start(), "POST", self.shop, "/b", b"{}").status == 200
        self.old_run, self.old_key = run, self.agent.token

    def delete(self):
        assert self.api.delete(f"/api/v1/agents/{self.name}").status == 200

    def deploy(self):
        answer = self.api.post("/api/v1/deploy", {
            "agent_name": self.name, "image": "other", "policies": [f"{self.name}-rules"]})
        assert answer.status == 201, answer
        self.agent.token = self.agent.key()


@pytest.fixture
def successor(gate, tool):
    return Successor(gate, tool)


def test_a_grant_ends_with_the_agent_that_it_was_given_for(successor):
    """G12: the next agent of that name asks for itself."""
    successor.delete()
    successor.deploy()
    calls = len(successor.tool.calls)
    answer = successor.agent.call(successor.agent.start(), "POST", successor.shop, "/c", b"{}")
    assert (answer.status, answer.code) == (403, "APPROVAL_REQUIRED")
    assert len(successor.tool.calls) == calls


def test_a_new_version_of_an_agent_keeps_its_grants_and_keys(successor):
    successor.deploy()
    successor.agent.token = successor.old_key
    assert successor.agent.call(successor.agent.start(), "POST", successor.shop, "/c", b"{}").status == 200


def test_the_keys_of_an_agent_end_with_it(successor):
    """G12: at once, with the streams that they opened, and for the next agent of that name."""
    old = successor.gate.client(successor.old_key)
    stream = old.connection()
    stream.request("GET", f"/runs/{successor.old_run}/events/stream", headers=old.headers)
    response = stream.getresponse()
    assert response.status == 200
    successor.delete()
    while response.read1(65536):
        pass
    assert old.get("/runs").status == 401
    successor.deploy()
    assert old.get("/runs").status == 401
    answer = successor.agent.call(
        successor.agent.start(), "POST", successor.shop, "/c", b"{}", token=successor.old_key)
    assert answer.status == 401


def test_the_next_agent_of_a_name_acts_on_no_run_of_the_earlier_one(successor):
    action = successor.agent.blocked(
        successor.agent.start(user="bob"), "POST", successor.shop, "/d", b"{}")
    successor.agent.approve(action)
    calls = len(successor.tool.calls)
    successor.delete()
    successor.deploy()
    answer = successor.agent.call(action["run_id"], "POST", successor.shop, "/d", b"{}")
    assert (answer.status, answer.header("sluice-error-code")) == (403, ["agent_mismatch"])
    own = successor.gate.client(successor.agent.token)
    assert own.post(f"/runs/{action['run_id']}/events", {"type": "NOTE"}).status == 403
    assert len(successor.tool.calls) == calls


@pytest.mark.parametrize("path", [
    "/api/v1/agents/victim", "/api/v1/agents/victim/config", "/api/agents/default/victim", "/api/v1/deploy-drafts",
    "/api/v1/builds", "/api/v1/policies/explain?agent=victim&method=GET&url=http://x.test/"])
def test_a_key_of_one_agent_reads_nothing_of_how_others_are_made(gate, path):
    """G27: prompts, variables, drafts and builds."""
    assert key_of_one_agent(gate).get(path).status == 403


@pytest.mark.parametrize("path", ["/api/v1/agents", "/api/agents", "/api/v1/context/export"])
def test_a_key_of_one_agent_finds_its_own_agent_alone_in_lists(gate, path):
    answer = key_of_one_agent(gate).get(path)
    assert answer.status == 200
    assert b"OF-nosy" in answer.content and b"OF-victim" not in answer.content
    assert b"OF-victim" in gate.client().get(path).content


@pytest.mark.parametrize("path", ["/api/v1", "/api", "/api/settings"])
def test_a_key_of_one_agent_reads_nothing_of_what_connectors_did(gate, tool, successor, path):
    """G27: the messages of all agents, with their runs and the people who decided."""
    api, connectors = gate.client(), path + "/approval-connectors"
    answer = api.post(connectors, {"name": "hook", "type": "webhook", "endpoint": tool.url + "/hook"})
    assert answer.status in (200, 201), answer
    run = successor.agent.start(user="bob")
    successor.agent.blocked(run, "POST", successor.shop, "/connectors", b"{}")
    eventually(lambda: api.get(connectors + "/activity").content, lambda content: run.encode() in content)
    refused = key_of_one_agent(gate).get(connectors + "/activity")
    assert (refused.status, run.encode() in refused.content) == (403, False)


def key_of_one_agent(gate):
    api = gate.client()
    for name in ("victim", "nosy"):
        answer = api.post("/api/v1/deploy", {
            "agent_name": name, "image": "i", "system_prompt": "PROMPT-OF-" + name,
            "env": [{"name": "MODE", "value": "ENV-OF-" + name}]})
        assert answer.status == 201, answer
    api.post("/api/v1/deploy-drafts", {"agent_name": "victim", "system_prompt": "DRAFT-OF-victim"})
    key = api.post("/api/v1/auth/api-keys", {"name": "k", "role": "agent", "agent": "nosy"}).json["token"]
    return gate.client(key)
