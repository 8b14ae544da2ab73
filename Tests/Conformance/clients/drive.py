"""Runs in the environment of one published client: makes the calls a user would make with it, and prints what the
client gave back as JSON. Arguments: endpoint, API key, the client's version."""

import dataclasses
import json
import sys

import runagents

endpoint, key, version = sys.argv[1:4]
results = {}
methods = {}
"""What came of the calls of each method: "works", "refuses", or both."""


class Watched:
    """A client, or a part of one, whose methods are noted when they are called."""

    def __init__(self, watched, prefix=""):
        self.watched, self.prefix = watched, prefix
        for name in dir(watched):
            value = None if name.startswith("_") else getattr(watched, name)
            if callable(value):
                methods.setdefault(prefix + name, [])

    def __getattr__(self, name):
        value = getattr(self.watched, name)
        if not callable(value):
            return Watched(value, f"{name}.") if type(value).__module__.startswith("runagents") else value

        def call(*arguments, **named):
            try:
                answer = value(*arguments, **named)
            except Exception:
                methods[self.prefix + name].append("refuses")
                raise
            methods[self.prefix + name].append("works")
            return answer
        return call


def plain(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def record(name, value):
    results[name] = plain(value)
    return value


def refusal(name, call):
    """Records the error of a call that must fail."""
    try:
        call()
    except Exception as error:
        results[name] = {"status": error.status, "text": str(error)}


older = version == "0.2.0"
slug = "c" + version.replace(".", "")
client = Watched(runagents.Client(endpoint=endpoint, api_key=key))
for part in vars(client.watched):
    getattr(client, part)  # Notes the methods of its parts.
agent_at = (lambda name: client.agents.get(name)) if version == "1.4.2" else (
    lambda name: client.agents.get("default", name))

record("starter_kit", client.seed_starter_kit())
record("tool_created", client.tools.create(f"{slug}-stripe", "https://api.stripe.test", "Payments", "None"))
record("deployed", client.agents.deploy(
    f"{slug}-billing", source_files={"agent.py": "def handler(request, context):\n    return 'ok'\n"},
    system_prompt="Pay bills", required_tools=[f"{slug}-stripe"],
    tools_to_create=[{"name": f"{slug}-mail", "base_url": "https://mail.test"}],
    llm_configs=[{"provider": "openai", "model": "gpt-4o-mini", "role": "default"}], entry_point="agent.py"))
record("redeployed", client.agents.deploy(f"{slug}-image", image="registry.test/agent:1"))
record("agents", client.agents.list())
record("agent", agent_at(f"{slug}-billing"))
refusal("agent_missing", lambda: agent_at("nobody"))
record("tools", client.tools.list())
record("tool", client.tools.get(f"{slug}-stripe"))
refusal("tool_missing", lambda: client.tools.get("nothing"))
record("models", client.models.list())
record("analysis", client.analyze({"agent.py": "import openai\n\ndef handler(request, context):\n    return openai.OpenAI()"
                                               ".responses.create(model='gpt-4o', instructions='You pay bills.')\n"}))

run = client.post("/runs", {"agent_id": f"{slug}-billing", "user_id": "alice"})
client.post(f"/runs/{run['id']}/events", {"type": "USER_MESSAGE", "data": {"message": "hello"}})
requests = "/approvals/requests" if version == "1.4.2" else "/governance/requests"
asked = client.post(requests, {
    "subject": "alice", "tool_id": f"{slug}-stripe", "agent_id": f"{slug}-billing", "run_id": run["id"],
    "capability": "POST /v1/charges"})
record("asked", asked)
record("paused", client.get(f"/runs/{run['id']}"))
record("approvals", client.approvals.list())
if older:
    record("approved", client.approvals.approve(asked["id"]))
else:
    record("approved", client.approvals.approve(asked["id"], scope="window", duration="30m"))
refusal("approved_twice", lambda: client.approvals.approve(asked["id"]))
second = client.post(requests, {"subject": "bob", "tool_id": f"{slug}-stripe"})
record("rejected", client.approvals.reject(second["id"]))
client.patch(f"/runs/{run['id']}", {"status": "COMPLETED"})
record("runs", client.runs.list(f"{slug}-billing"))
record("events", client.runs.events(run["id"]))
if not older:
    record("run", client.runs.get(run["id"]))
    record("messages", client.runs.events(run["id"], event_type="USER_MESSAGE"))
    record("waited", client.runs.wait(run["id"], timeout_seconds=5))
    record("export", client.runs.export(run["id"]))
    rule = {"permission": "allow", "resource": "https://api.stripe.test/*", "operations": ["GET"]}
    record("policy", client.policies.apply({"policies": [rule]}, name=f"{slug}-policy"))
    record("policy_again", client.policies.apply({"name": f"{slug}-policy", "spec": {"policies": [rule, rule]}}))
    record("policy_read", client.policies.get(f"{slug}-policy"))
    record("policies", client.policies.list())
    record("translated", client.policies.translate("deny DELETE on https://api.stripe.test/*"))
    record("policy_deleted", client.policies.delete(f"{slug}-policy"))
    refusal("policy_missing", lambda: client.policies.get(f"{slug}-policy"))
    people = {"name": f"{slug}-corp", "spec": {
        "host": "corp.test", "userIDClaim": "email", "identityProvider": {
            "issuer": "https://id.test", "jwksUri": "https://id.test/keys", "audiences": ["sluice"]}}}
    record("people", client.identity_providers.apply(people))
    record("people_listed", client.identity_providers.list())
    record("people_again", client.identity_providers.get(f"{slug}-corp"))
    record("people_deleted", client.identity_providers.delete(f"{slug}-corp"))
    refusal("people_missing", lambda: client.identity_providers.get(f"{slug}-corp"))
    hook = {"name": f"{slug}-ops", "type": "webhook", "endpoint": f"{endpoint}/hooks/0123456789abcdef0123456789abcdef",
            "headers": {"X-Key": "hidden"}, "enabled": False, "timeout_seconds": 5}
    connector = client.approval_connectors.apply(hook)
    record("connector", connector)
    record("connector_again", client.approval_connectors.apply(hook | {"timeout_seconds": 6}))
    record("connector_read", client.approval_connectors.get(connector.id))
    record("connectors", client.approval_connectors.list())
    record("connector_tested", client.approval_connectors.test(connector.id))
    record("connector_defaults", client.approval_connectors.defaults_set("first_success", True, 10))
    record("connector_defaults_again", client.approval_connectors.defaults_get())
    record("connector_activity", client.approval_connectors.activity(5))
    record("connector_deleted", client.approval_connectors.delete(connector.id))
    refusal("connector_missing", lambda: client.approval_connectors.get(connector.id))
record("exported", client.export_context())
deleted = client.delete(f"/agents/{slug}-image" if version == "1.4.2" else f"/api/agents/default/{slug}-image")
record("agent_deleted", deleted)
if not older:
    record("timeline", client.runs.timeline(run["id"]))
    record("catalog", client.catalog.list(page_size=2))
    first = client.catalog.list().items[0].id
    record("catalog_agent", client.catalog.get(first))
    record("catalog_versions", client.catalog.versions(first))
    record("catalog_deployed", client.catalog.deploy(first, name=f"{slug}-from-catalog"))
    path = "/tools" if version == "1.4.2" else "/api/tools"
    record("queried", client.get_with_query(path, {"sort": "name"}))
if version == "1.4.2":
    record("config", client.agents.get_config(f"{slug}-billing"))
    record("config_changed", client.agents.update_config(f"{slug}-billing", system_prompt="Pay bills twice"))
    record("spend", client.model_spend.get())
    record("put", client.put(f"/agents/{slug}-billing/config", {"system_prompt": "Pay bills"}))
    action = {"id": "one", "type": "tool.upsert", "idempotency_key": f"{slug}-plan-1", "params": {
        "name": f"{slug}-planned", "base_url": "https://planned.test"}}
    plan = {"plan_id": f"{slug}-plan", "actions": [action]}
    record("plan_validated", client.actions.validate(plan))
    record("plan_applied", client.actions.apply(plan))
results["methods"] = methods
refusal("wrong_key", lambda: runagents.Client(endpoint=endpoint, api_key="not-a-key-of-ours").agents.list())
print(json.dumps(results))
