"""Plans: actions in their order, each as its own endpoint would take it, and none done twice."""

import pytest

from team import Team

TOOL = {"name": "bank", "base_url": "https://bank.test", "description": "Pays"}
POLICY = {"name": "careful", "spec": {"policies": [{"permission": "allow", "resource": "https://bank.test/*"}]}}
PROVIDER = {"name": "gpt", "credentials": {"api_key": "sk-of-the-plan"},
            "spec": {"provider": "openai", "models": ["m"], "auth": {"type": "APIKey"}}}
DEPLOY = {"agent_name": "payer", "image": "registry.test/payer:1", "required_tools": ["bank"], "policies": ["careful"]}


def action(kind, params=None, key=None, **more):
    return {"type": kind, "idempotency_key": key or f"key of {kind}", "params": params or {}} | more


WHOLE = [
    action("tool.upsert", TOOL), action("model_provider.upsert", PROVIDER), action("policy.upsert", POLICY),
    action("deploy_draft.create_or_patch", {"step": "begin"}), action("deploy.execute", DEPLOY, id="the deploy"),
    action("starter_kit.seed")]


@pytest.fixture
def team(sluice):
    return Team(sluice)


def validate(team, actions, client=None, **more):
    return (client or team.operator).post(f"{team.base}/actions/validate", {"actions": actions} | more)


def apply(team, actions, client=None, **more):
    return (client or team.operator).post(f"{team.base}/actions/apply", {"actions": actions} | more)


@pytest.mark.parametrize("base", ["/api", "/api/v1"])
def test_a_plan_is_validated_applied_and_applied_again(sluice, base):
    team = Team(sluice, base)
    before = team.log()
    checked = validate(team, WHOLE, plan_id="p").json
    assert checked["valid"] and checked["plan_id"] == "p" and checked["namespace"] == team.workspace
    assert [each["errors"] for each in checked["results"]] == [[]] * 6
    assert team.log() == before, "a validation writes nothing"
    first = apply(team, WHOLE, plan_id="p")
    assert first.status == 200 and first.json["applied"] and first.json["applied_count"] == 6, first
    assert int(first.headers["sluice-position"]) > 0
    results = first.json["results"]
    assert [each["id"] for each in results] == [
        "action-1", "action-2", "action-3", "action-4", "the deploy", "action-6"]
    draft = results[3]["output"]["id"]
    assert [each["resource_ref"] for each in results] == [
        "tool/bank", "model_provider/gpt", "policy/careful", f"deploy_draft/{draft}", "agent/payer", "starter_kit"]
    assert results[0]["output"]["name"] == "bank"
    effects = [each for each in team.log() if each != "answer.recorded"]
    assert effects.count("agent.deployed") == 1 and effects.count("deploy_draft.stored") == 1
    again = apply(team, WHOLE, plan_id="p")
    assert again.content == first.content
    assert [each for each in team.log() if each != "answer.recorded"] == effects
    assert all("applied before" in each["warnings"][0] for each in validate(team, WHOLE).json["results"])
    assert b"sk-of-the-plan" not in first.content


def test_what_was_applied_is_not_done_again_after_a_restart(own_sluice):
    sluice = own_sluice()
    team = Team(sluice)
    first = apply(team, WHOLE)
    assert team.operator.delete("/api/v1/tools/bank").status == 200
    sluice.restart()
    assert apply(team, WHOLE).content == first.content
    assert team.get("/tools/bank").status == 404, "the tool was deleted since, and stays so"
    # Another key is another action.
    assert apply(team, [action("tool.upsert", TOOL, "a new key")]).json["applied"]
    assert team.get("/tools/bank").status == 200


def test_a_key_that_was_used_with_other_parameters_is_refused(team):
    assert apply(team, [action("tool.upsert", TOOL, "k")]).json["applied"]
    other = apply(team, [action("tool.upsert", TOOL | {"base_url": "https://other.test"}, "k")], continue_on_error=True)
    assert other.json["results"][0]["status"] == "failed" and "another request" in other.json["results"][0]["error"]
    assert not validate(team, [action("tool.upsert", TOOL | {"description": "x"}, "k")]).json["valid"]
    assert team.get("/tools/bank").json["spec"]["connection"]["baseUrl"] == "https://bank.test"


