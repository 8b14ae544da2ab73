"""The published clients, each in its own environment, against the built binary."""

import json
import re
import subprocess

import pytest

from compatibility import check_table
from served_routes import canonical, served
from sluice_process import ADMIN_KEY, ROOT
from test_openapi import CONTRACT, operations

VERSIONS = ["0.2.0", "1.3.1", "1.4.2"]


@pytest.fixture(scope="module")
def drive(sluice):
    """Has the client of a version make its calls, once; gives what came of them."""
    found = {}

    def drive(version):
        if version not in found:
            ended = subprocess.run(
                [ROOT / f".venv/runagents-{version}/bin/python", ROOT / "Tests/Conformance/clients/drive.py",
                 sluice.url, ADMIN_KEY, version], capture_output=True, text=True, timeout=120)
            assert ended.returncode == 0, ended.stderr
            found[version] = json.loads(ended.stdout)
        return found[version]
    return drive


@pytest.fixture(scope="module", params=VERSIONS)
def driven(request, drive):
    """What a client's calls gave back, and the prefix of the names it used."""
    version = request.param
    return version, "c" + version.replace(".", ""), drive(version)


def named(items, name):
    return next(item for item in items if item["name"] == name)


def test_the_client_deploys_and_reads_its_agent_back(driven):
    version, slug, results = driven
    assert results["deployed"]["agent_name"] == f"{slug}-billing"
    assert results["deployed"]["tools_created"] == [f"{slug}-mail"]
    agent = results["agent"]
    assert (agent["name"], agent["namespace"], agent["system_prompt"]) == (f"{slug}-billing", "default", "Pay bills")
    assert [tool["name"] if isinstance(tool, dict) else tool for tool in agent["required_tools"]] == [f"{slug}-stripe"]
    assert agent["status"] in {"Pending", "Running", "Failed"}
    assert named(results["agents"], f"{slug}-image")["image"] == "registry.test/agent:1"
    assert results["agent_missing"]["status"] == 404
    missing = "agent nobody not found" if version == "1.4.2" else "agent default/nobody not found"
    assert missing in results["agent_missing"]["text"]


def test_the_client_registers_tools_and_the_starter_kit(driven):
    _, slug, results = driven
    assert results["tool_created"]["name"] == f"{slug}-stripe"
    tool = results["tool"]
    assert (tool["description"], tool["base_url"], tool["auth_type"]) == (
        "Payments", "https://api.stripe.test", "None")
    assert {"echo-tool", f"{slug}-mail", f"{slug}-stripe"} <= {each["name"] for each in results["tools"]}
    assert results["tool_missing"]["status"] == 404
    assert 'tool "nothing" not found' in results["tool_missing"]["text"].replace("\\", "")
    provider = named(results["models"], "playground-llm")
    assert provider["provider"] == "playground" and provider["models"] == ["playground"]


def test_the_client_decides_access_requests_that_pause_a_run(driven):
    version, slug, results = driven
    assert results["asked"]["status"] == "PENDING"
    assert results["paused"]["status"] == "PAUSED_APPROVAL"
    assert results["paused"]["blocked_action_id"] == results["asked"]["action_id"]
    listed = next(each for each in results["approvals"] if each["id"] == results["asked"]["id"])
    assert listed["subject"] == "alice" and listed["tool_id"] == f"{slug}-stripe"
    approved = results["approved"]
    assert (approved["status"], approved["scope"]) == ("APPROVED", "once" if version == "0.2.0" else "agent_user_ttl")
    assert approved["duration"] == ("4h" if version == "0.2.0" else "30m")
    assert approved["approver_id"] and approved["expires_at"]
    assert results["approved_twice"]["status"] == 409
    assert "request is not pending" in results["approved_twice"]["text"]
    assert results["rejected"]["status"] == "REJECTED"


def test_the_client_follows_its_run(driven):
    version, slug, results = driven
    run_id = results["paused"]["id"]
    assert [each["id"] for each in results["runs"]] == [run_id]
    assert [each["type"] for each in results["events"]] == ["USER_MESSAGE", "APPROVAL_REQUIRED", "APPROVED"]
    if version == "0.2.0":
        return
    assert results["run"]["status"] == results["waited"]["status"] == "COMPLETED"
    assert [each["seq"] for each in results["messages"]] == [1]
    assert len(results["export"]["timeline"]) >= 3


