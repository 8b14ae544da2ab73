"""Deploys are previewed, put together in drafts, and completed as one."""

import pytest

from team import Team

CODE = {"agent.py": "def handler(request, context=None):\n    return 'well'\n"}
DRAFT = {
    "step": "configure", "source_type": "code", "policies": ["careful"], "required_tool_names": ["bank", "mail"],
    "tool_mappings": {"mail": "smtp", "https://mail.test": "smtp"}, "tool_states": {"bank": "ready"},
    "model_mappings": {"chat": {"provider": "openai", "model": "gpt-4o-mini", "monthly_budget_usd": 2.5}},
    "agent_config": {"agent_name": "payer", "system_prompt": "Pay", "use_custom_image": True,
                     "custom_image": "registry.test/payer:1", "access_mode": "open"}}


@pytest.fixture
def team(sluice):
    return Team(sluice)


@pytest.fixture(params=["/api", "/api/v1"])
def era(request, sluice):
    return Team(sluice, request.param)


def draft(team, body=None):
    answer = team.post("/deploy-drafts", DRAFT if body is None else body)
    assert answer.status == 201, answer
    return answer.json


def test_a_draft_is_made_changed_listed_and_deleted(era):
    made = draft(era)
    assert {name: made[name] for name in DRAFT} == DRAFT
    assert (made["status"], made["version"], made["user_id"]) == ("IN_PROGRESS", 1, "a operator")
    path = f"/deploy-drafts/{made['id']}"
    changed = era.operator.patch(era.base + path, {"step": "review", "policies": None, "expected_version": 1})
    assert changed.status == 200 and changed.json["step"] == "review" and "policies" not in changed.json
    assert changed.json["version"] == 2 and changed.json["created_at"] == made["created_at"]
    assert era.get(path).content == changed.content
    assert era.get("/deploy-drafts?status=IN_PROGRESS&mine=1").json == [changed.json]
    assert era.get("/deploy-drafts?status=COMPLETED").json == []
    assert era.admin.get(f"{era.base}/deploy-drafts?mine=1").json == []
    assert era.admin.get(f"{era.base}/deploy-drafts").json == [changed.json]
    stale = era.operator.patch(era.base + path, {"step": "late", "expected_version": 1})
    assert stale.status == 409 and stale.headers["sluice-error-code"] == "revision_changed"
    assert era.operator.delete(era.base + path).json == {"status": "deleted"}
    assert era.get(path).status == 404
    assert era.log()[-3:] == ["deploy_draft.stored", "deploy_draft.stored", "deploy_draft.deleted"]


def test_completing_a_draft_deploys_it_once(era):
    made = draft(era)
    path = f"/deploy-drafts/{made['id']}/complete"
    done = era.post(path)
    assert done.status == 200 and done.json["status"] == "COMPLETED", done
    config = era.get("/agents/payer/config" if era.base == "/api/v1" else f"/agents/{era.workspace}/payer/config").json
    assert config["image"] == "registry.test/payer:1" and config["system_prompt"] == "Pay"
    assert config["required_tools"] == ["bank", "smtp"] and config["policies"] == ["careful"]
    assert config["llm_configs"] == [
        {"role": "chat", "provider": "openai", "model": "gpt-4o-mini", "monthly_budget_usd": 2.5}]
    assert era.log()[-2:] == ["agent.deployed", "deploy_draft.stored"]
    position = done.headers["sluice-position"]
    again = era.post(path)
    assert again.content == done.content and again.headers.get("sluice-position", position) == position
    assert era.log().count("agent.deployed") == 1
    late = era.operator.patch(f"{era.base}/deploy-drafts/{made['id']}", {"step": "late"})
    assert late.status == 409 and "COMPLETED" in late.error


