"""An agent that runs outside, and calls tools through the gate with a key that is bound to it."""

import dataclasses
import http.client
import json

from waiting import eventually

TIMEOUT_SECONDS = 60


@dataclasses.dataclass
class ToolAnswer:
    status: int
    headers: list
    content: bytes

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def code(self):
        return self.json["code"]

    def header(self, name):
        return [value for each, value in self.headers if each.lower() == name]


def store_tool(sluice, name, url, connection=None, spec=None, **more):
    spec = {"connection": {"baseUrl": url} | (connection or {})} | (spec or {})
    answer = sluice.client().post("/api/tools", {"name": name, "spec": spec} | more)
    assert answer.status == 201, answer


class GovernedAgent:
    """`rules` are (permission, methods, resource); they and `approvals` are its only policy."""

    def __init__(self, sluice, name, rules, approvals=(), **deploy):
        self.sluice, self.name = sluice, name
        api = sluice.client()
        policies = [
            {"permission": permission, "operations": methods, "resource": resource}
            for permission, methods, resource in rules]
        answer = api.post("/api/policies", {
            "name": f"{name}-rules", "spec": {"policies": policies, "approvals": list(approvals)}})
        assert answer.status == 201, answer
        answer = api.post("/api/deploy", {
            "agent_name": name, "image": "i", "policies": [f"{name}-rules"]} | deploy)
        assert answer.status == 201, answer
        self.token = self.key()
        self.approver_key = sluice.key("approver")

    @property
    def api(self):
        return self.sluice.client()

    @property
    def approver(self):
        return self.sluice.client(self.approver_key)

    def key(self):
        answer = self.api.post(
            "/api/v1/auth/api-keys", {"name": self.name, "role": "agent", "agent": self.name})
        assert answer.status == 201, answer
        return answer.json["token"]

    def start(self, user="ada", **more):
        answer = self.api.post("/runs", {"agent_id": self.name, "user_id": user} | more)
        assert answer.status == 201, answer
        return answer.json["id"]

    def call(self, run, method, tool, target="", body=None, headers=(), token=None):
        """One call; `target` goes out as it is written."""
        response, connection = self.open(run, method, tool, target, body, headers, token)
        try:
            return ToolAnswer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def open(self, run, method, tool, target="", body=None, headers=(), token=None):
        """The head of a call's answer, and the connection that the rest comes on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sluice.port, timeout=TIMEOUT_SECONDS)
        connection.putrequest(method, f"/as/{token or self.token}/egress/{tool}{target}", skip_accept_encoding=True)
        if run is not None:
            connection.putheader("X-Run-ID", run)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse(), connection

    def blocked(self, run, method, tool, target="", body=None, headers=()):
        """A call that has to wait; its action."""
        answer = self.call(run, method, tool, target, body, headers)
        assert (answer.status, answer.code) == (403, "APPROVAL_REQUIRED"), answer
        return self.action(run, answer.json["action_id"])

    def blocked_together(self, remote, tool, target, bodies, headers=()):
        """The actions of calls that one turn makes, of an agent at `remote`, which makes the same ones in each turn."""
        blocked = []

        def turn(body):
            answers = [self.call(body["run_id"], "POST", tool, target, each, headers) for each in bodies]
            if not blocked:
                blocked.extend(self.action(body["run_id"], answer.json["action_id"]) for answer in answers)
            return 200, {"response": str([answer.status for answer in answers])}

        remote.answers["/"] = turn
        run = self.start(invoke_url=remote.url + "/invoke", message="go")
        self.eventually(lambda: len(blocked), lambda count: count == len(bodies))
        return blocked

    def run(self, run):
        return self.api.get(f"/runs/{run}").json

    def action(self, run, action):
        return self.api.get(f"/runs/{run}/actions/{action}").json

    def approve(self, action):
        answer = self.approver.post(
            f"/runs/{action['run_id']}/actions/{action['action_id']}/approve",
            headers={"X-Payload-Hash": action["payload_hash"]})
        assert answer.status == 200, answer
        return answer

    def requests(self, run, status="PENDING"):
        listed = self.approver.get(f"/governance/requests?status={status}").json
        return [request for request in listed if request.get("run_id") == run]

    def approve_request(self, run, **body):
        """Approves the one request of a run that is pending."""
        request, = self.requests(run)
        answer = self.approver.post(f"/governance/requests/{request['id']}/approve", body)
        assert answer.status == 200, answer
        return answer.json

    def events(self, run, event_type=None):
        events = self.api.get(f"/runs/{run}/events").json
        return [event for event in events if event_type in (None, event["type"])]

    def eventually(self, read, accept, seconds=60):
        return eventually(read, accept, seconds)
