"""Agents that come with Sluice are listed, deployed and invoked to the end: no network, no account."""

import json
import subprocess

import pytest

from agents_world import agents, module_sluice  # noqa: F401 - fixtures
from sluice_process import ADMIN_KEY, ROOT
from team import Team

IDS = ["playground-assistant", "text-digest", "tool-prober", "payment-clerk"]


@pytest.fixture(params=["/api", "/api/v1"])
def catalog(request, module_sluice):
    client = module_sluice.client(module_sluice.key("viewer"))
    return lambda path="": client.get(f"{request.param}/catalog{path}")


def ids(answer):
    assert answer.status == 200, answer
    return [item["id"] for item in answer.json["items"]]


def test_the_catalog_is_listed_page_by_page(catalog):
    whole = catalog().json
    assert ids(catalog()) == IDS and (whole["total"], whole["page"], whole["page_size"]) == (4, 1, 24)
    assert ids(catalog("?page_size=3")) == IDS[:3] and ids(catalog("?page_size=3&page=2")) == IDS[3:]
    assert ids(catalog("?page=9")) == [] and catalog("?page=9").json["total"] == 4
    for query in ("page=0", "page_size=0", "page_size=101", "page=x"):
        assert catalog("?" + query).status == 400


@pytest.mark.parametrize("query, found", [
    ("category=finance", ["payment-clerk"]), ("tag=handler", IDS[1:]), ("tag=approval&tag=no-code", [IDS[0], IDS[3]]),
    ("integration=echo-tool", [IDS[0], *IDS[2:]]), ("governance=approval-required", ["payment-clerk"]),
    ("search=DIGEST", ["text-digest"]), ("search=nothing-like-it", []), ("category=Finance&tag=text", [])])
def test_the_catalog_is_filtered(catalog, query, found):
    assert ids(catalog("?" + query)) == found


def test_an_agent_is_shown_in_each_of_its_versions(catalog):
    versions = catalog("/text-digest/versions").json
    assert versions["agent_id"] == "text-digest"
    assert [each["version"] for each in versions["versions"]] == ["1.1.0", "1.0.0"]
    newest, first = catalog("/text-digest").json, catalog("/text-digest?version=1.0.0").json
    assert (newest["version"], first["version"]) == ("1.1.0", "1.0.0")
    assert "keywords" in newest["deploymentTemplate"]["sourceFiles"]["agent.py"]
    assert "keywords" not in first["deploymentTemplate"]["sourceFiles"]["agent.py"]
    for path, words in (("/nothing", "catalog agent nothing not found"), ("/nothing/versions", "not found"),
                        ("/text-digest?version=9", "it has 1.1.0, 1.0.0")):
        assert catalog(path).status == 404 and words in catalog(path).error


def test_the_sources_are_python_and_say_what_they_are(module_sluice):
    for each in IDS:
        manifest = module_sluice.client().get(f"/api/v1/catalog/{each}").json
        for path, text in manifest["deploymentTemplate"]["sourceFiles"].items():
            module = compile(text, path, "exec")
            assert module.co_consts[0], f"{each} has no docstring"


DEPLOY = """
import json, sys
from runagents import Client
client = Client(endpoint=sys.argv[1], api_key=sys.argv[2])
print(json.dumps([client.catalog.deploy(each, name=each + "-by-client").agent_name for each in sys.argv[3:]]))
"""


