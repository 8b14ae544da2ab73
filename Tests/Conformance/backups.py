"""What the tests of backups look at: every file of a directory, and everything that a daemon shows."""

import json
import re

COLLECTIONS = [
    "/runs?limit=200", "/governance/requests", "/api/v1/agents", "/api/v1/tools", "/api/v1/policies",
    "/api/v1/model-providers", "/api/v1/identity-providers", "/api/v1/approval-connectors",
    "/api/v1/approval-connectors/activity", "/api/v1/approval-connectors/defaults", "/api/v1/auth/api-keys",
    "/api/v1/secrets", "/api/v1/billing", "/api/v1/context/export", "/api/v1/deploy-drafts"]


def contents(directory):
    """The bytes of each file, by its path."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def segments(directory):
    """The log's segments, by their names."""
    return {name: content for name, content in contents(directory).items() if name.endswith(".seg")}


def answers(sluice):
    """What every GET of the daemon answers about its resources, by path, but for times that no log has: that of an
    export's making, and those of keys' last use."""
    api = sluice.client()
    paths = list(COLLECTIONS)
    for run in api.get("/runs?limit=200").json:
        base = f"/runs/{run['id']}"
        paths += [base, base + "/events?limit=1000", base + "/actions"]
    for kind in ("agents", "tools", "policies"):
        paths += [f"/api/v1/{kind}/{each['name']}" for each in api.get(f"/api/v1/{kind}").json]
    found = {}
    for path in paths:
        answer = api.get(path)
        found[path] = (answer.status, re.sub(rb',"lastUsedAt":"[^"]*"|"generated_at":"[^"]+"', b"", answer.content))
    return found


def position(sluice):
    return sluice.client().get("/readyz").json["position"]


def data(ended):
    """What a command has printed with `--json`."""
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
