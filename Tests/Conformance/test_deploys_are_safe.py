"""A redeploy takes nothing away that it does not name, and the version that serves stays until the next one has started."""

import pytest

from deployed_agents import DeployedAgents
from sluice_process import SluiceProcess

ANSWERS = "def handler(request, context=None):\n    return {text!r}\n"
SYNTAX_ERROR = "def handler(request, context=None)\n    return 'never'\n"
RAISES = "raise RuntimeError('no such table: ledger')\ndef handler(request): pass\n"
ENDS = "import os\nos._exit(9)\ndef handler(request): pass\n"
POLICY = {"policies": [{"permission": "allow", "resource": "https://bank.test/*"}]}
MODELS = [{"role": "default", "provider": "openai", "model": "gpt-4o-mini", "monthly_budget_usd": 5}]
GOVERNED = {
    "policies": ["payments"], "required_tools": ["bank"], "monthly_budget_usd": 20, "llm_configs": MODELS,
    "tool_url_mappings": {"https://bank.test": "bank"}, "isolation": "run", "env": [{"name": "MODE", "value": "live"}]}


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("safe-deploys"),
        {"SLUICE_INVOKE_ATTEMPTS_MAX": "2", "SLUICE_INVOKE_BACKOFF_MIN": "100ms"}).start()
    api = process.client()
    assert api.post("/api/v1/policies", {"name": "payments", "spec": POLICY}).status == 201
    assert api.post("/api/v1/tools", {"name": "bank", "base_url": "https://bank.test"}).status == 201
    yield process
    assert process.stop() == 0


@pytest.fixture
def agents(module_sluice):
    return DeployedAgents(module_sluice)


@pytest.fixture
def api(module_sluice):
    return module_sluice.client()


def deploy(api, name, era="/api/v1", **members):
    answer = api.post(f"{era}/deploy", {"agent_name": name, "image": "i", "invoke_url": "http://127.0.0.1:9/"} | members)
    assert answer.status == 201, answer
    return answer.json


def governance(api, name):
    config, agent = api.get(f"/api/v1/agents/{name}/config").json, api.get(f"/api/v1/agents/{name}").json
    return {
        "policies": config["policies"], "required_tools": config["required_tools"],
        "monthly_budget_usd": config.get("monthly_budget_usd"), "llm_configs": config["llm_configs"],
        "isolation": agent["spec"].get("isolation"), "env": agent["spec"].get("env")}


def serving(agents, name, text):
    """The agent has started and answers with that."""
    agents.deploy(name, ANSWERS.format(text=text))
    agents.await_phase(name, "Running")
    assert agents.ask(name)["response"] == text


@pytest.mark.parametrize("era", ["/api", "/api/v1", "/api/v1/workspaces/default"])
def test_policies_tools_and_budgets_stay_unless_a_deploy_names_them(api, era):
    name = "kept" + era.replace("/", "-")
    deploy(api, name, era, **GOVERNED)
    before = governance(api, name)
    assert before["policies"] == ["payments"] and before["monthly_budget_usd"] == 20
    answer = deploy(api, name, era, image="i2")
    assert governance(api, name) == before
    assert answer["policies"] == ["payments"]
    # One that is named is replaced, and the others stay.
    deploy(api, name, era, required_tools=["bank", "echo-tool"])
    assert governance(api, name) == before | {"required_tools": ["bank", "echo-tool"]}


@pytest.mark.parametrize("nothing", [[], None])
def test_an_empty_list_and_null_take_policies_and_tools_away(api, nothing):
    name = f"cleared-{nothing is None}".lower()
    deploy(api, name, **GOVERNED)
    answer = deploy(api, name, policies=nothing, required_tools=nothing, monthly_budget_usd=None, isolation=None)
    after = governance(api, name)
    assert (after["policies"], after["required_tools"], after["monthly_budget_usd"]) == ([], [], None)
    assert after["isolation"] is None and after["llm_configs"], after
    assert any("no policy is bound" in warning for warning in answer["warnings"])


def test_a_model_keeps_its_budget_when_the_deploy_names_the_model_alone(api):
    deploy(api, "models", **GOVERNED)
    bare = [{key: value for key, value in MODELS[0].items() if key != "monthly_budget_usd"}]
    deploy(api, "models", llm_configs=bare)
    assert governance(api, "models")["llm_configs"][0]["monthly_budget_usd"] == 5
    deploy(api, "models", llm_configs=[bare[0] | {"monthly_budget_usd": None}])
    assert "monthly_budget_usd" not in governance(api, "models")["llm_configs"][0]


