"""Where several policies ask for an approval of one call, it needs what each of them asks for."""

import itertools
import json

import pytest

from approval_services import Services
from governed_bank import PAYMENT, JointBank
from sluice_process import SluiceProcess


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("joint")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def tool(server):
    server.calls.clear()
    server.answer = lambda call: (201, [], b"done")
    return server


def rule(*groups, **more):
    match = more.pop("match", "any")
    return [{"name": "-".join(groups) or "anyone", "approvers": {"groups": list(groups), "match": match}} | more]


def refused(answer, status, code):
    assert (answer.status, answer.headers["sluice-error-code"]) == (status, code), answer


@pytest.mark.parametrize("policies", list(itertools.permutations([rule("finance"), rule("legal")])))
def test_one_approval_is_not_enough_where_two_policies_name_different_groups(gate, tool, policies):
    bank = JointBank(gate, tool, *policies)
    for first, second in itertools.permutations(["finance", "legal"]):
        run = bank.start()
        action = bank.blocked(run)
        assert (action["approver_groups"], action["approver_match"]) == (["finance", "legal"], "all")
        assert action["approval"] == "finance and legal" and "approver_clauses" not in action
        refused(bank.approve(action, bank.member("sales")), 403, "not_an_approver")
        assert bank.approves(action, first) == "BLOCKED"
        bank.waits(run)
        assert not tool.calls
        assert bank.approves(action, second) == "APPROVED"
        assert bank.call(run).status == 201
        tool.calls.clear()


def test_an_approver_in_the_groups_of_both_stands_for_each(gate, tool):
    bank = JointBank(gate, tool, rule("finance"), rule("legal"))
    run = bank.start()
    assert bank.approves(bank.blocked(run), "finance", "legal") == "APPROVED"
    assert bank.call(run).status == 201


MIXTURE = [["finance", "risk"], ["legal", "risk"]]
ORDERS = [
    (["risk"], "APPROVED"), (["finance", "legal"], "APPROVED"), (["legal", "finance"], "APPROVED"),
    (["legal", "risk"], "APPROVED"), (["finance"], "BLOCKED"), (["finance", "finance"], "BLOCKED"),
    (["legal", "legal"], "BLOCKED")]


@pytest.mark.parametrize("approvers, outcome", ORDERS)
def test_any_and_any_with_an_overlap_needs_one_of_each(gate, tool, approvers, outcome):
    bank = JointBank(gate, tool, *[rule(*groups) for groups in MIXTURE])
    run = bank.start()
    action = bank.blocked(run)
    assert action["approver_clauses"] == MIXTURE and action["approver_match"] == "clauses"
    assert action["approver_groups"] == ["finance", "legal", "risk"]
    statuses = [bank.approves(action, group) for group in approvers]
    assert statuses[:-1] == ["BLOCKED"] * (len(statuses) - 1) and statuses[-1] == outcome
    if outcome == "APPROVED":
        assert bank.call(run).status == 201
    else:
        bank.waits(run)
        votes = bank.agent.action(run, action["action_id"])["votes"]
        assert [(vote["groups"], vote["counts"]) for vote in votes] == [([approvers[0]], True)]
    assert len(tool.calls) == (outcome == "APPROVED")


def test_explain_and_messages_say_the_whole_requirement(own_sluice, tool):
    gate, services = own_sluice(), Services()
    try:
        made = gate.client().post("/api/v1/approval-connectors", {
            "name": "joint", "endpoint": services.url + "/hooks/joint"})
        assert made.status == 201, made
        bank = JointBank(
            gate, tool, rule("finance", "risk", delivery={"connectors": ["joint"]}), rule("legal", "risk"))
        explained = gate.client().get(
            f"/api/v1/policies/explain?agent={bank.agent.name}&tool={bank.tool}&method=POST&url={tool.url}/pay").json
        assert explained["approval"]["clauses"] == MIXTURE and explained["approval"]["match"] == "clauses"
        bank.blocked(bank.start())
        content, _ = services.expect("approval.requested")
        assert content["data"]["approver_clauses"] == MIXTURE
        assert content["data"]["approver_groups"] == ["finance", "legal", "risk"]
    finally:
        services.close()


@pytest.mark.parametrize("policies", list(itertools.permutations(
    [rule("finance"), rule("legal", requireSignature=True)])))
def test_a_signature_that_one_of_two_policies_wants_is_wanted_of_every_approval(gate, tool, policies):
    bank = JointBank(gate, tool, *policies)
    run = bank.start()
    action = bank.blocked(run)
    assert action["signature_required"] is True
    for groups in (["finance"], ["legal"], ["finance", "legal"]):
        refused(bank.approve(action, bank.member(*groups)), 403, "signature_required")
    bank.waits(run)
    assert not tool.calls


