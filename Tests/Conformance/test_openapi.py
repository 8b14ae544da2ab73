"""The document says what is served, and the binary serves what the document says."""

import json
import pathlib
import re

import pytest

from served_routes import canonical, served

CONTRACT = pathlib.Path(__file__).parent / "contract"
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document(sluice):
    answer = sluice.client(None).get("/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    return answer.json


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
            given = [resolve(document, each) for each in item.get("parameters", []) + item[method].get("parameters", [])]
            assert sorted(each["name"] for each in given if each["in"] == "path") == sorted(
                re.findall(r"\{([^}]*)\}", path)), (method, path)


def resolve(document, value):
    while "$ref" in value:
        found = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def test_every_whole_number_in_an_address_has_its_bounds(document):
    """Without them, a number that no daemon can hold is one that the document allows."""
    unbounded = [
        (method, path, each["name"]) for path, item in document["paths"].items() for method in METHODS & item.keys()
        for each in (resolve(document, each) for each in item[method].get("parameters", []))
        if each["schema"].get("type") == "integer" and not {"minimum", "maximum"} <= each["schema"].keys()]
    assert unbounded == []


def test_every_reference_leads_somewhere_and_every_schema_is_used(document):
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "([^"]*)"', text)):
        assert resolve(document, {"$ref": reference})
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