def test_a_draft_and_a_plan_keep_what_they_do_not_name(api):
    deploy(api, "drafted", **GOVERNED)
    before = governance(api, "drafted")
    draft = api.post("/api/v1/deploy-drafts", {
        "agent_config": {"agent_name": "drafted", "custom_image": "i3", "use_custom_image": True}}).json
    assert api.post(f"/api/v1/deploy-drafts/{draft['id']}/complete", {}).status == 200
    assert governance(api, "drafted") == before
    applied = api.post("/api/v1/actions/apply", {"actions": [{
        "type": "deploy.execute", "idempotency_key": "again", "params": {"agent_name": "drafted", "image": "i4"}}]})
    assert applied.status == 200 and applied.json["applied"], applied
    assert governance(api, "drafted") == before


def test_the_secrets_of_an_environment_stay_with_it(api):
    deploy(api, "secretive", env=[{"name": "BANK_TOKEN", "value": "t-1234567"}])
    deploy(api, "secretive", image="i2")
    assert api.get("/api/v1/agents/secretive").json["secrets_set"] == ["BANK_TOKEN"]
    deploy(api, "secretive", env=[])
    assert "secrets_set" not in api.get("/api/v1/agents/secretive").json


def test_the_answer_the_agent_and_the_list_say_what_is_missing(api):
    answer = deploy(
        api, "lacking", policies=["none-such"], required_tools=["no-tool"],
        llm_configs=[{"role": "default", "provider": "no-provider", "model": "m"}])
    expected = {"policies": ["none-such"], "tools": ["no-tool"], "model_providers": ["no-provider"]}
    listed, = [agent for agent in api.get("/api/v1/agents").json if agent["name"] == "lacking"]
    for shown in (answer, listed, api.get("/api/v1/agents/lacking").json):
        assert shown["missing"] == expected
        assert any('policy "none-such" not found' in warning for warning in shown["warnings"])
    assert api.post("/api/v1/policies", {"name": "none-such", "spec": POLICY}).status == 201
    assert "policies" not in api.get("/api/v1/agents/lacking").json["missing"]


PROVIDER = {
    "name": "lister", "credentials": {"api_key": "k"},
    "spec": {"provider": "mistral", "endpoint": "https://models.test", "models": ["listed"], "auth": {"type": "APIKey"}}}


def test_a_model_that_no_provider_answers_for_is_missing_until_one_does(api):
    assert api.post("/api/v1/model-providers", PROVIDER).status == 201
    models = [{"role": "chat", "provider": "mistral", "model": model} for model in ("listed", "unlisted")]
    answer = deploy(api, "modelled", llm_configs=models)
    assert answer["missing"] == {"models": ["unlisted"]}
    assert any('model "unlisted" is provided by no model provider' in warning for warning in answer["warnings"])
    config = api.get("/api/v1/agents/modelled/config").json
    assert config["missing"] == {"models": ["unlisted"]}
    spec = PROVIDER["spec"] | {"models": ["listed", "unlisted"]}
    assert api.post("/api/v1/model-providers", PROVIDER | {"spec": spec}).status == 201
    assert "missing" not in api.get("/api/v1/agents/modelled").json


def test_the_status_and_the_command_line_say_what_is_missing(agents, module_sluice):
    agents.deploy("short", ANSWERS.format(text="x"), policies=["no-policy"], required_tools=["no-such"])
    words = '; missing: policy "no-policy", tool "no-such"'
    message = agents.await_phase("short", "Running")["message"]
    assert message.startswith("ready") and message.endswith(words), message
    listed = module_sluice.run("agents", "list", "--url", module_sluice.url).stdout
    line, = [line for line in listed.splitlines() if line.startswith("short ")]
    assert line.endswith(words)


@pytest.mark.parametrize("artifact", ["art-1", "build-x", "build-00000000-0000-0000-0000-000000000000"])
def test_an_artifact_that_is_not_there_is_refused_on_every_path(api, artifact):
    body = {"agent_name": "of-nothing", "artifact_id": artifact}
    words = f"artifact_id {artifact} is no build of this workspace"
    for path in ("/api/v1/deploy", "/api/deploy", "/api/v1/deploy/preview"):
        answer = api.post(path, body)
        assert answer.status == 400 and words in answer.error, answer
    beside = api.post("/api/v1/deploy", body | {"image": "i", "invoke_url": "http://127.0.0.1:9/"})
    assert beside.status == 400 and words in beside.error
    plan = {"actions": [{"type": "deploy.execute", "idempotency_key": "nothing", "params": body}]}
    result, = api.post("/api/v1/actions/validate", plan).json["results"]
    assert words in result["errors"][0]
    draft = api.post("/api/v1/deploy-drafts", {"artifact_id": artifact, "agent_config": {"agent_name": "of-nothing"}}).json
    assert draft["missing"]["artifacts"] == [artifact]
    completed = api.post(f"/api/v1/deploy-drafts/{draft['id']}/complete", {})
    assert completed.status == 400 and words in completed.error
    assert api.get("/api/v1/agents/of-nothing").status == 404


