"""A workspace is exported as one document, and imported into another daemon, without its secrets."""

import json
import subprocess

import pytest

from sluice_process import ADMIN_KEY, ROOT
from team import Team

CODE = {"agent.py": "def handler(request, context=None):\n    return 'well'\n"}
SECRETS = ("sk-of-the-model", "key-of-the-bank", "value-of-the-env")


def fill(post):
    """One of each kind, with secrets where there can be some."""
    for path, body in (
            ("/tools", {"name": "bank", "credentials": {"api_key": SECRETS[1]}, "spec": {
                "connection": {"baseUrl": "https://bank.test", "authentication": {"type": "APIKey"}}}}),
            ("/model-providers", {"name": "gpt", "credentials": {"api_key": SECRETS[0]}, "spec": {
                "provider": "openai", "models": ["m"], "auth": {"type": "APIKey"}}}),
            ("/model-aliases", {"name": "cheap/*", "spec": {"provider": "gpt", "model": "m"}}),
            ("/policies", {"name": "careful", "spec": {"policies": [
                {"permission": "allow", "resource": "https://bank.test/*"}]}}),
            ("/identity-providers", {"name": "corp", "spec": {
                "host": "corp.test", "userIDClaim": "email",
                "identityProvider": {"issuer": "https://id.test", "jwksUri": "https://id.test/k"}}}),
            ("/deploy", {"agent_name": "payer", "source_files": CODE, "system_prompt": "Pay", "required_tools": ["bank"],
                         "policies": ["careful"], "identity_provider": "corp", "requirements": "idna", "labels": {"a": "b"},
                         "llm_configs": [{"role": "chat", "provider": "openai", "model": "m"}],
                         "env": [{"name": "MODE", "value": "slow"}, {"name": "API_TOKEN", "value": SECRETS[2]}]}),
            ("/deploy", {"agent_name": "elsewhere", "image": "i:1", "invoke_url": "http://127.0.0.1:1/invoke"}),
            ("/deploy-drafts", {"step": "begin"}),
            ("/approvals/requests", {"subject": "ada", "tool_id": "bank"})):
        assert post(path, body).status == 201, path


@pytest.fixture(scope="module")
def team(sluice):
    team = Team(sluice)
    fill(team.post)
    assert team.admin.put("/api/v1/settings/auth", {"sessionIdleTimeoutMinutes": 15}).status == 200
    return team


@pytest.mark.parametrize("base", ["/api", "/api/v1"])
def test_an_export_has_everything_but_secrets(team, base):
    answer = team.operator.get(base + "/context/export")
    export, resources = answer.json, answer.json["resources"]
    assert (export["namespace"], export["user_id"], export["errors"]) == (team.workspace, "a operator", {})
    assert {kind: len(items) for kind, items in resources.items()} == {
        "agents": 2, "tools": 1, "model_providers": 1, "model_aliases": 1, "policies": 1, "identity_providers": 1, "approvals": 1,
        "drafts": 1, "settings": 1}
    assert export["meta"]["counts"]["agents"] == 2
    payer = next(each for each in resources["agents"] if each["name"] == "payer")
    assert payer["deploy"]["source_files"] == CODE and payer["secrets_set"] == ["API_TOKEN"]
    assert resources["tools"][0]["secrets_set"] == ["api_key"]
    assert not any(secret.encode() in answer.content for secret in SECRETS)


def test_whoever_may_not_deploy_gets_no_sources(team):
    answer = team.viewer.get("/api/v1/context/export")
    assert answer.status == 200 and b"def handler" not in answer.content
    assert all("deploy" not in agent for agent in answer.json["resources"]["agents"])


