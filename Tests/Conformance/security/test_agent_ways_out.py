"""A hostile agent in its sandbox looks for a way out that is not the gate (cases G1, G2, G3, G25, G29 and their kind)."""

import base64
import json

import pytest

from governed_agent import store_tool
from hostile_agent import HOSTILE, GateClient, HostileAgents
from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from sluice_process import ADMIN_KEY, SluiceProcess

CONNECTIONS_MAX = 16
OPENED = 2000


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("ways-out"),
        {"SLUICE_AGENT_SANDBOX": "required", "SLUICE_INVOKE_ATTEMPTS_MAX": "1", "SLUICE_AGENT_FILES_MAX": "4096",
         "SLUICE_AGENT_CONNECTIONS_MAX": str(CONNECTIONS_MAX)}).start()
    agents = HostileAgents(process)
    agents.deploy("hostile", HOSTILE)
    agents.deploy("victim", HOSTILE)
    yield agents
    assert process.stop() == 0


@pytest.fixture
def attempt(agents):
    return lambda code: agents.attempt("hostile", code).strip()


@pytest.fixture
def collector():
    """What the daemon must not be made to call."""
    server = ScriptedAgent()
    server.answers["/"] = lambda body: (200, {"secret": "of the network"})
    yield server
    server.close()


@pytest.fixture
def others_run(agents):
    """A run of another agent, with an action that waits."""
    run = agents.api.post("/runs", {"agent_id": "victim", "user_id": "ada"}).json["id"]
    action = agents.api.post(f"/runs/{run}/actions", {"tool_id": "bank"}).json["action_id"]
    return run, action


def runs(agents):
    return {run["id"] for status in ("RUNNING", "COMPLETED", "FAILED", "PAUSED_APPROVAL")
            for run in agents.api.get(f"/runs?status={status}").json}


def test_it_creates_no_run_and_has_no_address_called(agents, attempt, collector):
    """G1: with itself, another agent or nobody as the run's agent, by every spelling of the path."""
    before = runs(agents)
    found = attempt(f"""
body = {{"agent_id": "hostile", "user_id": "x", "message": "m", "invoke_url": {collector.url + "/collect"!r}}}
paths = ["/runs", "/runs/", "//runs", "/./runs", "/%72uns", "/runs?x=1", "/api/runs", "/api/v1/runs", "/%2e%2e/runs", "/../runs",
         "/api/v1/workspaces/default/runs", "/v1/../runs", "/runs;a=b", "/runs%2f", "/%2fruns", "/runs/%2e", "/\\\\runs"]
seen = []
for own in (True, False):
    for path in paths:
        for more in ({{}}, {{"agent_id": "victim"}}, {{"invoke": True}}, {{"namespace": "elsewhere"}}):
            status, text, _ = ask("POST", path, body | more, {{"Idempotency-Key": "k"}}, own)
            if status != 400 and (status != 404 or "error" not in json.loads(text)):
                seen.append((own, path, status, text))
print(seen)
""")
    assert found == "[]"
    assert len(runs(agents) - before) == 1, "only the attempt's own"
    assert collector.calls.empty()


def test_it_invokes_no_agent(agents, attempt):
    before = runs(agents)
    found = attempt("""
body = {"message": "print('invoked')", "user_id": "ceo"}
statuses([("POST", path, body) for path in (
    "/agents/hostile/invoke", "/api/v1/agents/hostile/invoke", "/api/v1/agents/victim/invoke", "/api/agents/default/victim/invoke",
    "/api/v1/workspaces/default/agents/victim/invoke", "/invoke")])
""")
    assert set(json.loads(found)) == {404}
    assert len(runs(agents) - before) == 1


