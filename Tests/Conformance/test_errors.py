"""Every documented error of the API: its status and its message."""

import uuid

import pytest

MISSING = str(uuid.uuid4())
WRONG = "sha256:" + "00" * 32


@pytest.fixture(scope="module")
def things(sluice):
    """Ids of runs, actions and requests in the states that errors are about."""
    api = sluice.client()

    def run():
        return api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]

    def action(run_id, **more):
        return api.post(f"/runs/{run_id}/actions", {"tool_id": "t"} | more).json["action_id"]

    running, paused, done = run(), run(), run()
    approved = action(running)
    api.post(f"/runs/{running}/actions/{approved}/approve")
    hashed = action(paused, payload_hash="sha256:" + "ab" * 32)
    api.patch(f"/runs/{done}", {"status": "COMPLETED"})
    decided = api.post("/governance/requests", {"subject": "s", "tool_id": str(uuid.uuid4())}).json["id"]
    api.post(f"/governance/requests/{decided}/reject")
    return {
        "running": running, "paused": paused, "done": done, "approved": approved, "hashed": hashed,
        "decided": decided, "missing": MISSING}


CASES = [
    # Runs
    ("POST", "/runs", {}, 400, "agent_id is required"),
    ("POST", "/runs", {"agent_id": "a"}, 400, "user_id is required"),
    ("POST", "/runs", {"agent_id": 7, "user_id": "u"}, 400, "agent_id must be a string"),
    ("POST", "/runs", {"agent_id": "a", "user_id": "u", "invoke_url": "ftp://x"}, 400, "invoke_url"),
    ("POST", "/runs", {"agent_id": "a", "user_id": "u", "invoke_url": "not a url"}, 400, "invoke_url"),
    ("GET", "/runs/{missing}", None, 404, "run {missing} not found"),
    ("GET", "/runs/not-an-id", None, 404, "run not-an-id not found"),
    ("GET", "/runs?status=SLEEPING", None, 400, "status must be one of"),
    ("PATCH", "/runs/{missing}", {"status": "FAILED"}, 404, "run {missing} not found"),
    ("PATCH", "/runs/{running}", {}, 400, "status is required"),
    ("PATCH", "/runs/{running}", {"status": "SLEEPING"}, 400, "status must be one of"),
    ("PATCH", "/runs/{running}", {"status": "RUNNING"}, 409, "invalid transition from RUNNING to RUNNING"),
    ("PATCH", "/runs/{paused}", {"status": "COMPLETED"}, 409,
     "invalid transition from PAUSED_APPROVAL to COMPLETED"),
    ("PATCH", "/runs/{paused}", {"status": "RUNNING"}, 409, "invalid transition from PAUSED_APPROVAL to RUNNING"),
    ("PATCH", "/runs/{done}", {"status": "FAILED"}, 409, "invalid transition from COMPLETED to FAILED"),
    ("POST", "/runs/{done}/cancel", {}, 409, "COMPLETED"),
    # Events
    ("POST", "/runs/{missing}/events", {"type": "USER_MESSAGE"}, 404, "run {missing} not found"),
    ("POST", "/runs/{done}/events", {"type": "USER_MESSAGE"}, 409, "run is COMPLETED"),
    ("POST", "/runs/{running}/events", {}, 400, "type is required"),
    ("POST", "/runs/{running}/events", {"type": "APPROVED"}, 400, "which it alone writes"),
    ("POST", "/runs/{running}/events", {"type": "X", "data": "text"}, 400, "data must be an object"),
    ("GET", "/runs/{missing}/events", None, 404, "run {missing} not found"),
    ("GET", "/runs/{running}/events?after_seq=-1", None, 400, "after_seq must be a number"),
    ("GET", "/runs/{running}/events?limit=0", None, 400, "limit must be a number"),
    ("GET", "/runs/{missing}/events/stream", None, 404, "run {missing} not found"),
    ("GET", "/events/stream?run=x", None, 400, "run must be a run's id"),
    ("GET", "/events/stream?format=xml", None, 400, "format must be cloudevents"),
    # Blocked actions
    ("POST", "/runs/{missing}/actions", {"tool_id": "t"}, 404, "run {missing} not found"),
    ("POST", "/runs/{running}/actions", {}, 400, "tool_id is required"),
    ("POST", "/runs/{paused}/actions", {"tool_id": "t"}, 409,
     "run is PAUSED_APPROVAL, must be RUNNING to create actions"),
    ("POST", "/runs/{done}/actions", {"tool_id": "t"}, 409, "run is COMPLETED, must be RUNNING to create actions"),
    ("GET", "/runs/{running}/actions/{missing}", None, 404, "action {missing} not found"),
    ("POST", "/runs/{running}/actions/{missing}/approve", {}, 404, "action {missing} not found"),
    ("POST", "/runs/{missing}/actions/{missing}/approve", {}, 404, "action {missing} not found"),
    ("POST", "/runs/{running}/actions/{approved}/approve", {}, 409,
     "action is APPROVED, must be BLOCKED to approve"),
    ("POST", "/runs/{running}/actions/{approved}/reject", {}, 409, "action is APPROVED, must be BLOCKED to reject"),
    ("POST", "/runs/{paused}/actions/{hashed}/approve", {}, 409, "payload_hash mismatch"),
    ("POST", "/runs/{paused}/actions/{hashed}/approve", {"payload_hash": WRONG}, 409, "payload_hash mismatch"),
    ("POST", "/runs/{paused}/actions/{hashed}/approve", {"payload_hash": 5}, 400, "payload_hash must be a string"),
    # Access requests
    ("POST", "/governance/requests", {"tool_id": "t"}, 400, "subject is required"),
    ("POST", "/approvals/requests", {"subject": "s"}, 400, "tool_id is required"),
    ("POST", "/governance/requests", {"subject": "s", "tool_id": "t", "duration": "soon"}, 400, "duration"),
    ("POST", "/governance/requests", {"subject": "s", "tool_id": "t", "run_id": MISSING}, 404,
     "run {missing} not found"),
    ("GET", "/governance/requests/{missing}", None, 404, "request not found"),
    ("GET", "/governance/requests?status=NEVER", None, 400, "status must be one of"),
    ("POST", "/governance/requests/{missing}/approve", {}, 404, "request not found"),
    ("POST", "/governance/requests/{decided}/approve", {}, 409, "request is not pending"),
    ("POST", "/governance/requests/{decided}/reject", {}, 409, "request is not pending"),
    ("POST", "/governance/requests/{decided}/approve", {"scope": "always"}, 400, "scope must be one of"),
    # Deploy, agents, tools, policies, keys
    ("POST", "/api/deploy", {"image": "i"}, 400, "agent_name is required"),
    ("POST", "/api/deploy", {"agent_name": "a"}, 400, "either image or source_files is required"),
    ("POST", "/api/deploy", {"agent_name": "a", "image": "i", "tools_to_create": [{"name": "t"}]}, 400,
     "tool name and base_url are required"),
    ("POST", "/api/deploy", {"agent_name": "a/b", "image": "i"}, 400, "name"),
    ("POST", "/api/deploy", {"agent_name": "a", "image": "i", "env": [{"value": "x"}]}, 400, "with a name and a value"),
    ("POST", "/api/deploy", {"agent_name": "a", "image": "i", "llm_config": {"api_key": "x"}}, 400,
     "llm_config holds the secret api_key"),
    ("GET", "/api/agents/default/nobody", None, 404, "agent default/nobody not found"),
    ("GET", "/api/v1/agents/nobody", None, 404, "agent nobody not found"),
    ("DELETE", "/api/v1/agents/nobody", None, 404, "agent nobody not found"),
    ("POST", "/api/tools", {}, 400, "name"),
    ("POST", "/api/tools", {"name": "t"}, 400, "base_url"),
    ("POST", "/api/tools", {"name": "t", "base_url": "x"}, 400, "base_url"),
    ("POST", "/api/tools", {"name": "t", "base_url": "https://x:65536"}, 400, "a port from 1 to 65535"),
    ("POST", "/api/tools", {"name": "t", "base_url": f"https://x:{10**20}"}, 400, "a port from 1 to 65535"),
    ("POST", "/api/tools", {"name": "t", "base_url": "https://x", "auth_type": "API\u212aey"}, 400, "auth_type"),
    ("POST", "/api/tools", {"name": "t", "base_url": "https://x", "credentials": {"key": "s"}}, 400, "known are"),
    ("POST", "/api/tools", {"name": "t", "base_url": "https://x", "credentials": {"api_key": 1}}, 400, "a string"),
    ("POST", "/api/secrets", {"owner_kind": "policy", "owner": "p", "name": "n", "value": "v"}, 400, "agent, tool"),
    ("POST", "/api/secrets", {"owner_kind": "tool", "owner": "nothing", "name": "n", "value": "v"}, 404,
     'tool "nothing" not found'),
    ("POST", "/api/secrets", {"owner_kind": "tool", "owner": "t", "name": "n"}, 400, "value is required"),
    ("DELETE", "/api/secrets/tool/nothing/n", None, 404, "has no secret"),
    ("GET", "/api/tools/nothing", None, 404, 'tool "nothing" not found'),
    ("DELETE", "/api/tools/nothing", None, 404, 'tool "nothing" not found'),
    ("POST", "/api/tools/probe", {}, 400, "url is required"),
    ("POST", "/api/tools/nothing/test", {}, 404, 'tool "nothing" not found'),
    ("PUT", "/api/policies/nothing", {"spec": {}}, 404, "nothing"),
    ("POST", "/api/auth/api-keys", {"role": "viewer"}, 400, "name is required"),
    ("POST", "/api/auth/api-keys", {"name": "n", "role": "king"}, 400, "role must be one of"),
    ("POST", "/api/auth/api-keys", {"name": "n", "expiresInDays": 0}, 400, "expiresInDays"),
    ("DELETE", "/api/auth/api-keys/{missing}", None, 404, "api key {missing} not found"),
    # Anywhere
    ("GET", "/nowhere", None, 404, "not found"),
    ("DELETE", "/runs", None, 405, "method DELETE is not allowed; use GET, HEAD, POST"),
    ("PUT", "/api/deploy", {}, 405, "method PUT is not allowed; use POST"),
]


