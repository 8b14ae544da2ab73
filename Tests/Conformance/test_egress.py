"""Calls of tools through the gate: which go out, with what, and what is refused before a tool hears of it."""

import hashlib
import http.client
import socket
import threading

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess, free_port

ANY_BYTES = bytes(range(256)) * 3
SECRET = "planted-tool-key-6f0e1d"


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("egress"), {"SLUICE_EGRESS_TIMEOUT": "20s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def tool(server):
    """The tool's server, as if new."""
    server.calls.clear()
    server.answer = lambda call: (200, [], b"done")
    return server


@pytest.fixture(scope="module")
def agent(gate, server):
    store_tool(gate, "shop", server.url + "/api", {"headers": ["X-Two", "X-Kept"]})
    store_tool(gate, "reader", server.url + "/reader", spec={
        "capabilities": [{"method": "GET", "path": "/items/*"}]})
    return GovernedAgent(gate, "buyer", [
        ("allow", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], server.url + "/api/open*"),
        ("deny", ["POST"], server.url + "/api/open/closed*"),
        ("allow", ["*"], server.url + "/reader*"),
    ])


@pytest.mark.parametrize("method, name, target, reason", [
    ("GET", "nothing", "/open", "unknown_tool"),
    ("POST", "shop", "/open/closed/door", "policy_rule"),
    ("POST", "shop", "/open/closed%2Fdoor", "policy_rule"),
    ("GET", "shop", "/elsewhere", "default_deny"),
    ("GET", "shop", "/open/../elsewhere", "default_deny"),
    ("GET", "shop", "/open/..%2f..%2freader/items/1", "outside_tool"),
    ("POST", "reader", "/items/1", "no_capability"),
    ("GET", "reader", "/other", "no_capability"),
])
def test_a_call_that_no_rule_lets_through_is_refused_and_recorded(agent, tool, method, name, target, reason):
    run = agent.start()
    answer = agent.call(run, method, name, target, b"body" if method == "POST" else None)
    assert (answer.status, answer.code) == (403, "POLICY_DENIED"), answer
    assert answer.json["rule"] == reason and answer.json["error"] == answer.json["message"]
    assert not tool.calls
    refused, = agent.events(run, "TOOL_REFUSED")
    assert refused["data"]["tool_id"] == name and refused["data"]["tool_method"] == method
    assert refused["data"]["tool_url"] == target and refused["data"]["reason"] in answer.json["error"]
    assert agent.run(run)["status"] == "RUNNING"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_an_allowed_call_goes_out_as_it_came_and_comes_back_as_it_was_answered(agent, tool, method):
    tool.answer = lambda call: (207, [("X-Shop", "one"), ("X-Shop", "two"), ("Content-Type", "x/y")], ANY_BYTES)
    body = ANY_BYTES if method in ("POST", "PUT", "PATCH") else None
    target = "/open/a%20b%2Fc;d=1?q=%26%3D+x&empty=&q=%E2%82%AC"
    run = agent.start()
    answer = agent.call(run, method, "shop", target, body, [
        ("Content-Type", "application/x-own"), ("X-Two", "2"), ("Accept", "x/y"), ("Accept", "*/*")])
    assert answer.status == 207 and answer.header("x-shop") == ["one", "two"]
    assert answer.content == (b"" if method == "HEAD" else ANY_BYTES)
    call, = tool.calls
    assert (call.method, call.target, call.body) == (method, "/api" + target, body or b"")
    assert call.header("x-two") == ["2"] and call.header("content-type") == ["application/x-own"]
    assert call.header("accept") == ["x/y, */*"]
    called, = agent.events(run, "TOOL_CALLED")
    data = called["data"]
    assert data["payload_hash"] == sha256(body or b"") == called["payload_hash"]
    assert (data["tool_id"], data["tool_method"], data["status_code"]) == ("shop", method, 207)
    assert data["tool_url"] == tool.url + "/api" + target and data["latency_us"] > 0


