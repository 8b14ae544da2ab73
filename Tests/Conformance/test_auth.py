"""Who may do what: keys, roles, workspaces."""

import pytest

from sluice_process import ADMIN_KEY


def test_a_request_without_a_key_is_refused_except_for_health(sluice):
    nobody = sluice.client(None)
    assert nobody.get("/healthz").status == nobody.get("/readyz").status == 200
    for path in ["/runs", "/api/agents", "/api/v1/agents", "/metrics", "/events/stream", "/no/such/path"]:
        answer = nobody.get(path)
        assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer", path
        assert "API key" in answer.error


def test_a_wrong_key_is_refused(sluice):
    assert sluice.client("wrong-key-0123456789").get("/runs").status == 401
    assert sluice.client(None, Authorization="Basic abc").get("/runs").status == 401


def test_the_key_may_come_in_either_header_and_two_must_agree(sluice):
    assert sluice.client(None, **{"X-RunAgents-API-Key": ADMIN_KEY}).get("/runs").status == 200
    assert sluice.client(ADMIN_KEY, **{"X-RunAgents-API-Key": ADMIN_KEY}).get("/runs").status == 200
    assert sluice.client(ADMIN_KEY, **{"X-RunAgents-API-Key": "ra_ws_another-key-012345"}).get("/runs").status == 401
    for key, status in [(ADMIN_KEY, 200), ("ra_ws_another-key-012345", 401)]:
        client = sluice.client(None, **{"X-RunAgents-API-Key": ADMIN_KEY, "X-API-Key": key})
        assert client.get("/runs").status == status, key


ALLOWED = {
    "admin": {"read", "deploy", "drive", "decide", "keys"},
    "operator": {"read", "deploy", "drive"},
    "approver": {"read", "decide"},
    "agent": {"read"},
    "viewer": {"read"},
}


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_may_do_what_its_row_says_and_nothing_else(sluice, api, role):
    client = sluice.client(sluice.key(role))
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    action = api.post(f"/runs/{run}/actions", {"tool_id": "t"}).json["action_id"]
    requests = {
        "read": lambda: client.get("/api/agents"),
        "deploy": lambda: client.post("/api/deploy", {"agent_name": "role-test", "image": "i"}),
        "drive": lambda: client.post("/runs", {"agent_id": "a", "user_id": "u"}),
        "decide": lambda: client.post(f"/runs/{run}/actions/{action}/approve"),
        "keys": lambda: client.get("/api/auth/api-keys"),
    }
    for name, request in requests.items():
        answer = request()
        if name in ALLOWED[role]:
            assert answer.status in (200, 201), (role, name, answer)
        else:
            assert answer.status == 403 and role in answer.error, (role, name, answer)


def test_a_key_of_another_workspace_sees_nothing_of_this_one(sluice, api, run):
    other = sluice.client(sluice.key("operator", workspace="team-b"))
    api.post("/api/deploy", {"agent_name": "only-in-default", "image": "i"})
    assert other.get(f"/runs/{run['id']}").status == 404
    assert other.post(f"/runs/{run['id']}/events", {"type": "USER_MESSAGE"}).status == 404
    assert other.patch(f"/runs/{run['id']}", {"status": "FAILED"}).status == 404
    assert other.get("/api/agents").json == [] and other.get("/runs?agent_id=a").json == []
    assert other.get("/api/v1/workspaces/default/runs").status == 403
    assert other.get("/runs", {"X-Workspace-Namespace": "default"}).status == 200
    assert other.get("/runs", {"X-Workspace-Namespace": "team-c"}).status == 403
    own = other.post("/runs", {"agent_id": "a", "user_id": "u"}).json
    assert own["namespace"] == "team-b"
    # An id implies the workspace for a key that may enter every one, and for no other.
    assert api.get(f"/runs/{own['id']}").status == 200
    assert sluice.client(sluice.key("operator")).get(f"/runs/{own['id']}").status == 404
    assert api.get(f"/api/v1/workspaces/team-b/runs/{own['id']}").status == 200


