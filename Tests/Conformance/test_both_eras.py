"""Clients of both eras at once: one thing is shown with the same members on each era's paths, and found by its id."""

import hashlib
import json
import uuid

import pytest

from governed_agent import GovernedAgent, store_tool
from served_routes import World
from team import Team
from test_contract import DOCUMENT, REGISTRY, Draft202012Validator, absolute

ERAS = ["/api", "/api/v1"]
HASH = "sha256:" + "ab" * 32
BOT_TOKEN = "xoxb-of-the-older-client"
# Of each published schema: the paths of the list and of one, in both eras. `{}` is the thing's name or id.
SHOWN = {
    "Agent": [("/api/agents", "/api/v1/agents"), ("/api/agents/{workspace}/{}", "/api/v1/agents/{}")],
    "Tool": [("/api/tools", "/api/v1/tools"), ("/api/tools/{}", "/api/v1/tools/{}")],
    "ModelProvider": [("/api/model-providers", "/api/v1/model-providers"),
                      ("/api/model-providers/{}", "/api/v1/model-providers/{}")],
    "Policy": [("/api/policies", "/api/v1/policies"), ("/api/policies/{}", "/api/v1/policies/{}")],
    "IdentityProvider": [("/api/identity-providers", "/api/v1/identity-providers"),
                         ("/api/identity-providers/{}", "/api/v1/identity-providers/{}")],
    "ApprovalConnector": [("/api/settings/approval-connectors", "/api/v1/approval-connectors"),
                          ("/api/settings/approval-connectors/{}", "/api/v1/approval-connectors/{}")],
    "AccessRequest": [("/governance/requests", "/api/v1/approvals/requests"),
                      ("/governance/requests/{}", "/api/v1/approvals/requests/{}")],
    "Run": [("/runs?status=RUNNING", "/api/v1/runs?status=RUNNING"), ("/runs/{}", "/api/v1/runs/{}")],
    "BlockedAction": [("/runs/{run}/actions", "/api/v1/runs/{run}/actions"),
                      ("/runs/{run}/actions/{}", "/api/v1/runs/{run}/actions/{}")],
    "DeployDraft": [("/api/deploy-drafts", "/api/v1/deploy-drafts"),
                    ("/api/deploy-drafts/{}", "/api/v1/deploy-drafts/{}")],
}
# What the clients of 1.4.2 read, beside the members that the published schemas list.
READ = {
    "Agent": {"image", "required_tools", "llm_config", "created_at"},
    "Tool": {"base_url", "topology", "auth", "access_mode", "spec.topology", "spec.accessMode"},
    "ModelProvider": {"provider", "endpoint", "models"},
    "AccessRequest": {"agent", "tool"},
}


@pytest.fixture(scope="module")
def world(sluice):
    made = World(sluice, "eras", "eras")
    # A tool, a provider, an agent and a run with all that they can have.
    made.made("/tools", {"name": "whole", "spec": {
        "description": "d", "connection": {"baseUrl": "https://bank.test", "topology": "External",
                                           "authentication": {"type": "None"}},
        "governance": {"accessControl": {"mode": "Open"}}}})
    made.made("/model-providers", {"name": "whole", "spec": {
        "provider": "openai", "endpoint": "https://api.openai.test/v1", "models": ["m"]}})
    made.made("/deploy", {"agent_name": "whole", "image": "i:1", "required_tools": ["whole"],
                          "llm_config": {"provider": "openai", "model": "m"}})
    made.whole_run = made.made("/runs", {"agent_id": "whole", "user_id": "u", "initial_message": "hi"})["id"]
    made.reader = sluice.client(sluice.key("viewer", "eras"))
    return made