def test_the_client_keeps_policies(driven):
    version, slug, results = driven
    if version == "0.2.0":
        return
    assert results["policy"]["name"] == f"{slug}-policy"
    assert f"{slug}-policy" in {each["name"] for each in results["policies"]}
    assert len(named(results["policies"], f"{slug}-policy")["spec"]["policies"]) == 2
    assert results["policy_missing"]["status"] == 404
    [translated] = results["translated"]
    assert (translated["permission"], translated["operations"]) == ("deny", ["DELETE"])
    assert translated["resource"] == "https://api.stripe.test/*"


def test_the_client_keeps_identity_providers(driven):
    version, slug, results = driven
    if version == "0.2.0":
        return
    people = results["people"]
    assert people == results["people_again"] == named(results["people_listed"], f"{slug}-corp")
    assert people["spec"]["host"] == "corp.test" and "https://id.test/keys" in json.dumps(people)
    assert results["people_missing"]["status"] == 404


def test_the_client_keeps_approval_connectors(driven):
    version, slug, results = driven
    if version == "0.2.0":
        return
    made = results["connector"]
    assert made["name"] == f"{slug}-ops" and made["headers"] == {"X-Key": "***"} and made["enabled"] is False
    again = results["connector_again"]
    assert again["id"] == made["id"] and again["timeout_seconds"] == 6 and again["headers"] == made["headers"]
    assert named(results["connectors"], f"{slug}-ops") == again
    tested = results["connector_tested"]
    assert tested["connector_type"] == "webhook" and tested["endpoint"] == made["endpoint"]
    # Sluice itself takes no such message; what counts is that the stored address was asked.
    assert (tested["status"], tested["checks"][-1]["message"]) == ("unhealthy", "the service answered 401")
    assert results["connector_defaults"] == results["connector_defaults_again"]
    assert results["connector_defaults"]["min_timeout_seconds"] == 1
    assert isinstance(results["connector_activity"], list)
    assert results["connector_missing"]["status"] == 404


def test_the_client_reads_an_analysis(driven):
    analysis = driven[2]["analysis"]
    assert analysis["id"].startswith("analysis-") and analysis["entry_point"] == "agent.py"
    [usage] = analysis["model_usages"]
    assert (usage["provider"], usage["role"], usage["model"]) == ("openai", "chat", "gpt-4o")
    assert analysis["detected_requirements"] == ["openai"]
    assert analysis["system_prompt_suggestion"] == "You pay bills."


def test_a_wrong_key_is_told_apart_from_other_errors(driven):
    assert driven[2]["wrong_key"]["status"] == 401


def test_every_method_of_every_client_works_and_the_document_says_so(drive):
    methods = {version: drive(version)["methods"] for version in VERSIONS}
    assert [(version, name) for version, each in methods.items() for name, came in each.items() if "works" not in came] == []
    names = sorted(set().union(*methods.values()))

    def cell(version, name):
        return ", ".join(sorted(set(methods[version][name]), reverse=True)) if name in methods[version] else "-"
    check_table("methods", ["method", *VERSIONS], [
        [f"`{name}`", *(cell(version, name) for version in VERSIONS)] for name in names])


def test_every_operation_of_the_published_document_is_served_and_the_document_says_where(sluice):
    published = json.loads((CONTRACT / "openapi-1.4.2.json").read_text())
    routes = {}
    for route in served(sluice):
        if not route["path"].startswith("/as/"):
            routes.setdefault((route["method"], canonical(route["path"])), []).append(route["path"])
    rows = []
    for method, path in sorted(operations(published), key=lambda key: (key[1], key[0])):
        paths = list(routes[method, path])
        for ours, theirs in (("/approvals/", "/governance/"), ("/approval-connectors", "/settings/approval-connectors"),
                             ("/analy", "/ingestion/analy"), ("/requirements", "/ingestion/requirements"),
                             ("/agents/{}", "/agents/{}/{}"), ("/chat/", "/v1/chat/")):
            if path.startswith(ours):
                paths += routes.get((method, theirs + path.removeprefix(ours)), [])
        assert "/api/v1" + path in [canonical_names(each) for each in paths]
        older = sorted(each for each in paths if not each.startswith("/api/v1"))
        rows.append([f"`{method} {path}`", ", ".join(f"`{canonical_names(each)}`" for each in older)])
    check_table("operations", ["operation", "older"], rows)


def canonical_names(path):
    return re.sub(r"\{[^}]*\}", "{}", path)
