"""Calls that wait for a person: nothing goes out before the approval, and only what was approved goes out after it."""

import hashlib
import threading

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_agent import ScriptedAgent
from sluice_process import SluiceProcess

BODY = b'{"amount": 100}\x00\xff'
FAST = {"SLUICE_INVOKE_BACKOFF_MIN": "50ms", "SLUICE_INVOKE_BACKOFF_MAX": "200ms"}


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("approvals"), FAST).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def tool(server):
    server.calls.clear()
    server.answer = lambda call: (201, [], b"paid")
    return server


def payer(sluice, tool, name="payer", **tool_connection):
    """An agent that may read, and has to ask before it pays."""
    store_tool(sluice, "bank", tool.url, tool_connection)
    return GovernedAgent(sluice, name, [
        ("allow", ["GET"], tool.url + "/*"), ("allow", ["POST"], tool.url + "/free*"),
        ("approval_required", ["POST", "PUT"], tool.url + "/pay*")])


@pytest.fixture(scope="module")
def agent(gate, server):
    return payer(gate, server)


def test_a_call_that_needs_an_approval_waits_and_is_shown(agent, tool):
    run = agent.start()
    answer = agent.call(run, "POST", "bank", "/pay?x=1", BODY, [("Content-Type", "application/json")])
    assert (answer.status, answer.code) == (403, "APPROVAL_REQUIRED")
    action = agent.action(run, answer.json["action_id"])
    digest = "sha256:" + hashlib.sha256(BODY).hexdigest()
    shown = {"tool_id": "bank", "tool_method": "POST", "tool_url": tool.url + "/pay?x=1", "payload_hash": digest}
    assert action["status"] == "BLOCKED" and {name: action[name] for name in shown} == shown
    assert answer.json["run_id"] == run and answer.json["tool"] == "bank" and answer.json["payload_hash"] == digest
    assert agent.run(run)["status"] == "PAUSED_APPROVAL"
    assert agent.run(run)["blocked_action_id"] == action["action_id"]
    request, = agent.requests(run)
    assert request["id"] == answer.json["request_id"] and request["action_id"] == action["action_id"]
    assert request["subject"] == "ada" and {name: request[name] for name in shown} == shown
    assert not tool.calls


def test_what_was_approved_goes_out_once_byte_for_byte(agent, tool):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    agent.approve(action)
    answer = agent.call(run, "POST", "bank", "/pay", BODY)
    assert (answer.status, answer.content) == (201, b"paid")
    call, = tool.calls
    assert call.body == BODY
    assert agent.action(run, action["action_id"])["status"] == "EXECUTED"
    called, = agent.events(run, "TOOL_CALLED")
    assert called["data"]["action_id"] == action["action_id"]
    again = agent.blocked(run, "POST", "bank", "/pay", BODY)
    assert again["action_id"] != action["action_id"] and len(tool.calls) == 1


def test_the_failure_of_an_approved_call_uses_the_approval_up(agent, tool):
    tool.answer = lambda call: (500, [], b"broken")
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    agent.approve(action)
    assert agent.call(run, "POST", "bank", "/pay", BODY).status == 500
    assert agent.action(run, action["action_id"])["status"] == "EXECUTED"
    agent.blocked(run, "POST", "bank", "/pay", BODY)
    assert len(tool.calls) == 1


@pytest.mark.parametrize("body", [BODY + b" ", b"", BODY.replace(b"100", b"900")])
def test_other_bytes_than_approved_end_the_approval(agent, tool, body):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    agent.approve(action)
    answer = agent.call(run, "POST", "bank", "/pay", body)
    assert (answer.status, answer.code) == (409, "PAYLOAD_MISMATCH")
    assert answer.json["action_id"] == action["action_id"] and "payload_hash mismatch" in answer.json["error"]
    assert agent.action(run, action["action_id"])["status"] == "FAILED"
    mismatch, = agent.events(run, "PAYLOAD_MISMATCH")
    assert mismatch["data"]["action_id"] == action["action_id"]
    agent.blocked(run, "POST", "bank", "/pay", BODY)
    assert not tool.calls


@pytest.mark.parametrize("method, target", [("PUT", "/pay"), ("POST", "/pay?to=me"), ("POST", "/pay/other")])
def test_an_approval_is_for_one_method_and_one_address(agent, tool, method, target):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    agent.approve(action)
    other = agent.blocked(run, method, "bank", target, BODY)
    assert other["action_id"] != action["action_id"] and not tool.calls
    agent.approve(other)
    assert agent.call(run, "POST", "bank", "/pay", BODY).status == 201
    assert agent.call(run, method, "bank", target, BODY).status == 201
    assert [(call.method, call.target) for call in tool.calls] == [("POST", "/pay"), (method, target)]


def test_an_approval_is_for_one_run(agent, tool):
    first, second = agent.start(), agent.start()
    agent.approve(agent.blocked(first, "POST", "bank", "/pay", BODY))
    agent.blocked(second, "POST", "bank", "/pay", BODY)
    assert not tool.calls


def test_a_run_that_waits_does_not_call_tools(agent, tool):
    run = agent.start()
    agent.blocked(run, "POST", "bank", "/pay", BODY)
    for method, target, body in (("GET", "/x", None), ("POST", "/pay", BODY)):
        answer = agent.call(run, method, "bank", target, body)
        assert answer.status == 409 and "PAUSED_APPROVAL" in answer.json["error"], answer
    assert not tool.calls and len(agent.requests(run)) == 1


