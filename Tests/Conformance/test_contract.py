"""Answers of the current era, held against the published OpenAPI document of its clients (runagents 1.4.2)."""

import json
import pathlib
import re

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from scripted_agent import ScriptedAgent

DOCUMENT = json.loads((pathlib.Path(__file__).parent / "contract" / "openapi-1.4.2.json").read_text())
REGISTRY = Registry().with_resource("urn:api", Resource(contents=DOCUMENT, specification=DRAFT202012))
BASE = "/api/v1"
HASH = "sha256:" + "ab" * 32
OPERATIONS = [
    (method.upper(), template) for template, methods in DOCUMENT["paths"].items() for method in methods
    if method in {"get", "post", "put", "patch", "delete"}]
# What this version serves of them.
SERVED = re.compile(
    r"/(runs|approvals/requests|tools|identity-providers|approval-connectors|catalog|deploy-drafts|actions|settings)\b"
    r"|/(deploy|deploy/preview|starter-kit|model-spend|context/export|billing|billing/usage/daily)$|/policies(/{policyName}|/translate)?$|/agents(/{agentName}(/invoke|/config)?)?$"
    r"|/auth/api-keys(/{keyId}(/rotate)?)?$|/(analyze|analysis/{id}|requirements|builds|builds/{buildId})$")


def schema_of(method, template, status):
    responses = DOCUMENT["paths"][template][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {template} answers {status}, documented are {sorted(responses)}"
    content = responses[str(status)].get("content")
    return content and content["application/json"]["schema"]


def absolute(schema):
    """The schema with its references led into the document."""
    return json.loads(json.dumps(schema).replace('"#/', '"urn:api#/'))


class Contract:
    """Asks, and checks each answer against what is documented for it."""

    def __init__(self, client):
        self.client = client
        self.asked = set()

    def ask(self, method, template, body=None, headers=None, query="", **parameters):
        path = re.sub(r"\{(\w+)\}", lambda name: parameters[name[1]], template)
        answer = self.client.request(method, BASE + path + query, body, headers)
        schema = schema_of(method, template, answer.status)
        if schema:
            validator = Draft202012Validator(absolute(schema), registry=REGISTRY)
            problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json)]
            assert not problems, f"{method} {path} {answer.status}: {problems}"
        else:
            assert set(answer.json) == {"error"}
        self.asked.add((method, template))
        return answer


@pytest.fixture
def scripted():
    agent = ScriptedAgent()
    agent.answers["/invoke"] = lambda body: (200, {"response": "well"})
    yield agent
    agent.close()