def test_the_published_client_deploys_what_runs_to_the_end(agents):
    sluice = agents.sluice
    assert agents.api.post("/api/v1/starter-kit").status == 201
    python = ROOT / ".venv/runagents-1.4.2/bin/python"
    done = subprocess.run(
        [python, "-c", DEPLOY, sluice.url, ADMIN_KEY, *IDS[:2]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assistant, digest = json.loads(done.stdout)
    said = agents.ask(assistant, 'Call echo-tool with {"hello": "world"}')["response"]
    assert '"hello"' in said and "the tool answered" in said
    answer = agents.ask(digest, "A paragraph about paragraphs.\n\nAnother paragraph.")
    assert answer["response"].count("- [playground]") == 2
    assert (answer["paragraphs"], answer["keywords"][0]) == (2, "paragraph")


def deploy(agents, agent, **body):
    answer = agents.api.post(f"/api/v1/catalog/{agent}/deploy", body)
    assert answer.status == 201, answer
    return answer.json


def test_a_deploy_from_the_catalog_brings_what_the_agent_needs(agents):
    made = deploy(agents, "tool-prober")
    assert made["policies_created"] == ["catalog-read-only"] and made["catalog_version"] == "1.0.0"
    answer = agents.ask("tool-prober", "Probe the tools")
    assert answer["tools"]["echo-tool"] == {"method": "GET", "path": "/probe", "user": "ada", "body": ""}
    assert deploy(agents, "tool-prober")["policies_created"] == [], "what is there stays as it is"
    older = deploy(agents, "text-digest", version="1.0.0", name="older")
    assert (older["agent"], older["catalog_version"]) == ("older", "1.0.0")
    assert "keywords" not in agents.ask("older", "One paragraph.")


@pytest.mark.parametrize("path", ["/deploy", "/deploy-drafts"])
def test_an_entry_that_is_deployed_by_its_document_brings_its_policies(module_sluice, path):
    team = Team(module_sluice)
    template = team.get("/catalog/payment-clerk").json["deploymentTemplate"]
    body = {"agent_name": "clerk", "source_files": template["sourceFiles"], "policies": template["policies"],
            "required_tools": template["requiredTools"]}
    if path == "/deploy":
        answer = team.post("/deploy", body)
        assert answer.status == 201 and answer.json["policies_created"] == template["policies"], answer
        assert answer.json["missing"] == {"tools": ["echo-tool"]}
        assert team.post("/deploy", body).json["policies_created"] == []
    else:
        draft = team.post("/deploy-drafts", {
            "source_files": template["sourceFiles"], "policies": template["policies"],
            "required_tool_names": template["requiredTools"], "agent_config": {"agent_name": "clerk"}}).json
        assert draft["missing"] == {"policies": template["policies"], "tools": ["echo-tool"]}
        done = team.post(f"/deploy-drafts/{draft['id']}/complete")
        assert done.status == 200 and done.json["missing"] == {"tools": ["echo-tool"]}, done
    stored = team.get(f"/policies/{template['policies'][0]}").json["spec"]
    assert stored == team.get("/catalog/payment-clerk").json["policyDocuments"][template["policies"][0]]
    assert team.get("/agents/clerk").json["missing"] == {"tools": ["echo-tool"]}


def test_policies_of_the_catalog_come_with_its_own_sources_alone(module_sluice):
    team = Team(module_sluice)
    template = team.get("/catalog/payment-clerk").json["deploymentTemplate"]
    changed = {name: text + "# changed\n" for name, text in template["sourceFiles"].items()}
    for files, policies in ((changed, template["policies"]), (template["sourceFiles"], ["of-another"])):
        answer = team.post("/deploy", {"agent_name": "clerk", "source_files": files, "policies": policies})
        assert answer.json["policies_created"] == [] and answer.json["missing"]["policies"] == policies
    assert team.get("/policies").json == []


def test_the_payment_clerk_pays_what_was_approved_and_nothing_else(agents):
    deploy(agents, "payment-clerk")
    approver = agents.sluice.client(agents.sluice.key("approver"))
    order = {"to": "ada", "amount": "12.50"}
    for message, decision in ((json.dumps(order), "approve"), (json.dumps(order), "reject"), ("Pay Ada", "approve")):
        run = agents.start("payment-clerk", message)
        waiting = agents.eventually(
            lambda: agents.api.get("/api/v1/approvals/requests").json, lambda requests: len(requests) == 1)
        assert waiting[0]["run_id"] == run
        assert approver.post(f"/api/v1/approvals/requests/{waiting[0]['id']}/{decision}").status == 200
        finished = agents.finished(run)
        if decision == "approve":
            assert finished["status"] == "COMPLETED", agents.events(run)
            paid = agents.answer(run)["paid"]
            assert paid == order if message != "Pay Ada" else "Pay Ada" in paid["order"]
        else:
            assert finished["status"] == "FAILED"


@pytest.mark.parametrize("body, words", [
    ({"model": "no-slash"}, "model must be a provider and a model"), ({"tools": "echo-tool"}, "tools must be an array"),
    ({"agent_name": "a/b"}, "agent_name may hold"), ({"identity_provider": "corp"}, "corp"),
    ({"version": 1}, "version must be a string")])
def test_a_deploy_from_the_catalog_that_is_wrong_leaves_nothing(module_sluice, body, words):
    team = Team(module_sluice)
    answer = team.post("/catalog/payment-clerk/deploy", body)
    assert answer.status == 400 and words in answer.error
    assert team.get("/tools").json == team.get("/policies").json == []
    assert team.viewer.post("/api/v1/catalog/payment-clerk/deploy").status == 403
    assert team.post("/catalog/nothing/deploy").status == 404


def test_the_echo_tool_answers_without_a_key_and_shows_no_credentials(module_sluice):
    client = module_sluice.client(None)
    answer = client.post("/echo/a/b?c=d", {"x": 1.50}, {"Authorization": "Bearer secret-of-somebody"})
    assert answer.json == {"method": "POST", "path": "/a/b", "query": "c=d", "body": {"x": 1.5}}
    assert client.request("PUT", "/echo", content=b"no json").json["body"] == "no json"
    assert client.request("POST", "/echo", content=b"x" * 70_000).status == 413
    assert client.get("/echoes").status == 401