def test_a_draft_that_says_too_little_is_not_completed_and_says_why(team):
    empty = draft(team, {})
    assert team.post(f"/deploy-drafts/{empty['id']}/complete").error == "agent_name is required"
    named = draft(team, {"agent_config": {"agent_name": "payer"}})
    answer = team.post(f"/deploy-drafts/{named['id']}/complete")
    assert (answer.status, answer.error) == (400, "either image or source_files is required")
    config = {"agent_name": "payer", "access_mode": "authenticated"}
    closed = draft(team, {"agent_config": config, "source_files": CODE})
    assert "identity_provider is required" in team.post(f"/deploy-drafts/{closed['id']}/complete").error
    path = f"/api/v1/deploy-drafts/{closed['id']}"
    unknown = team.operator.patch(path, {"agent_config": config | {"identity_provider": "corp"}, "status": "COMPLETED"})
    assert unknown.status == 400 and "corp" in unknown.error
    # Refused, nothing of the change was kept.
    assert team.get(f"/deploy-drafts/{closed['id']}").json == closed
    assert "agent.deployed" not in team.log()


def test_a_patch_to_completed_changes_and_deploys_in_one(team):
    made = draft(team, {"source_files": CODE})
    done = team.operator.patch(f"/api/v1/deploy-drafts/{made['id']}", {
        "agent_config": {"agent_name": "patched"}, "status": "COMPLETED", "expected_version": 1})
    assert done.status == 200 and (done.json["status"], done.json["version"]) == ("COMPLETED", 2)
    assert team.get("/agents/patched").status == 200


def test_an_abandoned_draft_is_final(team):
    made = draft(team)
    for _ in range(2):
        assert team.post(f"/deploy-drafts/{made['id']}/abandon").json["status"] == "ABANDONED"
    for answer in (team.post(f"/deploy-drafts/{made['id']}/complete"),
                   team.post("/deploy", {"agent_name": "x", "draft_id": made["id"]}),
                   team.operator.patch(f"/api/v1/deploy-drafts/{made['id']}", {"step": "late"})):
        assert answer.status == 409 and "ABANDONED" in answer.error
    assert team.get("/agents").json == []


def test_a_deploy_takes_from_its_draft_what_it_does_not_say(era):
    made = draft(era, DRAFT | {"source_files": CODE, "agent_config": {"agent_name": "of-draft", "system_prompt": "Pay"}})
    answer = era.post("/deploy", {
        "agent_name": "own-name", "draft_id": made["id"], "system_prompt": "Own", "policies": None})
    assert answer.status == 201 and answer.json["agent"] == "own-name"
    name = "own-name" if era.base == "/api/v1" else f"{era.workspace}/own-name"
    config = era.get(f"/agents/{name}/config").json
    assert config["system_prompt"] == "Own" and config["policies"] == ["careful"]
    assert era.get(f"/deploy-drafts/{made['id']}").json["status"] == "COMPLETED"
    redeployed = era.post("/deploy", {"agent_name": "own-name", "draft_id": made["id"]})
    assert redeployed.status == 201 and era.get(f"/deploy-drafts/{made['id']}").json["version"] == 2
    missing = era.post("/deploy", {"agent_name": "x", "draft_id": "draft-of-nobody"})
    assert missing.status == 400 and "draft-of-nobody" in missing.error


def test_a_draft_is_its_makers_and_the_admins(team):
    made = draft(team)
    other = team.client("operator")
    path = f"/api/v1/deploy-drafts/{made['id']}"
    assert other.get(path).status == 200 and team.viewer.get(path).status == 200
    for answer in (other.patch(path, {"step": "x"}), other.delete(path), other.post(path + "/complete"),
                   other.post(path + "/abandon"), other.post("/api/v1/deploy", {"agent_name": "x", "draft_id": made["id"]}),
                   team.viewer.post("/api/v1/deploy-drafts", {})):
        assert answer.status == 403, answer
    assert team.admin.patch(path, {"step": "x", "source_files": CODE}).status == 200
    assert other.get(path).json["source_files"] == CODE, "whoever may deploy sees the code"
    for answer in (team.viewer.get(path), team.viewer.get("/api/v1/deploy-drafts")):
        assert b'"step":"x"' in answer.content and b"def handler" not in answer.content