def members(value, place=""):
    """The places of all members, those of elements of an array together."""
    if isinstance(value, list):
        return set().union(*(members(each, place) for each in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    return {place + name for name in value}.union(
        *(members(each, place + name + ".") for name, each in value.items()))


def one_of(world, kind):
    return {"Agent": "whole", "Tool": "whole", "ModelProvider": "whole", "Policy": world.policy, "IdentityProvider": world.identity,
            "ApprovalConnector": world.connector, "AccessRequest": world.request, "Run": world.whole_run,
            "BlockedAction": world.action, "DeployDraft": world.draft}[kind]


@pytest.mark.parametrize("place", [0, 1], ids=["list", "one"])
@pytest.mark.parametrize("kind", SHOWN)
def test_each_era_shows_every_member_that_clients_read(world, kind, place):
    answers = []
    for path in SHOWN[kind][place]:
        path = path.replace("{workspace}", world.workspace).replace("{run}", world.run)
        answer = world.reader.get(path.replace("{}", one_of(world, kind)))
        assert answer.status == 200, answer
        items = answer.json if place == 0 else [answer.json]
        assert items, f"{path} shows nothing"
        validator = Draft202012Validator(absolute({"$ref": f"#/components/schemas/{kind}"}), registry=REGISTRY)
        for item in items:
            assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(item)] == []
        answers.append(answer.json)
    older, current = answers
    if kind == "Run":
        # The documented lifecycle is answered exactly as documented, and current clients read no alias of it.
        for run in older if place == 0 else [older]:
            assert (run.pop("agent"), run.pop("message", None)) == (run["agent_id"], run.get("initial_message"))
            run.pop("blocked_actions", None)
    assert older == current, f"the eras differ in {members(older) ^ members(current)}"
    missing = READ.get(kind, set()) - members(current)
    assert not missing, f"clients of 1.4.2 read {missing} of {kind}"


@pytest.mark.parametrize("base", ERAS)
def test_a_deploy_answers_with_what_clients_read(world, base):
    client = world.sluice.client(world.sluice.key("operator", world.workspace))
    answer = client.post(f"{base}/deploy", {"agent_name": "answered", "image": "i:1"})
    assert answer.status == 201
    assert (answer.json["agent"], answer.json["agent_name"], answer.json["status"]) == ("answered", "answered", "deployed")
    assert "answered" in answer.json["message"]


def test_a_tool_that_is_sent_back_as_it_is_shown_can_be_changed(sluice):
    team = Team(sluice)
    assert team.post("/tools", {"name": "bank", "base_url": "https://bank.test"}).status == 201
    shown = team.get("/tools/bank").json
    assert (shown["spec"]["topology"], shown["spec"]["accessMode"]) == ("External", "Restricted")
    shown["spec"]["connection"]["topology"] = "Internal"
    shown["spec"]["governance"]["accessControl"]["mode"] = "Open"
    again = team.post("/tools", shown)
    assert again.status == 201
    assert (again.json["spec"]["topology"], again.json["spec"]["accessMode"]) == ("Internal", "Open")
    assert (again.json["topology"], again.json["access_mode"]) == ("Internal", "Open")
    only = {"name": "bank", "spec": {"connection": {"baseUrl": "https://bank.test"}, "topology": "Internal", "accessMode": "Open"}}
    spec = team.post("/tools", only).json["spec"]
    assert spec["connection"]["topology"] == "Internal" and spec["governance"]["accessControl"]["mode"] == "Open"
    only["spec"]["topology"] = 7
    assert "topology must be a string" in team.post("/tools", only).error


# Found by id alone.

@pytest.fixture
def far(sluice):
    """A workspace of its own, as the first admin's key knows it: by the ids that it was told."""
    return Team(sluice)


def test_a_run_of_another_workspace_is_found_by_its_id_alone(sluice, far):
    api = sluice.client()
    created = api.post("/runs", {"namespace": far.workspace, "agent_id": "billing", "user_id": "alice"})
    assert created.status == 201 and created.json["namespace"] == far.workspace
    run = f"/runs/{created.json['id']}"
    assert api.get(run).json["id"] == created.json["id"]
    # What old clients send when nobody chose a workspace.
    assert sluice.client(**{"X-Workspace-Namespace": "default"}).get(run).status == 200
    said = api.post(run + "/events", {"type": "USER_MESSAGE", "data": {"message": "hi"}})
    assert said.status == 201 and said.json["seq"] == 1
    asked = api.post("/governance/requests", {"subject": "alice", "tool_id": "stripe", "agent_id": "billing",
                                              "run_id": created.json["id"], "payload_hash": HASH})
    assert asked.status == 201
    assert api.get(run).json["status"] == "PAUSED_APPROVAL"
    assert api.get(f"/governance/requests/{asked.json['id']}").json["subject"] == "alice"
    assert api.post(f"/governance/requests/{asked.json['id']}/approve").json["status"] == "APPROVED"
    types = [event["type"] for event in api.get(run + "/events").json]
    assert types == ["USER_MESSAGE", "APPROVAL_REQUIRED", "APPROVED"]
    assert api.get(run + "/audit/export?format=ndjson").status == 200
    assert api.patch(run, {"status": "COMPLETED"}).json["status"] == "COMPLETED"
    assert far.get(f"/runs/{created.json['id']}").json["status"] == "COMPLETED"


def test_builds_and_analyses_of_another_workspace_are_found_by_their_ids(sluice, far):
    api, files = sluice.client(), {"agent.py": "x = 1\n"}
    build = api.post("/builds", {"namespace": far.workspace, "name": "b", "files": files}).json["id"]
    assert api.get(f"/builds/{build}").json["id"] == build and far.get(f"/builds/{build}").status == 200
    analysis = api.post("/analyze", {"namespace": far.workspace, "files": files}).json["id"]
    assert api.get(f"/analysis/{analysis}").json["id"] == analysis


def test_an_id_is_no_way_into_another_workspace(sluice, far):
    run = far.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    request = far.post("/approvals/requests", {"subject": "u", "tool_id": "t"}).json["id"]
    others = [sluice.client(sluice.key(role)) for role in ("operator", "viewer", "approver")]
    others.append(sluice.client(sluice.key("admin", "another")))
    for client in others:
        for path in (f"/runs/{run}", f"/api/v1/runs/{run}/events", f"/governance/requests/{request}"):
            assert client.get(path).status in (403, 404), path
    # One that names a workspace means that one.
    api = sluice.client()
    for client, path in ((api, f"/api/v1/workspaces/default/runs/{run}"), (api, f"/api/v1/workspaces/another/runs/{run}"),
                         (sluice.client(**{"X-Workspace-Namespace": "another"}), f"/runs/{run}")):
        assert client.get(path).status == 404, path
    assert api.post(f"/runs/{run}/events", {"namespace": "another", "type": "USER_MESSAGE"}).status == 404
    for path in (f"/runs/{uuid.uuid4()}", "/runs/none", f"/governance/requests/{uuid.uuid4()}", "/builds/none",
                 "/analysis/none"):
        assert api.get(path).status == 404, path


# Documents in the forms that were published.

def test_the_older_quickstart_deploys_its_files(sluice):
    team = Team(sluice, "/api")
    files = {"agent.py": "def handler(request, context=None):\n    return 'hi'\n"}
    assert team.post("/deploy", {"name": "hello", "files": files}).status == 201
    exported = next(each for each in team.get("/context/export").json["resources"]["agents"] if each["name"] == "hello")
    assert exported["deploy"]["source_files"] == files and "files" not in exported["deploy"]
    assert team.post("/deploy/preview", {"name": "hello", "files": files}).status == 200
    for bad in (7, {"../agent.py": "x"}, {"agent.py": 7}):
        assert "source_files" in team.post("/deploy", {"name": "hello", "files": bad}).error
    assert team.post("/deploy", {"name": "hello", "files": {}}).error == "either image or source_files is required"
    # One of them would be left out.
    both = team.post("/deploy", {"name": "hello", "files": {"other.py": "x = 1"}, "source_files": files})
    assert both.status == 400 and "send all files under source_files" in both.error
    assert team.post("/deploy", {"name": "hello", "files": files, "source_files": None}).status == 201


WITHOUT_SPEC = [
    ("/tools", {"description": "d", "connection": {"baseUrl": "https://a.test", "topology": "External"},
                "governance": {"accessControl": {"mode": "Open"}},
                "capabilities": [{"name": "read", "method": "GET", "path": "/*"}], "riskTags": ["money"]}),
    ("/model-providers", {"provider": "openai", "endpoint": "https://api.openai.test/v1", "models": ["gpt-4o"],
                          "auth": {"type": "APIKey"}, "rateLimit": {"requestsPerMinute": 60}}),
    ("/policies", {"policies": [{"permission": "allow", "resource": "https://a.test/*"}],
                   "approvals": [{"name": "n", "approvers": {"groups": ["g"]}}]}),
    ("/identity-providers", {"host": "h.test", "userIDClaim": "email", "allowedDomains": ["h.test"],
                             "identityProvider": {"issuer": "https://i.test", "jwksUri": "https://i.test/k",
                                                  "audiences": ["a"]}}),
]


@pytest.mark.parametrize("base", ERAS)
@pytest.mark.parametrize("path, document", WITHOUT_SPEC, ids=[path for path, _ in WITHOUT_SPEC])
def test_a_file_without_a_spec_means_the_same_as_one_with_it(sluice, base, path, document):
    team = Team(sluice, base)
    extra = {"credentials": {"api_key": "k"}} if path == "/model-providers" else {}
    flat = team.post(path, {"name": "x"} | document | extra, {"Prefer": "handling=strict"})
    assert flat.status == 201, flat
    whole = team.post(path, {"name": "x", "spec": document} | extra)
    assert whole.status == 201 and whole.json["spec"] == flat.json["spec"]
    if extra:
        assert flat.json["secrets_set"] == ["api_key"]
    # What an answer has, sent back, changes nothing; anything else beside a spec would be left out.
    sent_back = {name: value for name, value in whole.json.items() if name not in ("secrets_set", "warnings")}
    assert team.post(path, sent_back | extra).json["spec"] == whole.json["spec"]
    name = [*document][-1]
    beside = team.post(path, {"name": "x", "spec": document, name: ["other"]} | extra)
    assert beside.status == 400 and beside.error.startswith(f"{name} stands beside spec"), beside
    refused = team.post(path, {"name": "x"})
    assert refused.status == 400 and "required" in refused.error


@pytest.mark.parametrize("base", ERAS)
def test_what_restricts_a_tool_counts_beside_a_base_url_too(sluice, base):
    restrictions = {"governance": {"accessControl": {"requireApproval": True}}, "accessMode": "Critical", "riskTags": ["money"],
                    "capabilities": [{"name": "read", "method": "GET", "path": "/only"}]}
    made = Team(sluice, base).post(
        "/tools", {"name": "bank", "base_url": "https://bank.test", "topology": "Internal"} | restrictions)
    spec = made.json["spec"]
    assert made.status == 201 and spec["connection"]["topology"] == "Internal", made
    assert spec["governance"]["accessControl"] == {"mode": "Critical", "requireApproval": True}
    assert (spec["capabilities"], spec["riskTags"]) == (restrictions["capabilities"], ["money"])
    refused = Team(sluice, base).post("/tools", {"name": "bank", "base_url": "https://bank.test", "capabilities": 7})
    assert refused.status == 400 and "capabilities must be an array" in refused.error


@pytest.mark.parametrize("path, document, words", [
    ("/tools", {"connection": {"topology": "External"}}, "base_url"), ("/tools", {"connection": 7}, "connection"),
    ("/tools", {"connection": {"baseUrl": "https://a.test"}, "capabilities": 7}, "capabilities must be an array"),
    ("/model-providers", {"provider": 7}, "provider must be a string"),
    ("/model-providers", {"provider": "openai", "models": 7}, "models must be an array"),
    ("/policies", {"policies": [{"permission": "maybe"}]}, "permission"),
    ("/identity-providers", {"host": "h.test"}, "identityProvider is required"),
])
def test_a_file_without_a_spec_is_checked_as_one_with_it(sluice, path, document, words):
    answer = Team(sluice).post(path, {"name": "x"} | document)
    assert answer.status == 400 and words in answer.error, answer


# Plans.

def draft_of(agent, **more):
    return {"source_files": {"agent.py": "def handler(r, c=None):\n    return r\n"}, "agent_config": {"agent_name": agent}} | more


def action(kind, key, params):
    return {"type": kind, "idempotency_key": key, "params": params}


def test_a_plan_makes_a_draft_under_its_id_and_deploys_it(sluice):
    team = Team(sluice)
    plan = {"actions": [
        action("deploy_draft.create_or_patch", "1", draft_of("billing", id="draft-of-the-plan")),
        action("deploy_draft.create_or_patch", "2", {"id": "draft-of-the-plan", "step": "end"}),
        action("deploy.execute", "3", {"agent_name": "billing", "draft_id": "draft-of-the-plan"})]}
    checked = team.post("/actions/validate", plan).json
    assert checked["valid"], checked
    done = team.post("/actions/apply", plan).json
    assert done["applied"] and done["results"][0]["resource_ref"] == "deploy_draft/draft-of-the-plan", done
    shown = team.get("/deploy-drafts/draft-of-the-plan").json
    assert (shown["status"], shown["step"], shown["version"]) == ("COMPLETED", "end", 3)
    assert team.get("/agents/billing").status == 200
    assert team.post("/actions/apply", plan).json == done, "a plan is done once"


def test_a_draft_that_a_plan_names_is_checked_before_it_is_made(sluice):
    team = Team(sluice)

    def refused(*actions):
        answer = team.post("/actions/apply", {"actions": list(actions)})
        assert answer.status == 400 and team.get("/deploy-drafts").json == team.get("/agents").json == []
        return " ".join(each.get("error") or "" for each in answer.json["results"])

    assert "name may hold" in refused(action("deploy_draft.create_or_patch", "1", draft_of("x", id="a/b")))
    assert "not found" in refused(action("deploy_draft.create_or_patch", "1", {"id": "gone", "expected_version": 3}))
    assert "source_files is required" in refused(
        action("deploy_draft.create_or_patch", "1", {"id": "empty"}),
        action("deploy.execute", "2", {"agent_name": "x", "draft_id": "empty"}))
    # Only what comes before a deploy is there for it.
    assert "draft_id names no draft" in refused(
        action("deploy.execute", "1", {"agent_name": "x", "draft_id": "late"}),
        action("deploy_draft.create_or_patch", "2", draft_of("x", id="late")))


# A channel of Slack as an endpoint.

CHANNEL = {"name": "slack", "type": "slack", "endpoint": "C0123456789", "headers": {"X-Slack-Bot-Token": BOT_TOKEN}}


def test_a_channel_with_a_bots_token_is_a_connector(sluice):
    team = Team(sluice)
    made = team.post("/approval-connectors", CHANNEL)
    assert made.status == 201, made
    assert (made.json["endpoint"], made.json["headers"]) == ("C0123456789", {"X-Slack-Bot-Token": "***"})
    one = f"/approval-connectors/{made.json['id']}"
    # The published client sends back what it is shown: the token stays.
    moved = team.operator.patch(team.base + one, {"endpoint": "C0987654321", "headers": made.json["headers"]})
    assert moved.status == 200 and moved.json["endpoint"] == "C0987654321", moved
    elsewhere = team.operator.patch(team.base + one, {"endpoint": "https://hooks.test/x", "headers": made.json["headers"]})
    assert elsewhere.status == 400 and "another origin" in elsewhere.error
    other_kind = team.operator.patch(team.base + one, {"type": "webhook"})
    assert other_kind.status == 400 and "send the URL" in other_kind.error, other_kind
    named = CHANNEL | {"name": "by name", "endpoint": "#approvals", "headers": {}, "credentials": {"bot_token": BOT_TOKEN}}
    assert team.post("/approval-connectors", named).json["endpoint"] == "#approvals"
    assert BOT_TOKEN.encode() not in sluice.client().get("/api/v1/approval-connectors").content


@pytest.mark.parametrize("change, words", [
    ({"headers": {}}, "send the bot's token in headers.X-Slack-Bot-Token"),
    ({"headers": {"X-Slack-Bot-Token": ""}}, "send the bot's token"), ({"headers": {"Authorization": ""}}, "send the bot's token"),
    ({"type": "webhook"}, "http or https URL"),
    ({"endpoint": "C012"}, "http or https URL"), ({"endpoint": "c0123456789"}, "http or https URL"),
    ({"endpoint": "# general"}, "http or https URL")])
def test_what_is_no_channel_is_refused(sluice, change, words):
    answer = Team(sluice).post("/approval-connectors", CHANNEL | change)
    assert answer.status == 400 and words in answer.error, answer


@pytest.mark.parametrize("base", ["/api/settings", "/api/v1"])
def test_a_connectors_test_says_healthy_or_unhealthy(sluice, server, base):
    team = Team(sluice, base)
    body = {"type": "webhook", "endpoint": server.url + "/hook"}
    assert team.post("/approval-connectors/test", body).json["status"] == "healthy"
    body["endpoint"] = "http://127.0.0.1:1/hook"
    tested = team.post("/approval-connectors/test", body).json
    assert tested["status"] == "unhealthy" and tested["checks"][-1]["status"] == "failed"


# Exports.

def test_a_schema_names_the_form_of_exported_events(sluice, api, run):
    def lines(query):
        answer = api.get(f"/runs/{run['id']}/audit/export?{query}")
        assert answer.status == 200 and answer.headers["content-type"] == "application/x-ndjson", answer
        return [json.loads(line) for line in answer.content.decode().splitlines()]

    for query in ("schema=splunk_hec", "schema=splunk-hec", "format=ndjson&schema=splunk_hec",
                  "format=json&schema=splunk_hec", "format=splunk-hec&schema=splunk_hec"):
        head, first = lines(query)[:2]
        assert head["sourcetype"] == "sluice:checkpoint" and first["sourcetype"] == "sluice:event", query
        assert first["event"] and first["time"]
    assert lines("schema=ocsf")[1]["class_uid"] == 6003 and lines("schema=cloudevents")[1]["specversion"] == "1.0"
    for query, words in (("schema=splunk", "schema must be one of cloudevents, splunk_hec, ocsf"),
                         ("schema=ocsf&format=cloudevents", "different forms"), ("format=hec", "format must be one of")):
        refused = api.get(f"/runs/{run['id']}/audit/export?{query}")
        assert refused.status == 400 and words in refused.error


# Actions that clients make.

@pytest.fixture
def own(sluice):
    """A run whose client blocked an action of its own."""
    team = Team(sluice)
    run = team.post("/runs", {"agent_id": "billing", "user_id": "alice"}).json["id"]
    made = team.post(f"/runs/{run}/actions", {"tool_id": "stripe", "capability": "POST /v1/charges", "payload_hash": HASH})
    return team, run, made.json["action_id"]


@pytest.mark.parametrize("base", ["", "/api/v1"])
def test_an_action_that_a_client_made_is_among_the_requests(own, base):
    team, run, action = own
    path = base + ("/governance/requests" if not base else "/approvals/requests")
    listed, = team.operator.get(path).json
    assert (listed["run_id"], listed["action_id"], listed["status"]) == (run, action, "PENDING")
    assert (listed["subject"], listed["agent_id"], listed["tool_id"]) == ("alice", "billing", "stripe")
    assert (listed["capability"], listed["payload_hash"]) == ("POST /v1/charges", HASH)
    assert listed["covers"].startswith("no call")
    one = f"{path}/{listed['id']}"
    assert team.operator.get(one).json["id"] == listed["id"]
    wrong = team.admin.post(one + "/approve", {"payload_hash": "sha256:" + "00" * 32})
    assert wrong.status == 409 and wrong.error == "payload_hash mismatch"
    approved = team.admin.post(one + "/approve", {"scope": "run", "duration": "1h", "reason": "fine"})
    assert approved.status == 200, approved
    assert (approved.json["status"], approved.json["scope"], approved.json["reason"]) == ("APPROVED", "once", "fine")
    assert approved.json["approver_id"]
    assert team.get(f"/runs/{run}").json["status"] == "RUNNING"
    assert team.get(f"/runs/{run}/actions/{action}").json["status"] == "APPROVED"
    for verb in ("approve", "reject"):
        again = team.admin.post(f"{one}/{verb}")
        assert again.status == 409 and again.error == "request is not pending"
    assert team.operator.get(path).json == []
    assert [each["id"] for each in team.operator.get(path + "?status=APPROVED").json] == [listed["id"]]
    assert team.operator.get(one + "/receipt").status == 200
    types = [event["type"] for event in team.get(f"/runs/{run}/events").json]
    assert types == ["APPROVAL_REQUIRED", "APPROVED"], "the timeline is the documented one"


def test_rejecting_the_request_rejects_the_action(own):
    team, run, action = own
    request = team.get("/approvals/requests").json[0]["id"]
    rejected = team.admin.post(f"{team.base}/approvals/requests/{request}/reject", {"reason": "no"})
    assert (rejected.json["status"], rejected.json["reason"]) == ("REJECTED", "no")
    assert team.get(f"/runs/{run}").json["status"] == "FAILED"
    assert team.get(f"/runs/{run}/actions/{action}").json["status"] == "REJECTED"


@pytest.mark.parametrize("verb, status", [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_deciding_the_action_decides_its_request(own, verb, status):
    team, run, action = own
    request = team.get("/approvals/requests").json[0]["id"]
    decided = team.admin.post(f"{team.base}/runs/{run}/actions/{action}/{verb}", {"payload_hash": HASH} if verb == "approve" else {})
    assert decided.status == 200
    assert team.get(f"/approvals/requests/{request}").json["status"] == status


def test_the_request_ends_with_its_run(own):
    team, run, action = own
    request = team.get("/approvals/requests").json[0]["id"]
    assert team.post(f"/runs/{run}/cancel").status == 200
    assert team.get("/approvals/requests").json == []
    assert team.get(f"/approvals/requests/{request}").json["status"] == "EXPIRED"


def test_the_requests_of_actions_outlive_a_new_read_model(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    api.post(f"/runs/{run}/actions", {"tool_id": "t"})
    before = api.get("/approvals/requests?status=PENDING").content
    sluice.kill()
    for file in sluice.data.glob("*.sqlite*"):
        file.unlink()
    assert sluice.start().client().get("/approvals/requests?status=PENDING").content == before


def test_the_approval_of_a_clients_action_satisfies_no_call_of_the_gate(own_sluice, server):
    sluice = own_sluice()
    store_tool(sluice, "bank", server.url, None, {"capabilities": [{"name": "pay", "method": "POST", "path": "/pay"}]})
    agent = GovernedAgent(sluice, "payer", [("approval_required", ["POST"], server.url + "/*")])
    body = b'{"amount": 1}'
    stated = {"tool_id": "bank", "capability": "pay", "tool_method": "POST", "tool_url": server.url + "/pay",
              "payload_hash": "sha256:" + hashlib.sha256(body).hexdigest()}
    for scope in ("once", "run", "agent_user_ttl"):
        run = agent.start()
        assert agent.api.post(f"/runs/{run}/actions", stated).status == 201
        assert agent.approve_request(run, scope=scope)["status"] == "APPROVED"
        answer = agent.call(run, "POST", "bank", "/pay", body)
        assert (answer.status, answer.code) == (403, "APPROVAL_REQUIRED"), scope
    assert [call for call in server.calls if call.target == "/pay"] == []