@pytest.mark.parametrize("spec", [
    {"requireApproval": True}, {"governance": {"accessControl": {"mode": "Critical"}}}])
def test_what_a_tool_itself_asks_adds_to_what_policies_ask(gate, tool, spec):
    bank = JointBank(gate, tool, rule("finance"), spec=spec)
    bank.bind(rule("legal"), "allow")
    run = bank.start()
    action = bank.blocked(run)
    assert action["approver_groups"] == ["finance", "legal"] and action["approver_match"] == "all"
    assert bank.approves(action, "finance") == "BLOCKED"
    bank.waits(run)
    assert bank.approves(action, "legal") == "APPROVED"
    assert bank.call(run).status == 201


def test_a_policy_that_asks_and_names_no_approvers_takes_none_away(gate, tool):
    bank = JointBank(gate, tool, rule("finance"))
    bank.bind([])
    bank.bind(rule("legal"), "allow")
    action = bank.blocked(bank.start())
    assert action["approver_groups"] == ["finance", "legal"] and action["approver_match"] == "all"


@pytest.mark.parametrize("policies", list(itertools.permutations(
    [rule("finance", maxDuration="30m"), rule("finance", maxDuration="30d"), rule("finance")])))
def test_a_grant_is_no_longer_than_any_of_the_policies_allows(gate, tool, policies):
    for these, longest in ((policies, "30m"), ([each for each in policies if each[0].get("maxDuration") != "30m"], "7d")):
        bank = JointBank(gate, tool, *these)
        run = bank.start()
        bank.blocked(run)
        request, = bank.agent.requests(run)
        path = f"/governance/requests/{request['id']}/approve"
        member = bank.member("finance")
        answer = member.post(path, {"scope": "run", "duration": "8d"})
        assert answer.status == 400 and f"at most {longest}" in answer.error, answer
        answer = member.post(path, {"scope": "run", "duration": longest})
        assert answer.status == 200 and answer.json["duration"] == longest, answer


@pytest.mark.parametrize("scope", ["run", "agent_user_ttl"])
@pytest.mark.parametrize("more", [rule("legal"), rule("legal", "risk"), rule("finance", "legal", match="all")])
def test_a_grant_is_worthless_once_a_second_policy_asks_for_more(gate, tool, scope, more):
    bank = JointBank(gate, tool, rule("finance"))
    run = bank.start()
    bank.grant(run, bank.member("finance"), scope, target="/pay", body=b"first")
    assert [bank.call(run, "/pay", body).status for body in (b"first", b"second")] == [201, 201]
    bank.bind(more)
    action = bank.blocked(run, "/pay", b"third")
    assert len(tool.calls) == 2
    assert bank.approves(action, "finance") == "BLOCKED" and bank.approves(action, "legal") == "APPROVED"
    assert bank.call(run, "/pay", b"third").status == 201


def test_an_approval_is_worthless_once_a_second_policy_asks_for_more(gate, tool):
    bank = JointBank(gate, tool, rule("finance"))
    run = bank.start()
    first = bank.blocked(run)
    assert bank.approves(first, "finance") == "APPROVED"
    bank.bind(rule("legal"))
    second = bank.blocked(run)
    assert second["action_id"] != first["action_id"] and not tool.calls
    ended = bank.agent.action(run, first["action_id"])
    assert ended["status"] == "FAILED" and "ask for more" in ended["reason"]
    assert bank.approves(second, "finance", "legal") == "APPROVED"
    assert bank.call(run).status == 201


def test_a_mixture_means_the_same_after_a_restart_and_in_the_log(own_sluice, tool):
    bank = JointBank(own_sluice(), tool, *[rule(*groups) for groups in MIXTURE])
    run = bank.start()
    bank.grant(run, bank.member("risk"), "agent_user_ttl", target="/pay", body=b"first")
    assert bank.call(run, "/pay", b"first").status == 201
    other = bank.start(user="grace")
    waiting = bank.blocked(other)
    assert bank.approves(waiting, "finance") == "BLOCKED"
    bank.sluice.kill()
    bank.sluice.start()
    assert bank.call(run, "/pay", b"second").status == 201
    bank.waits(other)
    assert bank.approves(waiting, "legal") == "APPROVED"
    assert bank.call(other, "/pay", PAYMENT).status == 201
    bank.bind(rule("audit"))
    bank.blocked(run, "/pay", b"third")
    bank.sluice.stop()
    events = [json.loads(line) for line in bank.sluice.run(
        "log", "cat", "--data-dir", bank.sluice.data).stdout.splitlines()]
    data = [event["data"] for event in events if event["type"] in ("access.approved", "action.blocked")]
    assert [each["approver_clauses"] for each in data if "approver_clauses" in each][:4] == [MIXTURE] * 4
    assert bank.sluice.run("log", "verify", "--data-dir", bank.sluice.data).returncode == 0
