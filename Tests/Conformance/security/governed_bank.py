"""An agent that pays, quotes and transfers through the gate, and the approvers of these calls."""

import hashlib
import itertools

from governed_agent import GovernedAgent, store_tool

PAYMENT = b'{"amount": 100}'
KEYS = "/api/v1/auth/api-keys"
numbers = itertools.count()


def digest(body):
    return "sha256:" + hashlib.sha256(body).hexdigest()


class Bank:
    """An agent that has to ask finance before it pays, sales before it quotes, and any approver before it reads."""

    def __init__(self, sluice, tool, **finance):
        self.sluice, self.number = sluice, next(numbers)
        self.tool, self.url = f"bank-{self.number}", tool.url
        store_tool(sluice, self.tool, tool.url)
        self.agent = GovernedAgent(
            sluice, f"payer-{self.number}", [("approval_required", [], tool.url + "/*")], [
                {"name": "payments", "resource": tool.url + "/pay*", "approvers": {"groups": ["finance"]}} | finance,
                {"name": "quotes", "resource": tool.url + "/quote*", "approvers": {"groups": ["sales"]}},
                {"name": "transfers", "resource": tool.url + "/transfer*",
                 "approvers": {"groups": ["finance", "risk"], "match": "all"}, "maxDuration": "1h"}])

    def member(self, *groups):
        return self.sluice.client(self.key(*groups)["token"])

    def key(self, *groups):
        """A new key of an approver of these groups: its text as `token`, and its `id`."""
        answer = self.sluice.client().post(KEYS, {
            "name": f"member-{next(numbers)}", "role": "approver", "groups": list(groups)})
        assert answer.status == 201, answer
        return {"token": answer.json["token"], "id": answer.json["key"]["id"]}

    def start(self, **more):
        return self.agent.start(**more)

    def call(self, run, target="/pay", body=PAYMENT, method="POST", headers=()):
        return self.agent.call(run, method, self.tool, target, body, headers)

    def blocked(self, run, target="/pay", body=PAYMENT, method="POST"):
        return self.agent.blocked(run, method, self.tool, target, body)

    def grant(self, run, approver, scope, duration="1h", target="/quote", body=b"first", method="POST"):
        """A call that waits, approved more widely than for itself alone."""
        action = self.blocked(run, target, body, method)
        request, = [each for each in self.agent.requests(run) if each["action_id"] == action["action_id"]]
        answer = approver.post(f"/governance/requests/{request['id']}/approve", {"scope": scope, "duration": duration})
        assert answer.status == 200, answer
        return answer.json


class JointBank(Bank):
    """An agent with a policy for each list of approval rules, all of which ask for an approval of every call."""

    def __init__(self, sluice, tool, *policies, spec=None, **deploy):
        self.sluice, self.number = sluice, next(numbers)
        self.tool, self.url = f"bank-{self.number}", tool.url
        store_tool(sluice, self.tool, tool.url, spec=spec)
        self.policies = [self.policy(approvals) for approvals in policies[1:]]
        self.policies.append(f"payer-{self.number}-rules")
        self.agent = GovernedAgent(
            sluice, f"payer-{self.number}", [("approval_required", [], tool.url + "/*")], policies[0],
            **({"policies": self.policies} | deploy))

    def policy(self, approvals, permission="approval_required"):
        name = f"joint-{next(numbers)}"
        answer = self.sluice.client().post("/api/policies", {"name": name, "spec": {
            "policies": [{"permission": permission, "resource": self.url + "/*"}], "approvals": approvals}})
        assert answer.status == 201, answer
        return name

    def bind(self, approvals, permission="approval_required"):
        """Deploys the agent again, with one policy more."""
        self.policies.append(self.policy(approvals, permission))
        answer = self.sluice.client().post("/api/v1/deploy", {
            "agent_name": self.agent.name, "image": "i", "policies": self.policies})
        assert answer.status in (200, 201), answer

    def approve(self, action, member, **more):
        return member.post(
            f"/runs/{action['run_id']}/actions/{action['action_id']}/approve", more,
            headers={"X-Payload-Hash": action["payload_hash"]})

    def waits(self, run, body=PAYMENT):
        """The run's call is not made: its action waits."""
        assert self.call(run, "/pay", body).status in (403, 409)

    def approves(self, action, *groups):
        """The status of an action after the approval of a member of these groups."""
        answer = self.approve(action, self.member(*groups))
        assert answer.status == 200, answer
        return answer.json["status"]