def test_a_draft_says_what_it_names_that_is_not_there(api):
    draft = api.post("/api/v1/deploy-drafts", {
        "policies": ["later"], "required_tool_names": ["bank", "mail"], "tool_mappings": {"mail": "smtp"},
        "model_mappings": {"chat": {"provider": "nowhere", "model": "m"}}, "agent_config": {"agent_name": "d"}}).json
    expected = {"policies": ["later"], "tools": ["smtp"], "model_providers": ["nowhere"]}
    path = f"/api/v1/deploy-drafts/{draft['id']}"
    shown, = [each for each in api.get("/api/v1/deploy-drafts").json if each["id"] == draft["id"]]
    assert draft["missing"] == api.get(path).json["missing"] == shown["missing"] == expected
    assert api.post("/api/v1/policies", {"name": "later", "spec": POLICY}).status == 201
    assert api.get(path).json["missing"] == {name: expected[name] for name in ("tools", "model_providers")}


def test_an_entry_point_that_is_not_there_is_missing_and_not_served(agents):
    serving(agents, "entered", "first")
    answer = agents.deploy("entered", ANSWERS.format(text="second"), entry_point="other.py")
    assert answer["missing"] == {"entry_point": ["other.py"]}
    assert any("cannot be started here" in warning for warning in answer["warnings"])
    agents.await_phase("entered", "Failed", "entry_point other.py")
    assert agents.ask("entered")["response"] == "first"


@pytest.mark.parametrize("code, words", [
    (SYNTAX_ERROR, "SyntaxError"), (RAISES, "no such table"), (ENDS, "exit code 9"),
    ("import not_installed\n" + ANSWERS.format(text="x"), "not_installed")])
def test_an_upgrade_that_cannot_start_leaves_the_old_version_serving(agents, code, words):
    name = "upgraded-" + words.split()[0].lower().replace("_", "-")
    serving(agents, name, "first")
    answer = agents.deploy(name, code, entry_point="agent.py", requirements="# none")
    assert (answer["version"], answer["serving_version"]) == (2, 1)
    status = agents.await_phase(name, "Failed", words)
    assert status["message"].startswith("version 1 serves, version 2 does not: "), status
    assert agents.ask(name)["response"] == "first"
    assert agents.api.post(f"/api/v1/agents/{name}/invoke", {"message": "m"}).json["response"] == "first"
    shown = agents.api.get(f"/api/v1/agents/{name}").json
    assert (shown["version"], shown["serving_version"]) == (2, 1)
    versions = agents.api.get(f"/api/v1/agents/{name}/versions").json
    assert [(version["version"], version["phase"], version["serving"]) for version in versions] == [
        (2, "Failed", False), (1, "Running", True)]
    # The next one that starts serves.
    agents.deploy(name, ANSWERS.format(text="third"))
    agents.await_phase(name, "Running")
    assert agents.ask(name)["response"] == "third"


def test_an_image_that_cannot_run_does_not_replace_sources_that_do(agents):
    serving(agents, "imaged", "first")
    agents.api.post("/api/v1/deploy", {"agent_name": "imaged", "image": "localhost/none-such:1"})
    agents.await_phase("imaged", "Failed")
    assert agents.ask("imaged")["response"] == "first"


def test_the_old_version_takes_the_calls_while_the_new_one_starts(agents):
    serving(agents, "slow", "first")
    agents.deploy("slow", "import time\ntime.sleep(4)\n" + ANSWERS.format(text="second"))
    assert agents.status("slow")["phase"] == "Pending"
    assert agents.ask("slow")["response"] == "first"
    agents.await_phase("slow", "Running")
    assert agents.ask("slow")["response"] == "second"


def test_a_deploy_that_follows_at_once_is_the_one_that_serves(agents):
    serving(agents, "hurried", "first")
    agents.deploy("hurried", "import time\ntime.sleep(60)\n" + ANSWERS.format(text="second"))
    agents.deploy("hurried", ANSWERS.format(text="third"))
    agents.await_phase("hurried", "Running")
    assert agents.ask("hurried")["response"] == "third"
    versions = agents.eventually(
        lambda: agents.api.get("/api/v1/agents/hurried/versions").json,
        lambda versions: versions[1]["phase"] != "Running")
    assert versions[0]["serving"] and not versions[1]["serving"]


