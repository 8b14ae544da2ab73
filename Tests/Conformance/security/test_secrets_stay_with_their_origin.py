"""Secrets stay with their origin: a resource that moves needs them again, and people's consents end."""

import threading

import pytest

from consent_world import SECRET, World, consent
from governed_agent import GovernedAgent
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

KEY = "planted-key-of-the-bank-42"


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("origins")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def api(module_sluice):
    """An operator's requests, in a daemon without resources."""
    admin = module_sluice.client()
    for kind in ("tools", "model-providers", "identity-providers", "agents", "deploy-drafts"):
        for each in admin.get(f"/api/v1/{kind}").json:
            admin.delete(f"/api/v1/{kind}/{each.get('name') or each['id']}")
    return module_sluice.client(module_sluice.key("operator"))


def tool(url="https://bank.test/v1", auth=None, **more):
    return {"name": "bank", "spec": {"connection": {
        "baseUrl": url, "authentication": auth or {"type": "APIKey", "apiKeyConfig": {"in": "Header", "name": "X-Key"}},
    }}} | more


def provider(endpoint="https://models.test/v1", auth=None, **more):
    return {"name": "models", "spec": {
        "provider": "openai", "endpoint": endpoint, "models": ["m"], "auth": auth or {"type": "APIKey"}}} | more


def oauth(token="https://id.test/token", page=None):
    config = {"tokenUrl": token} | ({"authUrl": page} if page else {})
    return {"type": "OAuth2", "oauth2Config": config}


KEYED = {"credentials": {"api_key": KEY}}
CLIENT = {"credentials": {"client_id": "c-1234", "client_secret": SECRET}}
AWS = {"type": "AWSSignature", "awsSignatureConfig": {"region": "eu-west-1", "service": "s3"}}
AWS_KEYS = {"credentials": {"access_key_id": "AKIA12345678", "secret_access_key": SECRET, "session_token": KEY}}

