"""The document says what is served, and the binary serves what the document says."""

import json
import pathlib
import re

import pytest

import described_answers
from described_answers import METHODS, resolved
from served_routes import World, canonical, served

CONTRACT = pathlib.Path(__file__).parent / "contract"
#: Of routes that clients of other services use too, which send parameters of their own.
OPEN_PATHS = re.compile(r"^/(openai|oauth|v1)/|/models$")


@pytest.fixture(scope="module")
def document(sluice):
    return described_answers.served(sluice, "/openapi.json")


def operations(document):
    return {(method.upper(), canonical(path)): operation for path, item in document["paths"].items()
            for method, operation in item.items() if method in METHODS}


def test_the_document_has_every_route_and_no_other(sluice, document):
    routes = {(route["method"], canonical(route["path"])): route["permission"] for route in served(sluice)
              if route["method"] not in ("HEAD", "OPTIONS")}
    described = {key: operation["x-sluice-permission"] for key, operation in operations(document).items()}
    assert sorted(routes.keys() - described.keys()) == [], "served, and not described"
    assert sorted(described.keys() - routes.keys()) == [], "described, and not served"
    assert {key: (routes[key], described[key]) for key in routes if routes[key] != described[key]} == {}


def test_every_parameter_of_a_path_is_described(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            given = [resolved(each) for each in item.get("parameters", []) + item[method].get("parameters", [])]
            assert sorted(each["name"] for each in given if each["in"] == "path") == sorted(
                re.findall(r"\{([^}]*)\}", path)), (method, path)


def test_every_whole_number_in_an_address_has_its_bounds(document):
    """Without them, a number that no daemon can hold is one that the document allows."""
    unbounded = [
        (method, path, each["name"]) for path, item in document["paths"].items() for method in METHODS & item.keys()
        for each in (resolved(each) for each in item[method].get("parameters", []))
        if each["schema"].get("type") == "integer" and not {"minimum", "maximum"} <= each["schema"].keys()]
    assert unbounded == []


def query_names(operation, item):
    given = [resolved(each) for each in item.get("parameters", []) + operation.get("parameters", [])]
    return sorted(each["name"] for each in given if each["in"] == "query" and not each.get("x-sluice-ignored"))


def test_the_query_parameters_of_every_route_are_described_and_no_others(sluice, document):
    """A route can read those alone that it lists. At an agent's address no route answers for the past."""
    described = {(method.upper(), canonical(path)): query_names(item[method], item)
                 for path, item in document["paths"].items() for method in METHODS & item.keys()}
    for route in served(sluice):
        key = route["method"], canonical(route["path"])
        if key not in described:
            continue
        names = set(route["query"]) | ({"as_of"} if route.get("as_of") else set())
        assert names - set(described[key]) == set(), (key, "read, and not described")
        allowed = {"as_of"} if route["path"].startswith("/as/") else set()
        assert set(described[key]) - names <= allowed, (key, "described, and not read")


def is_list(operation):
    schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return resolved(schema).get("type") == "array"


def test_lists_and_filters_refuse_unknown_query_parameters_and_name_the_known_ones(sluice, document):
    """An unknown filter that is ignored would show what it excludes."""
    world, refused = World(sluice), []
    for path, item in document["paths"].items():
        operation = item.get("get")
        if operation is None or OPEN_PATHS.search(path):
            continue
        names = query_names(operation, item)
        if not is_list(operation) and not set(names) - {"as_of"}:
            continue
        base = item.get("servers", document["servers"])[0]["url"]
        address = world.address(base.rstrip("/") + path)
        answer = world.api.get(address + "?no_such_filter=1")
        assert answer.status == 400, (path, answer)
        assert answer.error.startswith("unknown query parameter no_such_filter: "), (path, answer)
        assert all(name in answer.error for name in names), (path, answer)
        refused.append(path)
    assert {"/runs", "/approvals/requests", "/agents", "/secrets", "/catalog", "/runs/{runId}/audit/export"} <= set(refused)


@pytest.mark.parametrize("target, words", [
    ("/approvals/requests?agent_id=nobody", "known are as_of, cursor, limit, sort, status"),
    ("/api/governance/requests?agent_id=nobody", "known are as_of, cursor, limit, sort, status"),
    ("/api/v1/secrets?owner=x", "known are as_of"), ("/api/v1/routes?method=GET", "there are none here"),
    ("/runs?status=RUNNING&conversation=x", "agent_id"), ("/runs?%61gent_id=x", "unknown query parameter %61gent_id"),
    ("/runs?" + "x" * 5000 + "=1", "unknown query parameter xxx"), ("/runs?=1", "unknown query parameter"),
])
def test_an_unknown_filter_is_refused(api, target, words):
    answer = api.get(target)
    assert answer.status == 400 and words in answer.error and len(answer.error) < 600, answer


@pytest.mark.parametrize("target, words", [
    ("/runs?status=RUNNING&status=FAILED", "status must come once"), ("/runs?agent_id=a&agent_id=a", "agent_id must come once"),
    ("/approvals/requests?limit=1&limit=2", "limit must come once"), ("/runs?agent_id=a%00b", "agent_id must have no NUL")])
def test_a_filter_of_which_a_part_would_be_ignored_is_refused(api, target, words):
    answer = api.get(target)
    assert answer.status == 400 and words in answer.error, answer


def test_a_filter_of_the_catalog_may_have_several_values(api):
    both = api.get("/api/v1/catalog?category=none&category=nothing")
    assert both.status == 200 and both.json["items"] == []


def test_a_misspelt_parameter_of_a_revocation_is_refused_and_revokes_nothing(api, sluice):
    key = api.post("/api/v1/auth/api-keys", {"name": "stays", "role": "viewer"}).json
    answer = api.delete(f"/api/v1/auth/api-keys/{key['key']['id']}?cancel_run=true")
    assert answer.status == 400 and "known are cancel_runs" in answer.error, answer
    assert sluice.client(key["token"]).get("/api/v1/agents").status == 200


@pytest.mark.parametrize("target", [
    "/runs?agent=a&user=u&limit=3", "/runs?agent_id=&status=&sort=", "/api/v1/agents/none?verbose=1"])
def test_what_older_clients_send_and_what_reads_no_parameter_stay_as_they_are(api, target):
    assert api.get(target).status in (200, 404)


def test_every_reference_leads_somewhere_and_every_schema_is_used(document):
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "([^"]*)"', text)):
        assert resolved({"$ref": reference})
    for kind in ("schemas", "parameters", "responses"):
        unused = [name for name in document["components"][kind] if f'"#/components/{kind}/{name}"' not in text]
        assert unused == []


def test_operations_have_ids_of_their_own_and_say_what_they_do(document):
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for operation in operations(document).values())


def test_whoever_knows_the_published_document_finds_all_of_it(document):
    """Each operation of the published document is in ours, with its parameters and the fields of its answers."""
    published = json.loads((CONTRACT / "openapi-1.4.2.json").read_text())
    ours = operations(document)
    missing = [key for key in operations(published) if key not in ours]
    assert missing == []


def test_the_page_is_served_without_a_key_and_loads_nothing_else(sluice):
    answer = sluice.client(None).get("/docs")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.content.decode()
    assert "/openapi.json" in page and not re.search(r"(src|href)=\"https?:", page)
