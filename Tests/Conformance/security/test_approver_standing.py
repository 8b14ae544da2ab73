"""Approvals count while their approver may approve, and a grant covers what its approver was shown."""

import re

import pytest

from approval_services import Services, link_in
from governed_bank import KEYS, PAYMENT, JointBank, digest
from http_client import HTTPClient
from sluice_process import SluiceProcess
from test_requirements_add_up import rule
from waiting import eventually

BOTH = rule("finance", "legal", match="all")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("standing")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def tool(server):
    server.calls.clear()
    server.answer = lambda call: (201, [], b"done")
    return server


def revoke(sluice, key):
    assert sluice.client().delete(f"{KEYS}/{key['id']}").status in (200, 204)


def rotate(sluice, key):
    answer = sluice.client().post(f"{KEYS}/{key['id']}/rotate")
    assert answer.status == 200, answer


def asked(bank, **more):
    answer = bank.agent.api.post("/governance/requests", {
        "subject": f"u-{bank.number}", "tool_id": bank.tool, "agent_id": bank.agent.name} | more)
    assert answer.status == 201, answer
    return answer.json


# Revoked approvers.

def test_the_vote_of_a_revoked_key_is_dropped_and_that_of_a_rotated_one_counts(gate, tool):
    bank = JointBank(gate, tool, BOTH)
    for change, counts in ((rotate, True), (revoke, False)):
        run = bank.start()
        action, key = bank.blocked(run), bank.key("finance")
        assert bank.approve(action, gate.client(key["token"])).json["status"] == "BLOCKED"
        change(gate, key)
        request, = bank.agent.requests(run)
        for shown in (bank.agent.action(run, action["action_id"]),
                      bank.agent.approver.get(f"/governance/requests/{request['id']}").json):
            vote, = shown["votes"]
            assert vote["counts"] is counts and ("revoked" in vote.get("reason", "")) is not counts
        assert bank.approves(action, "legal") == ("APPROVED" if counts else "BLOCKED")
        if not counts:
            bank.waits(run)
            assert bank.approves(action, "finance") == "APPROVED"
        assert bank.call(run).status == 201


@pytest.mark.parametrize("scope", ["run", "agent_user_ttl"])
@pytest.mark.parametrize("who", [0, 1])
def test_a_grant_ends_with_the_key_of_any_of_its_approvers(gate, tool, scope, who):
    bank = JointBank(gate, tool, BOTH)
    run, keys = bank.start(), [bank.key("finance"), bank.key("legal")]
    bank.blocked(run, "/pay", b"first")
    request, = bank.agent.requests(run)
    path = f"/governance/requests/{request['id']}"
    for key in keys:
        answer = gate.client(key["token"]).post(path + "/approve", {"scope": scope, "duration": "1h"})
        assert answer.status == 200, answer
    rotate(gate, keys[who])
    assert [bank.call(run, "/pay", body).status for body in (b"first", b"second")] == [201, 201]
    revoke(gate, keys[who])
    bank.blocked(run, "/pay", b"third")
    assert len(tool.calls) == 2
    ended = eventually(
        lambda: bank.agent.approver.get(path).json, lambda found: found["status"] == "EXPIRED", 30)
    assert "revoked" in ended["reason"] and "covers" not in ended


def test_an_approval_that_is_not_carried_out_yet_ends_with_its_approvers_key(gate, tool):
    bank = JointBank(gate, tool, rule("finance"))
    run, key = bank.start(), bank.key("finance")
    first = bank.blocked(run)
    assert bank.approve(first, gate.client(key["token"])).json["status"] == "APPROVED"
    revoke(gate, key)
    second = bank.blocked(run)
    assert second["action_id"] != first["action_id"] and not tool.calls
    ended = bank.agent.action(run, first["action_id"])
    assert ended["status"] == "FAILED" and "revoked" in ended["reason"]
    assert bank.approves(second, "finance") == "APPROVED"
    assert bank.call(run).status == 201


def test_a_grant_of_a_revoked_key_stays_ended_after_a_restart(own_sluice, tool):
    bank = JointBank(own_sluice(), tool, rule("finance"))
    run, key, other = bank.start(), bank.key("finance"), bank.start(user="grace")
    bank.grant(run, bank.sluice.client(key["token"]), "run", target="/pay", body=b"first")
    waiting = bank.blocked(other)
    assert bank.approve(waiting, bank.sluice.client(key["token"])).json["status"] == "APPROVED"
    bank.sluice.restart()
    assert bank.call(run, "/pay", b"first").status == 201
    revoke(bank.sluice, key)
    bank.sluice.kill()
    bank.sluice.start()
    bank.blocked(run, "/pay", b"second")
    bank.blocked(other)
    assert len(tool.calls) == 1


