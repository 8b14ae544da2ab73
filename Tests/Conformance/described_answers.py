"""Compares answers with the API's document, schemas/openapi.yaml: a member, a status or a content type that it does not
describe is a failure, in whichever test the answer was received.

Members are forbidden where a schema names `properties` and says nothing of others; `x-sluice-also` has further names,
those of older clients. What is free by design says `additionalProperties` itself, or has no `properties`. A document with
unknown members is shown as it came, with warnings that name them. Answers of tools and refusals of model providers are
relayed as they come. None of these is compared.
"""

import functools
import json
import pathlib
import re

import jsonschema_rs
import yaml

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
METHODS = {"get", "put", "post", "patch", "delete"}
PREFIXES = ["/api/v1/workspaces/{workspace}", "/api/v1", "/api", "", "/as/{agentkey}"]
#: What a refused connection, an overloaded daemon, or one without that route at that base answers on any path; and a POST
#: whose Idempotency-Key came with another request, as the document says of all of them.
ANYWHERE = {404, 405, 408, 413, 414, 422, 429, 431, 503}
LOCATION = "urn:sluice:document"
COMBINED = ("anyOf", "oneOf")


@functools.cache
def document():
    """The API's document, parsed once a process."""
    return parsed("openapi.yaml")


def served(sluice, path):
    """A document as the binary serves it, to whoever asks."""
    answer = sluice.client(None).get(path)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    return answer.json


def parsed(name):
    """A document of schemas. Dates in it are texts."""
    return json.loads(json.dumps(yaml.load((SCHEMAS / name).read_bytes(), yaml.CSafeLoader), default=str))


def closed(schema, forbids=True, location=LOCATION):
    """The schema with other members forbidden in every object that declares some.

    `forbids` is false in a part of an `allOf`, whose whole forbids them; `location` is that of the document.
    """
    def part(value, forbids=True):
        return closed(value, forbids, location)

    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if "$ref" in schema:
        place, _, name = schema["$ref"].partition("#/components/schemas/")
        return {"$ref": f"{LOCATION if place else location}#/{'closed' if forbids else 'open'}/{name}"}
    for keyword in ("properties", "patternProperties"):
        if keyword in schema:
            made[keyword] = {name: part(value) for name, value in schema[keyword].items()}
    for keyword in ("items", "additionalProperties", "unevaluatedProperties"):
        if keyword in schema:
            made[keyword] = part(schema[keyword])
    if "x-sluice-also" in schema:
        made["properties"] = dict.fromkeys(schema["x-sluice-also"], True) | made.get("properties", {})
    is_object = "properties" in made or "allOf" in schema
    for keyword in COMBINED:
        if keyword in schema:
            made[keyword] = [part(each, forbids and not is_object) for each in schema[keyword]]
    if "allOf" in schema:
        made["allOf"] = [part(each, False) for each in schema["allOf"]]
    says_so = "additionalProperties" in schema or "unevaluatedProperties" in schema or schema.get("x-sluice-open")
    if forbids and is_object and not says_so:
        made["unevaluatedProperties"] = False
    return made


def closed_schemas(document, location=LOCATION):
    """The schemas of a document as `closed` refers to them."""
    schemas = document["components"]["schemas"]
    return location, {"closed": {name: closed(schema, True, location) for name, schema in schemas.items()},
                      "open": {name: closed(schema, False, location) for name, schema in schemas.items()}}


@functools.cache
def registry():
    return jsonschema_rs.Registry([closed_schemas(document())], draft=jsonschema_rs.Draft202012)


def validator(schema):
    return jsonschema_rs.Draft202012Validator(closed(schema), registry=registry())


def resolved(value, read=document):
    """What a reference within the document leads to."""
    while "$ref" in value:
        found = read()
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


@functools.cache
def routes():
    """Patterns of paths with the operations there: first those with servers of their own, then by how few parameters
    they have.
    """
    found = []
    for path, item in document()["paths"].items():
        bases = [server["url"].rstrip("/") for server in item.get("servers", [])] or PREFIXES
        for base in bases:
            pattern = re.sub(r"\\\{path\\\}$", ".+", re.escape(base + path))
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", pattern)
            found.append(("servers" not in item, path.count("{"), base.count("{"), path, re.compile(pattern + r"\Z"), item))
    return sorted(found, key=lambda each: each[:4])


def operation(method, path):
    """The path of the document and its operation; `None` for what it does not describe."""
    return next(((described, item[method.lower()]) for *_, described, pattern, item in routes()
                 if method.lower() in METHODS & item.keys() and pattern.match(path)), None)


@functools.cache
def check_of(path, method, status):
    """What an answer has to be: a validator of JSON, or the content types that it may have."""
    described = document()["paths"][path][method.lower()]
    response = described["responses"].get(str(status), described["responses"].get("default"))
    if response is None:
        return None
    content = resolved(response).get("content", {})
    return {kind: validator(value["schema"]) if kind == "application/json" and "schema" in value else None
            for kind, value in content.items()}


def check(method, target, status, headers, content):
    """
    Raises:
        AssertionError: says what is not described, and where.
    """
    path = target.split("?")[0]
    found = operation(method, path)
    kind = headers.get("content-type", "").split(";")[0]
    if found is None or kind != "application/json" or not content:
        return
    described, details = found
    if "Gate" in details["tags"] or status >= 400 and method == "POST" and "Models" in details["tags"]:
        return
    checks = check_of(described, method, status)
    where = f"{status} of {method} {target}"
    if checks is None:
        assert status in ANYWHERE, f"{where} is not described at {described}: {content[:300]}"
        return
    assert kind in checks, f"{where}: {described} describes {sorted(checks)} and not {kind}"
    if checks[kind] is None:
        return
    value = json.loads(content)
    if any(names_unknown_members(each) for each in (value if isinstance(value, list) else [value])):
        return
    assert checks[kind].is_valid(value), f"{where} is not what {described} describes:\n{problems(checks[kind], value)}"


def names_unknown_members(value):
    """True when the warnings of an answer say that its document has unknown members: it is shown as it came."""
    warnings = value.get("warnings") if isinstance(value, dict) else None
    return isinstance(warnings, list) and any("unknown member" in str(each) for each in warnings)


def problems(validator, value):
    found = [f"/{'/'.join(map(str, error.instance_path))}: {error.message[:400]}" for error in validator.iter_errors(value)]
    return "\n".join(found[:8])
