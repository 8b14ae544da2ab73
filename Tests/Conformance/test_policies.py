"""Policies from outside: what is refused, what is explained, and the groups of the keys that approve."""

import json

import pytest

from sluice_process import ADMIN_KEY

RULE = {"permission": "allow", "resource": "https://api.pay.test/*", "operations": ["GET"]}


@pytest.fixture(scope="module")
def governed(sluice):
    """Agents, a tool and policies to ask about."""
    api = sluice.client()
    spec = {"connection": {"baseUrl": "https://api.pay.test"}, "riskTags": ["money"]}
    assert api.post("/api/tools", {"name": "pay", "spec": spec}).status == 201
    rules = [RULE, {"permission": "approval_required", "resource": "https://api.pay.test/*", "operations": ["POST"]},
             {"permission": "deny", "resource": "https://api.pay.test/admin*"}]
    approvals = [{"name": "finance", "toolIds": ["pay"], "approvers": {"groups": ["finance"], "match": "any"},
                  "defaultDuration": "30m"}]
    body = {"name": "pay-rules", "spec": {"policies": rules, "approvals": approvals}}
    assert api.post("/api/policies", body).status == 201
    for name, policies, tools in (
            ("pay-agent", ["pay-rules"], []), ("free-agent", [], []), ("bound-agent", [], ["pay"]),
            ("lost-agent", ["pay-rules", "not-there"], [])):
        deploy = {"agent_name": name, "image": "i", "policies": policies, "required_tools": tools}
        assert api.post("/api/deploy", deploy).status == 201
    return sluice


@pytest.mark.parametrize("spec, message", [
    ({"policies": [{"permission": "maybe"}]}, "spec.policies[0].permission must be one of allow, deny"),
    ({"policies": [RULE, {}]}, "spec.policies[1].permission is required"),
    ({"policies": [RULE | {"resource": "pay.test/*"}]}, "spec.policies[0].resource must begin with http"),
    ({"policies": [RULE | {"resource": "https://x/a/../*"}]}, "spec.policies[0].resource"),
    ({"policies": [RULE | {"operations": ["NO WAY"]}]}, "spec.policies[0].operations"),
    ({"policies": [RULE | {"tags": "money"}]}, "spec.policies[0].tags must be an array"),
    ({"approvals": [{"approvers": {"match": "most"}}]}, "spec.approvals[0].approvers.match must be one of any, all"),
    ({"approvals": [{"defaultDuration": "soon"}]}, "spec.approvals[0].defaultDuration must be a duration"),
])
def test_a_wrong_policy_is_refused_by_post_and_put(api, spec, message):
    assert api.post("/api/policies", {"name": "checked", "spec": {"policies": [RULE]}}).status == 201
    for answer in (api.post("/api/policies", {"name": "wrong", "spec": spec}),
                   api.request("PUT", "/api/v1/policies/checked", {"name": "checked", "spec": spec})):
        assert answer.status == 400 and message in answer.error, answer
    assert api.get("/api/policies/checked").json["spec"] == {"policies": [RULE]}
    assert api.get("/api/policies/wrong").status == 404


