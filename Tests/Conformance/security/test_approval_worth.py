"""An approval is worth what the policy asked for: attackers are agents, clients and approvers of other groups."""

import itertools
import json
import threading

import pytest

from governed_bank import PAYMENT, Bank, digest, numbers
from identity_server import IdentityServer
from scripted_agent import ScriptedAgent
from sluice_process import SluiceProcess

FAST = {"SLUICE_INVOKE_BACKOFF_MIN": "50ms", "SLUICE_INVOKE_BACKOFF_MAX": "200ms"}
SCOPES = ["once", "run", "agent_user_ttl"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("worth"), FAST).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def tool(server):
    server.calls.clear()
    server.answer = lambda call: (201, [], b"done")
    return server


@pytest.fixture(scope="module")
def provider():
    identity = IdentityServer()
    yield identity
    identity.close()


@pytest.fixture
def bank(gate, tool):
    return Bank(gate, tool)


# Actions and requests that agents and clients make.

@pytest.mark.parametrize("target", ["/pay", "/read"])
@pytest.mark.parametrize("who", ["agent", "client"])
def test_an_action_that_agent_or_client_made_is_no_approval(bank, tool, who, target):
    made_by = bank.sluice.client(bank.agent.token) if who == "agent" else bank.agent.api
    for more in ({"capability": "GET /x"}, {"tool_method": "POST", "tool_url": tool.url + target}, {}):
        run = bank.start()
        made = made_by.post(
            f"/runs/{run}/actions", {"tool_id": bank.tool, "payload_hash": digest(PAYMENT)} | more)
        if who == "agent" and made.status == 403:
            # An agent outside of a turn makes no action at all.
            bank.blocked(run, target)
            continue
        assert made.status == 201, made
        bank.agent.approve(made.json)
        assert bank.blocked(run, target)["action_id"] != made.json["action_id"]
    assert not tool.calls


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("in_run", [True, False])
@pytest.mark.parametrize("target", ["/pay", "/transfer", "/quote"])
def test_a_request_that_a_client_made_is_no_approval_of_a_group(bank, tool, scope, in_run, target):
    run, user = bank.start(user=f"u-{bank.number}"), f"u-{bank.number}"
    asked = bank.agent.api.post("/governance/requests", {
        "subject": user, "tool_id": bank.tool, "agent_id": bank.agent.name, "tool_method": "POST",
        "tool_url": tool.url + target, "payload_hash": digest(PAYMENT)} | ({"run_id": run} if in_run else {}))
    assert asked.status == 201, asked
    answer = bank.member("finance", "risk", "sales").post(
        f"/governance/requests/{asked.json['id']}/approve", {"scope": scope, "duration": "1h"})
    assert answer.status == 200, answer
    bank.blocked(run, target)
    assert not tool.calls


# Grants.

@pytest.mark.parametrize("scope", SCOPES)
def test_a_grant_of_another_group_covers_no_call_of_finance(bank, tool, scope):
    run = bank.start()
    bank.grant(run, bank.member("sales"), scope)
    assert bank.call(run, "/quote", b"first").status == 201
    assert bank.blocked(run, "/pay")["status"] == "BLOCKED"
    assert [call.target for call in tool.calls] == ["/quote"]


def test_a_grant_covers_what_asks_for_no_more(bank, tool):
    run, member = bank.start(), bank.member("finance")
    bank.grant(run, member, "agent_user_ttl", target="/pay", body=b"first")
    assert bank.call(run, "/pay", b"first").status == 201
    for target in ("/pay", "/pay/more", "/read"):
        assert bank.call(run, target, b"second").status == 201
    for target in ("/transfer", "/quote"):
        bank.blocked(bank.start(), target)
    assert len(tool.calls) == 4


