"""The agent spells the path of its calls: no spelling takes approvers or tags away that the plain one has."""

import pytest

from governed_agent import GovernedAgent, store_tool
from governed_bank import PAYMENT, digest

"""Paths that lie below /public as they stand, and that some servers read as /pay."""
SPELLINGS = ["/public/x%2F..%2F..%2Fpay", "/public/..%5cpay", "/public/..;/pay", "/public/%252e%252e/pay"]


@pytest.fixture
def tool(server):
    server.calls.clear()
    server.answer = lambda call: (201, [], b"done")
    return server


def approve(sluice, action, *groups):
    key = sluice.client().post("/api/v1/auth/api-keys", {
        "name": "member", "role": "approver", "groups": list(groups)}).json["token"]
    return sluice.client(key).post(
        f"/runs/{action['run_id']}/actions/{action['action_id']}/approve", {},
        headers={"X-Payload-Hash": digest(PAYMENT)})


@pytest.mark.parametrize("number, path", enumerate(SPELLINGS))
def test_a_path_that_servers_read_in_two_ways_needs_the_approvers_of_both(sluice, tool, number, path):
    name = f"spelled-{number}"
    store_tool(sluice, name, tool.url)
    agent = GovernedAgent(sluice, name, [("approval_required", [], tool.url + "/*")], [
        {"name": "open", "resource": tool.url + "/public/*", "operations": ["POST"], "toolIds": [name],
         "approvers": {"groups": ["interns"]}, "maxDuration": "1h"},
        {"name": "payments", "resource": tool.url + "/pay*", "toolIds": [name], "operations": ["POST"],
         "approvers": {"groups": ["finance"]}}])
    run = agent.start()
    action = agent.blocked(run, "POST", name, path, PAYMENT)
    assert (action["approver_groups"], action["approver_match"]) == (["finance", "interns"], "all")
    assert approve(sluice, action, "interns").json["status"] == "BLOCKED"
    assert agent.call(run, "POST", name, path, PAYMENT).status in (403, 409) and not tool.calls
    assert approve(sluice, action, "finance").json["status"] == "APPROVED"
    assert agent.call(run, "POST", name, path, PAYMENT).status == 201
    explained = sluice.client().get(
        f"/api/v1/policies/explain?agent={name}&tool={name}&method=POST&url={tool.url}/public/a").json
    assert explained["approval"]["groups"] == ["interns"]


@pytest.mark.parametrize("permission", ["deny", "approval_required"])
def test_no_spelling_of_a_path_takes_the_tags_of_its_capability_away(sluice, tool, permission):
    name = f"tagged-{permission.replace('_', '-')}"
    store_tool(sluice, name, tool.url, spec={"capabilities": [
        {"name": "anything", "path": "/*"},
        {"name": "administer", "path": "/admin", "riskTags": ["dangerous"]}]})
    answer = sluice.client().post("/api/policies", {"name": name, "spec": {"policies": [
        {"permission": "allow"}, {"permission": permission, "tags": ["dangerous"]}]}})
    assert answer.status == 201, answer
    agent = GovernedAgent(sluice, name, [("allow", [], tool.url + "/*")], policies=[name])
    run = agent.start()
    for path in ["/ADMIN", "/admin;x", "/x%2F..%2Fadmin", "/admin%2Fusers", "/%2561dmin", "//host/admin", "/x/..%5c../admin"]:
        answer = agent.call(run, "DELETE", name, path)
        assert (answer.status, answer.code, answer.json["rule"]) == (403, "POLICY_DENIED", "no_capability"), path
    assert not tool.calls
    assert agent.call(run, "DELETE", name, "/admins").status == 201
    plain = agent.call(run, "DELETE", name, "/admin/users")
    assert plain.code == {"deny": "POLICY_DENIED", "approval_required": "APPROVAL_REQUIRED"}[permission]
