"""Headers of a call: which of them an agent may send, and that those that can change the call are approved with it."""

import hashlib
import os
import struct
import subprocess

import pytest
from approval_services import Services, link_in
from governed_agent import GovernedAgent, store_tool
from http_client import HTTPClient
from judged_calls import IDENTITIES, NEVER, digest
from sluice_process import BINARY, SluiceProcess

BODY = b'{"TableName": "orders"}'
DESCRIBE, DELETE = "DynamoDB_20120810.DescribeTable", "DynamoDB_20120810.DeleteTable"


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("headers")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def tool(server):
    server.calls.clear()
    return server


@pytest.fixture(scope="module")
def agent(gate, server):
    """An agent of which each call to `bank` and to `tables`, which is signed for AWS, needs an approval."""
    store_tool(gate, "bank", server.url + "/bank", {"headers": ["X-Own"]})
    store_tool(gate, "tables", server.url + "/tables", {
        "authentication": {"type": "AWSSignature", "region": "eu-west-1", "service": "dynamodb"}},
        credentials={"access_key_id": "AKIDEXAMPLE", "secret_access_key": "planted"})
    store_tool(gate, "open", server.url + "/open", {"headers": ["X-Own"]})
    return GovernedAgent(gate, "payer", [
        ("approval_required", ["*"], server.url + "/bank*"), ("approval_required", ["*"], server.url + "/tables*"),
        ("allow", ["*"], server.url + "/open*")])


def test_the_approved_operation_of_an_aws_tool_cannot_be_exchanged(agent, tool):
    """G6."""
    run = agent.start()
    action = agent.blocked(run, "POST", "tables", "/", BODY, [("X-Amz-Target", DESCRIBE)])
    assert action["tool_headers"] == {"x-amz-target": DESCRIBE}
    agent.approve(action)
    answer = agent.call(run, "POST", "tables", "/", BODY, [("X-Amz-Target", DELETE)])
    assert (answer.status, answer.code) == (409, "HEADERS_MISMATCH"), answer
    assert "other headers than were approved" in answer.json["error"] and not tool.calls
    assert answer.json["action_id"] == action["action_id"]
    failed = agent.action(run, action["action_id"])
    assert (failed["status"], failed["reason"]) == ("FAILED", "the call came with other headers than were approved")
    mismatch, = agent.events(run, "PAYLOAD_MISMATCH")
    assert mismatch["data"]["approved_headers_hash"] == action["headers_hash"] == digest([("x-amz-target", DESCRIBE)])
    assert mismatch["data"]["headers_hash"] == digest([("x-amz-target", DELETE)])
    assert mismatch["data"]["payload_hash"] == mismatch["data"]["approved_payload_hash"]


def test_the_approved_operation_of_an_aws_tool_goes_out_signed(agent, tool):
    run = agent.start()
    agent.approve(agent.blocked(run, "POST", "tables", "/", BODY, [("X-Amz-Target", DESCRIBE)]))
    assert agent.call(run, "POST", "tables", "/", BODY, [("x-amz-target", DESCRIBE)]).status == 200
    call, = tool.calls
    assert call.header("x-amz-target") == [DESCRIBE]
    authorization, = call.header("authorization")
    assert "x-amz-target" in authorization.split("SignedHeaders=")[1].split(",")[0].split(";")


@pytest.mark.parametrize("name, first, second", [
    ("Content-Type", "application/json", "application/x-www-form-urlencoded"), ("Content-Encoding", "gzip", "br"),
    ("Accept", "a/b", "c/d"), ("If-Match", '"1"', "*"), ("Range", "bytes=0-1", "bytes=0-"), ("Prefer", "a", "b"),
    ("X-Own", "1", "2"), ("X-Own", "1", ""), ("Accept-Language", "de", "en")])
def test_other_bound_headers_than_the_approved_ones_end_the_approval(agent, tool, name, first, second):
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", BODY, [(name, first)])
    agent.approve(action)
    answer = agent.call(run, "POST", "bank", "/pay", BODY, [(name, second)])
    assert (answer.status, answer.code) == (409, "HEADERS_MISMATCH"), answer
    assert agent.action(run, action["action_id"])["status"] == "FAILED" and not tool.calls


