"""The routes that a daemon says it serves, and addresses made of them."""

import re

PREFIXES = ["/api/v1/workspaces/{workspace}", "/api/v1", "/api"]
STREAMS = re.compile(r"/events/stream$")


def served(sluice):
    """All of them: dicts of method, path and permission."""
    answer = sluice.client().get("/api/v1/routes")
    assert answer.status == 200, answer
    return answer.json


def canonical(path):
    """The path without what goes before it, and without the names of its parameters."""
    path = path.removeprefix("/as/{agentkey}")
    for prefix in PREFIXES:
        if path.startswith(prefix + "/"):
            path = path.removeprefix(prefix)
            break
    return re.sub(r"\{[^}]*\}", "{}", path)


class World:
    """One of each thing in a workspace, whose names have `marker` in them."""

    def __init__(self, sluice, workspace="default", marker="mine"):
        self.sluice, self.workspace, self.marker = sluice, workspace, marker
        self.api = sluice.client()
        self.base = f"/api/v1/workspaces/{workspace}"
        self.tool = self.made("/tools", {"name": f"{marker}-tool", "base_url": "http://127.0.0.1:1", "description": marker})["name"]
        self.policy = self.made("/policies", {"name": f"{marker}-policy", "spec": {"policies": []}})["name"]
        self.model = self.made("/model-providers", {"name": f"{marker}-model", "spec": {
            "provider": "playground", "models": [f"{marker}-model"]}})["name"]
        self.alias = self.made("/model-aliases", {"name": f"{marker}/alias-*", "spec": {"provider": self.model}})["name"]
        self.identity = self.made("/identity-providers", {"name": f"{marker}-identity", "spec": {
            "host": "api.test", "userIDClaim": "sub", "identityProvider": {
                "issuer": "https://issuer.test", "jwksUri": "https://issuer.test/keys", "audiences": ["a"]}}})["name"]
        self.agent = self.made("/deploy", {
            "agent_name": f"{marker}-agent", "image": "registry.test/agent:1", "limits": {"tool_calls": 1000}})["agent"]
        self.run = self.made("/runs", {"agent_id": self.agent, "user_id": f"{marker}-user"})["id"]
        self.action = self.made(f"/runs/{self.run}/actions", {"tool_id": self.tool, "capability": marker})["action_id"]
        self.request = self.made("/approvals/requests", {
            "subject": f"{marker}-user", "tool_id": self.tool, "agent_id": self.agent})["id"]
        self.connector = self.made("/approval-connectors", {
            "name": f"{marker}-connector", "type": "webhook", "endpoint": "http://127.0.0.1:1/hook"})["id"]
        self.draft = self.made("/deploy-drafts", {"agent_config": {"agent_name": f"{marker}-draft"}})["id"]
        files = {"agent.py": f"print('{marker}')\n"}
        self.analysis = self.made("/analyze", {"files": files})["id"]
        self.build = self.made("/builds", {"name": f"{marker}-build", "files": files})["id"]
        gone = f"{marker}-gone"
        self.made("/tools", {"name": f"{marker}-other", "base_url": "http://127.0.0.1:1"})
        self.made("/approvals/requests", {"subject": gone, "tool_id": f"{marker}-other"})
        self.erasure = self.made("/erasures", {"user_id": gone})["id"]
        self.key_id = self.made("/auth/api-keys", {"name": f"{marker}-key", "role": "viewer"})["key"]["id"]

    def made(self, path, body):
        answer = self.api.post(self.base + path, body)
        assert answer.status in (200, 201, 202), answer
        return answer.json

    def address(self, path, agent_key="none"):
        """The path with this world's things in the places of parameters."""
        for before, value in [
                ("/runs/", self.run), ("/actions/", self.action), ("/checkpoint/", self.action),
                ("requests/", self.request), ("/auth/api-keys/", self.key_id), ("/tools/", self.tool),
                ("/policies/", self.policy), ("/model-providers/", self.model), ("/p/", self.model), ("/model-aliases/", self.alias),
                ("/identity-providers/", self.identity), ("/models/", self.model), ("/egress/", self.tool),
                ("/approval-connectors/", self.connector), ("/deploy-drafts/", self.draft),
                ("/analysis/", self.analysis), ("/builds/", self.build), ("/erasures/", self.erasure),
                ("/workspaces/", self.workspace), ("/as/", agent_key)]:
            path = re.sub(re.escape(before) + r"\{[^}]*\}", before + value, path)
        path = re.sub(r"/agents/\{[^}]*\}/\{[^}]*\}", f"/agents/{self.workspace}/{self.agent}", path)
        path = re.sub(r"/agents/\{[^}]*\}", f"/agents/{self.agent}", path)
        return re.sub(r"\{[^}]*\}", "00000000-0000-4000-8000-000000000000", path)

    def snapshot(self, key):
        """What its admin reads of it."""
        paths = ["/agents", "/tools", "/policies", "/model-providers", "/model-aliases", "/identity-providers", "/runs?status=RUNNING",
                 f"/runs/{self.run}", f"/runs/{self.run}/events", f"/runs/{self.run}/actions",
                 f"/approvals/requests/{self.request}", "/auth/api-keys", "/secrets", "/approval-connectors",
                 "/approval-connectors/defaults", "/deploy-drafts", f"/deploy-drafts/{self.draft}",
                 f"/analysis/{self.analysis}"]
        client = self.sluice.client(key)
        return {path: (answer.status, answer.content) for path in paths
                for answer in [client.get(self.base + path)]}
