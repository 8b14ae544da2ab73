"""A policy, tried on the calls of tools that are recorded: each is counted once, by what the gate would say of it."""

import json

import pytest

from governed_agent import GovernedAgent, store_tool
from sluice_process import ADMIN_KEY, SluiceProcess


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("backtest")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def agent(gate, server):
    """An agent with a past: nine calls that count, of three kinds, and some that do not."""
    store_tool(gate, "shop", server.url + "/api")
    agent = GovernedAgent(gate, "buyer", [
        ("allow", ["GET", "PUT"], server.url + "/api*"),
        ("approval_required", ["POST"], server.url + "/api*"),
        ("deny", ["DELETE"], server.url + "/api*"),
    ])
    run = agent.start()
    for number in range(3):
        assert agent.call(run, "GET", "shop", f"/items?page={number}").status == 200
    assert agent.call(run, "PUT", "shop", "/items/1", b"{}").status == 200
    assert agent.call(run, "GET", "shop", "/private/1").status == 200
    assert agent.call(run, "DELETE", "shop", "/items/1").status == 403
    assert agent.call(run, "DELETE", "shop", "/items/" + "9" * 70).status == 403, "recorded too shortly to be judged"
    assert agent.call(run, "PATCH", "shop", "/items/1", b"{}").status == 403
    action = agent.blocked(run, "POST", "shop", "/pay", b"a lot")
    agent.approve(action)
    assert agent.call(run, "POST", "shop", "/pay", b"a lot").status == 200, "the same call, carried out"
    other = agent.start()
    agent.blocked(other, "POST", "shop", "/gifts", b"a little")
    agent.first_run = run
    return agent


def policy(server, *rules, name="buyer-rules"):
    return {"name": name, "spec": {"policies": [
        {"permission": permission, "operations": methods, "resource": server.url + resource}
        for permission, methods, resource in rules]}}


@pytest.fixture(scope="module")
def proposed(server):
    return policy(
        server, ("allow", ["GET", "PUT"], "/api*"), ("approval_required", ["GET"], "/api/private*"),
        ("allow", ["POST"], "/api/gifts*"), ("approval_required", ["POST"], "/api/pay*"),
        ("allow", ["DELETE"], "/api/items*"))


def backtest(gate, body, **more):
    answer = gate.client(**more).post("/api/v1/policies/backtest", body)
    assert answer.status == 200, answer
    return answer.json


def counts(report):
    return {(each["then"], each["today"], each["proposed"]): each["calls"] for each in report["outcomes"]}


def test_every_call_is_counted_by_then_today_and_proposed(gate, agent, proposed):
    report = backtest(gate, {"policy": proposed, "since": "30d"})
    assert counts(report) == {
        ("allow", "allow", "allow"): 4,
        ("allow", "allow", "approval_required"): 1,
        ("approval_required", "approval_required", "allow"): 1,
        ("approval_required", "approval_required", "approval_required"): 1,
        ("deny", "deny", "allow"): 1,
        ("deny", "deny", "deny"): 1,
    }
    assert (report["calls"], report["not_judged"]) == (9, 1)
    assert (report["differ_from_then"], report["differ_from_today"]) == (3, 3)
    assert report["bound_agents"] == ["buyer"]
    shown = {each["proposed"]: each["examples"] for each in report["outcomes"] if each["then"] == "allow"}
    assert shown["allow"] == []
    [example] = shown["approval_required"]
    assert example["run_id"] == agent.first_run and example["url"].endswith("/api/private/1")
    assert (example["agent"], example["method"], example["tool"]) == ("buyer", "GET", "shop")
    assert "rule 2: approval_required" in example["reason"]
    [event] = [json.loads(line) for line in gate.run(
        "log", "cat", "--data-dir", gate.data, "--from", example["position"], "--limit", 1).stdout.splitlines()]
    assert event["type"] == "tool_call.made"


def test_a_key_of_one_agent_is_shown_the_calls_of_that_agent_alone(gate, agent, proposed):
    def key_of(name):
        return gate.client().post(
            "/api/v1/auth/api-keys", {"name": name, "role": "agent", "agent": name}).json["token"]
    own = backtest(gate, {"policy": proposed, "examples": 100}, key=key_of("buyer"))
    others = backtest(gate, {"policy": proposed, "examples": 100}, key=key_of("someone-else"))
    assert own["calls"] == 9 and {each["agent"] for outcome in own["outcomes"] for each in outcome["examples"]} == {"buyer"}
    assert others["calls"] == 0 and others["outcomes"] == [] and others["not_judged"] == 0