@pytest.mark.parametrize("status", [204, 302, 304, 400, 404, 500, 503])
def test_a_tools_status_is_the_agents_status(agent, tool, status):
    tool.answer = lambda call: (status, [("Location", tool.url + "/api/open/other")], b"" if status < 400 else b"why")
    run = agent.start()
    answer = agent.call(run, "GET", "shop", "/open")
    assert answer.status == status and answer.content == (b"" if status < 400 else b"why")
    assert len(tool.calls) == 1, "redirects are not followed"
    assert agent.events(run, "TOOL_CALLED")[0]["data"]["status_code"] == status


def test_a_tool_hears_who_the_run_is_for_and_nothing_that_the_agent_may_not_say(agent, tool):
    run = agent.start(user="ada lovelace")
    hidden = {
        "Authorization": "Bearer own", "Cookie": "a=b", "X-RunAgents-API-Key": "own",
        "X-Workspace-Namespace": "other", "X-End-User-ID": "root", "Idempotency-Key": "own", "X-Forwarded-For": "1.1.1.1",
        "Forwarded": "for=1.1.1.1", "TE": "trailers", "Keep-Alive": "timeout=5", "Proxy-Authorization": "Basic own",
        "Upgrade": "h2c", "X-Hop": "one", "X-Other-Hop": "two", "X-HTTP-Method-Override": "DELETE"}
    answer = agent.call(run, "POST", "shop", "/open", b"{}", [
        *hidden.items(), ("Connection", "keep-alive, X-Hop"), ("Connection", "x-other-hop"), ("X-Kept", "kept")])
    assert answer.status == 200
    call, = tool.calls
    for name in hidden.keys() - {"X-End-User-ID", "Idempotency-Key"}:
        assert call.header(name.lower()) == [], name
    assert call.header("x-end-user-id") == ["ada%20lovelace"] and call.header("x-run-id") == [run]
    assert call.header("host") == [f"127.0.0.1:{tool.port}"] and call.header("x-kept") == ["kept"]
    key, = call.header("idempotency-key")
    assert key.startswith(run)
    assert agent.token not in str(call.headers)


def test_hop_by_hop_headers_of_an_answer_stay_behind(agent, tool):
    tool.answer = lambda call: (200, [
        ("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=1"), ("Proxy-Authenticate", "Basic"),
        ("X-Kept", "1")], b"done")
    answer = agent.call(agent.start(), "GET", "shop", "/open")
    names = {name.lower() for name, _ in answer.headers}
    assert "x-kept" in names and not names & {"x-hop", "keep-alive", "proxy-authenticate"}


def test_a_tool_cannot_say_what_the_gate_says_in_headers(agent, tool):
    """An agent's modules would end the attempt as one that waits for an action that does not exist."""
    tool.answer = lambda call: (403, [
        ("Sluice-Code", "APPROVAL_REQUIRED"), ("sluice-action", "act-1"), ("SLUICE-Replayed", "true"),
        ("X-Kept", "yes")], b"no")
    answer = agent.call(agent.start(), "GET", "shop", "/open")
    assert answer.status == 403 and answer.header("x-kept") == ["yes"]
    assert not [name for name, _ in answer.headers if name.lower().startswith("sluice-")], answer.headers


@pytest.mark.parametrize("place", ["Header", "Query"])
def test_a_tools_key_reaches_the_tool_and_nothing_else(gate, agent, tool, place):
    name = f"keyed-{place.lower()}"
    store_tool(gate, name, tool.url, {"authentication": {"type": "APIKey", "apiKeyConfig": {
        "in": place, "name": "X-Key", "valuePrefix": "Key "}}}, credentials={"api_key": SECRET})
    keyed = GovernedAgent(gate, f"{name}-agent", [("allow", ["*"], tool.url + "/*")])
    run = keyed.start()
    answer = keyed.call(run, "POST", name, "/open?x=1", b"{}", [("X-Key", "the agent's own")])
    assert answer.status == 200
    call, = tool.calls
    if place == "Header":
        assert call.header("x-key") == ["Key " + SECRET] and call.target == "/open?x=1"
    else:
        assert call.target.startswith("/open?x=1&X-Key=Key") and SECRET in call.target
    assert SECRET not in str(answer) + str(keyed.events(run)) + gate.output.read_text()
    held = b"".join(path.read_bytes() for path in gate.data.rglob("*") if path.is_file())
    assert SECRET.encode() not in held


