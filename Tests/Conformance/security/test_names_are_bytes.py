"""Names that only look alike are not the same name; attackers write one in another Unicode normalization form."""

import itertools
import urllib.parse

import pytest

from governed_agent import GovernedAgent, store_tool
from identity_server import IdentityServer
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

# In normalization form C, and canonically equivalent.
PAIRS = {"ring": ("\u00c5", "\u212b"), "hangul": ("\uac00", "\u1100\u1161"), "kelvin": ("K", "\u212a"),
         "accent": ("caf\u00e9", "cafe\u0301")}
numbers = itertools.count()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("names")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def tool():
    server = ScriptedTool()
    server.answer = lambda call: (200, [], b"done")
    yield server
    server.close()


@pytest.fixture(params=PAIRS)
def names(request):
    number = next(numbers)
    return tuple(f"{name}-{number}" for name in PAIRS[request.param])


def test_no_name_is_stored_in_another_form(gate, names):
    composed, other = names
    api = gate.client()
    refused = [
        ("/api/tools", {"name": other, "spec": {"connection": {"baseUrl": "https://a.test"}}}),
        ("/api/policies", {"name": other, "spec": {"policies": []}}),
        ("/api/deploy", {"agent_name": other, "image": "i"}),
        ("/runs", {"agent_id": other, "user_id": "u"}), ("/runs", {"agent_id": "a", "user_id": other}),
        ("/governance/requests", {"subject": other, "tool_id": "t"}),
        ("/governance/requests", {"subject": "s", "tool_id": other}),
        ("/governance/requests", {"subject": "s", "tool_id": "t", "capability": other}),
        ("/api/v1/auth/api-keys", {"name": other, "role": "viewer"}),
        ("/api/v1/auth/api-keys", {"name": "k", "role": "approver", "groups": [other]}),
        ("/api/v1/auth/api-keys", {"name": "k", "role": "agent", "agent": other}),
    ]
    for path, body in refused:
        answer = api.post(path, body)
        assert answer.status == 400 and "error" in answer.json, (path, body, answer)
    run = api.post("/runs", {"agent_id": composed, "user_id": composed})
    assert run.status == 201
    assert api.post(f"/runs/{run.json['id']}/actions", {"tool_id": other}).status == 400


def test_a_resource_answers_to_its_own_name_alone(gate, names, tool):
    composed, other = names
    api = gate.client()
    store_tool(gate, composed, tool.url)
    quoted = urllib.parse.quote(other)
    assert api.get(f"/api/v1/tools/{quoted}").status == 404
    assert api.delete(f"/api/v1/tools/{quoted}").status == 404
    assert api.get(f"/api/v1/tools/{urllib.parse.quote(composed)}").status == 200
    assert api.delete(f"/api/v1/tools/{urllib.parse.quote(composed)}").status == 200
    assert api.get(f"/api/v1/tools/{urllib.parse.quote(composed)}").status == 404


def test_a_tool_is_called_by_its_own_name_alone(gate, names, tool):
    """Whichever of the two names was called first."""
    composed, other = map(urllib.parse.quote, names)
    for order in ((composed, other), (other, composed)):
        store_tool(gate, names[0], tool.url)
        agent = GovernedAgent(gate, f"caller-{next(numbers)}", [("allow", ["*"], "*")])
        run = agent.start()
        answers = {name: agent.call(run, "GET", name, "/x").status for name in order}
        assert answers == {composed: 200, other: 403}


def test_a_token_of_another_form_proves_nobody(gate, names):
    composed, other = names
    provider = IdentityServer()
    try:
        issuer = f"https://forms-{next(numbers)}.test"
        spec = provider.spec(issuer=issuer, role="operator", userIDClaim="login")
        answer = gate.client().post("/api/v1/identity-providers", {"name": issuer[8:-5], "spec": spec})
        assert answer.status == 201, answer
        for more in ({"login": other}, {"login": composed, "sub": other}, {"login": composed, "email": f"{other}@corp.test"}):
            token = provider.token("ada@corp.test", **({"iss": issuer} | more))
            assert gate.client(token).get("/runs").status == 401, more
        token = provider.token("ada@corp.test", iss=issuer, login=composed, sub=composed)
        assert gate.client(token).get("/runs").status == 200
    finally:
        provider.close()


def test_a_member_of_one_group_is_none_of_an_equivalent_one(gate, tool):
    """The policy names the group in another form than any key can have."""
    for composed, other in list(PAIRS.values())[:3]:
        name = f"guarded-{next(numbers)}"
        store_tool(gate, name, tool.url)
        agent = GovernedAgent(
            gate, f"asking-{name}", [("approval_required", ["*"], tool.url + "/*")],
            [{"name": "r", "resource": tool.url + "/*", "approvers": {"groups": [other]}}])
        member = gate.client().post("/api/v1/auth/api-keys", {"name": name, "role": "approver", "groups": [composed]})
        assert member.status == 201, member
        run = agent.start()
        action = agent.blocked(run, "POST", name, "/x", b"{}")
        answer = gate.client(member.json["token"]).post(
            f"/runs/{run}/actions/{action['action_id']}/approve", headers={"X-Payload-Hash": action["payload_hash"]})
        assert answer.status == 403, answer