def test_it_chooses_no_user(agents, attempt):
    """G2: neither by a run nor by a request for access; the tool is told of the run's own user alone."""
    tool = ScriptedTool()
    try:
        store_tool(agents.sluice, "whoami", tool.url)
        policy = {"name": "open", "spec": {"policies": [{"permission": "allow", "resource": tool.url + "/*"}]}}
        assert agents.api.post("/api/policies", policy).status == 201
        agents.deploy("chooser", HOSTILE, policies=["open"], required_tools=["whoami"])
        found = agents.attempt("chooser", """
for body in ({"subject": "ceo", "tool_id": "whoami", "run_id": run}, {"subject": "ceo", "tool_id": "whoami"},
             {"subject": "ADA", "tool_id": "whoami", "run_id": run}, {"subject": "ceo", "tool_id": "whoami", "agent_id": "victim"}):
    for path in ("/governance/requests", "/approvals/requests"):
        print(ask("POST", path, body)[0])
print(ask("GET", "/egress/whoami/me", None, {"X-Run-ID": run, "X-End-User-ID": "ceo"})[0])
""").split()
        assert found == ["403"] * 8 + ["200"]
        tool.await_call()
        assert [call for call in tool.calls if "ceo" in str(call)] == []
        assert agents.api.get("/approvals/requests").json == []
    finally:
        tool.close()


# Every one of these is somebody else's right; `run` and `action` are another agent's, `own` is the attempt's.
FOREIGN = [
    ("PATCH", "/runs/{own}", {"status": "COMPLETED"}), ("PATCH", "/runs/{run}", {"status": "FAILED"}),
    ("PUT", "/runs/{run}", {"status": "FAILED"}), ("DELETE", "/runs/{run}", None), ("DELETE", "/runs/{own}", None),
    ("POST", "/runs/{own}/cancel", {}), ("POST", "/runs/{run}/cancel", {}),
    ("POST", "/runs/{run}/actions/{action}/approve", {}), ("POST", "/runs/{run}/actions/{action}/reject", {}),
    ("POST", "/approvals/requests/{action}/approve", {"scope": "agent_user_ttl"}),
    ("POST", "/governance/requests/{action}/reject", {}),
    ("GET", "/runs/{run}", None), ("GET", "/runs/{run}/events", None), ("GET", "/runs/{run}/events/stream", None),
    ("GET", "/runs/{own}/events/stream", None), ("GET", "/events/stream", None), ("HEAD", "/runs/{run}", None),
    ("OPTIONS", "/runs", None), ("OPTIONS", "/deploy", None), ("HEAD", "/api/v1/agents", None), ("TRACE", "/runs", None),
    ("GET", "/runs/{run}/actions", None), ("GET", "/runs/{run}/actions/{action}", None),
    ("GET", "/runs/{run}/actions/{action}/statement?decision=approve", None), ("GET", "/runs/{own}/audit/export", None),
    ("GET", "/runs/{run}/checkpoint/{action}", None),
    ("POST", "/runs/{run}/events", {"type": "NOTE"}), ("POST", "/runs/{run}/actions", {"tool_id": "bank"}),
    ("POST", "/runs/{run}/checkpoint", {"action_id": "{action}"}), ("POST", "/runs/{run}/tool-result", {"result": "x"}),
    ("POST", "/governance/requests", {"subject": "ada", "tool_id": "bank", "run_id": "{run}"}),
    ("GET", "/governance/requests", None), ("GET", "/approvals/requests", None),
    ("POST", "/actions/apply", {"actions": [{"type": "tool.upsert", "idempotency_key": "k", "params": {}}]}),
    ("POST", "/api/v1/actions/apply", {"actions": []}), ("POST", "/api/v1/actions/validate", {"actions": []}),
    ("POST", "/deploy", {"agent_name": "x", "image": "i"}), ("POST", "/api/v1/deploy", {"agent_name": "x", "image": "i"}),
    ("POST", "/api/v1/tools", {"name": "x", "base_url": "http://127.0.0.1:1"}), ("POST", "/tools/probe", {"url": "http://127.0.0.1:1"}),
    ("POST", "/api/v1/tools/probe", {"url": "http://127.0.0.1:1"}), ("DELETE", "/api/v1/agents/victim", None),
    ("POST", "/auth/api-keys", {"name": "x", "role": "admin"}), ("POST", "/api/v1/auth/api-keys", {"name": "x", "role": "admin"}),
    ("GET", "/api/v1/secrets", None), ("GET", "/api/v1/agents", None), ("GET", "/api/v1/routes", None), ("GET", "/metrics", None),
    ("GET", "/api/v1/context/export", None), ("POST", "/api/v1/policies/backtest", {}), ("POST", "/erasures", {"user_id": "ada"}),
    ("GET", "/openapi.json", None), ("GET", "/docs", None), ("GET", "/readyz", None), ("GET", "/oauth/callback?state=x&code=y", None),
    ("POST", "/audit/witness/add-checkpoint", None), ("GET", "/audit/checkpoint", None), ("POST", "/echo", {}),
    ("POST", "/api/v1/chat/completions", {"model": "m"}), ("GET", "/api/v1/models", None), ("POST", "/analyze", {"files": {}}),
    ("GET", "/runs/..%2f..%2fmetrics", None), ("GET", "/%2e%2e/%2e%2e/metrics", None),
    ("GET", "/runs/%2e%2e/%2e%2e/api/v1/agents", None), ("GET", "/%61pi/v1/agents", None), ("CONNECT", "/runs", None),
]


