"""Connectors are told of denied calls, payloads that are not the approved ones, and misused keys, when they ask for it."""

import itertools
import queue
import time

import pytest

from approval_services import Services, is_signed
from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool

CONNECTORS = "/api/v1/approval-connectors"
KEYS = "/api/v1/auth/api-keys"
ALL = ["payload_mismatch", "denied_call", "key_misuse"]
numbers = itertools.count()


@pytest.fixture
def services():
    made = Services()
    yield made
    made.close()


@pytest.fixture
def daemon(own_sluice):
    return own_sluice()


@pytest.fixture
def api(daemon):
    return daemon.client()


@pytest.fixture
def tool():
    made = ScriptedTool()
    made.answer = lambda call: (200, [], b"done")
    yield made
    made.close()


@pytest.fixture
def agent(daemon, tool):
    store_tool(daemon, "bank", tool.url)
    return GovernedAgent(daemon, "payer", [
        ("allow", ["GET"], tool.url + "/open*"), ("approval_required", ["POST"], tool.url + "/pay*")])


def listen(api, services, kinds=ALL, name="siem", **more):
    answer = api.post(CONNECTORS, {
        "name": name, "endpoint": f"{services.url}/hooks/{name}", "security_events": kinds} | more)
    assert answer.status == 201, answer
    return answer.json


def told(services, kind):
    """The next message that is no approval's."""
    while True:
        what, content, call = services.next()
        if what.startswith("security."):
            assert what == f"security.{kind}", content
            return content["data"], call


def nothing_more(services):
    try:
        while True:
            what, content, _ = services.received.get_nowait()
            assert not what.startswith("security."), content
    except queue.Empty:
        pass


def test_a_denied_call_is_told_of_signed_and_once_for_its_repetitions(api, services, agent):
    connector = listen(api, services)
    assert connector["security_events"] == ALL
    run = agent.start()
    for _ in range(5):
        assert agent.call(run, "GET", "bank", "/vault").status == 403
    data, call = told(services, "denied_call")
    assert is_signed(call, connector["signing_secret"], time.time())
    assert (data["run_id"], data["tool_id"], data["method"], data["workspace"]) == (run, "bank", "GET", "default")
    assert data["url"].endswith("/vault") and data["reason"] and data["position"] > 0
    other = agent.start()
    assert agent.call(other, "GET", "bank", "/vault").status == 403
    data, _ = told(services, "denied_call")
    assert data["run_id"] == other, "the four repetitions of the first run are not told of one by one"


def test_other_bytes_than_the_approved_ones_are_told_of(api, services, agent):
    listen(api, services, ["payload_mismatch"])
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", b"100")
    agent.approve(action)
    assert agent.call(run, "POST", "bank", "/pay", b"900").status == 409
    data, _ = told(services, "payload_mismatch")
    assert data["action_id"] == action["action_id"] and data["run_id"] == run
    assert data["approved_payload_hash"] == action["payload_hash"] != data["payload_hash"]


@pytest.mark.parametrize("reason", ["revoked", "replaced", "role"])
def test_a_misused_key_is_told_of_by_name_once(daemon, api, services, reason):
    listen(api, services, ["key_misuse"])
    made = api.post(KEYS, {"name": "ci", "role": "viewer"}).json
    token, key = made["token"], made["key"]["id"]
    if reason == "revoked":
        assert api.delete(f"{KEYS}/{key}").status == 200
    if reason == "replaced":
        assert api.post(f"{KEYS}/{key}/rotate").status == 200
    expected = 403 if reason == "role" else 401
    for _ in range(5):
        assert daemon.client(token).post("/runs", {"agent_id": "a", "user_id": "u"}).status == expected
    data, call = told(services, "key_misuse")
    assert {name: data[name] for name in ("key_id", "key_name", "role", "reason")} == {
        "key_id": key, "key_name": "ci", "role": "viewer", "reason": reason}
    assert data["route"].endswith("/runs") and token.encode() not in call.body
    assert f'sluice_key_misuse_total{{reason="{reason}"}} 5' in api.get("/metrics").content.decode()


