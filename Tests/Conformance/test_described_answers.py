"""The comparison of answers with the document, which the client of these tests makes for each of them."""

import json

import pytest

from described_answers import METHODS, check, check_of, document, operation

JSON = {"content-type": "application/json"}
RUN = {"id": "01a22d88-301e-7ed4-80c2-fca106ecd9ea", "agent_id": "a", "user_id": "u", "status": "RUNNING",
       "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
TOOL = {"name": "t", "spec": {"connection": {"baseUrl": "https://t.test"}, "accessMode": "Open"}}


def test_every_answer_of_the_document_can_be_compared():
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            for status in item[method]["responses"]:
                assert check_of(path, method.upper(), status) is not None


@pytest.mark.parametrize("target, described", [
    ("/runs", "/runs"), ("/api/runs/x", "/runs/{runId}"), ("/api/v1/workspaces/w/runs/x/events", "/runs/{runId}/events"),
    ("/as/key/runs/x", "/runs/{runId}"), ("/api/agents/default/a", "/agents/{namespace}/{name}"),
    ("/api/v1/agents/a/config", "/agents/{agentName}/config"), ("/v1/models", "/v1/models"), ("/healthz", "/healthz"),
    ("/api/v1/model-aliases/a", "/model-aliases/{aliasName}"), ("/api/v1/deploy-drafts", "/deploy-drafts")])
def test_an_address_is_found_in_the_document(target, described):
    assert operation("GET", target)[0] == described


def test_what_the_document_does_not_have_is_left_alone():
    assert operation("GET", "/nowhere") is None and operation("HEAD", "/runs") is None
    check("GET", "/nowhere", 200, JSON, b"{")
    check("GET", "/metrics", 200, {"content-type": "text/plain"}, b"not json")


@pytest.mark.parametrize("method, target, status, value", [
    ("GET", "/runs/x", 200, RUN), ("GET", "/runs?limit=1", 200, [RUN, RUN]), ("GET", "/api/v1/tools/t", 200, TOOL),
    ("GET", "/runs/x", 404, {"error": "no", "code": "c"}), ("GET", "/runs", 429, {"error": "slow down"}),
    ("POST", "/v1/chat/completions", 418, {"anything": 1}), ("POST", "/api/v1/agents/a/invoke", 418, ["anything"])])
def test_what_is_described_passes(method, target, status, value):
    check(method, target, status, JSON, json.dumps(value).encode())


@pytest.mark.parametrize("method, target, status, value, words", [
    ("GET", "/runs/x", 200, RUN | {"colour": "red"}, "colour"),
    ("GET", "/runs", 200, [RUN, RUN | {"effects": {"performed": 0, "failed": 0, "rejected": 0, "expired": 0, "lost": 1}}], "lost"),
    ("GET", "/runs/x", 200, {name: value for name, value in RUN.items() if name != "status"}, "status"),
    ("GET", "/runs/x", 200, RUN | {"status": "ASLEEP"}, "ASLEEP"),
    ("GET", "/api/v1/tools/t", 200, TOOL | {"spec": TOOL["spec"] | {"colour": "red"}}, "colour"),
    ("GET", "/api/v1/tools/t", 200, TOOL | {"spec": {"connection": {"baseUrl": "https://t.test", "colour": 1}}}, "colour"),
    ("GET", "/runs/x", 418, {"error": "no"}, "418"), ("GET", "/runs/x", 404, {"error": "no", "colour": 1}, "colour"),
    ("GET", "/audit/key", 200, {"key": "k"}, "application/json")])
def test_what_is_not_described_is_a_failure(method, target, status, value, words):
    with pytest.raises(AssertionError, match=words):
        check(method, target, status, JSON, json.dumps(value).encode())


def test_a_document_whose_unknown_members_are_named_is_left_alone():
    misspelt = TOOL | {"colour": 1, "warnings": ["unknown member colour is ignored: known are name, spec"]}
    for value in (misspelt, [misspelt]):
        check("GET", "/api/v1/tools" + ("/t" if isinstance(value, dict) else ""), 200, JSON, json.dumps(value).encode())
    with pytest.raises(AssertionError, match="colour"):
        check("GET", "/api/v1/tools/t", 200, JSON, json.dumps(misspelt | {"warnings": ["no policy"]}).encode())


def test_the_client_compares_what_it_receives(sluice):
    client, compared = sluice.client(), []
    client.check = lambda *arguments: compared.append(arguments[:3])
    client.get("/runs")
    assert compared == [("GET", "/runs", 200)]
    assert sluice.client().check is check
