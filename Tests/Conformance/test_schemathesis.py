"""Whatever the document allows and whatever it forbids: no failure of the server's own, no answer that it does not
describe, nothing without a key.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from recorded_reads import undescribed, unread
from served_routes import World
from sluice_process import ADMIN_KEY, SluiceProcess

PUBLISHED = pathlib.Path(__file__).parent / "contract" / "openapi-1.4.2.json"
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "50"))
# What the two checks expect when nothing is configured.
EXPECTED = {
    "positive_data_acceptance": ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"],
    "negative_data_rejection": ["400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx"],
}
CONFIGURATION = """
seed = {seed}
[generation]
# JSON may not have it: the answer says so, and the document cannot.
allow-x00 = false
# A parameter that nobody knows is nobody's business: newer clients send them.
allow-extra-parameters = false
[checks]
# A body may name the workspace: what it makes in another one is not found in that of the key.
ensure_resource_availability.enabled = false
[warnings]
display = []
# A model that is not there is 502 by the contract, and paying is 501.
[[operations]]
include-path-regex = "/(chat/completions|embeddings|messages|count_tokens|responses|v1|p/[^/]+)$|^/billing/"
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501", "502"]
"""
# Streams do not end by themselves, tools are whatever they are, a real agent is called, and in a stopped workspace all
# else would be refused.
LEFT_OUT = r"/events/stream$|/logs$|^/egress|^/echo|/invoke(/stream)?$|^/workspaces/[^/]+/stop$"
# The link of a consent is sealed: no handler reads on without a valid one.
NOT_REACHED = LEFT_OUT + "|^/oauth/start/"
MODEL_BASES = ("", "/v1", "/v1/p/{provider}", "/v1/v1", "/v1/p/{provider}/v1")
# Where a request that the document allows may be answered with 400 all the same, and what that is about.
JUDGED_BY_RULES = {
    "an address: which there are, the schema of a text cannot say": [
        "POST /approval-connectors", "POST /settings/approval-connectors", "POST /approval-connectors/test",
        "POST /settings/approval-connectors/test", "PATCH /approval-connectors/{connectorId}",
        "PATCH /settings/approval-connectors/{connectorId}", "POST /model-providers", "POST /identity-providers",
        "POST /tools", "POST /tools/probe"],
    "paths of files, which have no empty parts": [
        "POST /builds", "POST /ingestion/builds", "POST /analyze", "POST /ingestion/analyze", "POST /requirements",
        "POST /ingestion/requirements"],
    "members of a document that belong together, or name other things": [
        "POST /deploy", "POST /deploy/preview", "POST /deploy-drafts", "PATCH /deploy-drafts/{draftId}",
        "POST /deploy-drafts/{draftId}/complete", "POST /actions/apply", "POST /policies", "PUT /policies/{policyName}",
        "POST /policies/backtest", "POST /runs/cancel", "POST /catalog/{catalogId}/deploy", "PUT /agents/{agentName}/config", "PUT /agents/{namespace}/{name}/config",
        "POST /runs/{runId}/events", "PUT /model-limits/{limitName}"],
    "what the chosen model's provider can do": [
        *(f"POST {base}/{operation}" for base in MODEL_BASES
          for operation in ("chat/completions", "embeddings", "messages", "messages/count_tokens", "responses")),
        "POST /openai/responses",
        "POST /v1", "POST /v1/p/{provider}", "POST /openai/deployments/{model}/chat/completions",
        "POST /openai/deployments/{model}/embeddings"],
    "names of one form, which belong together": ["GET /runs/{runId}/audit/export"],
    "a model alias, which leads to a provider that is there": ["POST /model-aliases", "PUT /model-aliases/{aliasName}"],
    "pages, which go in one direction": [
        f"GET {base}/models" for base in (*MODEL_BASES, "/openai")],
    "public keys, in a format of their own": ["PUT /settings/approval-signers"],
    "an order that a search is not answered in": ["GET /runs"],
    "members of a key that belong together": ["POST /auth/api-keys"],
    "times that have to be in order": ["GET /model-usage", "GET /model-spend", "GET /billing/usage/daily"],
    "a text in a format of its own": ["POST /audit/witness/add-checkpoint"],
    "durations, whose longest a setting says": ["POST /approvals/requests", "POST /governance/requests"],
    "a person's browser, sent here by somebody else": ["GET /oauth/callback", "GET /oauth/signed-in"],
}
# What decides takes no signature but one of that decision, and no duration beyond that of a setting: the schemas of texts
# cannot say either.
SIGNED = [
    f"POST {path}/{verb}" for verb in ("approve", "reject") for path in (
        "/runs/{runId}/actions/{actionId}", "/approvals/requests/{requestId}", "/governance/requests/{requestId}")]
# Whose answer to a request that the document forbids is 200, with what is wrong of each part in it.
JUDGED_IN_THE_ANSWER = ["POST /actions/validate"]
# An empty parameter is one that is not given.
WITH_EMPTY_PARAMETERS = [
    "GET /runs", "GET /runs/{runId}/audit/export", *(f"GET {base}/models" for base in (*MODEL_BASES, "/openai"))]


def configuration():
    def operation(name, check, *statuses):
        return (f'[[operations]]\ninclude-name = "{name}"\nchecks.{check}.expected-statuses = '
                f'{EXPECTED[check] + list(statuses)}\n')

    judged = [name for names in JUDGED_BY_RULES.values() for name in names]
    return (CONFIGURATION.format(seed=20261126)
            + "".join(operation(name, "positive_data_acceptance", "400") for name in judged)
            + "".join(operation(name, "positive_data_acceptance", "422", "400") for name in SIGNED)
            + "".join(operation(name, "negative_data_rejection", "200")
                      for name in JUDGED_IN_THE_ANSWER + WITH_EMPTY_PARAMETERS))


@pytest.fixture
def sluice(tmp_path_factory):
    """One for each test: what the one stores by our document, the published one need not have."""
    directory = tmp_path_factory.mktemp("schemathesis")
    process = SluiceProcess(
        directory, {"SLUICE_LLM_TIMEOUT": "2s", "RECORDED_READS": str(directory / "reads.txt")}).start()
    world = World(process)
    world.made("/deploy", {"agent_name": "reads", "image": "i", "env": [{"name": "A", "value": "b"}]})
    # Generated requests name an agent and a tool that are there by chance alone.
    asked = f"agent={world.agent}&tool={world.tool}&method=GET&url=http://127.0.0.1:1/x"
    assert world.api.get(f"/api/v1/policies/explain?{asked}").status == 200
    yield process
    assert process.stop() == 0


def run(sluice, directory, document, configuration, *arguments):
    (directory / "schemathesis.toml").write_text(configuration)
    command = [
        pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", directory / "schemathesis.toml", "run",
        document, "--header", f"X-RunAgents-API-Key: {ADMIN_KEY}", "--header", f"Authorization: Bearer {ADMIN_KEY}",
        "--max-examples", EXAMPLES, "--exclude-path-regex", LEFT_OUT, "--continue-on-failure", "--request-timeout", 30,
        "--workers", 2, "--no-color", *arguments]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=1800, cwd=directory)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout


def test_the_api_is_what_its_document_says(sluice, tmp_path):
    shown = run(sluice, tmp_path, sluice.url + "/openapi.json", configuration(), "--checks", "all",
                "--phases", "examples,coverage,fuzzing,stateful")
    assert "stateful" in shown.lower()
    assert undescribed(sluice.directory / "reads.txt") == {}, "looked up by a handler, and not described"
    assert unread(sluice.directory / "reads.txt", re.compile(NOT_REACHED)) == {}, "described, and looked up by no handler"


def test_whoever_keeps_to_the_published_document_gets_answers_that_it_describes(sluice, tmp_path):
    """Statuses of ours that it has not, such as 429, are left out; so is what it forbids, and we take."""
    shown = run(sluice, tmp_path, PUBLISHED, CONFIGURATION.format(seed=20261127), "--url", sluice.url + "/api/v1",
                "--checks", "not_a_server_error,response_schema_conformance,content_type_conformance,ignored_auth",
                "--mode", "positive", "--phases", "examples,coverage,fuzzing")
    assert "No issues found" in shown