@pytest.mark.parametrize("target, longest", [("/pay", "30m"), ("/transfer", "1h"), ("/quote", "7d"), ("/read", "7d")])
def test_a_grant_is_no_longer_than_the_rule_allows(gate, tool, target, longest):
    bank = Bank(gate, tool, defaultDuration="30m")
    run = bank.start()
    bank.blocked(run, target)
    request, = bank.agent.requests(run)
    approver = bank.member("finance", "risk", "sales")
    path = f"/governance/requests/{request['id']}/approve"
    for scope, duration in itertools.product(SCOPES, ["3650d", "8d"]):
        answer = approver.post(path, {"scope": scope, "duration": duration})
        assert answer.status == 400 and f"at most {longest}" in answer.error, answer
    answer = approver.post(path, {"scope": "run", "duration": longest})
    assert answer.status == 200 and answer.json["duration"] == longest, answer


def test_a_request_is_for_no_longer_than_the_settings_allow(own_sluice):
    api = own_sluice(SLUICE_GRANT_DURATION_MAX="2h").client()
    body = {"subject": "u", "tool_id": "t", "agent_id": "a"}
    answer = api.post("/governance/requests", body | {"duration": "3h"})
    assert answer.status == 400 and "at most 2h" in answer.error, answer
    asked = api.post("/governance/requests", body)
    assert asked.status == 201, asked
    path = f"/governance/requests/{asked.json['id']}/approve"
    assert api.post(path, {"scope": "agent_user_ttl", "duration": "121m"}).status == 400
    answer = api.post(path, {"scope": "agent_user_ttl"})
    assert answer.status == 200 and answer.json["duration"] == "2h", answer


def test_a_grant_for_the_run_is_for_one_method_and_url(bank, tool):
    run = bank.start()
    bank.grant(run, bank.member("sales"), "run")
    for body in (b"first", b"second"):
        assert bank.call(run, "/quote", body).status == 201
    for method, target in (("PUT", "/quote"), ("POST", "/quote?all=1"), ("POST", "/quotes"), ("DELETE", "/quote")):
        other = bank.start()
        bank.grant(other, bank.member("sales"), "run")
        assert bank.blocked(other, target, method=method)["status"] == "BLOCKED"
    assert [(call.method, call.target) for call in tool.calls] == [("POST", "/quote")] * 2


def test_a_grant_of_several_groups_is_what_each_of_them_agreed_to(bank, tool):
    run = bank.start()
    bank.blocked(run, "/transfer")
    request, = bank.agent.requests(run)
    path = f"/governance/requests/{request['id']}/approve"
    assert bank.member("finance").post(path, {"scope": "run", "duration": "30m"}).status == 200
    answer = bank.member("risk").post(path, {"scope": "agent_user_ttl", "duration": "1h"})
    assert answer.status == 200 and (answer.json["scope"], answer.json["duration"]) == ("run", "30m"), answer
    assert bank.call(run, "/transfer").status == 201
    assert bank.call(run, "/transfer", b"another").status == 201
    bank.blocked(bank.start(), "/transfer", b"another")


def test_a_grant_is_of_no_use_in_a_run_of_its_approver(bank, tool):
    answer = bank.agent.api.post("/api/v1/auth/api-keys", {
        "name": f"boss-{bank.number}", "role": "admin", "groups": ["sales"]})
    assert answer.status == 201, answer
    boss = bank.sluice.client(answer.json["token"])
    run = bank.start(user="grace")
    bank.grant(run, boss, "agent_user_ttl")
    own = boss.post("/runs", {"agent_id": bank.agent.name, "user_id": "grace"}).json["id"]
    bank.blocked(own, "/quote", b"other")
    assert bank.call(bank.start(user="grace"), "/quote", b"other").status == 201
    assert len(tool.calls) == 1


def test_a_grant_is_worth_as_much_after_a_restart(own_sluice, tool):
    bank = Bank(own_sluice(), tool)
    run = bank.start()
    bank.grant(run, bank.member("finance"), "agent_user_ttl", target="/pay", body=b"first")
    bank.sluice.kill()
    bank.sluice.start()
    assert bank.call(run, "/pay", b"second").status == 201
    bank.blocked(bank.start(), "/transfer")
    bank.blocked(bank.start(), "/quote")
    bank.sluice.stop()
    events = [json.loads(line) for line in bank.sluice.run(
        "log", "cat", "--data-dir", bank.sluice.data).stdout.splitlines()]
    granted, = [event["data"] for event in events if event["type"] == "access.approved"]
    worth = {"approval": "payments", "approver_groups": ["finance"], "approver_match": "any",
             "approved_groups": ["finance"], "signed": False}
    assert {name: granted[name] for name in worth} == worth