def test_the_vote_of_a_link_is_dropped_with_its_connector(own_sluice, tool):
    gate, services = own_sluice(), Services()
    try:
        made = gate.client().post("/api/v1/approval-connectors", {
            "name": "desk", "endpoint": services.url + "/hooks/desk"})
        assert made.status == 201, made
        bank = JointBank(
            gate, tool, rule("connector:desk", "finance", match="all", delivery={"connectors": ["desk"]}))
        run = bank.start()
        action = bank.blocked(run)
        link = link_in(services.expect("approval.requested")[0])
        browser = HTTPClient("127.0.0.1", gate.port, None)
        answer = browser.post(link.removeprefix(gate.url), {
            "decision": "approve", "payload_hash": action["payload_hash"]})
        assert answer.status == 200, answer
        assert [vote["counts"] for vote in bank.agent.action(run, action["action_id"])["votes"]] == [True]
        assert gate.client().delete(f"/api/v1/approval-connectors/{made.json['id']}").status == 200
        vote, = bank.agent.action(run, action["action_id"])["votes"]
        assert vote["counts"] is False and "connector" in vote["reason"]
        assert bank.approves(action, "finance") == "BLOCKED"
        bank.waits(run)
        assert not tool.calls
    finally:
        services.close()


# A client's own request.

CAPABILITIES = {"capabilities": [
    {"name": "pay", "method": "POST", "path": "/pay"}, {"name": "quote", "method": "POST", "path": "/quote"}]}


@pytest.mark.parametrize("scope", ["once", "run", "agent_user_ttl"])
@pytest.mark.parametrize("spec", [None, CAPABILITIES])
@pytest.mark.parametrize("stated", [
    {}, {"tool_method": "POST"}, {"tool_url": "/pay"}, {"payload_hash": digest(PAYMENT)}])
def test_a_request_that_states_no_calls_covers_none_and_says_so(gate, tool, scope, spec, stated):
    bank = JointBank(gate, tool, [], spec=spec)
    run = bank.start(user=f"u-{bank.number}")
    if "tool_url" in stated:
        stated = {"tool_url": tool.url + "/pay"}
    request = asked(bank, run_id=run, **stated)
    assert request["covers"].startswith("no call") and "capability" in request["covers"]
    answer = bank.member().post(f"/governance/requests/{request['id']}/approve", {"scope": scope, "duration": "1h"})
    assert answer.status == 200 and answer.json["covers"].startswith("no call"), answer
    bank.blocked(run)
    assert not tool.calls


@pytest.mark.parametrize("stated, covered, other", [
    ({"capability": "pay"}, ["/pay", "/pay/more"], ["/quote"]),
    ({"tool_method": "POST", "tool_url": "/pay"}, ["/pay"], ["/pay/more", "/quote"]),
    ({"capability": "pay", "tool_method": "POST", "tool_url": "/pay"}, ["/pay"], ["/pay/more"]),
])
def test_a_grant_on_a_clients_request_covers_what_its_approver_was_shown(gate, tool, stated, covered, other):
    bank = JointBank(gate, tool, [], spec=CAPABILITIES)
    stated = stated | ({"tool_url": tool.url + stated["tool_url"]} if "tool_url" in stated else {})
    request = asked(bank, **stated)
    path = f"/governance/requests/{request['id']}"
    listed, = [each for each in bank.agent.approver.get("/governance/requests").json if each["id"] == request["id"]]
    statement = bank.agent.approver.get(
        f"{path}/statement?decision=approve&scope=agent_user_ttl&duration=1h").json
    answer = bank.member().post(path + "/approve", {"scope": "agent_user_ttl", "duration": "1h"})
    assert answer.status == 200, answer
    for shown in (request, listed, bank.agent.approver.get(path).json, statement, answer.json):
        words = shown["covers"]
        assert f'of tool "{bank.tool}"' in words and f'for agent "{bank.agent.name}"' in words
        assert f'user "u-{bank.number}"' in words and all(f'"{value}"' in words for value in stated.values())
    assert f"until {answer.json['expires_at']}" in answer.json["covers"]
    for target in covered:
        assert bank.call(bank.start(user=f"u-{bank.number}"), target, b"x").status == 201
    for target in other:
        bank.blocked(bank.start(user=f"u-{bank.number}"), target, b"y")
    bank.blocked(bank.start(user="somebody-else"), covered[0], b"z")
    assert len(tool.calls) == len(covered)


def test_messages_their_pages_and_the_command_say_what_a_grant_covers(own_sluice, tool):
    gate, services = own_sluice(), Services()
    try:
        made = gate.client().post("/api/v1/approval-connectors", {
            "name": "covers", "endpoint": services.url + "/hooks/covers"})
        assert made.status == 201, made
        bank = JointBank(gate, tool, rule(delivery={"connectors": ["covers"]}), spec=CAPABILITIES)
        for more in ({}, {"run_id": bank.start(user=f"u-{bank.number}")}):
            request = asked(bank, capability="pay", **more)
            content, _ = services.expect("approval.requested")
            assert content["data"]["covers"] == request["covers"]
            assert 'every call of capability "pay"' in request["covers"]
            path = link_in(content).removeprefix(gate.url)
            browser = HTTPClient("127.0.0.1", gate.port, None)
            page = browser.get(path).content.decode()
            assert "every call of capability &quot;pay&quot;" in page
            assert browser.get(path, {"Accept": "application/json"}).json["covers"] == request["covers"]
        shown = gate.run(
            "approve", "--request", request["id"], "--scope", "agent_user_ttl", "--url", gate.url,
            SLUICE_API_KEY=bank.key()["token"])
        assert shown.returncode == 0 and re.search('covers: +every call of capability "pay"', shown.stderr), shown
    finally:
        services.close()