@pytest.mark.parametrize("approved, sent", [([], [("Accept", "a/b")]), ([("Accept", "a/b")], [])])
def test_a_header_more_or_less_ends_the_approval(agent, tool, approved, sent):
    run = agent.start()
    agent.approve(agent.blocked(run, "POST", "bank", "/pay", BODY, approved))
    assert agent.call(run, "POST", "bank", "/pay", BODY, sent).code == "HEADERS_MISMATCH"
    assert not tool.calls


def test_order_case_lines_of_a_list_and_what_describes_an_attempt_do_not_matter(agent, tool):
    run = agent.start()
    agent.approve(agent.blocked(run, "POST", "bank", "/pay", BODY, [
        ("Content-Type", "application/json"), ("Accept", "a/b, c/d"), ("User-Agent", "one"), ("X-Request-ID", "1")]))
    assert agent.call(run, "POST", "bank", "/pay", BODY, [
        ("ACCEPT", "a/b"), ("X-Tool-Call-Id", "7"), ("accept", "c/d"), ("content-type", " application/json "),
        ("User-Agent", "two")]).status == 200
    call, = tool.calls
    assert call.header("accept") == ["a/b, c/d"] and call.header("content-type") == ["application/json"]
    assert call.header("user-agent") == ["two"] and call.header("x-tool-call-id") == ["7"]


def test_a_recorded_response_is_for_the_headers_that_it_was_given_for(gate, agent, tool):
    """Both calls are made: in another attempt of the same turn they would be one but for their headers."""
    run = agent.start()
    for value in ["1", "2", "1"]:
        assert agent.call(run, "POST", "open", "/", BODY, [("X-Own", value)]).status == 200
    keys = [call.header("idempotency-key")[0] for call in tool.calls]
    assert len(set(keys)) == 3 and keys[0].rsplit("-", 1)[0] == keys[2].rsplit("-", 1)[0]
    assert keys[0].rsplit("-", 1)[0] != keys[1].rsplit("-", 1)[0]
    records = [event["data"]["headers_hash"] for event in agent.events(run, "TOOL_CALLED")]
    assert records == [digest([("x-own", value)]) for value in "121"]


@pytest.mark.parametrize("name", NEVER + IDENTITIES)
def test_a_header_of_identity_forwarding_or_method_reaches_no_tool(agent, tool, name):
    """G7."""
    run = agent.start()
    assert agent.call(run, "GET", "open", "/", headers=[(name, "forged")]).status == 200
    call, = tool.calls
    assert "forged" not in str(call.headers)
    # A server of the CGI kind joins what differs only in this.
    names = [each.lower().replace("_", "-") for each, _ in call.headers]
    assert len(names) == len(set(names)) and call.header("x-end-user-id") == ["ada"]


@pytest.mark.parametrize("name", NEVER + ["", "a b", "a:b", "ü", "X.Own", "Host", "Transfer-Encoding", "X" * 129])
def test_a_document_cannot_name_a_header_that_is_never_sent(gate, server, name):
    spec = {"connection": {"baseUrl": server.url, "headers": ["X-Fine", name]}}
    answer = gate.client().post("/api/tools", {"name": "never", "spec": spec})
    assert answer.status == 400 and "headers" in answer.error, answer
    assert name.lower()[:64] in answer.error


@pytest.mark.parametrize("name", IDENTITIES)
def test_a_header_of_identity_is_named_by_a_document_as_such_or_not_at_all(gate, server, name):
    connection = {"baseUrl": server.url}
    refused = gate.client().post("/api/tools", {"name": "meant", "spec": {"connection": connection | {"headers": [name]}}})
    assert refused.status == 400 and "spec.connection.identityHeaders" in refused.error, refused
    meant = connection | {"identityHeaders": [name]}
    assert gate.client().post("/api/tools", {"name": "meant", "spec": {"connection": meant}}).status == 201
    agent = GovernedAgent(gate, f"meant-{name.lower()}", [("allow", ["*"], "*")])
    run = agent.start()
    before = len(server.calls)
    assert agent.call(run, "GET", "meant", "/", headers=[(name, "chosen")]).status == 200
    assert server.calls[before].header(name.lower()) == ["chosen"]
    record, = agent.events(run, "TOOL_CALLED")
    assert record["data"]["headers_hash"] == digest([(name.lower(), "chosen")])


@pytest.mark.parametrize("name", ["X-End-User-ID", "Authorization", "X-Forwarded-For", "Remote-User", "X-Sluice-A", ""])
def test_what_is_the_gates_own_is_no_identity_header_either(gate, server, name):
    spec = {"connection": {"baseUrl": server.url, "identityHeaders": [name]}}
    answer = gate.client().post("/api/tools", {"name": "never", "spec": spec})
    assert answer.status == 400 and "identityHeaders" in answer.error, answer


