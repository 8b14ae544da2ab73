"""What handlers looked up in requests, as a debug build records it in the file that RECORDED_READS names."""

from described_answers import METHODS, document, resolved
from served_routes import canonical

COMBINED = ("anyOf", "oneOf", "allOf")


def recorded(file):
    """Names by method, path without names of its parameters, and place, which is `query` or `body`."""
    found = {}
    for line in file.read_text().split("\n"):
        # Some members are looked up by a name that the request has, which may be any text: of several lines, too.
        parts = line.split(" ", 3)
        if len(parts) < 4 or parts[2] not in ("query", "body"):
            continue
        method, path, place, name = parts
        parts = ["{}" if part.startswith((":", "**")) else part for part in path.split("/")]
        found.setdefault((method, canonical("/".join(parts)), place), set()).add(name)
    return found


def members(schema, seen=()):
    """The names of all members that a schema of a body describes, at any depth; what is free is left out.

    So is the member of an object of exactly one, which is read whole.
    """
    if not isinstance(schema, dict) or schema.get("x-sluice-open"):
        return set()
    if "$ref" in schema:
        return set() if schema["$ref"] in seen else members(resolved(schema), (*seen, schema["$ref"]))
    names = set(schema.get("properties", {}))
    if schema.get("additionalProperties") is False and schema.get("required") == list(names):
        names = set()
    nested = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    nested += [each for keyword in COMBINED for each in schema.get(keyword, [])]
    return names.union(*(members(each, seen) for each in nested))


def described():
    """What `recorded` should give, from the API's document. `as_of` is read before any handler."""
    found = {}
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            operation = item[method]
            given = [resolved(each) for each in item.get("parameters", []) + operation.get("parameters", [])]
            query = {each["name"] for each in given if each["in"] == "query" and not each.get("x-sluice-ignored")}
            query -= {"as_of"}
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            for place, names in (("query", query), ("body", members(schema))):
                if names:
                    found[method.upper(), canonical(path), place] = names
    return found


def unread(file, left_out):
    """The described names that no handler looked up.

    A query parameter has to be looked up by its own route; `left_out` matches the paths that were not called. Where a path
    names a thing, generated requests name one that is there by chance alone: the route counts once it looked anything up. A member of a
    body may be looked up by any route, because few bodies come as far as the last member, and counts where any lookup
    was recorded: some routes are described, and answer that they are not there.
    """
    reads = recorded(file)
    assert len(reads) > 50, "the binary does not record its reads: it is no debug build"
    anywhere = set().union(*(names for key, names in reads.items() if key[2] == "body"))
    missing = {}
    for key, names in described().items():
        if key[2] == "query" and not left_out.search(key[1]) and ("{}" not in key[1] or key in reads):
            missing[key] = sorted(names - reads.get(key, set()))
        elif key[2] == "body" and key in reads:
            missing[key] = sorted(names - anywhere)
    return {key: names for key, names in missing.items() if names}


def undescribed(file):
    """The query parameters that a handler looked up and the document does not have."""
    names = described()
    found = {key: sorted(read - names.get(key, set())) for key, read in recorded(file).items() if key[2] == "query"}
    return {key: read for key, read in found.items() if read}