def test_who_has_no_key_fills_neither_the_log_nor_the_queue(daemon, api, services):
    listen(api, services, ["key_misuse"])
    before = api.get("/readyz").json["position"]
    for number in range(200):
        assert daemon.client(f"guessed-key-{number:040}").get("/runs").status == 401
    assert api.get("/readyz").json["position"] == before
    made = api.post(KEYS, {"name": "ci", "role": "viewer"}).json["token"]
    assert daemon.client(made).post("/runs", {"agent_id": "a", "user_id": "u"}).status == 403
    data, _ = told(services, "key_misuse")
    assert data["reason"] == "role", "the first that is told of is the one with a key"


def test_misuse_of_keys_leaves_the_log_alone(daemon, api):
    made = api.post(KEYS, {"name": "ci", "role": "viewer"}).json["token"]
    before = api.get("/readyz").json["position"]
    for _ in range(20):
        daemon.client(made).post("/runs", {"agent_id": "a", "user_id": "u"})
    assert api.get("/readyz").json["position"] == before


def test_only_who_asks_is_told_and_only_of_that(api, services, agent):
    listen(api, services, ["payload_mismatch"], "hashes")
    listen(api, services, ["denied_call"], "off", enabled=False)
    listen(api, services, [], "none")
    listen(api, services, ["denied_call"], "denials")
    run = agent.start()
    assert agent.call(run, "GET", "bank", "/vault").status == 403
    _, call = told(services, "denied_call")
    assert call.target == "/hooks/denials"
    nothing_more(services)


def test_what_was_not_taken_is_sent_again_under_the_same_id_through_a_restart(daemon, services, agent):
    listen(daemon.client(), services, ["denied_call"])
    services.refuse = [503]
    run = agent.start()
    assert agent.call(run, "GET", "bank", "/vault").status == 403
    what, _, first = services.next()
    assert what == "refused"
    daemon.restart()
    data, second = told(services, "denied_call")
    assert data["run_id"] == run
    assert first.header("webhook-id") == second.header("webhook-id")
    assert first.header("idempotency-key") == second.header("idempotency-key")


def test_what_was_taken_is_not_sent_again_after_a_restart(daemon, services, agent):
    api = daemon.client()
    listen(api, services, ["denied_call"])
    run = agent.start()
    assert agent.call(run, "GET", "bank", "/vault").status == 403
    told(services, "denied_call")
    assert daemon.stop() == 0
    daemon.start()
    other = agent.start()
    assert agent.call(other, "GET", "bank", "/vault").status == 403
    data, _ = told(services, "denied_call")
    assert data["run_id"] == other


@pytest.mark.parametrize("more, words", [
    ({"security_events": "all"}, "security_events must be an array"),
    ({"security_events": ["everything"]}, "security_events must have only payload_mismatch"),
    ({"security_events": [1]}, "security_events must have only payload_mismatch"),
    ({"security_events": ["key_misuse"], "type": "slack"}, "needs a connector of type webhook")])
def test_what_no_connector_can_be_told_of_is_refused(api, more, words):
    answer = api.post(CONNECTORS, {"name": "x", "endpoint": "https://a.test/"} | more)
    assert answer.status == 400 and words in answer.error


def test_what_a_connector_asks_for_can_be_changed(api, services):
    connector = listen(api, services, ["key_misuse", "denied_call", "denied_call"])
    path = f"{CONNECTORS}/{connector['id']}"
    assert connector["security_events"] == ["denied_call", "key_misuse"]
    assert api.patch(path, {"name": "other"}).json["security_events"] == ["denied_call", "key_misuse"]
    assert api.patch(path, {"security_events": []}).json["security_events"] == []