BAD = [
    ("tool.upsert", {"name": "x"}, "tool name and base_url are required"),
    ("tool.upsert", TOOL | {"name": "a/b"}, "name may hold"),
    ("tool.upsert", TOOL | {"port": "443"}, "port must be a number"),
    ("model_provider.upsert", {"name": "x"}, "spec is required"),
    ("policy.upsert", {"name": "explain", "spec": {}}, "that is a path of the API"),
    ("policy.upsert", {"name": "p", "spec": {"policies": [{"permission": "maybe"}]}}, "permission"),
    ("deploy_draft.create_or_patch", {"step": 7}, "step must be a string"),
    ("deploy_draft.create_or_patch", {"id": "nothing", "expected_version": 1}, "deploy draft nothing not found"),
    ("deploy.execute", {"agent_name": "x"}, "either image or source_files is required"),
    ("deploy.execute", DEPLOY | {"identity_provider": "corp"}, "corp"),
    ("launch.rocket", {}, "type must be one of tool.upsert"),
]
PATHS = {"tool.upsert": "/tools", "model_provider.upsert": "/model-providers", "policy.upsert": "/policies",
         "deploy.execute": "/deploy"}


@pytest.mark.parametrize("kind, params, words", BAD)
def test_an_action_is_refused_with_the_very_words_of_its_endpoint(team, kind, params, words):
    result, = validate(team, [action(kind, params)]).json["results"]
    assert not result["valid"] and words in result["errors"][0], result
    if kind in PATHS:
        assert team.post(PATHS[kind], params).error == result["errors"][0]
    refused = apply(team, [action("tool.upsert", TOOL, "first"), action(kind, params)])
    assert refused.status == 400 and refused.json["applied"] is False
    assert [each["status"] for each in refused.json["results"]] == ["skipped", "invalid"]
    assert refused.json["results"][1]["error"] == result["errors"][0]
    assert team.get("/tools").json == [], "a plan that is wrong somewhere is not begun"


def test_with_continue_on_error_the_others_are_applied(team):
    actions = [action("tool.upsert", {"name": "x"}, "1"), action("tool.upsert", TOOL, "2"),
               action("deploy.execute", {"agent_name": "x"}, "3"), action("policy.upsert", POLICY, "4")]
    answer = apply(team, actions, continue_on_error=True)
    assert answer.status == 200 and not answer.json["applied"]
    assert (answer.json["applied_count"], answer.json["failed_count"]) == (2, 2)
    assert [each["status"] for each in answer.json["results"]] == ["invalid", "applied", "invalid", "applied"]
    # Mended, the same plan does what is left.
    actions[0]["params"], actions[2]["params"] = TOOL | {"name": "x"}, DEPLOY
    assert apply(team, actions).json["applied_count"] == 4
    assert team.log().count("tool.registered") == 2


def test_an_action_that_fails_on_its_way_skips_what_follows(team):
    draft = apply(team, [action("deploy_draft.create_or_patch", {}, "make")]).json["results"][0]["output"]["id"]
    patch = {"id": draft, "step": "one", "expected_version": 1}
    actions = [action("deploy_draft.create_or_patch", patch, "1"),
               action("deploy_draft.create_or_patch", patch | {"step": "two"}, "2"), action("tool.upsert", TOOL, "3")]
    assert validate(team, actions).json["valid"], "each by itself could be applied"
    answer = apply(team, actions)
    assert answer.status == 200
    assert [each["status"] for each in answer.json["results"]] == ["applied", "failed", "skipped"]
    assert "changed meanwhile" in answer.json["results"][1]["error"]
    assert team.get(f"/deploy-drafts/{draft}").json["step"] == "one" and team.get("/tools").json == []


