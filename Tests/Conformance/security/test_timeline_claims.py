"""A timeline tells what the server observed from what its clients claim; attackers are agents that write to it."""

import itertools
import json

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

numbers = itertools.count()
LINES = {"Content-Type": "application/x-ndjson"}
SERVERS = ["APPROVAL_REQUIRED", "APPROVAL_VOTE", "APPROVED", "REJECTED", "APPROVAL_GRANTED", "CONSENT_GRANTED",
           "RUN_CREATED", "RESUMED", "COMPLETED", "FAILED", "INVOKE_COMPLETED", "PAYLOAD_MISMATCH", "TOOL_CALLED",
           "TOOL_REFUSED"]
SPELLINGS = {
    "as it is": str, "lower case": str.lower, "title": str.title, "space before": " {}".format,
    "space after": "{} ".format, "no-break space": "{}\u00a0".format, "zero width": "{}\u200b".format,
    "byte order mark": "\ufeff{}".format, "joiner within": lambda name: name[0] + "\u2060" + name[1:],
    "right to left": "\u202e{}".format, "full width": lambda name: "".join(
        chr(ord(each) + 0xfee0) if each.isalpha() else each for each in name),
    "cyrillic": lambda name: name.replace("A", "\u0410").replace("E", "\u0415").replace("O", "\u041e"),
    "hyphen": lambda name: name.replace("_", "-"), "dot": lambda name: name.replace("_", "."),
    "no separator": lambda name: name.replace("_", ""), "separator after": "{}_".format, "tab": "{}\t".format,
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("claims")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def tool():
    server = ScriptedTool()
    server.answer = lambda call: (200, [], b"done")
    yield server
    server.close()


@pytest.fixture
def agent(gate, tool):
    name = f"claimant-{next(numbers)}"
    store_tool(gate, f"tool-of-{name}", tool.url)
    return GovernedAgent(gate, name, [("allow", ["*"], "*")])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_client_writes_a_type_of_the_servers_in_any_spelling(agent, spelling):
    run = agent.start()
    for client in (agent.sluice.client(agent.token), agent.api):
        for name in SERVERS:
            spelled = SPELLINGS[spelling](name)
            answer = client.post(f"/runs/{run}/events", {"type": spelled, "data": {"tool_id": "bank"}})
            assert answer.status == 400, (spelled, answer)
            bulk = client.post(f"/runs/{run}/events", headers=LINES, content="\n".join(
                json.dumps({"type": each}) for each in ("NOTE", spelled)).encode())
            assert bulk.status == 400, (spelled, bulk)
    assert agent.events(run) == []


def test_published_types_are_added_as_before(agent):
    """Also by an agent that names itself; model calls of a run that its client drives are the client's to state."""
    run, api = agent.start(), agent.sluice.client(agent.token)
    types = ["USER_MESSAGE", "AGENT_MESSAGE", "TOOL_REQUEST", "TOOL_RESPONSE", "TOOL_CALL", "LLM_CALL", "ERROR",
             "custom.type"]
    for each in types:
        assert api.post(f"/runs/{run}/events", {"type": each, "actor": agent.name}).status == 201
    assert [event["type"] for event in agent.events(run)] == types


@pytest.mark.parametrize("actor", ["finance@corp.test", "server", "gateway", "sluice", "CLAIMANT", "claimant\u200b"])
def test_an_agent_speaks_for_itself_alone(agent, actor):
    run, api = agent.start(), agent.sluice.client(agent.token)
    answer = api.post(f"/runs/{run}/events", {"type": "NOTE", "actor": actor})
    assert (answer.status, answer.headers["sluice-error-code"]) == (403, "agent_mismatch"), answer
    assert agent.events(run) == []
    # A client that drives the run says who said what, and the entry says that a client did.
    assert agent.api.post(f"/runs/{run}/events", {"type": "NOTE", "actor": actor}).status == 201
    entry, = agent.events(run)
    assert (entry["actor"], entry["source"]) == (actor, "client")


def test_each_entry_says_whether_the_server_observed_it(agent, tool):
    run, api = agent.start(), agent.sluice.client(agent.token)
    assert api.post(f"/runs/{run}/events", {"type": "TOOL_CALL", "data": {"tool_id": "bank", "status_code": 200}}).status == 201
    assert api.post(f"/runs/{run}/tool-result", {"tool_id": "bank", "result": "paid"}).status in (200, 201)
    assert agent.call(run, "POST", f"tool-of-{agent.name}", "/x", b"{}").status == 200
    assert agent.api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "actor": "ada"}).status == 201
    action = agent.api.post(f"/runs/{run}/actions", {"tool_id": "bank", "tool_url": "https://bank.test/pay"}).json
    agent.api.post(f"/runs/{run}/actions/{action['action_id']}/reject", {})
    sources = {event["type"]: (event["source"], "recorded_by" in event) for event in agent.events(run)}
    assert sources == {
        "TOOL_CALL": ("agent", True), "TOOL_RESPONSE": ("client", True), "TOOL_CALLED": ("server", False),
        "USER_MESSAGE": ("client", True), "APPROVAL_REQUIRED": ("client", True), "REJECTED": ("server", False)}
    entry = next(event for event in agent.events(run) if event["type"] == "TOOL_CALL")
    assert entry["recorded_by"] == agent.name


def test_the_export_names_the_agent_that_added_an_entry(agent):
    run, api = agent.start(), agent.sluice.client(agent.token)
    assert api.post(f"/runs/{run}/events", {"type": "NOTE"}).status == 201
    lines = agent.api.get(f"/runs/{run}/audit/export?format=ndjson").content.splitlines()
    event = json.loads(lines[-1])["event"]
    assert event["data"] == {"type": "NOTE", "agent_id": agent.name}
    assert event["actor"]["name"] == agent.name