def test_a_name_with_a_private_address_is_called_for_internal_tools_alone(gate, tool):
    host = socket.gethostname()
    try:
        address = socket.gethostbyname(host)
    except OSError:
        address = "unknown"
    if address != "127.0.0.1":
        pytest.skip("the machine's name has no loopback address")
    tool_url = f"http://{host}:{tool.port}"
    store_tool(gate, "outer", tool_url)
    store_tool(gate, "inner", tool_url, {"topology": "Internal"})
    caller = GovernedAgent(gate, "caller", [("allow", ["*"], tool_url + "/*")])
    run = caller.start()
    answer = caller.call(run, "POST", "outer", "/x", b"{}")
    assert (answer.status, answer.code) == (403, "ADDRESS_REFUSED"), answer
    assert "127.0.0.1" in answer.json["error"] and "Internal" in answer.json["error"]
    assert not tool.calls
    assert caller.call(run, "POST", "inner", "/x", b"{}").status == 200
    statuses = [event["data"]["status_code"] for event in caller.events(run, "TOOL_CALLED")]
    assert statuses == [403, 200]


def test_a_call_is_for_a_run_of_its_own_agent(gate, agent, tool):
    other = GovernedAgent(gate, "other", [("allow", ["*"], tool.url + "/*")])
    theirs = other.start()
    answer = agent.call(theirs, "GET", "shop", "/open")
    assert (answer.status, answer.code) == (403, "AGENT_MISMATCH")
    for run in ("019aa000-0000-7000-8000-000000000000", "nonsense"):
        answer = agent.call(run, "GET", "shop", "/open")
        assert (answer.status, answer.code) == (404, "RUN_UNKNOWN")
    answer = agent.call(None, "GET", "shop", "/open")
    assert (answer.status, answer.code) == (400, "RUN_UNKNOWN")
    assert not tool.calls and not other.events(theirs, "TOOL_REFUSED")


def test_a_finished_run_calls_no_tools(agent, tool):
    run = agent.start()
    assert agent.api.post(f"/runs/{run}/cancel").status == 200
    answer = agent.call(run, "GET", "shop", "/open")
    assert (answer.status, answer.code) == (404, "RUN_UNKNOWN") and "finished" in answer.json["error"]
    assert not tool.calls


@pytest.mark.parametrize("role", ["admin", "operator", "viewer", "approver"])
def test_only_keys_of_agents_are_let_in_by_address(gate, agent, tool, role):
    assert agent.call(agent.start(), "GET", "shop", "/open", token=gate.key(role)).status == 401
    assert not tool.calls


def test_a_body_that_is_too_large_is_refused(agent, tool):
    run = agent.start()
    answer = agent.call(run, "POST", "shop", "/open", b"x" * (4 * 1024 * 1024))
    assert answer.status == 200 and len(tool.calls[0].body) == 4 * 1024 * 1024
    assert agent.call(run, "POST", "shop", "/open", b"x" * (4 * 1024 * 1024 + 1)).status == 413
    assert len(tool.calls) == 1


def test_a_tool_that_is_down_is_told_and_can_be_called_again(gate, agent):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    store_tool(gate, "down", url)
    caller = GovernedAgent(gate, "patient", [("allow", ["*"], url + "/*")])
    run = caller.start()
    for _ in range(2):
        answer = caller.call(run, "POST", "down", "/x", b"{}")
        assert (answer.status, answer.code) == (502, "TOOL_UNREACHABLE"), answer
    tool = ScriptedTool(port)
    try:
        assert caller.call(run, "POST", "down", "/x", b"{}").status == 200
        assert len(tool.calls) == 1
    finally:
        tool.close()