def test_the_version_that_serves_does_so_after_a_restart_and_without_read_models(own_sluice):
    agents = DeployedAgents(own_sluice())
    serving(agents, "restarted", "first")
    agents.deploy("restarted", SYNTAX_ERROR, entry_point="agent.py")
    agents.await_phase("restarted", "Failed")
    shown = agents.api.get("/api/v1/agents/restarted").json
    agents.sluice.kill()
    for file in agents.sluice.data.glob("read*"):
        file.unlink() if file.is_file() else None
    agents.sluice.start()
    assert agents.api.get("/api/v1/agents/restarted").json == shown
    assert agents.ask("restarted")["response"] == "first"


def test_tools_of_the_version_that_serves_stay_usable_and_new_policies_hold_at_once(agents, api):
    assert api.post("/api/v1/tools", {"name": "vault", "spec": {
        "connection": {"baseUrl": "https://vault.test"},
        "governance": {"accessControl": {"mode": "Restricted"}}}}).status == 201

    def decision(path):
        url = path.replace(":", "%3A").replace("/", "%2F")
        return api.get(f"/api/v1/policies/explain?agent=tooled&method=GET&url={url}").json["decision"]

    agents.deploy("tooled", ANSWERS.format(text="first"), required_tools=["vault"])
    agents.await_phase("tooled", "Running")
    assert decision("https://vault.test/a") == "allow"
    agents.deploy("tooled", SYNTAX_ERROR, entry_point="agent.py", required_tools=[])
    agents.await_phase("tooled", "Failed")
    assert decision("https://vault.test/a") == "allow", "the version that serves needs it"
    agents.deploy("tooled", ANSWERS.format(text="third"))
    agents.await_phase("tooled", "Running")
    assert decision("https://vault.test/a") == "deny"
    agents.deploy("tooled", SYNTAX_ERROR, entry_point="agent.py", policies=["payments"])
    agents.await_phase("tooled", "Failed")
    assert decision("https://bank.test/a") == "allow" and decision("https://vault.test/a") == "deny"


@pytest.mark.parametrize("path", ["/api/v1/agents/{name}/rollback", "/api/agents/default/{name}/rollback"])
def test_a_rollback_deploys_the_last_version_that_served(agents, path):
    name = f"rolled-{path.count('default')}"
    serving(agents, name, "first")
    serving(agents, name, "second")
    agents.deploy(name, SYNTAX_ERROR, entry_point="agent.py")
    agents.await_phase(name, "Failed")
    answer = agents.api.post(path.format(name=name), {})
    assert answer.status == 201, answer
    assert (answer.json["agent"], answer.json["version"], answer.json["restored_version"]) == (name, 4, 2)
    agents.await_phase(name, "Running")
    assert agents.ask(name)["response"] == "second"
    answer = agents.api.post(path.format(name=name), {"version": 1})
    assert answer.json["restored_version"] == 1
    agents.await_phase(name, "Running")
    assert agents.ask(name)["response"] == "first"
    newest = agents.api.get(f"/api/v1/agents/{name}/versions?limit=1").json
    assert [(version["version"], version["restored_version"]) for version in newest] == [(5, 1)]


def test_a_rollback_leaves_the_governance_of_now(api):
    deploy(api, "governed")
    deploy(api, "governed", image="i2", **GOVERNED)
    answer = api.post("/api/v1/agents/governed/rollback", {"version": 1})
    assert answer.status == 201 and answer.json["policies"] == ["payments"], answer
    config = api.get("/api/v1/agents/governed/config").json
    assert (config["image"], config["policies"], config["monthly_budget_usd"]) == ("i", ["payments"], 20)
    named = api.post("/api/v1/agents/governed/rollback", {"version": 1, "policies": []})
    assert named.json["policies"] == [] and any("no policy is bound" in each for each in named.json["warnings"])


def test_a_rollback_to_what_is_not_there_says_so(api):
    deploy(api, "single")
    assert api.post("/api/v1/agents/single/rollback", {}).status == 409
    assert api.post("/api/v1/agents/single/rollback", {"version": 1}).status == 409
    missing = api.post("/api/v1/agents/single/rollback", {"version": 9})
    assert missing.status == 404 and "versions are 1 to 1" in missing.error
    assert api.post("/api/v1/agents/none-such/rollback", {}).status == 404