@pytest.mark.parametrize("spec, message", [
    ({"policies": [RULE | {"operation": ["GET"]}]}, 'spec.policies[0] has an unknown member "operation"'),
    ({"rules": [RULE | {"url": "https://x"}]}, 'spec.rules[0] has an unknown member "url"'),
    ({"policies": [RULE], "approval": []}, 'spec has an unknown member "approval"'),
    ({"approvals": [{"approvers": {"group": ["a"]}}]}, 'spec.approvals[0].approvers has an unknown member "group"'),
    ({"approvals": [{"requiresSignature": True}]}, 'spec.approvals[0] has an unknown member "requiresSignature"'),
    ({"approvals": [{"delivery": {"connector": "x"}}]}, 'spec.approvals[0].delivery has an unknown member "connector"'),
])
def test_a_member_that_decides_nothing_is_named_and_refused_when_strictness_is_preferred(api, spec, message):
    """A misspelled member makes a rule wider, or an approval easier, than it reads."""
    body = {"name": "misspelled", "spec": spec}
    strict = {"Prefer": 'respond-async, Handling="strict"; x=1'}
    for answer in (api.post("/api/policies", body), api.request("PUT", "/api/v1/policies/misspelled", body),
                   api.get("/api/v1/policies/misspelled"),
                   api.post("/api/v1/policies/backtest", {"policy": body, "agents": []})):
        warning, = answer.json["warnings"]
        assert answer.status in (200, 201) and message in warning and "use " in warning, answer
    assert "warnings" not in api.request("PUT", "/api/policies/misspelled", {"spec": {"policies": [RULE]}}).json
    for method, path, sent in (("POST", "/api/policies", body), ("PUT", "/api/v1/policies/misspelled", body),
                               ("POST", "/api/v1/policies/backtest", {"policy": body})):
        answer = api.request(method, path, sent, headers=strict)
        assert answer.status == 400 and message in answer.error, answer
    assert api.get("/api/policies/misspelled").json["spec"] == {"policies": [RULE]}


def test_a_description_in_a_policy_decides_nothing_and_is_kept(api):
    spec = {"description": "pays", "policies": [RULE | {"description": "reads"}], "approvals": [{"description": "who"}]}
    assert api.post("/api/policies", {"name": "described", "spec": spec}).status == 201
    assert api.get("/api/policies/described").json["spec"] == spec


def test_a_policy_cannot_hide_behind_a_path_of_the_api(api):
    for name in ("backtest", "explain", "translate"):
        answer = api.post("/api/v1/policies", {"name": name, "spec": {}})
        assert answer.status == 400 and "name" in answer.error


def test_a_tool_that_governance_cannot_read_is_refused(api):
    connection = {"baseUrl": "https://api.pay.test"}
    for spec, message in (
            ({"governance": {"accessControl": {"mode": "Free"}}}, "spec.governance.accessControl.mode must be one of"),
            ({"capabilities": [{"path": "x"}]}, "spec.capabilities[0].path must begin with a slash")):
        answer = api.post("/api/tools", {"name": "odd", "spec": {"connection": connection} | spec})
        assert answer.status == 400 and message in answer.error, answer


EXPLAINED = [
    ("pay-agent", "GET", "/charges", "allow", "policy_rule", 0),
    ("pay-agent", "POST", "/charges", "approval_required", "policy_rule", 3),
    ("pay-agent", "GET", "/x/..%2F%61dmin", "deny", "policy_rule", 4),
    ("pay-agent", "DELETE", "/charges", "deny", "default_deny", 4),
    ("free-agent", "GET", "/charges", "deny", "access_mode", 4),
    ("bound-agent", "DELETE", "/charges", "allow", "access_mode", 0),
    ("lost-agent", "GET", "/charges", "deny", "unusable_policy", 4),
]


@pytest.mark.parametrize("agent, method, path, decision, decided_by, code", EXPLAINED)
def test_explain_names_the_rule_and_exits_with_the_verdict(governed, agent, method, path, decision, decided_by, code):
    ended = governed.run("policy", "explain", "--daemon", governed.url, "--agent", agent, "--method", method,
                         "--url", "https://api.pay.test" + path, "--json", SLUICE_API_KEY=ADMIN_KEY)
    assert ended.returncode == code, ended.stderr
    shown = json.loads(ended.stdout)
    assert (shown["decision"], shown["decided_by"], shown["tool"]) == (decision, decided_by, "pay")
    assert [step["stage"] for step in shown["steps"]][:2] == ["tool", "url"]
    for base in ("/api", "/api/v1"):
        query = f"?agent={agent}&method={method}&tool=pay&url=https://api.pay.test{path.replace('%', '%25')}"
        assert governed.client().get(f"{base}/policies/explain{query}").json == shown


def test_explain_says_who_approves_and_for_how_long(governed):
    answer = governed.client().get(
        "/api/v1/policies/explain?agent=pay-agent&method=post&url=https://API.pay.test:443/charges")
    assert answer.json["approval"] == {"name": "finance", "groups": ["finance"], "match": "any", "duration": "30m"}
    assert answer.json["url"] == "https://api.pay.test/charges" and answer.json["policy"] == "pay-rules"