def test_what_is_not_an_agents_is_not_there(agents, attempt, others_run):
    run, action = others_run
    world = {"run": run, "action": action}
    before = [agents.api.get(f"/runs/{run}").json, agents.api.get(f"/runs/{run}/events").json,
              agents.api.get("/api/v1/agents").json, agents.api.get("/api/v1/auth/api-keys").json]
    found = attempt(f"""
world = {world!r} | {{"own": run}}
fill = lambda value: value.format(**world) if isinstance(value, str) else value
seen = []
for method, path, body in {FOREIGN!r}:
    body = None if body is None else {{name: fill(value) for name, value in body.items()}}
    for own in (True, False):
        for headers in ({{}}, {{"Authorization": "Bearer {ADMIN_KEY}"}}):
            status, text, _ = ask(method, fill(path), body, headers, own)
            if status not in (400, 404) and (method, status) not in {{("CONNECT", 405), ("TRACE", 405)}}:
                seen.append((method, path, own, status, text))
print(seen)
print(ask("GET", "/runs/" + run)[0], json.loads(ask("GET", "/runs")[1])[0]["id"] == run)
""").split("\n")
    assert found == ["[]", "200 True"]
    assert before == [agents.api.get(f"/runs/{run}").json, agents.api.get(f"/runs/{run}/events").json,
                      agents.api.get("/api/v1/agents").json, agents.api.get("/api/v1/auth/api-keys").json]


def test_a_header_makes_no_other_method_address_or_principal_of_a_request(agents, attempt, others_run):
    run, action = others_run
    before = agents.api.get(f"/runs/{run}").json
    found = attempt(f"""
overrides = [{{"X-HTTP-Method-Override": "PATCH"}}, {{"X-HTTP-Method": "DELETE"}}, {{"X-Method-Override": "PATCH"}},
             {{"X-Original-URL": "/runs/{run}"}}, {{"X-Rewrite-URL": "/api/v1/agents"}}, {{"X-Forwarded-For": "127.0.0.1"}},
             {{"X-Forwarded-Prefix": "/api"}}, {{"X-Workspace-Namespace": "elsewhere"}}, {{"Authorization": "Bearer {ADMIN_KEY}"}},
             {{"X-RunAgents-API-Key": "{ADMIN_KEY}"}}, {{"Host": "127.0.0.1:{agents.sluice.port}"}},
             {{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
               "Sec-WebSocket-Version": "13"}}, {{"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": ""}}]
for headers in overrides:
    print(ask("POST", "/runs/{run}", {{"status": "FAILED"}}, headers)[0], ask("GET", "/runs/{run}", None, headers)[0],
          ask("GET", "/api/v1/agents", None, headers)[0], ask("GET", "/runs", None, headers, own=False)[0])
""").split("\n")
    # The one that is not 404 is the refusal of another workspace.
    assert sorted(set(found)) == ["404 403 404 404", "404 404 404 404"], found
    assert agents.api.get(f"/runs/{run}").json == before


