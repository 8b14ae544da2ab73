"""A key that speaks for one agent: an agent sees and moves its own runs, and no other agent's."""

import pytest


@pytest.fixture
def two_agents(sluice):
    admin = sluice.client()
    made = admin.post("/api/v1/auth/api-keys", {"name": "a's key", "role": "agent", "agent": "a"})
    assert made.status == 201
    runs = {name: admin.post("/runs", {"agent_id": name, "user_id": "ada"}).json["id"] for name in ("a", "b")}
    return admin, sluice.client(made.json["token"]), runs


def test_its_own_run_is_there(two_agents):
    _, key, runs = two_agents
    assert key.get(f"/runs/{runs['a']}").status == 200
    assert key.post(f"/runs/{runs['a']}/events", {"type": "AGENT_MESSAGE"}).status == 201
    assert {run["agent_id"] for run in key.get("/runs").json} == {"a"}
    assert {run["agent_id"] for run in key.get("/runs?agent_id=a").json} == {"a"}


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("GET", "/runs/{b}", None),
        ("GET", "/runs/{b}/events", None),
        ("GET", "/runs/{b}/events/stream", None),
        ("GET", "/runs/{b}/actions", None),
        ("POST", "/runs/{b}/events", {"type": "AGENT_MESSAGE"}),
        ("POST", "/runs/{b}/actions", {"tool_id": "bank"}),
        ("POST", "/runs/{b}/checkpoint", {"action_id": "x"}),
        ("POST", "/runs/{b}/tool-result", {"result": "x"}),
        ("POST", "/governance/requests", {"subject": "ada", "tool_id": "bank", "run_id": "{b}"}),
    ])
def test_another_agents_run_is_not(two_agents, method, path, body):
    admin, key, runs = two_agents
    before = admin.get(f"/runs/{runs['b']}").json, admin.get(f"/runs/{runs['b']}/events").json
    sent = {name: value.format(**runs) if isinstance(value, str) else value for name, value in (body or {}).items()}
    answer = key.request(method, path.format(**runs), sent if body is not None else None)
    assert (answer.status, answer.json) == (404, {"error": f"run {runs['b']} not found"})
    assert (admin.get(f"/runs/{runs['b']}").json, admin.get(f"/runs/{runs['b']}/events").json) == before


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("GET", "/runs?agent_id=b", None),
        ("GET", "/events/stream?agent=b", None),
        ("GET", "/approvals/requests", None),
        ("POST", "/api/v1/agents/b/invoke", {"message": "hello"}),
        ("POST", "/api/agents/default/b/invoke", {"message": "hello"}),
        ("GET", "/api/v1/agents/b/logs", None),
        ("GET", "/api/v1/agents/b/build-log", None),
        ("POST", "/governance/requests", {"subject": "ada", "tool_id": "bank", "agent_id": "b"}),
        ("POST", "/governance/requests", {"subject": "ada", "tool_id": "bank", "agent_id": "b", "run_id": "{a}"}),
    ])
def test_it_cannot_speak_for_another(two_agents, method, path, body):
    _, key, runs = two_agents
    sent = {name: value.format(**runs) for name, value in (body or {}).items()}
    assert key.request(method, path, sent if body is not None else None).status == 403


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("POST", "/runs", {"agent_id": "a", "user_id": "ada"}),
        ("POST", "/runs", {"agent_id": "a", "user_id": "ada", "invoke_url": "http://127.0.0.1:9/collect"}),
        ("POST", "/api/v1/agents/a/invoke", {"message": "hello"}),
        ("POST", "/api/agents/default/a/invoke", {"message": "hello", "user_id": "ceo"}),
        ("PATCH", "/runs/{a}", {"status": "COMPLETED"}),
        ("POST", "/runs/{a}/cancel", {}),
    ])
@pytest.mark.parametrize("is_bound", [True, False])
def test_it_creates_and_moves_no_run_and_the_answer_says_who_does(sluice, two_agents, method, path, body, is_bound):
    admin, key, runs = two_agents
    key = key if is_bound else sluice.client(sluice.key("agent"))
    before = admin.get("/runs?agent_id=a").json
    answer = key.request(method, path.format(**runs), body)
    assert answer.status == 403 and "operators and admins" in answer.error, answer
    assert admin.get("/runs?agent_id=a").json == before


@pytest.mark.parametrize("is_bound", [True, False])
def test_it_asks_for_access_for_the_runs_user_alone(sluice, two_agents, is_bound):
    admin, key, runs = two_agents
    key = key if is_bound else sluice.client(sluice.key("agent"))
    asked = {"subject": "ada", "tool_id": "bank", "run_id": runs["a"]}
    for wrong in ({"subject": "ceo"}, {"subject": "Ada"}, {"run_id": None}):
        answer = key.post("/governance/requests", asked | wrong)
        assert (answer.status, answer.headers["sluice-error-code"]) == (403, "foreign_subject"), answer
    assert admin.get(f"/runs/{runs['a']}").json["status"] == "RUNNING"
    made = key.post("/governance/requests", asked)
    assert made.status == 201 and key.get(f"/governance/requests/{made.json['id']}").status == 200
    assert admin.post("/governance/requests", asked | {"subject": "ceo", "run_id": None}).status in (200, 201)


def test_the_context_of_a_workspace_shows_it_its_own_requests(two_agents):
    admin, key, runs = two_agents
    for name in runs:
        made = admin.post("/approvals/requests", {"subject": f"user of {name}", "tool_id": "bank", "agent_id": name})
        assert made.status in (200, 201)
    shown = {each["agent_id"] for each in key.get("/api/v1/context/export").json["resources"]["approvals"]}
    assert shown == {"a"}


@pytest.mark.parametrize("path", ["/runs", "/api/v1/agents/a/invoke"])
def test_roles_without_agents_rights_are_refused_too(sluice, path):
    for role in ("approver", "viewer"):
        answer = sluice.client(sluice.key(role)).post(path, {"agent_id": "a", "user_id": "u", "message": "hello"})
        assert answer.status == 403 and role in answer.error