@pytest.mark.parametrize("method, path, body, status, message", CASES)
def test_a_documented_error_has_its_status_and_says_why(api, things, method, path, body, status, message):
    answer = api.request(method, path.format(**things), body)
    assert answer.status == status, answer
    assert message.format(**things) in answer.error
    assert set(answer.json) == {"error"}
    assert answer.headers["sluice-error-code"]
    if status == 405:
        assert answer.headers["allow"] == answer.error.split("use ")[1]


def test_body_and_header_must_name_the_same_hash(api, things):
    path = f"/runs/{things['paused']}/actions/{things['hashed']}/approve"
    both = api.post(path, {"payload_hash": "sha256:" + "ab" * 32}, {"X-Payload-Hash": WRONG})
    assert (both.status, both.error) == (409, "payload_hash mismatch")


def test_the_hash_is_accepted_bare_and_in_any_case(api, run):
    action = api.post(f"/runs/{run['id']}/actions", {"tool_id": "t", "payload_hash": "sha256:" + "ab" * 32}).json
    approve = f"/runs/{run['id']}/actions/{action['action_id']}/approve"
    assert api.post(approve, headers={"X-Payload-Hash": "AB" * 32}).status == 200


def test_the_same_pending_access_request_is_given_back_with_200(api):
    body = {"subject": str(uuid.uuid4()), "tool_id": "t"}
    first, again = api.post("/approvals/requests", body), api.post("/approvals/requests", body)
    assert (first.status, again.status) == (201, 200) and first.json == again.json
