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
        ("PATCH", "/runs/{b}", {"status": "COMPLETED"}),
        ("POST", "/runs/{b}/cancel", {}),
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
        ("POST", "/runs", {"agent_id": "b", "user_id": "ada"}),
        ("POST", "/governance/requests", {"subject": "ada", "tool_id": "bank", "agent_id": "b"}),
    ])
def test_it_cannot_speak_for_another(two_agents, method, path, body):
    _, key, _ = two_agents
    assert key.request(method, path, body).status == 403