# What is stored first, what moves it, the member that is named, and the secrets that have to come again.
MOVES = [
    ("tools", tool(**KEYED), tool("https://evil.test/v1"), "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool(**KEYED), tool("http://bank.test/v1"), "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool(**KEYED), tool("https://bank.test:8443/v1"), "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool(**KEYED), {"name": "bank", "base_url": "https://evil.test", "auth_type": "APIKey"},
     "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool(auth=oauth(), **CLIENT), tool(auth=oauth("https://evil.test/token")), "tokenUrl",
     ["client_id", "client_secret"]),
    ("tools", tool(auth=oauth(), **CLIENT), tool("https://evil.test", auth=oauth()), "spec.connection.baseUrl",
     ["client_id", "client_secret"]),
    ("tools", tool(auth=oauth(page="https://id.test/a"), **CLIENT), tool(auth=oauth(page="https://evil.test/a")),
     "authUrl", ["client_id", "client_secret"]),
    ("tools", tool(auth=AWS, **AWS_KEYS), tool("https://evil.test/v1", auth=AWS), "spec.connection.baseUrl",
     ["access_key_id", "secret_access_key", "session_token"]),
    # With a dot at its end a name is looked up in no search domain.
    ("tools", tool(**KEYED), tool("https://bank.test./v1"), "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool("https://bank/v1", **KEYED), tool("https://bank./v1"), "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool("https://bank./v1", **KEYED), tool("https://bank/v1"), "spec.connection.baseUrl", ["api_key"]),
    ("tools", tool(auth=oauth(), **CLIENT), tool(auth=oauth("https://id.test./token")), "tokenUrl",
     ["client_id", "client_secret"]),
    ("model-providers", provider(**KEYED), provider("https://models.test./v1"), "spec.endpoint", ["api_key"]),
    ("model-providers", provider(**KEYED), provider("https://evil.test/v1"), "spec.endpoint", ["api_key"]),
    ("model-providers", provider(None, **KEYED), provider("https://evil.test/v1"), "spec.endpoint", ["api_key"]),
    ("model-providers", provider(auth=oauth(), **CLIENT), provider(auth=oauth("https://evil.test/t")), "tokenUrl",
     ["client_id", "client_secret"]),
]


@pytest.mark.parametrize("kind,stored,moved,member,names", MOVES)
@pytest.mark.parametrize("base", ["/api", "/api/v1", "/api/v1/workspaces/default"])
def test_what_moves_without_its_secrets_is_refused_and_stays(api, base, kind, stored, moved, member, names):
    assert api.post(f"{base}/{kind}", stored).status == 201
    before = api.get(f"{base}/{kind}/{stored['name']}").json
    refused = api.post(f"{base}/{kind}", moved)
    assert refused.status == 400 and member in refused.error, refused
    for name in names:
        assert f"credentials.{name}" in refused.error
    assert refused.error.count("credentials.") == len(names), "and no other"
    assert KEY not in refused.error and SECRET not in refused.error
    assert api.get(f"{base}/{kind}/{stored['name']}").json == before
    accepted = api.post(f"{base}/{kind}", moved | {"credentials": stored["credentials"]})
    assert accepted.status == 201 and sorted(accepted.json["secrets_set"]) == names, accepted


@pytest.mark.parametrize("kind,stored,changed", [
    ("tools", tool(**KEYED), tool("https://bank.test/v2")),
    ("tools", tool(**KEYED), tool("https://BANK.test:443/v1")),
    ("tools", tool(auth=oauth(), **CLIENT), tool(auth=oauth("https://id.test/other"))),
    ("model-providers", provider(**KEYED), provider("https://models.test/v2")),
    ("model-providers", provider("https://api.openai.com/v1", **KEYED), provider(None)),
])
def test_what_stays_at_its_origin_keeps_its_secrets(api, kind, stored, changed):
    assert api.post(f"/api/v1/{kind}", stored).status == 201
    answer = api.post(f"/api/v1/{kind}", changed)
    assert answer.status == 201 and sorted(answer.json["secrets_set"]) == sorted(stored["credentials"]), answer


def test_part_of_the_secrets_is_not_enough(api):
    assert api.post("/api/v1/tools", tool(auth=oauth(), **CLIENT)).status == 201
    refused = api.post("/api/v1/tools", tool(auth=oauth("https://evil.test/t"), credentials={"client_id": "mine"}))
    assert refused.status == 400 and "credentials.client_secret" in refused.error
    assert "credentials.client_id" not in refused.error


def test_secrets_do_not_follow_in_two_steps(api):
    """First to another way of authentication, then to another origin: they come again, or are deleted before."""
    assert api.post("/api/v1/tools", tool(**KEYED)).status == 201
    assert api.post("/api/v1/tools", tool(auth={"type": "None"})).json["secrets_set"] == ["api_key"]
    for body in (tool("https://evil.test", auth={"type": "None"}), {"name": "bank", "base_url": "https://evil.test"}):
        refused = api.post("/api/v1/tools", body)
        assert refused.status == 400 and "credentials.api_key" in refused.error
    assert api.delete("/api/v1/secrets/tool/bank/api_key").status == 200
    moved = api.post("/api/v1/tools", tool("https://evil.test", auth={"type": "None"}))
    assert moved.status == 201 and not moved.json.get("secrets_set")
    assert not api.post("/api/v1/tools", tool("https://evil.test")).json.get("secrets_set")


def test_secrets_that_another_authentication_does_not_use_are_deleted_by_a_move(api):
    assert api.post("/api/v1/tools", tool(**KEYED)).status == 201
    moved = api.post("/api/v1/tools", tool("https://other.test", auth=oauth(), **CLIENT))
    assert moved.status == 201 and sorted(moved.json["secrets_set"]) == ["client_id", "client_secret"]


def test_a_token_endpoint_that_is_added_gets_no_secret_that_was_there(api, module_sluice):
    assert api.post("/api/v1/tools", tool(auth={"type": "None"})).status == 201
    for name in ("client_id", "client_secret"):
        assert module_sluice.client().post("/api/v1/secrets", {
            "owner_kind": "tool", "owner": "bank", "name": name, "value": SECRET}).status == 201
    assert api.post("/api/v1/tools", tool(auth=oauth("https://evil.test/t"))).status == 400


# Every way in.

MOVED_FLAT = {"name": "bank", "base_url": "https://evil.test", "auth_type": "APIKey"}


def deploy(**more):
    return {"agent_name": "clerk", "image": "i", "tools_to_create": [MOVED_FLAT]} | more


@pytest.mark.parametrize("path,body", [
    ("/api/deploy", deploy()), ("/api/v1/deploy", deploy()), ("/api/v1/deploy/preview", deploy()),
])
def test_a_deploy_moves_no_tool_without_its_secrets(api, path, body):
    assert api.post("/api/v1/tools", tool(**KEYED)).status == 201
    refused = api.post(path, body)
    assert refused.status == 400 and "credentials.api_key" in refused.error, refused
    assert api.get("/api/v1/tools/bank").json["spec"]["connection"]["baseUrl"] == "https://bank.test/v1"
    assert api.get("/api/v1/agents/clerk").status == 404, "all of it or nothing"


def plan(kind, params):
    return {"actions": [{"type": kind, "idempotency_key": f"{kind}-1", "params": params}]}


@pytest.mark.parametrize("kind,params", [
    ("tool.upsert", tool("https://evil.test")), ("model_provider.upsert", provider("https://evil.test")),
    ("deploy.execute", deploy())])
def test_a_plan_moves_nothing_without_its_secrets(api, kind, params):
    assert api.post("/api/v1/tools", tool(**KEYED)).status == 201
    assert api.post("/api/v1/model-providers", provider(**KEYED)).status == 201
    for verb in ("validate", "apply"):
        answer = api.post(f"/api/v1/actions/{verb}", plan(kind, params))
        assert "credentials.api_key" in answer.content.decode(), answer
    assert api.get("/api/v1/tools/bank").json["spec"]["connection"]["baseUrl"] == "https://bank.test/v1"
    assert api.get("/api/v1/model-providers/models").json["spec"]["endpoint"] == "https://models.test/v1"


def test_a_draft_moves_nothing_without_its_secrets(api):
    assert api.post("/api/v1/tools", tool(**KEYED)).status == 201
    draft = api.post("/api/v1/deploy-drafts", {"agent_config": {"agent_name": "clerk", "custom_image": "i"}}).json["id"]
    refused = api.post("/api/v1/deploy", {"draft_id": draft, "tools_to_create": [MOVED_FLAT]})
    assert refused.status == 400 and "credentials.api_key" in refused.error, refused
    assert api.get(f"/api/v1/deploy-drafts/{draft}").json["status"] == "IN_PROGRESS"


def test_the_starter_kit_takes_over_no_tool_of_its_name(api):
    stored = tool(**KEYED) | {"name": "echo-tool"}
    assert api.post("/api/v1/tools", stored).status == 201
    assert api.post("/api/v1/starter-kit").status == 201
    assert api.get("/api/v1/tools/echo-tool").json["spec"]["connection"]["baseUrl"] == "https://bank.test/v1"


def test_an_identity_provider_moves_without_its_secret_nowhere(api):
    def spec(**more):
        return {"host": "h", "userIDClaim": "email", "identityProvider": {
            "issuer": "https://id.test", "jwksUri": "https://id.test/keys", "clientId": "c"} | more}

    assert api.post("/api/v1/identity-providers", {"name": "p", "spec": spec(clientSecret=SECRET)}).status == 201
    for moved in (spec(issuer="https://evil.test"), spec(tokenEndpoint="https://evil.test/t")):
        refused = api.post("/api/v1/identity-providers", {"name": "p", "spec": moved})
        assert refused.status == 400 and "credentials.client_secret" in refused.error, refused
    assert api.post("/api/v1/identity-providers", {
        "name": "p", "spec": spec(issuer="https://other.test", clientSecret=SECRET)}).status == 201


def test_connectors_are_held_against_the_same_rule(api):
    made = api.post("/api/v1/approval-connectors", {
        "name": "c", "type": "webhook", "endpoint": "https://hooks.test/a", "headers": {"X-Key": KEY}})
    assert made.status == 201, made
    path = f"/api/v1/approval-connectors/{made.json['id']}"
    for endpoint in ("https://evil.test/a", "http://hooks.test/a", "https://hooks.test:444/a"):
        refused = api.patch(path, {"endpoint": endpoint})
        assert refused.status == 400 and "headers" in refused.error and "another origin" in refused.error, refused
    assert api.patch(path, {"endpoint": "https://hooks.test/b"}).status == 200
    assert api.delete(path).status == 200


def test_a_race_of_moves_and_secrets_sends_no_secret_elsewhere(api):
    """One stores the tool with its key, the other at another origin without: no outcome has both."""
    outcomes = []

    def store(body):
        outcomes.append(api.post("/api/v1/tools", body).status)

    for _ in range(10):
        api.delete("/api/v1/tools/bank")
        threads = [threading.Thread(target=store, args=(body,)) for body in (
            tool(**KEYED), tool("https://evil.test")) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = api.get("/api/v1/tools/bank").json
        if stored.get("secrets_set"):
            assert stored["spec"]["connection"]["baseUrl"] == "https://bank.test/v1"
    assert set(outcomes) <= {201, 400, 409}


# Consents.

@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def test_a_consent_does_not_follow_its_tool_to_another_origin(world):
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200
    other = ScriptedTool()
    try:
        GovernedAgent(world.sluice, "mailer", [
            ("allow", ["GET"], url + "/*") for url in (other.url, world.tool.url)])
        body = {"name": "mail", "spec": {"connection": {"baseUrl": other.url, "authentication": {
            "type": "OAuth2", "oauth2Config": {
                "authUrl": world.oauth.url + "/authorize", "tokenUrl": world.oauth.url + "/token",
                "scopes": ["mail.read"]}}}}}
        assert world.agent.api.post("/api/v1/tools", body).status == 400
        moved = world.agent.api.post("/api/v1/tools", body | {
            "credentials": {"client_id": "sluice-client", "client_secret": SECRET}})
        assert moved.status == 201 and sorted(moved.json["secrets_set"]) == ["client_id", "client_secret"]
        world.asked(world.agent.start("ada"))
        assert other.calls == [], "no token went there"
        names = [each["name"] for each in world.agent.api.get("/api/v1/secrets").json]
        assert "consent:ada" not in names
        exported = world.sluice.run("log", "cat", "--data-dir", world.sluice.data).stdout
        assert any("consent:ada" in line and "deleted" in line.lower() for line in exported.splitlines()), \
            "the record says that it ended"
        world.connect()
        world.asked(world.agent.start("ada"))
        assert world.oauth.grants == ["authorization_code"], "nor does it come back"
    finally:
        other.close()