def test_it_adds_to_its_run_within_a_turn_and_not_after_it(agents, attempt):
    """Also the process that stays behind, with the token that it had."""
    found = attempt("""
print(ask("POST", f"/runs/{run}/events", {"type": "NOTE", "data": {"in": "turn"}})[0])
print(run)
""").split()
    assert found[0] == "201"
    late = agents.api.post("/runs", {"agent_id": "hostile", "user_id": "ada"}).json["id"]
    found = attempt(f"""
for path, body in (("events", {{"type": "NOTE"}}), ("actions", {{"tool_id": "bank"}})):
    status, text, headers = ask("POST", "/runs/{late}/" + path, body)
    print(status, headers.get("Sluice-Error-Code"))
print(ask("POST", "/governance/requests", {{"subject": "ada", "tool_id": "bank", "run_id": "{late}"}})[0])
print(ask("POST", "/runs/{found[1]}/events", {{"type": "NOTE"}})[0])
""").split("\n")
    assert found == ["409 not_in_turn", "409 not_in_turn", "409", "409"]


def test_its_token_is_good_at_the_gate_alone(agents, attempt):
    """G3: whatever way it gets out, it opens nothing at the public listener."""
    token = agents.token("hostile")
    assert GateClient(agents.sluice).get(f"/as/{token}/runs").status == 200
    public = agents.sluice.client(None)
    for method, path in (("GET", "/runs"), ("GET", "/v1/models"), ("POST", "/egress/bank/x"), ("POST", "/runs/x/events")):
        answer = public.request(method, f"/as/{token}{path}", {} if method == "POST" else None)
        assert (answer.status, list(answer.json)) == (401, ["error"])
    assert agents.sluice.client(token).get("/runs").status == 401
    assert agents.sluice.client(None, **{"X-RunAgents-API-Key": token}).get("/runs").status == 401


def test_its_token_is_redacted_from_everything_that_it_sends(agents, attempt):
    """G3: in the log, at the tool, before the approver, in every form that is not a code of the agent's own."""
    tool = ScriptedTool()
    try:
        store_tool(agents.sluice, "mirror", tool.url)
        policy = {"name": "mirrored", "spec": {"policies": [
            {"permission": "allow", "resource": tool.url + "/open*"},
            {"permission": "approval_required", "resource": tool.url + "/guarded*"}]}}
        assert agents.api.post("/api/policies", policy).status == 201
        agents.deploy("quoting", HOSTILE, policies=["mirrored"], required_tools=["mirror"])
        token = agents.token("quoting")
        run = agents.start("quoting", QUOTING)
        agents.eventually(lambda: agents.api.get(f"/runs/{run}").json["status"], lambda status: status != "RUNNING")
        for _ in range(2):
            tool.await_call()
        actions = agents.api.get(f"/runs/{run}/actions").json
        waiting = [agents.api.get(f"/runs/{run}/actions/{each['action_id']}").json for each in actions]
        shown = [agents.api.get(f"/runs/{run}").json, agents.events(run), actions, waiting,
                 agents.api.get("/approvals/requests").json, agents.api.get(f"/runs/{run}/checkpoint/quoted").json,
                 agents.api.get(f"/runs/{run}/audit/export").content.decode(), tool.calls,
                 agents.eventually(lambda: agents.api.get("/api/v1/agents/quoting/logs").json["text"],
                                   lambda text: text.count("said:") >= 8)]
        text = str(shown)
        assert text.count("-agent-key-") > 10, text
        for form in forms(token):
            assert form not in text, form
        assert token.encode() not in agents.sluice.output.read_bytes()
    finally:
        tool.close()