@pytest.mark.parametrize("version", ["0.2.0", "1.4.2"])
def test_the_published_clients_export(sluice, version):
    code = ("import json, sys\nfrom runagents import Client\n"
            "client = Client(endpoint=sys.argv[1], api_key=sys.argv[2])\nprint(json.dumps(client.export_context()))")
    done = subprocess.run([ROOT / f".venv/runagents-{version}/bin/python", "-c", code, sluice.url, ADMIN_KEY],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["namespace"] == "default"


def imported(sluice, path, *more, key=ADMIN_KEY, code=0):
    done = sluice.run("import", path, "--url", sluice.url, "--json", *more, SLUICE_API_KEY=key)
    assert done.returncode == code, (done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def names(lines, action):
    return {f"{line['kind']}/{line['name']}" for line in lines if line["action"] == action}


EVERYTHING = {"tool/bank", "model_provider/gpt", "model_alias/cheap/*", "policy/careful", "identity_provider/corp",
              "agent/payer", "agent/elsewhere", "settings/auth"}


def test_an_import_makes_the_same_workspace_and_a_second_one_changes_nothing(team, own_sluice, tmp_path):
    target = own_sluice()
    export = team.sluice.run("export", "--url", team.sluice.url, SLUICE_API_KEY=team.sluice.key("operator", team.workspace))
    assert export.returncode == 0, export.stderr
    file = tmp_path / "export.json"
    file.write_text(export.stdout)
    wanted = json.loads(export.stdout)["resources"]

    dry, _ = imported(target, file, "--dry-run")
    assert names(dry, "created") == EVERYTHING
    assert target.client().get("/api/v1/agents").json == []

    lines, _ = imported(target, file)
    assert names(lines, "created") == EVERYTHING
    assert {line["kind"] for line in lines if line["action"] == "skipped"} == {"deploy_draft", "access_request"}
    missing = {(line["secret"], line["owner"]) for line in lines if line["action"] == "give_again"}
    assert missing == {("api_key", "tool/bank"), ("api_key", "model_provider/gpt"), ("API_TOKEN", "agent/payer")}
    got = target.client().get("/api/v1/context/export").json["resources"]
    for kind in ("tools", "model_providers", "policies", "identity_providers"):
        assert [each["spec"] for each in got[kind]] == [each["spec"] for each in wanted[kind]]
    assert [each["deploy"] for each in got["agents"]] == [each["deploy"] for each in wanted["agents"]]
    assert got["settings"] == wanted["settings"]

    position = target.client().get("/readyz").json["position"]
    again, _ = imported(target, file)
    assert names(again, "unchanged") == EVERYTHING
    written = target.run("log", "cat", "--from", position + 1, "--data-dir", target.data).stdout
    assert not any(kind in written for kind in (".registered", ".deployed", ".stored"))

    given = target.run("secrets", "set", "api_key", "--owner", "tool/bank", "--url", target.url)
    assert given.returncode in (0, 1, 78), given
    policy = {"name": "careful", "spec": {"policies": []}}
    assert target.client().post("/api/v1/policies", policy).status == 201
    lines, _ = imported(target, file)
    assert names(lines, "updated") == {"policy/careful"}


def test_what_is_refused_stops_nothing_else_and_is_told(own_sluice, tmp_path):
    target = own_sluice()
    file = tmp_path / "export.json"
    file.write_text(json.dumps({"resources": {
        "tools": [{"name": "a/b", "spec": {"connection": {"baseUrl": "https://x.test"}}},
                  {"name": "good", "spec": {"connection": {"baseUrl": "https://x.test"}}}],
        "agents": [{"name": "without-sources"}]}}))
    lines, error = imported(target, file, code=76)
    assert names(lines, "failed") == {"tool/a/b"} and names(lines, "created") == {"tool/good"}
    assert names(lines, "skipped") == {"agent/without-sources"}
    assert "may hold letters" in lines[0]["reason"] and "1 of them" in error


@pytest.mark.parametrize("text, words", [
    ("", "is no JSON"), ("{", "is no JSON"), ("[]", "no export"), ("{\"resources\": 7}", "no export"),
    ("{\"resources\": {\"tools\": {}}}", "resources.tools must be an array"),
    ("{\"resources\": {\"agents\": [{}]}}", "resources.agents must be an array")])
def test_a_file_that_is_no_export_is_refused(sluice, tmp_path, text, words):
    file = tmp_path / "export.json"
    file.write_text(text)
    lines, error = imported(sluice, file, code=78)
    assert lines == [] and words in error


def test_a_file_that_is_not_there_and_a_daemon_that_is_not_there(sluice, tmp_path):
    _, error = imported(sluice, tmp_path / "nothing.json", code=78)
    assert "cannot be read" in error
    (tmp_path / "empty.json").write_text('{"resources": {}}')
    done = sluice.run("import", tmp_path / "empty.json", "--url", "http://127.0.0.1:9")
    assert done.returncode == 69
    _, error = imported(sluice, tmp_path / "empty.json", key="a-key-that-nobody-knows", code=77)
