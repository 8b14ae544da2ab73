"""What a tool receives is what was judged, recorded and approved: method, target, bound headers and body."""

import concurrent.futures
import hashlib
import os
import urllib.parse

import judged_calls
import url_readers
import pytest
from governed_agent import GovernedAgent, store_tool
from judged_calls import GateConnection, canonical, digest, seeded
from raw_tool import RawTool
from sluice_process import SluiceProcess

CALLS = int(os.environ.get("JUDGED_CALLS", "20000"))
RUNS = 16
NAMED = {"x-own", "x-api-version"}
BOUND = judged_calls.BOUND | NAMED
EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("judged"), {"SLUICE_RATE_LIMIT": "0"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def tool():
    raw = RawTool()
    yield raw
    raw.close()


@pytest.fixture(scope="module")
def agent(gate, tool):
    store_tool(gate, "raw", tool.url, {"headers": ["X-Own", "x-api-version"]})
    return GovernedAgent(gate, "sender", [("allow", EVERY_METHOD, tool.url + "/*")])


@pytest.fixture(scope="module")
def sent(gate, tool, agent):
    """Twenty thousand calls, each with what came of it: (call, status, record, request)."""
    tool.requests.clear()

    def drive(number):
        chance, run = seeded(number), agent.start()
        connection = GateConnection(gate.port, agent.token, run)
        calls = []
        for index in range(CALLS // RUNS):
            call = judged_calls.call(chance, f"{number}-{index}", NAMED)
            calls.append((call, connection.call("raw", *call)))
        connection.close()
        return run, calls

    with concurrent.futures.ThreadPoolExecutor(RUNS) as pool:
        driven = list(pool.map(drive, range(RUNS)))
    requests = {}
    for request in tool.requests:
        assert request.request_id not in requests, "one call was sent twice"
        requests[request.request_id] = request
    results = []
    for run, calls in driven:
        records = [event for event in agent.events(run) if event["type"] in ("TOOL_CALLED", "TOOL_REFUSED")]
        assert len(records) == len(calls), "a call has no record"
        for (call, status), record in zip(calls, records):
            results.append((call, status, record, requests.pop(dict(call[2])["X-Request-Id"], None)))
    assert not requests, "a request has no call"
    return results


def test_the_bytes_on_the_wire_are_those_of_the_record(sent, tool):
    reached = [each for each in sent if each[1] == 200]
    assert len(reached) > CALLS / 2
    for (method, _, headers, body), status, record, request in reached:
        data = record["data"]
        assert record["type"] == "TOOL_CALLED" and data["tool_method"] == method, record
        assert data["tool_url"].startswith(tool.url + "/")
        assert request.line.decode() == f"{method} {data['tool_url'][len(tool.url):]} HTTP/1.1"
        received = [(name, value) for name, value in request.headers if name.lower() in BOUND]
        assert received == canonical(headers, BOUND), headers
        assert digest(received) == data["headers_hash"], headers
        assert "sha256:" + hashlib.sha256(request.body).hexdigest() == data["payload_hash"] and request.body == body


def test_a_tool_gets_no_header_beside_the_judged_ones_and_the_gates_own(sent):
    for _, _, _, request in sent:
        if request is None:
            continue
        names = [name.lower() for name, _ in request.headers]
        assert len(names) == len(set(names)), request.headers
        assert set(names) <= BOUND | judged_calls.UNBOUND | judged_calls.THE_GATES_OWN, request.headers
        assert not any(value == "forged" for _, value in request.headers), request.headers
        assert request.values("x-end-user-id") == ["ada"]


def test_a_refused_call_says_why_is_recorded_and_sends_nothing(sent):
    refused = [each for each in sent if each[1] != 200]
    assert len(refused) > CALLS / 100
    for (method, target, headers, _), status, record, request in refused:
        assert status in (400, 403) and record["type"] == "TOOL_REFUSED" and request is None, (target, status, record)
        assert record["data"]["tool_method"] == method
        assert record["data"]["tool_url"] == target[:64], record


@pytest.mark.parametrize("reader", url_readers.READERS)
def test_what_is_let_through_is_read_alike_by_every_reader(sent, tool, reader):
    """Our reading against others', of what the agent wrote and of what was forwarded."""
    reached = [(call[1], record["data"]["tool_url"]) for call, status, record, _ in sent if status == 200]
    asked = [tool.url + (target if target.startswith("/") else "/" + target) for target, _ in reached]
    judged = [url for _, url in reached]
    ours = [url_readers.split(url) for url in judged]
    for urls in (asked, judged):
        assert url_readers.differences(reader, urls, ours) == ([], 0)


@pytest.mark.parametrize("target", ["//", "//admin", "/a//b", "/a/b//", "///", "/a//../b", "//../b", "/a///b?x=//"])
def test_empty_parts_of_a_path_are_judged_recorded_and_forwarded(agent, tool, target):
    """G10."""
    run = agent.start()
    tool.requests.clear()
    assert agent.call(run, "GET", "raw", target).status == 200
    record, = agent.events(run, "TOOL_CALLED")
    request, = tool.requests
    assert request.line.decode() == f"GET {record['data']['tool_url'][len(tool.url):]} HTTP/1.1"
    if ".." not in target:
        assert request.line.decode() == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("path", ["/as//{token}/egress/raw/a", "//as/{token}/egress/raw/a", "/as/{token}//egress/raw/a",
                                  "/as/{token}/egress//raw/a", "/as/{token}/runs//"])
def test_empty_parts_elsewhere_are_no_route(gate, agent, tool, path):
    tool.requests.clear()
    answer = gate.client(None).get(path.format(token=agent.token), headers={"X-Run-ID": agent.start()})
    assert answer.status in (401, 404) and not tool.requests


@pytest.mark.parametrize("target, rules", [
    ("//closed", "deny"), ("/a//closed", "allow"), ("/%2e/closed", "deny"), ("//x/closed", "deny"),
    ("/closed//", "deny"), ("/closed%2F%2Fa", "deny")])
def test_empty_parts_hide_nothing_from_a_rule(gate, tool, target, rules):
    name = "closed-" + hashlib.sha256(target.encode()).hexdigest()[:8]
    store_tool(gate, name, tool.url)
    agent = GovernedAgent(gate, name, [
        ("allow", ["GET"], tool.url + "/*"), ("deny", ["GET"], tool.url + "/closed*")])
    answer = agent.call(agent.start(), "GET", name, target)
    assert answer.status == (403 if rules == "deny" else 200), answer


@pytest.mark.parametrize("method, target", [
    ("DELETE", "/tmp/%FF"), ("DELETE", "/%ff"), ("GET", "/a/%C0%AF../b"), ("GET", "/%ED%A0%80"), ("PUT", "/%25FF"),
    ("GET", "/a\\b"), ("GET", "/\\..\\admin"), ("GET", "/%E2%82"), ("GET", "/a%"), ("GET", "/%00"), ("GET", "/%2500")])
def test_a_path_that_readers_read_in_two_ways_is_refused_with_what_to_do(agent, tool, method, target):
    """G5."""
    run = agent.start()
    tool.requests.clear()
    answer = agent.call(run, method, "raw", target)
    assert (answer.status, answer.code) == (400, "INVALID_URL"), answer
    assert answer.json["rule"] == "invalid_url" and answer.json["error"]
    refused, = agent.events(run, "TOOL_REFUSED")
    assert refused["data"]["tool_url"] == target and not tool.requests


@pytest.mark.parametrize("target, status", [("/%FF", 400), ("/a", 200)])
def test_an_answer_to_head_has_no_body(gate, agent, target, status):
    """One would be read as the beginning of the connection's next answer."""
    connection = GateConnection(gate.port, agent.token, agent.start())
    for _ in range(2):
        assert connection.call("raw", "HEAD", target, [], b"") == status
    assert connection.call("raw", "GET", "/a", [], b"") == 200
    connection.close()


def test_a_base_path_cannot_be_left_by_escapes_that_are_no_text(gate, tool):
    """G5 as it was found: a bucket whose whole would have been deleted."""
    store_tool(gate, "bucket", tool.url + "/bucket", {"authentication": {
        "type": "APIKey", "apiKeyConfig": {"in": "Header", "name": "X-Key"}}}, credentials={"api_key": "planted"})
    agent = GovernedAgent(gate, "cleaner", [("allow", EVERY_METHOD, tool.url + "/bucket/tmp/*")])
    run = agent.start()
    tool.requests.clear()
    assert agent.call(run, "DELETE", "bucket", "/tmp/%FF").status == 400
    assert agent.call(run, "DELETE", "bucket", "/tmp/%C3%BF").status == 200
    request, = tool.requests
    assert request.line == b"DELETE /bucket/tmp/%C3%BF HTTP/1.1"
    assert [event["type"] for event in agent.events(run)] == ["RUN_CREATED", "TOOL_REFUSED", "TOOL_CALLED"][-2:]


def test_a_key_in_the_query_is_added_to_the_judged_query_and_to_nothing_else(gate, tool):
    store_tool(gate, "keyed", tool.url, {"authentication": {
        "type": "APIKey", "apiKeyConfig": {"in": "Query", "name": "key"}}}, credentials={"api_key": "planted"})
    agent = GovernedAgent(gate, "reader", [("allow", ["GET"], tool.url + "/*")])
    run = agent.start()
    for target in ["/a", "/a?x=1", "/a//b?x=%2F", "/a?x=1&key=own", "/a?"]:
        tool.requests.clear()
        assert agent.call(run, "GET", "keyed", target).status == 200
        request, = tool.requests
        record = agent.events(run, "TOOL_CALLED")[-1]["data"]["tool_url"][len(tool.url):]
        path, _, query = record.partition("?")
        kept = "&".join(pair for pair in query.split("&") if pair and not pair.startswith("key="))
        assert request.line.decode() == f"GET {path}?{kept}{'&' if kept else ''}key=planted HTTP/1.1"


HOSTS = [
    "Example.COM", "a.example.", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "[::1]", "[0:0:0:0:0:0:0:1]",
    "[2001:DB8::1]", "[::ffff:1.2.3.4]", "xn--bcher-kva.example", "a-b.example", "1.2.3.4", "0.0.0.0", "255.255.255.255",
    "a.b.c.d.e", "127.0.0.1.", "EXAMPLE", "1.example", "a1.2b", "0x7f.0x0.0x0.0x1", "1.2.3", "4294967295"]


@pytest.mark.parametrize("port", ["", ":80", ":8080", ":443", ":0080"])
def test_a_host_is_read_alike_by_every_reader(gate, agent, port):
    asked = [f"http://{host}{port}/base" for host in HOSTS]
    registered = []
    for url in asked:
        store_tool(gate, "host", url)
        query = urllib.parse.urlencode({"agent": agent.name, "tool": "host", "method": "GET", "url": "http://x/"})
        explained = gate.client().get(f"/api/policies/explain?{query}").json
        registered.append(explained["steps"][0]["finding"].rsplit(" ", 1)[1])
    ours = [url_readers.split(url) for url in registered]
    for reader in url_readers.READERS:
        assert url_readers.differences(reader, registered, ours) == ([], 0)
    # The URL Standard reads numbers as addresses; the others hand them to the resolver.
    assert url_readers.differences("node", asked, ours) == ([], 0)