def test_explain_reads_as_text_and_ends_with_the_verdict(governed):
    ended = governed.run("policy", "explain", "--daemon", governed.url, "--agent", "pay-agent", "--method", "DELETE",
                         "--url", "https://api.pay.test/charges", SLUICE_API_KEY=ADMIN_KEY)
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("1. tool: ") and lines[-1].startswith("deny: no rule of the agent's policies covers")


@pytest.mark.parametrize("query, status, message", [
    ("", 400, "agent is required"), ("?agent=pay-agent", 400, "method is required"),
    ("?agent=pay-agent&method=GET", 400, "url is required"),
    ("?agent=pay-agent&method=GET&url=nonsense", 400, "url must be"),
    ("?agent=nobody&method=GET&url=https://x/", 404, "agent nobody not found"),
])
def test_explain_says_what_it_lacks(governed, query, status, message):
    answer = governed.client().get("/api/v1/policies/explain" + query)
    assert answer.status == status and message in answer.error


def test_a_call_to_no_tool_is_denied_for_that(governed):
    answer = governed.client().get("/api/v1/policies/explain?agent=pay-agent&method=GET&url=https://elsewhere.test/")
    assert (answer.json["decision"], answer.json["decided_by"]) == ("deny", "unknown_tool")


def test_keys_carry_groups_and_the_agent_that_they_are_for(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    made = api.post("/api/v1/auth/api-keys", {"name": "f", "role": "approver", "groups": ["legal", "finance", "legal"]})
    assert made.status == 201 and made.json["key"]["groups"] == ["finance", "legal"]
    ended = sluice.run("keys", "create", "--url", sluice.url, "--name", "remote", "--role", "agent", "--agent",
                       "billing", "--group", "on call", "--json", SLUICE_API_KEY=ADMIN_KEY)
    remote = json.loads(ended.stdout)["key"]
    assert remote["agent"] == "billing" and remote["groups"] == ["on call"]
    sluice.restart()
    listed = {key["name"]: key for key in sluice.client().get("/api/v1/auth/api-keys").json}
    assert listed["f"] == made.json["key"] and listed["remote"] == remote


@pytest.mark.parametrize("members, message", [
    ({"groups": "finance"}, "groups must be an array"), ({"groups": [""]}, "groups must be names of"),
    ({"groups": ["a\nb"]}, "groups must be names of"), ({"groups": [f"g{n}" for n in range(65)]}, "at most 64"),
    ({"agent": "billing"}, "agent is for a key of role agent only"),
])
def test_wrong_groups_and_agents_of_keys_are_refused(api, members, message):
    answer = api.post("/api/v1/auth/api-keys", {"name": "n", "role": "approver"} | members)
    assert answer.status == 400 and message in answer.error


def test_plain_english_becomes_rules_that_can_be_stored(governed):
    api = governed.client()
    text = "Allow GET on https://a.test/*. Require approval for POST to pay by finance.\nMake it nice"
    for base in ("/api", "/api/v1"):
        answer = api.post(f"{base}/policies/translate", {"text": text})
        assert answer.status == 200
        assert answer.json["rules"] == [
            {"permission": "allow", "resource": "https://a.test/*", "operations": ["GET"]},
            {"permission": "approval_required", "resource": "https://api.pay.test/*", "operations": ["POST"]}]
        assert [each["statement"] for each in answer.json["unmatched"]] == ["Make it nice"]
        assert len(answer.json["explanation"]) == 2
    stored = api.post("/api/policies", {"name": "translated", "spec": answer.json["spec"]})
    assert stored.status == 201 and stored.json["spec"]["approvals"][0]["approvers"]["groups"] == ["finance"]


def test_translate_wants_a_text(api):
    for body in ({}, {"text": ""}, {"text": 1}):
        answer = api.post("/api/v1/policies/translate", body)
        assert answer.status == 400 and "text" in answer.error
