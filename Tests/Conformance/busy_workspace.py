"""Changes of every kind to a workspace, chosen by a seed, and the addresses that show them."""

import json
import random

RULE = {"permission": "allow", "resource": "https://api.test/*", "operations": ["GET"]}


class BusyWorkspace:
    def __init__(self, api, seed):
        self.api, self.random = api, random.Random(seed)
        self.runs, self.actions, self.requests, self.keys, self.drafts, self.connectors = [], [], [], [], [], []
        self.names = {kind: [] for kind in ("agents", "tools", "policies", "model-providers", "identity-providers")}

    def change(self):
        """One change; most of them work."""
        choose = self.random.choice
        change = choose([
            self.begin_run, self.begin_run, self.add_events, self.add_events, self.block, self.decide, self.end_run,
            self.deploy, self.configure, self.store, self.store, self.delete, self.ask_access, self.decide_access,
            self.make_key, self.revoke_key, self.draft, self.connect, self.seal, self.save_checkpoint, self.call_model])
        answer = change()
        assert answer is None or answer.status < 500, (change, answer)

    def name(self, kind):
        name = f"{kind[:4]}-{self.random.randrange(12)}"
        if name not in self.names[kind]:
            self.names[kind].append(name)
        return name

    def one(self, things):
        return self.random.choice(things) if things else None

    def kept(self, answer, things, member="id"):
        if answer.status in (200, 201):
            things.append(answer.json[member])
        return answer

    def begin_run(self):
        return self.kept(self.api.post("/runs", {
            "agent_id": self.name("agents"), "user_id": f"user-{self.random.randrange(5)}",
            "conversation_id": f"talk-{self.random.randrange(9)}"}), self.runs)

    def add_events(self, count=None):
        if run := self.one(self.runs[-20:]):
            count = count or self.random.randrange(1, 40)
            lines = [json.dumps({"type": "USER_MESSAGE", "data": {"message": f"say {self.random.random()}"}})
                     for _ in range(count)]
            return self.api.post(
                f"/runs/{run}/events", content="\n".join(lines).encode(),
                headers={"Content-Type": "application/x-ndjson"})

    def block(self):
        if run := self.one(self.runs[-20:]):
            answer = self.api.post(f"/runs/{run}/actions", {
                "tool_id": self.name("tools"), "payload_hash": "sha256:" + "ab" * 32, "tool_method": "POST",
                "tool_url": "https://api.test/pay"})
            if answer.status == 201:
                self.actions.append((run, answer.json["action_id"]))
            return answer

    def decide(self):
        if decided := self.one(self.actions[-20:]):
            verb = self.random.choice(["approve", "approve", "reject"])
            return self.api.post(f"/runs/{decided[0]}/actions/{decided[1]}/{verb}", {
                "payload_hash": "sha256:" + "ab" * 32} if verb == "approve" else {"reason": "no"})

    def end_run(self):
        if run := self.one(self.runs[-20:]):
            if self.random.random() < 0.3:
                return self.api.post(f"/runs/{run}/cancel")
            return self.api.patch(f"/runs/{run}", {"status": self.random.choice(["COMPLETED", "FAILED"])})

    def deploy(self):
        return self.api.post("/api/deploy", {
            "agent_name": self.name("agents"), "image": f"registry.test/a:{self.random.randrange(99)}",
            "policies": [self.name("policies")], "required_tools": [],
            "system_prompt": f"be {self.random.randrange(99)}"})

    def configure(self):
        return self.api.put(f"/api/v1/agents/{self.name('agents')}/config", {
            "system_prompt": f"be {self.random.random()}"})

    def store(self):
        kind = self.random.choice(["tools", "policies", "model-providers", "identity-providers"])
        number = self.random.randrange(99)
        spec = {
            "tools": {"connection": {"baseUrl": f"https://api.test/{number}"}},
            "policies": {"policies": [RULE | {"resource": f"https://api.test/{number}*"}]},
            "model-providers": {"provider": "playground", "models": [f"model-{number}", "play"]},
            "identity-providers": {"host": "api.test", "userIDClaim": "sub", "identityProvider": {
                "issuer": f"https://issuer.test/{number}", "jwksUri": "https://issuer.test/keys", "audiences": ["a"]}},
        }[kind]
        return self.api.post(f"/api/{kind}", {"name": self.name(kind), "spec": spec})

    def delete(self):
        kind = self.random.choice(list(self.names))
        return self.api.delete(f"/api/v1/{kind}/{self.name(kind)}")

    def ask_access(self):
        return self.kept(self.api.post("/approvals/requests", {
            "subject": f"user-{self.random.randrange(30)}", "tool_id": self.name("tools"),
            "agent_id": self.name("agents")}), self.requests)

    def decide_access(self):
        if request := self.one(self.requests[-20:]):
            return self.api.post(f"/approvals/requests/{request}/{self.random.choice(['approve', 'reject'])}", {})

    def make_key(self):
        answer = self.api.post("/api/v1/auth/api-keys", {"name": f"key {self.random.random()}", "role": "viewer"})
        self.keys.append(answer.json["key"]["id"])
        return answer

    def revoke_key(self):
        if key := self.one(self.keys):
            return self.api.delete(f"/api/v1/auth/api-keys/{key}")

    def draft(self):
        if self.drafts and self.random.random() < 0.5:
            return self.api.patch(f"/api/v1/deploy-drafts/{self.one(self.drafts)}", {
                "agent_config": {"agent_name": self.name("agents")}})
        return self.kept(self.api.post("/api/v1/deploy-drafts", {
            "agent_config": {"agent_name": self.name("agents")}}), self.drafts)

    def connect(self):
        if self.random.random() < 0.2:
            return self.api.put("/api/v1/approval-connectors/defaults", {
                "default_timeout_seconds": self.random.randrange(10, 300)})
        return self.kept(self.api.post("/api/v1/approval-connectors", {
            "name": f"hook {self.random.random()}", "type": "webhook", "enabled": False,
            "endpoint": "http://127.0.0.1:1/hook"}), self.connectors)

    def seal(self):
        return self.api.post("/api/v1/secrets", {
            "owner_kind": "tool", "owner": self.name("tools"), "name": f"secret-{self.random.randrange(5)}",
            "value": str(self.random.random())})

    def save_checkpoint(self):
        if blocked := self.one(self.actions[-20:]):
            return self.api.post(f"/runs/{blocked[0]}/checkpoint", {
                "action_id": blocked[1], "messages": [self.random.random()]})

    def call_model(self):
        return self.api.post("/v1/chat/completions", {
            "model": "play", "messages": [{"role": "user", "content": "hi"}]})

    def addresses(self):
        """Of everything that a GET shows, for things that are there and for some that were."""
        one = self.one
        paths = [
            "/runs", "/runs?status=RUNNING&limit=7", "/runs?status=COMPLETED", "/runs?status=FAILED&limit=3",
            f"/runs?user_id=user-{self.random.randrange(5)}", "/api/v1/runs?status=PAUSED",
            "/api/context/export", "/api/billing", "/api/billing/usage/daily", "/api/v1/model-spend",
            "/api/v1/model-usage?group_by=model", "/v1/models", "/api/v1/auth/api-keys", "/api/v1/secrets",
            "/api/v1/approval-connectors", "/api/v1/approval-connectors/defaults",
            "/api/v1/approval-connectors/activity", "/api/v1/deploy-drafts", "/api/v1/settings/auth",
            "/approvals/requests", "/governance/requests?status=approved&limit=2", "/builds"]
        for kind, names in self.names.items():
            paths += [f"/api/{kind}", f"/api/v1/{kind}"]
            if names:
                paths += [f"/api/v1/{kind}/{one(names)}"] * 2
        if agent := one(self.names["agents"]):
            paths += [
                f"/api/v1/agents/{agent}/config",
                f"/api/v1/policies/explain?agent={agent}&method=GET&url=https://api.test/7/x"]
        for run in {one(self.runs), one(self.runs[-20:])} - {None}:
            paths += [f"/runs/{run}", f"/api/v1/runs/{run}", f"/runs/{run}/events?limit=50", f"/runs/{run}/actions",
                      f"/runs/{run}/events?after_seq=10"]
        if blocked := one(self.actions):
            paths += [f"/runs/{blocked[0]}/actions/{blocked[1]}", f"/runs/{blocked[0]}/checkpoint/{blocked[1]}"]
        if request := one(self.requests):
            paths.append(f"/approvals/requests/{request}")
        if draft := one(self.drafts):
            paths.append(f"/api/v1/deploy-drafts/{draft}")
        if connector := one(self.connectors):
            paths.append(f"/api/v1/approval-connectors/{connector}")
        return paths