def test_every_answer_has_the_published_shape(sluice, scripted):
    contract = Contract(sluice.client(sluice.key("admin", "contract")))
    ask = contract.ask

    ask("POST", "/starter-kit")
    tool = {"name": "stripe", "base_url": "https://api.stripe.test", "auth_type": "None"}
    assert ask("POST", "/tools", tool).status == 201
    ask("POST", "/tools", {})
    ask("GET", "/tools")
    ask("GET", "/tools/{toolName}", toolName="stripe")
    ask("GET", "/tools/{toolName}", toolName="nothing")
    ask("POST", "/tools/probe", {"url": sluice.url})
    ask("POST", "/tools/probe", {})
    ask("POST", "/tools", tool | {"name": "reachable", "base_url": sluice.url})
    assert ask("POST", "/tools/{toolName}/test", toolName="reachable").json["reachable"]
    ask("POST", "/tools/{toolName}/test", toolName="nothing")
    rule = {"permission": "approval_required", "resource": "https://api.stripe.test/*", "operations": ["POST"]}
    policy = {"name": "payments", "spec": {"policies": [rule]}}
    assert ask("POST", "/policies", policy).status == 201
    ask("PUT", "/policies/{policyName}", policy, policyName="payments")
    ask("GET", "/policies/{policyName}", policyName="payments")
    ask("GET", "/policies/{policyName}", policyName="nothing")
    ask("GET", "/policies")
    assert ask("POST", "/policies/translate", {"text": "deny DELETE on https://api.stripe.test/*"}).json["rules"]
    ask("POST", "/policies/translate", {})

    people = {"name": "corp", "spec": {"host": "corp.test", "userIDClaim": "email", "allowedDomains": ["corp.test"],
                                       "identityProvider": {"issuer": "https://id.test", "jwksUri": "https://id.test/k",
                                                            "audiences": ["sluice"]}}}
    assert ask("POST", "/identity-providers", people).json["spec"] == people["spec"]
    ask("POST", "/identity-providers", {})
    ask("GET", "/identity-providers")
    ask("GET", "/identity-providers/{providerName}", providerName="corp")
    ask("GET", "/identity-providers/{providerName}", providerName="nothing")

    hook = {"name": "ops", "endpoint": "http://127.0.0.1:1/hook", "headers": {"X-Key": "k"}, "timeout_seconds": 1}
    connector = ask("POST", "/approval-connectors", hook).json["id"]
    ask("POST", "/approval-connectors", {})
    ask("GET", "/approval-connectors")
    for name in (connector, "nothing"):
        ask("GET", "/approval-connectors/{connectorId}", connectorId=name)
        ask("PATCH", "/approval-connectors/{connectorId}", {"enabled": False}, connectorId=name)
    ask("PATCH", "/approval-connectors/{connectorId}", {"enabled": 1}, connectorId=connector)
    for body in (hook, {}):
        ask("POST", "/approval-connectors/test", body)
    ask("GET", "/approval-connectors/defaults")
    for mode in ("all", "none"):
        ask("PUT", "/approval-connectors/defaults", {"default_delivery_mode": mode})
    ask("GET", "/approval-connectors/activity", query="?limit=5")

    deploy = {"agent_name": "billing", "image": "registry.test/agent:1", "required_tools": ["stripe"],
              "policies": ["payments"], "llm_configs": [{"provider": "openai", "model": "gpt-4o", "role": "default"}]}
    assert ask("POST", "/deploy", deploy).status == 201
    ask("POST", "/deploy", {"agent_name": "billing"})
    ask("GET", "/agents")
    ask("GET", "/agents/{agentName}", agentName="billing")
    ask("GET", "/agents/{agentName}", agentName="nobody")
    for name in ("billing", "nobody"):
        ask("GET", "/agents/{agentName}/config", agentName=name)
        ask("PUT", "/agents/{agentName}/config", {"policies": []}, agentName=name)
    ask("GET", "/model-spend")
    ask("POST", "/deploy/preview", deploy)
    ask("POST", "/deploy/preview", {})
    draft = ask("POST", "/deploy-drafts", {
        "step": "model", "policies": ["payments"], "model_mappings": {"chat": {"provider": "openai", "model": "m"}},
        "agent_config": {"agent_name": "drafted", "use_custom_image": True, "custom_image": "i:1"}}).json["id"]
    ask("POST", "/deploy-drafts", {"step": 7})
    ask("GET", "/deploy-drafts")
    one = "/deploy-drafts/{draftId}"
    for name in (draft, "nothing"):
        ask("GET", one, draftId=name)
        ask("PATCH", one, {"step": "end", "expected_version": 1}, draftId=name)
    assert ask("PATCH", one, {"step": "end", "expected_version": 1}, draftId=draft).status == 409
    assert ask("PATCH", one, {"step": 7}, draftId=draft).status == 400
    ask("POST", one + "/complete", draftId=draft)
    ask("POST", one + "/complete", draftId="nothing")
    ask("POST", one + "/abandon", draftId=ask("POST", "/deploy-drafts", {}).json["id"])
    ask("POST", one + "/abandon", draftId="nothing")
    ask("GET", "/catalog", query="?tag=handler&page_size=2")
    for name in (ask("GET", "/catalog").json["items"][0]["id"], "nothing"):
        ask("GET", "/catalog/{catalogId}", catalogId=name)
        ask("GET", "/catalog/{catalogId}/versions", catalogId=name)
    plan = {"plan_id": "p", "actions": [
        {"type": "tool.upsert", "idempotency_key": "k", "params": tool | {"name": "planned"}},
        {"type": "starter_kit.seed", "idempotency_key": "l"}]}
    assert ask("POST", "/actions/validate", plan).json["valid"]
    assert ask("POST", "/actions/apply", plan).json["applied"]
    plan["actions"][0]["params"] = {}
    assert ask("POST", "/actions/apply", plan).status == ask("POST", "/actions/apply", {}).status == 400
    ask("POST", "/actions/validate", {})
    ask("GET", "/context/export")
    ask("GET", "/billing")
    ask("GET", "/billing/usage/daily")
    ask("GET", "/settings/auth")
    assert ask("PUT", "/settings/auth", {"sessionIdleTimeoutMinutes": 30}).status == 200
    ask("PUT", "/settings/auth", {})
    invoke = "/agents/{agentName}/invoke"
    assert ask("POST", invoke, {"message": "hi"}, agentName="nobody").status == 404
    ask("POST", "/deploy", {"agent_name": "elsewhere", "image": "i", "invoke_url": scripted.url + "/invoke"})
    assert ask("POST", invoke, {"message": "hi"}, agentName="elsewhere").json == {"response": "well"}

    run = ask("POST", "/runs", {"agent_id": "billing", "user_id": "alice", "conversation_id": "c"}).json["id"]
    ask("POST", "/runs", {})
    ask("POST", "/runs/{runId}/events", {"type": "USER_MESSAGE", "data": {"message": "hi"}}, runId=run)
    ask("POST", "/runs/{runId}/events", {}, runId=run)
    action = ask("POST", "/runs/{runId}/actions", {"tool_id": "stripe", "capability": "POST /v1/charges",
                                                   "payload_hash": HASH}, runId=run).json["action_id"]
    ask("POST", "/runs/{runId}/actions", {"tool_id": "stripe"}, runId=run)
    ask("GET", "/runs/{runId}/actions/{actionId}", runId=run, actionId=action)
    approve = "/runs/{runId}/actions/{actionId}/approve"
    assert ask("POST", approve, {"payload_hash": "sha256:" + "00" * 32}, runId=run, actionId=action).status == 409
    assert ask("POST", approve, {}, {"X-Payload-Hash": HASH}, runId=run, actionId=action).status == 200
    ask("GET", "/runs")
    ask("GET", "/runs/{runId}", runId=run)
    ask("GET", "/runs/{runId}/events", runId=run)

    request = {"subject": "alice", "tool_id": "stripe", "agent_id": "billing", "run_id": run, "payload_hash": HASH}
    asked = ask("POST", "/approvals/requests", request).json["id"]
    assert ask("POST", "/approvals/requests", request).status == 200
    ask("GET", "/approvals/requests")
    ask("GET", "/approvals/requests/{requestId}", requestId=asked)
    granted = ask("POST", "/approvals/requests/{requestId}/approve", {"scope": "run", "duration": "1h"}, requestId=asked)
    assert granted.status == 200
    assert ask("POST", "/approvals/requests/{requestId}/reject", {}, requestId=asked).status == 409
    second = ask("POST", "/approvals/requests", {"subject": "bob", "tool_id": "stripe"}).json["id"]
    assert ask("POST", "/approvals/requests/{requestId}/reject", {"reason": "no"}, requestId=second).status == 200
    assert ask("PATCH", "/runs/{runId}", {"status": "COMPLETED"}, runId=run).status == 200
    assert ask("PATCH", "/runs/{runId}", {"status": "RUNNING"}, runId=run).status == 409

    files = {"agent.py": "def handler(request, context=None):\n    return request\n"}
    for template, status in (("/analyze", 201), ("/requirements", 200)):
        assert ask("POST", template, {"files": files}).status == status
        assert ask("POST", template, {"files": 1}).status == 400
    analysis = ask("POST", "/analyze", {"files": files}).json["id"]
    assert ask("GET", "/analysis/{id}", id=analysis).status == 200
    assert ask("GET", "/analysis/{id}", id="analysis-none").status == 404
    build = ask("POST", "/builds", {"name": "billing", "files": files}).json["id"]
    assert ask("POST", "/builds", {"name": "billing"}).status == 400
    assert ask("GET", "/builds/{buildId}", buildId=build).status == 200
    assert ask("GET", "/builds/{buildId}", buildId="build-none").status == 404

    key = ask("POST", "/auth/api-keys", {"name": "ci", "role": "viewer", "expiresInDays": 7}).json["key"]["id"]
    ask("GET", "/auth/api-keys")
    rotate = "/auth/api-keys/{keyId}/rotate"
    assert ask("POST", rotate, {"expiresInDays": 7}, keyId=key).status == 200
    assert ask("POST", rotate, {"expiresInDays": 0}, keyId=key).status == 400
    assert ask("POST", rotate, keyId="nothing").status == 404
    for template, parameter, name in (
            ("/auth/api-keys/{keyId}", "keyId", key), ("/agents/{agentName}", "agentName", "billing"),
            ("/tools/{toolName}", "toolName", "stripe"), ("/policies/{policyName}", "policyName", "payments"),
            ("/identity-providers/{providerName}", "providerName", "corp"), (one, "draftId", draft),
            ("/approval-connectors/{connectorId}", "connectorId", connector)):
        assert ask("DELETE", template, **{parameter: name}).status == 200
        assert ask("DELETE", template, **{parameter: name}).status == 404
    missing = {(method, template) for method, template in OPERATIONS if SERVED.match(template)} - contract.asked
    assert not missing, f"served, but not asked here: {missing}"


@pytest.mark.parametrize("method, template", OPERATIONS)
def test_every_published_operation_asks_for_a_key(sluice, method, template):
    path = BASE + re.sub(r"\{\w+\}", "x", template)
    answer = sluice.client(None).request(method, path)
    assert answer.status == 401 and "API key" in answer.error