@pytest.mark.parametrize("headers", [{"X-Own": "1"}, "X-Own", [1], [["X-Own"]], ["X-A"] * 51])
def test_the_headers_of_a_document_are_a_list_of_names(gate, server, headers):
    spec = {"connection": {"baseUrl": server.url, "headers": headers}}
    answer = gate.client().post("/api/tools", {"name": "never", "spec": spec})
    assert answer.status == 400 and "headers" in answer.error, answer


def test_the_headers_of_a_document_are_shown_again(gate, agent):
    tool = gate.client().get("/api/tools/bank").json
    assert tool["spec"]["connection"]["headers"] == ["X-Own"]


@pytest.mark.parametrize("headers", [
    [("Content-Type", "a/b"), ("content-type", "a/b")], [("X-Own", "1"), ("X-Own", "1")],
    [("Range", "bytes=0-1"), ("Range", "bytes=2-3")], [("Accept", "\u00e9")], [("If-Match", "a" * 17_000)]])
def test_headers_that_servers_read_in_two_ways_are_refused_with_what_to_do(agent, tool, headers):
    run = agent.start()
    answer = agent.call(run, "GET", "open", "/", headers=headers)
    assert (answer.status, answer.code, answer.json["rule"]) == (400, "INVALID_HEADERS", "invalid_headers"), answer
    refused, = agent.events(run, "TOOL_REFUSED")
    assert refused["data"]["reason"] in answer.json["error"] and not tool.calls


def test_approvers_see_the_bound_headers_wherever_they_decide(own_sluice, tool):
    services, gate = Services(), own_sluice()
    try:
        store_tool(gate, "bank", tool.url + "/bank", {"headers": ["X-Own"]})
        agent = GovernedAgent(gate, "payer", [("approval_required", ["*"], tool.url + "/bank*")])
        created = gate.client().post(
            "/api/v1/approval-connectors", {"name": "ops", "endpoint": services.url + "/hooks/ops"})
        assert created.status == 201, created
        run = agent.start()
        action = agent.blocked(run, "POST", "bank", "/pay", BODY, [("Prefer", "<b>"), ("X-Own", "1")])
        shown = {"prefer": "<b>", "x-own": "1"}
        hash_of = digest(sorted(shown.items()))
        assert (action["tool_headers"], action["headers_hash"]) == (shown, hash_of)
        request, = agent.requests(run)
        request = agent.approver.get(f"/governance/requests/{request['id']}").json
        assert (request["tool_headers"], request["headers_hash"]) == (shown, hash_of)
        asked = f"/runs/{run}/actions/{action['action_id']}/statement?decision=approve"
        statement = agent.approver.get(asked).json
        assert (statement["tool_headers"], statement["headers_hash"]) == (shown, hash_of)
        assert f"\nheaders-hash: {hash_of}\n" in statement["statement"]
        required, = agent.events(run, "APPROVAL_REQUIRED")
        assert required["data"]["headers_hash"] == hash_of
        message, _ = services.expect("approval.requested")
        data = message["data"]
        assert (data["tool_headers"], data["headers_hash"]) == (shown, hash_of)
        link = link_in(data).removeprefix(gate.url)
        page = HTTPClient("127.0.0.1", gate.port, None)
        behind = page.get(link, headers={"Accept": "application/json"}).json
        assert (behind["tool_headers"], behind["headers_hash"]) == (shown, hash_of)
        assert "prefer: &lt;b&gt;\nx-own: 1" in page.get(link).content.decode()
        decided = subprocess.run(
            [BINARY, "approve", "--run", run, "--action", action["action_id"], "--url", gate.url],
            env=os.environ | {"SLUICE_API_KEY": agent.approver_key}, capture_output=True, text=True)
        assert decided.returncode == 0, decided
        assert "\nheaders:    prefer: <b>\n            x-own: 1\n" in decided.stderr, decided
    finally:
        services.close()


def test_the_digest_is_the_documented_one():
    expected = hashlib.sha256(
        struct.pack(">Q", 6) + b"accept" + struct.pack(">Q", 3) + b"a/b").hexdigest()
    assert digest([("accept", "a/b")]) == "sha256:" + expected