# Once.

@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("turns", [True, False])
def test_one_approval_carries_one_of_twenty_calls_at_once(gate, tool, method, turns):
    bank = Bank(gate, tool)
    body = None if method != "POST" else PAYMENT
    remote, statuses = ScriptedAgent(), []

    def turn(_):
        run = bank.running

        def call(index):
            headers = [("X-Tool-Turn", str(index))] if turns else []
            statuses.append(bank.call(run, "/read", body, method, headers).status)

        if not statuses:
            call(0)
            return 200, {"approval_required": {"action_id": bank.agent.requests(run)[0]["action_id"]}}
        threads = [threading.Thread(target=call, args=(index,)) for index in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 200, {"response": "done"}

    remote.answers["/"] = turn
    try:
        started = threading.Event()
        answers = remote.answers["/"]
        remote.answers["/"] = lambda body: started.wait(60) and answers(body)
        bank.running = bank.start(invoke_url=remote.url + "/invoke", message="read")
        started.set()
        request, = bank.agent.eventually(lambda: bank.agent.requests(bank.running), lambda found: len(found) == 1)
        action = bank.agent.action(bank.running, request["action_id"])
        bank.agent.approve(action)
        bank.agent.eventually(lambda: len(statuses), lambda count: count == 21)
        assert len(tool.calls) == 1 and statuses.count(201) == 1, statuses
    finally:
        remote.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_approved_call_is_not_made_a_second_time(bank, tool, method):
    run, body = bank.start(), None if method == "GET" else PAYMENT
    action = bank.blocked(run, "/read", body, method)
    bank.agent.approve(action)
    assert bank.call(run, "/read", body, method).status == 201
    assert bank.agent.action(run, action["action_id"])["status"] == "EXECUTED"
    bank.blocked(run, "/read", body, method)
    assert len(tool.calls) == 1


# One person, several identity providers.

class People:
    """One person at two identity providers: staff create runs at the one, approvers decide at the other."""

    def __init__(self, sluice, provider):
        self.sluice, self.server, self.number = sluice, provider, next(numbers)
        self.issuers = {role: f"https://{role}-{self.number}.test" for role in ("operator", "approver")}
        for role, issuer in self.issuers.items():
            spec = provider.spec(issuer=issuer, role=role, groupsClaim="groups", userIDClaim=
                                 "email" if role == "operator" else "login")
            answer = sluice.client().post(
                "/api/v1/identity-providers", {"name": f"{role}-{self.number}", "spec": spec})
            assert answer.status == 201, answer

    def client(self, role, **claims):
        return self.sluice.client(self.token(role, **claims))

    def token(self, role, user="olga@corp.test", **claims):
        return self.server.token(user, **({"iss": self.issuers[role], "login": "olga"} | claims))


SAME = {
    "subject": {"sub": "sub-of-olga@corp.test", "email": None, "login": "x1"},
    "address": {"sub": "77", "login": "x1"},
    "unverified address": {"sub": "77", "login": "x1", "email_verified": False},
    "address in capitals": {"sub": "77", "user": "Olga@CORP.test", "login": "x1"},
    "name": {"sub": "77", "email": None, "login": "OLGA@corp.test"},
    "both": {"groups": ["finance"]},
}
OTHER = {"sub": "78", "user": "dan@corp.test", "login": "dan", "groups": ["finance"]}


def refused_as_own(answer):
    assert answer.status == 403 and answer.headers["sluice-error-code"] == "self_approval", answer


@pytest.mark.parametrize("same", SAME)
def test_a_person_approves_no_call_of_a_run_they_created_at_another_provider(bank, provider, tool, same):
    people = People(bank.sluice, provider)
    created = people.client("operator").post("/runs", {"agent_id": bank.agent.name, "user_id": "somebody"})
    assert created.status == 201, created
    run = created.json["id"]
    action = bank.blocked(run)
    path = f"/runs/{run}/actions/{action['action_id']}/approve"
    request, = bank.agent.requests(run)
    me, other = people.client("approver", **({"groups": ["finance"]} | SAME[same])), people.client("approver", **OTHER)
    refused_as_own(me.post(path, headers={"X-Payload-Hash": action["payload_hash"]}))
    refused_as_own(me.post(f"/governance/requests/{request['id']}/approve", {"scope": "run"}))
    assert not tool.calls
    assert other.post(path, headers={"X-Payload-Hash": action["payload_hash"]}).status == 200
    assert bank.call(run).status == 201


def test_a_person_approves_no_call_of_a_run_that_a_key_started_for_them(bank, provider, tool):
    people, remote, blocked = People(bank.sluice, provider), ScriptedAgent(), []
    answer = bank.agent.api.post("/api/v1/deploy", {
        "agent_name": bank.agent.name, "image": "i", "invoke_url": remote.url + "/invoke",
        "policies": [f"{bank.agent.name}-rules"]})
    assert answer.status in (200, 201), answer

    def turn(body):
        if not blocked:
            blocked.append(bank.blocked(body["run_id"]))
        return 200, {"approval_required": {"action_id": blocked[0]["action_id"]}}

    remote.answers["/"] = turn
    try:
        bank.sluice.client(people.token("operator", user="carol@corp.test", sub="9", login="carol")).post(
            f"/api/v1/agents/{bank.agent.name}/invoke", {"message": "pay"})
        action, = blocked
        run = action["run_id"]
        assert bank.agent.run(run)["user_id"] == "carol@corp.test"
        path = f"/runs/{run}/actions/{action['action_id']}/approve"
        for claims in ({"sub": "9", "email": None, "login": "c9"}, {"sub": "10", "login": "c9"}):
            me = people.client("approver", **({"user": "carol@corp.test", "groups": ["finance"]} | claims))
            refused_as_own(me.post(path, headers={"X-Payload-Hash": action["payload_hash"]}))
        bank.sluice.restart()
        refused_as_own(me.post(path, headers={"X-Payload-Hash": action["payload_hash"]}))
        assert not tool.calls
    finally:
        remote.close()


@pytest.mark.parametrize("same", SAME)
def test_a_person_grants_no_access_that_they_asked_for_at_another_provider(gate, provider, same):
    people = People(gate, provider)
    asked = people.client("operator").post("/governance/requests", {
        "subject": f"somebody-{people.number}", "tool_id": "t", "agent_id": "a"})
    assert asked.status == 201, asked
    path = f"/governance/requests/{asked.json['id']}/approve"
    refused_as_own(people.client("approver", **SAME[same]).post(path, {"scope": "agent_user_ttl"}))
    assert people.client("approver", **OTHER).post(path, {"scope": "agent_user_ttl"}).status == 200


@pytest.mark.parametrize("groups", [
    "contractors of finance,guests", "finance guests", "guests finance", "guests\tfinance", ["finance,guests"],
    ["finance guests"], [["finance"]], " ", ",", "guests,finance\u00a0", "\u3000finance", "finance\u2003,guests"])
def test_a_group_is_a_whole_name_between_commas(bank, provider, groups):
    people = People(bank.sluice, provider)
    run = bank.start()
    action = bank.blocked(run)
    path = f"/runs/{run}/actions/{action['action_id']}/approve"
    person = {"sub": "80", "user": "eve@corp.test", "login": "eve"}
    answer = people.client("approver", **person, groups=groups).post(
        path, headers={"X-Payload-Hash": action["payload_hash"]})
    assert answer.status == 403 and answer.headers["sluice-error-code"] == "not_an_approver", answer
    answer = people.client("approver", **person, groups="guests , finance ").post(
        path, headers={"X-Payload-Hash": action["payload_hash"]})
    assert answer.status == 200, answer


@pytest.mark.parametrize("verified", [False, "False", "false", "TRUE", "", 0, 1, [], {}])
def test_an_address_that_is_not_verified_signs_nobody_in(gate, provider, verified):
    people = People(gate, provider)
    answer = people.client("operator", email_verified=verified).get("/runs")
    assert answer.status == 401 and "verified" in answer.error, answer
    for accepted in (True, "true"):
        assert people.client("operator", email_verified=accepted).get("/runs").status == 200