@pytest.mark.parametrize("body, words", [
    ({"step": 1}, "step must be a string"), ({"policies": "p"}, "policies must be an array"),
    ({"tool_mappings": {"a": 1}}, "tool_mappings.a must be a string"),
    ({"model_mappings": {"chat": {"model": "m"}}}, "model_mappings.chat.provider is required"),
    ({"model_mappings": {"chat": {"provider": "p", "model": "m", "monthly_budget_usd": -1}}}, "model_mappings.chat"),
    ({"agent_config": []}, "agent_config must be an object"),
    ({"agent_config": {"use_custom_image": "yes"}}, "agent_config.use_custom_image must be true or false"),
    ({"agent_config": {"access_mode": "ajar"}}, "agent_config.access_mode must be open or authenticated"),
    ({"source_files": {"../x": "y"}}, "source_files"), ({"agent_config": {"api_key": "sk-1"}}, "secret")])
def test_a_draft_that_is_wrong_is_refused(team, body, words):
    answer = team.post("/deploy-drafts", body)
    assert answer.status == 400 and words in answer.error
    made = draft(team)
    assert team.operator.patch(f"/api/v1/deploy-drafts/{made['id']}", body).error == answer.error


def test_what_asks_wrongly_of_drafts_is_told(team):
    assert "status must be one of" in team.get("/deploy-drafts?status=LOST").error
    assert team.get("/deploy-drafts?mine=2").error == "mine must be 0 or 1"
    made = draft(team)
    path = f"/api/v1/deploy-drafts/{made['id']}"
    assert "status must be one of" in team.operator.patch(path, {"status": "LOST"}).error
    assert "expected_version" in team.operator.patch(path, {"expected_version": "1"}).error
    assert team.operator.patch("/api/v1/deploy-drafts/nothing", {}).error == "deploy draft nothing not found"


def test_drafts_are_as_they_were_after_a_restart_and_a_rebuild(own_sluice):
    sluice = own_sluice()
    team = Team(sluice)
    kept, done, gone = draft(team), draft(team), draft(team)
    assert team.post(f"/deploy-drafts/{done['id']}/complete").status == 200
    assert team.operator.delete(f"/api/v1/deploy-drafts/{gone['id']}").status == 200
    paths = ["/deploy-drafts", f"/deploy-drafts/{kept['id']}", "/agents/payer", "/context/export"]

    def read():
        answers = [team.get(path) for path in paths]
        export = answers.pop().json
        return [answer.content for answer in answers] + [export["resources"]]

    before = read()
    sluice.restart()
    assert read() == before
    sluice.stop()
    assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
    sluice.start()
    assert read() == before
    changed = team.operator.patch(f"/api/v1/deploy-drafts/{kept['id']}", {"step": "on", "expected_version": 1})
    assert changed.json["version"] == 2


def test_a_preview_says_what_a_deploy_would_lead_to_and_stores_nothing(era):
    def preview(**body):
        return era.post("/deploy/preview", {"agent_name": "payer"} | body)

    code = preview(source_files=CODE, requirements="idna==3.7")
    assert code.status == 200 and code.json["user_state"] == "preparing_runtime"
    assert code.json["advanced_details"]["build_required"] is True
    assert "one requirement is installed" in code.json["short_reason"]
    image = preview(image="registry.test/payer:1").json
    assert image["user_state"] == "compatibility_setup" and "container-engine" in image["short_reason"]
    elsewhere = preview(image="i", invoke_url="http://127.0.0.1:1/invoke").json
    assert elsewhere["user_state"] == "instant" and elsewhere["advanced_details"]["execution_mode"] == "external"
    bad = preview(source_files=CODE, requirements="/etc").json
    assert bad["user_state"] == "compatibility_setup" and "requirement" in bad["short_reason"]
    made = draft(era, {"source_files": CODE})
    assert preview(draft_id=made["id"]).status == 200
    assert era.get("/agents").json == [] and era.get(f"/deploy-drafts/{made['id']}").json == made
    for body in ({}, {"source_files": CODE, "env": 7}, {"source_files": CODE, "identity_provider": "corp"},
                 {"source_files": CODE, "agent_name": "a/b"}):
        refused = preview(**body)
        assert refused.status == 400 and refused.error == era.post("/deploy", {"agent_name": "payer"} | body).error