def test_nothing_is_stored_and_what_is_judged_is_what_the_gate_does_once_it_is(gate, agent, proposed, server):
    before = gate.client().get("/api/policies/buyer-rules").json
    position = gate.client().get("/readyz").json["position"]
    backtest(gate, {"policy": proposed})
    assert gate.client().get("/api/policies/buyer-rules").json == before
    assert gate.client().get("/readyz").json["position"] == position
    assert gate.client().put("/api/v1/policies/buyer-rules", proposed).status == 200
    try:
        report = backtest(gate, {"policy": proposed})
        assert report["differ_from_today"] == 0 and report["differ_from_then"] == 3
        run = agent.start()
        assert agent.call(run, "DELETE", "shop", "/items/1").status == 200
        assert agent.call(run, "GET", "shop", "/private/1").code == "APPROVAL_REQUIRED"
    finally:
        assert gate.client().put("/api/v1/policies/buyer-rules", {"name": "buyer-rules", "spec": before["spec"]}).status == 200


def test_a_policy_that_nobody_is_bound_to_changes_nothing_until_somebody_is(gate, agent, server):
    nothing = policy(server, ("deny", ["*"], "/api*"), name="new-rules")
    report = backtest(gate, {"policy": nothing})
    assert report["bound_agents"] == [] and report["differ_from_today"] == 0
    report = backtest(gate, {"policy": nothing, "agents": ["buyer"], "examples": 1})
    assert report["bound_agents"] == ["buyer"]
    assert {proposed for _, _, proposed in counts(report)} == {"deny"}
    assert all(len(each["examples"]) <= 1 for each in report["outcomes"])


def test_since_is_a_duration_a_time_or_a_position(gate, agent, proposed):
    whole = backtest(gate, {"policy": proposed, "since": "1"})
    assert whole["from_position"] == 1 and whole["calls"] >= 9
    last = max(
        example["position"] for each in whole["outcomes"] for example in each["examples"])
    assert backtest(gate, {"policy": proposed, "since": str(last)})["calls"] < whole["calls"]
    beyond = backtest(gate, {"policy": proposed, "since": str(whole["to_position"] + 10)})
    assert (beyond["calls"], beyond["outcomes"]) == (0, [])
    assert backtest(gate, {"policy": proposed, "since": "2000-01-01T00:00:00Z"})["calls"] == whole["calls"]
    assert backtest(gate, {"policy": proposed, "since": "2999-01-01T00:00:00Z"})["calls"] == 0
    assert backtest(gate, {"policy": proposed, "since": "1ms"})["calls"] == 0


@pytest.mark.parametrize("body, message", [
    ({}, "policy is required"), ({"policy": {"spec": {}}}, "name is required"),
    ({"policy": {"name": "p"}}, "policy.spec is required"), ({"policy": "p"}, "policy must be an object"),
    ({"policy": {"name": "p", "spec": {"policies": [{"permission": "maybe"}]}}}, "policy.spec.policies[0].permission"),
    ({"policy": {"name": "p", "spec": {}}, "since": "soon"}, "since must be"),
    ({"policy": {"name": "p", "spec": {}}, "since": "0"}, "since must be"),
    ({"policy": {"name": "p", "spec": {}}, "since": 5}, "since must be a string"),
    ({"policy": {"name": "p", "spec": {}}, "agents": "a"}, "agents must be an array"),
    ({"policy": {"name": "p", "spec": {}}, "examples": 101}, "examples must be a number")])
def test_what_cannot_be_tried_is_refused(gate, body, message):
    answer = gate.client().post("/api/v1/policies/backtest", body)
    assert answer.status == 400 and message in answer.error, answer


def test_other_workspaces_calls_do_not_count(gate, agent, proposed):
    viewer = gate.key("viewer", "elsewhere")
    assert backtest(gate, {"policy": proposed}, key=viewer)["calls"] == 0


def test_the_command_line_shows_it(gate, agent, proposed, tmp_path):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(proposed))
    arguments = ["policy", "backtest", "--policy", file, "--since", "1d", "--url", gate.url]
    shown = gate.run(*arguments, SLUICE_API_KEY=ADMIN_KEY)
    assert shown.returncode == 0, shown.stderr
    assert "bound to buyer" in shown.stdout
    assert "1  then deny, today deny, proposed allow" in shown.stdout
    assert "then allow, today allow, proposed approval_required" in shown.stdout and "/private/1" in shown.stdout
    data = json.loads(gate.run(*arguments, "--json", SLUICE_API_KEY=ADMIN_KEY).stdout)
    assert data["calls"] >= 9
    file.write_text("no json")
    assert gate.run(*arguments, SLUICE_API_KEY=ADMIN_KEY).returncode == 78
    assert gate.run(*arguments[:3], tmp_path / "none", SLUICE_API_KEY=ADMIN_KEY).returncode == 78