QUOTING = """
import base64, json, os, http.client, sys, urllib.parse
gate = urllib.parse.urlsplit(os.environ["GOVERNANCE_URL"])
run, token = request["run_id"], gate.path.removeprefix("/as/")

def spelled(form):
    return "".join(form.format(ord(each)) for each in token)

forms = [token, spelled("%{:02X}"), base64.b64encode(("xy" + token).encode()).decode(), spelled("%25{:02x}"),
         spelled("%2525{:02X}"), spelled("&#{};"), spelled("&#x{:x};"), spelled("\\\\u{:04x}")]

def ask(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(gate.hostname, gate.port, timeout=30)
    connection.request(method, gate.path + path, body, {"X-Run-ID": run} | headers)
    return connection.getresponse().status

for form in forms:
    escaped = json.dumps(form)
    body = '{"type": "NOTE", "payload_hash": %s, "data": {"url": %s, "json": "%s"}}' % (
        escaped, escaped, "".join(f"\\\\u{ord(each):04x}" for each in token))
    print(ask("POST", f"/runs/{run}/events", body))
print(ask("POST", f"/runs/{run}/checkpoint", json.dumps({"action_id": "quoted", "messages": forms, "at": gate.geturl()})))
print(ask("POST", f"/runs/{run}/tool-result", json.dumps({"tool_id": "mirror", "result": forms})))
quoted = urllib.parse.quote(forms[2], safe="")
for path in (f"/open/{token}?q={quoted}&" + forms[1] + "=1", "/open?" + token):
    print(ask("POST", "/egress/mirror" + path, " ".join(forms), {"X-Quoted": forms[2], "X-" + token[-20:]: token}))
print(ask("POST", "/egress/mirror/guarded/" + token, " ".join(forms), {"X-Quoted": token, "X-Request-Id": token}))
for form in forms:
    print("said:", form)
    print("said:", form, file=sys.__stderr__, flush=True)
"""


def forms(token):
    percent = "".join(f"%{ord(each):02x}" for each in token)
    # What of its base64 is the same whatever stands before it.
    encoded = [base64.b64encode(("x" * count + token).encode()).decode()[4:-4] for count in range(3)]
    twice = ["".join(form.format(ord(each)) for each in token)
             for form in ("%25{:02x}", "%2525{:02X}", "&#{};", "&#x{:x};", r"\u{:04x}", r"\\u{:04x}")]
    return [token, percent, percent.upper(), token[9:40], *encoded, *twice]


def test_a_checkpoint_gives_the_agent_its_own_address_again(agents, attempt):
    found = attempt("""
document = {"action_id": "mine", "messages": [], "llm_gateway_url": gate.geturl() + "/v1"}
print(ask("POST", f"/runs/{run}/checkpoint", document)[0])
print(json.loads(ask("GET", f"/runs/{run}/checkpoint/mine")[1]) == document)
""").split()
    assert found == ["201", "True"]


def test_one_agent_that_opens_all_connections_locks_no_other_out(agents, attempt):
    """G25: its own share is all that it has, and it has that again once it lets go."""
    found = attempt(f"""
import builtins, socket
held = builtins.held = []
refused = 0
for _ in range({OPENED}):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    try:
        connection.connect("/run/sluice/gate.sock")
    except OSError:
        refused += 1
        continue
    held.append(connection)
print(len(held) + refused)
""")
    assert int(found) == OPENED
    victim = agents.attempt("victim", "print(ask('GET', '/runs/' + run)[0], ask('GET', '/healthz')[0])").split()
    assert victim == ["200", "200"]
    count = """
import builtins
def is_open(connection):
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
print(sum(is_open(each) for each in builtins.held))
"""
    assert int(agents.ask("hostile", count)["response"]) <= CONNECTIONS_MAX
    freed = """
import builtins
for each in builtins.held:
    each.close()
"""
    assert agents.ask("hostile", freed)["response"] == ""
    agents.eventually(lambda: agents.ask("hostile", REACHES)["response"].strip(), lambda answer: answer == "200")
    assert "sluice_gate_connections_refused_total" in agents.api.get("/metrics").content.decode()


REACHES = """
import os, urllib.request
try:
    print(urllib.request.urlopen(os.environ["GOVERNANCE_URL"] + "/healthz", timeout=10).status)
except OSError as error:
    print(error)
"""


def test_many_connections_through_the_launcher_wait_for_each_other(attempt):
    """More at the same time than its share is slower, and fails nothing."""
    found = attempt(f"""
import concurrent.futures
with concurrent.futures.ThreadPoolExecutor({4 * CONNECTIONS_MAX}) as pool:
    print(sorted(set(pool.map(lambda _: ask("GET", "/healthz")[0], range({16 * CONNECTIONS_MAX})))))
""")
    assert found == "[200]"