def test_a_key_is_shown_once_and_can_be_revoked(sluice, api):
    created = api.post("/api/v1/auth/api-keys", {"name": "ci", "role": "viewer", "expiresInDays": 1})
    assert created.status == 201 and created.json["header"] == "X-RunAgents-API-Key"
    token, key = created.json["token"], created.json["key"]
    assert token.startswith("ra_ws_") and token.endswith(key["last4"]) and token.startswith(key["prefix"])
    listed = api.get("/api/v1/auth/api-keys")
    assert token.encode() not in listed.content
    assert next(each for each in listed.json if each["id"] == key["id"])["role"] == "viewer"
    assert sluice.client(token).get("/runs").status == 200
    assert api.delete(f"/api/v1/auth/api-keys/{key['id']}").status == 200
    assert sluice.client(token).get("/runs").status == 401
    assert api.delete(f"/api/v1/auth/api-keys/{key['id']}").status == 404


def test_no_key_is_in_clear_text_in_the_data_directory_or_the_output(own_sluice):
    sluice = own_sluice()
    token = sluice.key("agent")
    sluice.client(None).get(f"/as/{token}/runs")
    sluice.client(token).get("/runs")
    sluice.stop()
    files = [sluice.output, *(path for path in sluice.data.rglob("*") if path.is_file())]
    assert len(files) > 2
    for path in files:
        content = path.read_bytes()
        assert token.encode() not in content and ADMIN_KEY.encode() not in content, path


def test_an_agent_without_a_header_is_known_by_its_address(sluice, run):
    key = sluice.key("agent")
    agent, path = sluice.client(None), f"/as/{key}/runs/{run['id']}"
    state = {"action_id": "act-1", "messages": [{"role": "user", "content": "hi"}], "pending_calls": [], "model": "m"}
    saved = agent.post(f"{path}/checkpoint", state)
    assert saved.status == 201 and saved.json["id"]
    assert agent.get(f"{path}/checkpoint/act-1").json == state
    assert agent.get(f"{path}/checkpoint/act-2").status == 404
    result = {"tool_call_id": "c1", "function_name": "f", "arguments": "{}", "result": "ok", "tool_id": "t", "turn": 1}
    assert agent.post(f"{path}/tool-result", result).status == 201
    assert agent.get(f"/as/{sluice.key('operator')}/runs").status == 401, "only an agent's key may stand in a path"
    assert agent.get("/as/wrong-key-0123456789/runs").status == 401


def test_the_admin_key_of_the_environment_may_change(own_sluice):
    sluice = own_sluice()
    sluice.stop()
    sluice.settings["SLUICE_API_KEY"] = "another-admin-key-0123456789"
    sluice.start()
    assert sluice.client().get("/runs").status == 401
    assert sluice.client("another-admin-key-0123456789").get("/runs").status == 200


def test_without_a_configured_key_the_first_one_is_made_and_shown_once(own_sluice):
    sluice = own_sluice(SLUICE_API_KEY="")
    shown = [line.strip() for line in sluice.output.read_text().splitlines() if line.strip().startswith("ra_ws_")]
    assert len(shown) == 1
    assert sluice.client(shown[0]).get("/api/auth/api-keys").status == 200
    sluice.restart()
    assert sluice.output.read_text().count("ra_ws_") == 1
    assert sluice.client(shown[0]).get("/runs").status == 200


def test_a_key_over_its_rate_is_told_when_to_come_back_and_the_admin_never(own_sluice):
    sluice = own_sluice(SLUICE_RATE_LIMIT="1", SLUICE_RATE_BURST="3")
    viewer = sluice.client(sluice.key("viewer"))
    answers = [viewer.get("/runs") for _ in range(8)]
    refused = [answer for answer in answers if answer.status == 429]
    assert [answer.status for answer in answers[:3]] == [200, 200, 200] and refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert all(sluice.client().get("/runs").status == 200 for _ in range(8))