def test_a_tool_whose_name_is_not_known_can_be_called_again(gate, tool):
    store_tool(gate, "nameless", "http://tool.invalid")
    caller = GovernedAgent(gate, "lost", [("allow", ["*"], "http://tool.invalid/*")])
    run = caller.start()
    for _ in range(2):
        answer = caller.call(run, "POST", "nameless", "/x", b"{}")
        assert (answer.status, answer.code) == (502, "TOOL_UNREACHABLE"), answer


def test_more_calls_at_a_time_than_allowed_are_told_to_come_later(own_sluice, tool):
    sluice = own_sluice(SLUICE_EGRESS_CALLS_MAX="1")
    store_tool(sluice, "slow", tool.url)
    caller = GovernedAgent(sluice, "many", [("allow", ["*"], tool.url + "/*")])
    run, answers, go_on = caller.start(), [], threading.Event()

    def slow(call):
        go_on.wait(60)
        return 200, [], b"done"

    tool.answer = slow
    first = threading.Thread(target=lambda: answers.append(caller.call(run, "GET", "slow", "/1")))
    first.start()
    caller.eventually(lambda: tool.calls, bool)
    answer = caller.call(run, "GET", "slow", "/2")
    assert (answer.status, answer.code) == (429, "TOO_MANY_CALLS")
    go_on.set()
    first.join()
    assert answers[0].status == 200 and caller.call(run, "GET", "slow", "/3").status == 200


def test_a_long_answer_goes_on_as_it_comes_in_bounded_memory(gate, agent, tool):
    count, part = 512, bytes(range(256)) * 256
    tool.answer = lambda call: (200, [("X-Long", "1")], (part for _ in range(count)))
    run = agent.start()
    agent.call(run, "GET", "shop", "/open/warm")
    before = gate.memory_mib("VmRSS")
    answer = agent.call(run, "GET", "shop", "/open/long")
    assert answer.status == 200 and answer.header("x-long") == ["1"]
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(part * count).digest()
    assert gate.memory_mib("VmRSS") - before < 16


def test_events_of_a_tool_come_to_the_agent_one_by_one(agent, tool):
    go_on = threading.Event()

    def events():
        yield b"data: 1\n\n"
        assert go_on.wait(60)
        yield b"data: 2\n\n"

    tool.answer = lambda call: (200, [("Content-Type", "text/event-stream")], events())
    run = agent.start()
    response, connection = agent.open(run, "GET", "shop", "/open/events")
    assert response.read(9) == b"data: 1\n\n"
    go_on.set()
    assert response.read() == b"data: 2\n\n"
    connection.close()


def test_a_stream_that_falls_silent_is_cut_and_keeps_its_place_until_then(own_sluice, tool):
    sluice, go_on = own_sluice(SLUICE_EGRESS_CALLS_MAX="1", SLUICE_EGRESS_TIMEOUT="2s"), threading.Event()
    store_tool(sluice, "slow", tool.url)
    caller = GovernedAgent(sluice, "listener", [("allow", ["*"], tool.url + "/*")])

    def events():
        yield b"data: 1\n\n"
        go_on.wait(60)

    tool.answer = lambda call: (200, [("Content-Type", "text/event-stream")], events())
    run = caller.start()
    response, connection = caller.open(run, "GET", "slow", "/events")
    assert response.read(9) == b"data: 1\n\n"
    assert caller.call(run, "GET", "slow", "/other").status == 429
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    connection.close()
    go_on.set()
    tool.answer = lambda call: (200, [], b"done")
    caller.eventually(lambda: caller.call(run, "GET", "slow", "/other").status, lambda status: status == 200)


def test_an_answer_beyond_all_bounds_is_cut(agent, tool):
    part, limit = b"x" * 65_536, 64 * 1024 * 1024
    tool.answer = lambda call: (200, [], (part for _ in range(1_100)))
    response, connection = agent.open(agent.start(), "GET", "shop", "/open/endless")
    received = 0
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        while part := response.read(65_536):
            received += len(part)
    assert limit - 1024 * 1024 < received <= limit
    connection.close()