def test_two_calls_of_one_turn_wait_together(gate, tool):
    agent = payer(gate, tool, "twice")
    remote, blocked = ScriptedAgent(), []

    def turn(body):
        run = body["run_id"]
        if not blocked:
            blocked.extend(agent.blocked(run, "POST", "bank", "/pay", content) for content in (b"one", b"two"))
            return 200, {"approval_required": {"action_id": blocked[0]["action_id"]}}
        answers = [agent.call(run, "POST", "bank", "/pay", content) for content in (b"one", b"two")]
        return 200, {"response": str([answer.status for answer in answers])}

    remote.answers["/"] = turn
    try:
        run = agent.start(invoke_url=remote.url + "/invoke", message="pay")
        agent.eventually(lambda: len(blocked), lambda count: count == 2)
        assert {request["action_id"] for request in agent.requests(run)} == {
            action["action_id"] for action in blocked}
        agent.approve(blocked[0])
        assert agent.run(run)["status"] == "PAUSED_APPROVAL" and not tool.calls
        agent.approve(blocked[1])
        agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "COMPLETED")
        assert sorted(call.body for call in tool.calls) == [b"one", b"two"]
        assert {agent.action(run, each["action_id"])["status"] for each in blocked} == {"EXECUTED"}
    finally:
        remote.close()


def test_a_rejection_ends_the_run(agent, tool):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    path = f"/runs/{run}/actions/{action['action_id']}/reject"
    assert agent.approver.post(path, {"reason": "no"}).status == 200
    assert agent.run(run)["status"] == "FAILED" and agent.requests(run, "REJECTED")
    assert agent.call(run, "POST", "bank", "/pay", BODY).status == 404
    assert not tool.calls


def test_a_decision_is_made_once(agent, tool):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    agent.approve(action)
    path = f"/runs/{run}/actions/{action['action_id']}"
    request = agent.requests(run, "APPROVED")[0]["id"]
    headers = {"X-Payload-Hash": action["payload_hash"]}
    assert agent.approver.post(path + "/approve", headers=headers).status == 409
    assert agent.approver.post(path + "/reject").status == 409
    assert agent.approver.post(f"/governance/requests/{request}/approve").status == 409


def test_of_many_approvals_at_once_one_counts(agent, tool):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    path, statuses = f"/runs/{run}/actions/{action['action_id']}/approve", []

    def approve():
        statuses.append(agent.approver.post(path, headers={"X-Payload-Hash": action["payload_hash"]}).status)

    threads = [threading.Thread(target=approve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 7


def test_nothing_is_approved_after_a_cancel(agent, tool):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    assert agent.api.post(f"/runs/{run}/cancel").status == 200
    answer = agent.approver.post(
        f"/runs/{run}/actions/{action['action_id']}/approve", headers={"X-Payload-Hash": action["payload_hash"]})
    assert answer.status == 409, answer
    assert agent.call(run, "POST", "bank", "/pay", BODY).status == 404
    assert not tool.calls


def test_an_approval_that_does_not_come_in_time_ends_the_run(own_sluice, tool):
    agent = payer(own_sluice(SLUICE_APPROVAL_WINDOW="1s"), tool)
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY)
    agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "FAILED")
    assert agent.action(run, action["action_id"])["status"] == "EXPIRED"
    assert agent.requests(run, "EXPIRED") and not tool.calls


def test_an_approval_for_the_run_lets_its_later_calls_through(agent, tool):
    run = agent.start()
    agent.blocked(run, "POST", "bank", "/pay", b"one")
    request = agent.approve_request(run, scope="run", duration="1h")
    for body in (b"one", b"two", b"three"):
        assert agent.call(run, "POST", "bank", "/pay", body).status == 201
    assert [call.body for call in tool.calls] == [b"one", b"two", b"three"]
    grants = [event["data"].get("grant_id") for event in agent.events(run, "TOOL_CALLED")]
    assert grants == [None, request["id"], request["id"]]
    agent.blocked(agent.start(), "POST", "bank", "/pay", b"one")


def test_an_approval_for_the_user_reaches_other_runs_of_agent_and_user_alone(gate, tool):
    agent, other = payer(gate, tool, "payer-of-user"), payer(gate, tool, "other-payer")
    run = agent.start(user="grace")
    agent.blocked(run, "POST", "bank", "/pay", b"one")
    agent.approve_request(run, scope="agent_user_ttl", duration="1h")
    assert agent.call(run, "POST", "bank", "/pay", b"one").status == 201
    assert agent.call(agent.start(user="grace"), "POST", "bank", "/pay", b"two").status == 201
    agent.blocked(agent.start(user="ada"), "POST", "bank", "/pay", b"two")
    other.blocked(other.start(user="grace"), "POST", "bank", "/pay", b"two")
    assert [call.body for call in tool.calls] == [b"one", b"two"]


@pytest.mark.parametrize("scope", ["run", "agent_user_ttl"])
def test_a_wider_approval_expires(gate, tool, scope):
    agent = payer(gate, tool, f"brief-{scope.replace('_', '-')}")
    run = agent.start()
    agent.blocked(run, "POST", "bank", "/pay", b"one")
    request = agent.approve_request(run, scope=scope, duration="1s")
    assert agent.call(run, "POST", "bank", "/pay", b"one").status == 201
    agent.eventually(
        lambda: agent.approver.get(f"/governance/requests/{request['id']}").json["status"],
        lambda status: status == "EXPIRED")
    agent.blocked(run, "POST", "bank", "/pay", b"two")
    assert [call.body for call in tool.calls] == [b"one"]