def test_a_plan_completes_a_draft_and_deploys_from_one(team):
    body = {"agent_config": {"agent_name": "drafted", "custom_image": "i:1"}}
    first, second = (
        apply(team, [action("deploy_draft.create_or_patch", body, key)]).json["results"][0]["output"]["id"]
        for key in ("a", "b"))
    answer = apply(team, [
        action("deploy_draft.create_or_patch", {"id": first, "status": "COMPLETED"}, "c"),
        action("deploy.execute", {"agent_name": "other", "draft_id": second}, "d")])
    assert answer.json["applied"], answer
    assert {each["name"] for each in team.get("/agents").json} == {"drafted", "other"}


def test_each_action_asks_for_the_role_that_its_endpoint_asks_for(team):
    for client, role in ((team.viewer, "viewer"), (team.client("approver"), "approver")):
        result, = validate(team, [action("tool.upsert", TOOL)], client).json["results"]
        assert result["errors"] == [f"a key of role {role} may not do this: it needs role admin or operator"]
        refused = apply(team, [action("tool.upsert", TOOL)], client)
        assert refused.status == 400 and refused.json["results"][0]["status"] == "invalid"
        forbidden = apply(team, [action("tool.upsert", TOOL)], client, continue_on_error=True).json["results"][0]
        assert forbidden["status"] == "failed" and "may not do this" in forbidden["error"]
    assert team.get("/tools").json == []


def test_what_a_deploy_names_and_is_not_there_is_a_warning(team):
    result, = validate(team, [action("deploy.execute", DEPLOY)]).json["results"]
    assert result["valid"] and ['"bank"' in result["warnings"][0], '"careful"' in result["warnings"][1]] == [True, True]
    last = validate(team, [action("tool.upsert", TOOL, "1"), action("policy.upsert", POLICY, "2"),
                           action("deploy.execute", DEPLOY, "3")]).json["results"][2]
    assert last["warnings"] == []


def test_a_deploy_of_a_plan_is_checked_as_any_other_deploy(team):
    deploy = {"agent_name": "idle", "source_files": {"a.py": "print(1)\n"}, "required_tools": ["echo-tool"], "llm_configs": [
        {"role": "chat", "provider": "playground", "model": "playground"}]}
    result, = validate(team, [action("deploy.execute", deploy)]).json["results"]
    named = [word for word in ("no policy", '"echo-tool"', '"playground"', "a.py is not run")
             if any(word in warning for warning in result["warnings"])]
    assert named == ["no policy", '"echo-tool"', '"playground"', "a.py is not run"], result["warnings"]
    seeded = validate(team, [action("starter_kit.seed", {}, "1"), action("deploy.execute", deploy, "2")]).json["results"][1]
    assert not any("not found" in warning for warning in seeded["warnings"]), seeded


@pytest.mark.parametrize("body, words", [
    ({}, "actions is required"), ({"actions": []}, "actions is required"), ({"actions": {}}, "actions must be an array"),
    ({"actions": [7]}, "actions[0]: it must be an object"), ({"actions": [{"type": 7}]}, "actions[0]: type must be a"),
    ({"actions": [action("tool.upsert", TOOL)], "continue_on_error": "yes"}, "continue_on_error"),
    ({"actions": [{"type": "tool.upsert", "idempotency_key": "k", "params": []}]}, "actions[0]: params must be an"),
    ({"actions": [action("tool.upsert", TOOL, str(number)) for number in range(101)]}, "more than 100")])
def test_a_plan_that_cannot_be_read_is_refused(team, body, words):
    for path in ("validate", "apply"):
        answer = team.post(f"/actions/{path}", body)
        assert answer.status == 400 and words in answer.error, answer


def test_a_key_is_needed_and_is_one_actions_alone(team):
    results = validate(team, [{"type": "tool.upsert", "params": TOOL}, action("tool.upsert", TOOL, "k"),
                              action("policy.upsert", POLICY, "k")]).json["results"]
    assert results[0]["errors"] == ["idempotency_key is required"]
    assert results[2]["errors"] == ["idempotency_key is used twice in this plan"]
