"""People with tokens of their own: whom they prove when an agent is invoked, what is refused, and who approves."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from governed_agent import GovernedAgent, store_tool
from identity_server import ISSUER, IdentityServer, Key
from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from waiting import eventually


@pytest.fixture
def agent():
    scripted = ScriptedAgent()
    scripted.answers["/invoke"] = lambda body: (200, {"response": "well"})
    yield scripted
    scripted.close()


@pytest.fixture
def provider():
    server = IdentityServer()
    yield server
    server.close()


class World:
    """A workspace of its own in the shared daemon, with an identity provider and an agent that asks for its people."""

    count = 0

    def __init__(self, sluice, agent, provider, guarded=True, **spec):
        World.count += 1
        self.sluice, self.agent, self.provider = sluice, agent, provider
        self.workspace = f"people-{World.count}"
        self.key = sluice.key("admin", self.workspace)
        self.api = sluice.client(self.key)
        self.base = f"/api/v1/workspaces/{self.workspace}"
        self.store(**spec)
        self.deploy("helper", **({"identity_provider": "corp"} if guarded else {}))

    def store(self, name="corp", **spec):
        answer = self.api.post("/api/v1/identity-providers", {"name": name, "spec": self.provider.spec(**spec)})
        assert answer.status == 201, answer
        return answer.json

    def deploy(self, name, **more):
        answer = self.api.post(
            "/api/v1/deploy", {"agent_name": name, "image": "i", "invoke_url": self.agent.url + "/invoke"} | more)
        assert answer.status == 201, answer

    def client(self, token):
        return self.sluice.client(token)

    def invoke(self, token, body=None, headers=None, name="helper"):
        return self.client(token).post(
            f"{self.base}/agents/{name}/invoke", {"message": "hello"} | (body or {}), headers)

    def accepted(self, token):
        answer = self.invoke(token)
        assert answer.status == 200, answer
        return answer

    def refused(self, token, words):
        answer = self.invoke(token)
        assert answer.status == 401, answer
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"', answer
        assert answer.headers["sluice-error-code"] == "invalid_token" and words in answer.error, answer
        assert self.agent.calls.empty()


@pytest.fixture
def world(sluice, agent, provider):
    return World(sluice, agent, provider)


# Identity providers as resources.

@pytest.mark.parametrize("base", ["/api", "/api/v1", "/api/v1/workspaces/default"])
def test_identity_providers_are_stored_read_listed_and_deleted(api, provider, base):
    path = base + "/identity-providers"
    spec = provider.spec(allowedDomains=["corp.test"], groupsClaim="groups", topology="Internal", leeway_seconds=5)
    stored = api.post(path, {"name": "crud", "spec": spec | {"unknown": 1}})
    assert stored.status == 201 and stored.json["spec"] == spec and stored.json["name"] == "crud", stored
    shown = stored.json
    shown.pop("warnings", None)
    assert api.get(path + "/crud").json == shown
    changed = api.post(path, {"name": "crud", "spec": provider.spec(host="other.test")})
    assert changed.status == 201 and changed.json["spec"]["host"] == "other.test"
    assert [each["name"] for each in api.get(path).json if each["name"] == "crud"] == ["crud"]
    assert api.delete(path + "/crud").json == {"status": "deleted"}
    for answer in (api.get(path + "/crud"), api.delete(path + "/crud")):
        assert answer.status == 404 and answer.error == 'identity provider "crud" not found'


def test_names_in_snake_case_are_the_documented_ones(api):
    spec = {"host": "h", "user_id_claim": "sub", "allowed_domains": ["@x.test"], "groups_claim": "g",
            "identity_provider": {"issuer": "i", "jwks_uri": "https://x.test/keys"}}
    stored = api.post("/api/v1/identity-providers", {"name": "snake", "spec": spec}).json["spec"]
    assert stored == {"host": "h", "identityProvider": {"issuer": "i", "jwksUri": "https://x.test/keys"},
                      "userIDClaim": "sub", "allowedDomains": ["x.test"], "groupsClaim": "g"}
    api.delete("/api/v1/identity-providers/snake")


@pytest.mark.parametrize("change,field", [
    ({"host": None}, "spec.host"), ({"host": 7}, "spec.host"), ({"userIDClaim": ""}, "spec.userIDClaim"),
    ({"identityProvider": None}, "spec.identityProvider"), ({"identityProvider": []}, "spec.identityProvider"),
    ({"identityProvider": {"jwksUri": "https://x.test"}}, "spec.identityProvider.issuer"),
    ({"identityProvider": {"issuer": "i"}}, "spec.identityProvider.jwksUri"),
    ({"identityProvider": {"issuer": "i", "jwksUri": "file:///etc/passwd"}}, "spec.identityProvider.jwksUri"),
    ({"identityProvider": {"issuer": "i", "jwksUri": "https://u:p@x.test/"}}, "spec.identityProvider.jwksUri"),
    ({"identityProvider": {"issuer": "i", "jwksUri": "https://x.test", "audiences": "a"}},
     "spec.identityProvider.audiences"),
    ({"identityProvider": {"issuer": "i", "jwksUri": "https://x.test", "audiences": [1]}},
     "spec.identityProvider.audiences"),
    ({"allowedDomains": "corp.test"}, "spec.allowedDomains"), ({"allowedDomains": ["a@b"]}, "spec.allowedDomains"),
    ({"groupsClaim": ["groups"]}, "spec.groupsClaim"), ({"role": "admin"}, "spec.role"), ({"role": 1}, "spec.role"),
    ({"topology": "Elsewhere"}, "spec.topology"), ({"leeway_seconds": 301}, "spec.leeway_seconds"),
    ({"leeway_seconds": "9"}, "spec.leeway_seconds"),
    ({"role": "approver", "identityProvider": {"issuer": "i", "jwksUri": "https://x.test"}},
     "spec.identityProvider.audiences"),
])
def test_a_wrong_field_is_named(api, provider, change, field):
    answer = api.post("/api/v1/identity-providers", {"name": "bad", "spec": provider.spec() | change})
    assert answer.status == 400 and answer.error.startswith(field), answer
    assert api.get("/api/v1/identity-providers/bad").status == 404


def test_only_an_admin_says_as_what_people_sign_in(sluice, provider):
    operator = sluice.client(sluice.key("operator"))
    plain = operator.post("/api/v1/identity-providers", {"name": "plain", "spec": provider.spec(issuer="plain")})
    assert plain.status == 201
    answer = operator.post("/api/v1/identity-providers", {"name": "plain", "spec": provider.spec(role="approver")})
    assert answer.status == 403 and "admin" in answer.error
    operator.delete("/api/v1/identity-providers/plain")


def test_a_deploy_names_a_provider_that_exists(api):
    for wrong in ("nobody", 7):
        answer = api.post("/api/v1/deploy", {"agent_name": "lost", "image": "i", "identity_provider": wrong})
        assert answer.status == 400 and "identity_provider" in answer.error, answer


# Whom a token proves.

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("says_algorithm", [True, False], ids=["key-says-alg", "key-of-its-kind"])
def test_every_algorithm_proves_a_person(world, algorithm, says_algorithm):
    world.provider.keys = [Key("k", algorithm, says_algorithm)]
    answer = world.accepted(world.provider.token())
    path, headers, body = world.agent.next_call()
    assert headers["x-end-user-id"] == "ada%40corp.test" or headers["x-end-user-id"] == "ada@corp.test"
    assert body["user_id"] == "ada@corp.test"
    run = world.api.get(f"/api/v1/runs/{answer.headers['x-run-id']}").json
    assert run["user_id"] == "ada@corp.test" and run["status"] == "COMPLETED"


def test_both_eras_take_a_token_alone_or_beside_a_key(world):
    token = world.provider.token()
    paths = [f"{world.base}/agents/helper/invoke", f"/api/agents/{world.workspace}/helper/invoke"]
    for path in paths + ["/api/v1/agents/helper/invoke"]:
        beside = {"X-RunAgents-API-Key": world.key}
        answer = world.client(token).post(path, {"message": "hello"}, beside)
        assert answer.status == 200, (path, answer)
        assert world.agent.next_call()[2]["user_id"] == "ada@corp.test"
    for path in paths:
        assert world.client(token).post(path, {"message": "hello"}).status == 200, path
    named = world.client(token).post(
        "/api/v1/agents/helper/invoke", {"message": "hello"}, {"X-Workspace-Namespace": world.workspace})
    assert named.status == 200, named


def test_a_body_may_not_name_another_user(world):
    token = world.provider.token()
    assert world.invoke(token, {"user_id": "ada@corp.test"}).status == 200
    answer = world.invoke(token, {"user_id": "eve@corp.test"})
    assert answer.status == 400 and "user_id" in answer.error


def test_an_agent_with_a_provider_is_not_invoked_without_its_people(world):
    for answer in (
            world.invoke(world.key),
            world.api.post("/runs", {"agent_id": "helper", "user_id": "ada", "invoke": True}),
            world.api.post("/runs", {"agent_id": "helper", "user_id": "ada", "invoke_url": world.agent.url + "/invoke"})):
        assert answer.status == 401 and "corp" in answer.error, answer
        assert answer.headers["www-authenticate"] == "Bearer"
    assert world.agent.calls.empty()


def test_when_the_provider_is_gone_nobody_invokes_its_agents(world):
    assert world.api.delete("/api/v1/identity-providers/corp").status == 200
    world.refused(world.provider.token(), "corp")
    assert world.invoke(world.key).status == 401
    world.store()
    world.accepted(world.provider.token())


def test_a_change_of_the_provider_counts_at_once(world):
    world.accepted(world.provider.token())
    world.agent.next_call()
    world.store(identityProvider=world.provider.spec()["identityProvider"] | {"audiences": ["another"]})
    world.refused(world.provider.token(), "audience")


def test_an_api_key_may_look_like_a_token(own_sluice):
    key = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"
    sluice = own_sluice(SLUICE_API_KEY=key)
    assert sluice.client(key).get("/runs").status == 200
    assert sluice.client(key + "x").get("/runs").status == 401


def test_people_of_another_provider_do_not_count(world):
    other = IdentityServer(Key("k1", "RS256"))
    try:
        spec = other.spec(issuer="https://other.test")
        assert world.api.post("/api/v1/identity-providers", {"name": "other", "spec": spec}).status == 201
        token = other.token(iss="https://other.test")
        world.deploy("open")
        assert world.invoke(token, name="open").status == 200
        world.agent.next_call()
        world.refused(token, "signature")
    finally:
        other.close()


def test_a_token_is_of_its_workspace_alone(sluice, agent, provider, world):
    second = World(sluice, agent, provider, issuer="https://second.test")
    answer = second.client(provider.token()).post(f"{second.base}/agents/helper/invoke", {"message": "hello"})
    assert answer.status == 401, answer
    # An admin may work in any workspace: the person is proven in the one where the agent is.
    beside = {"X-RunAgents-API-Key": sluice.client().headers["Authorization"].split()[1]}
    path = "/api/v1/agents/helper/invoke"
    api_key_of_default = sluice.client(provider.token())
    answer = api_key_of_default.post(path, {"message": "hello", "namespace": world.workspace}, beside)
    assert answer.status in (401, 403), answer
    assert agent.calls.empty()


def test_a_person_without_a_role_may_invoke_and_nothing_else(world):
    client = world.client(world.provider.token())
    header = {"X-Workspace-Namespace": world.workspace}
    for answer in (
            client.get("/api/v1/agents", header), client.get("/runs", header), client.get("/metrics", header),
            client.post("/runs", {"agent_id": "a", "user_id": "u"}, header),
            client.post("/api/v1/deploy", {"agent_name": "a", "image": "i"}, header),
            client.post("/v1/chat/completions", {"model": "m", "messages": []}, header),
            client.get("/api/v1/auth/api-keys", header)):
        assert answer.status == 403 and "spec.role" in answer.error, answer


def test_a_key_and_a_token_come_together_only_to_invoke(world):
    beside = {"X-RunAgents-API-Key": world.key}
    assert world.client(world.provider.token()).get("/api/v1/agents", beside).status == 401


def test_an_idempotency_key_is_each_persons_own(world):
    same = {"Idempotency-Key": f"same-{world.workspace}", "X-RunAgents-API-Key": world.key}
    first = world.invoke(world.provider.token(), headers=same)
    again = world.invoke(world.provider.token(), headers=same)
    assert first.status == again.status == 200 and again.headers["idempotency-replayed"] == "true"
    assert world.invoke(world.provider.token("eve@corp.test"), headers=same).status == 422
    del same["X-RunAgents-API-Key"]
    own = world.invoke(world.provider.token("eve@corp.test"), headers=same)
    assert own.status == 200 and "idempotency-replayed" not in own.headers
    assert own.headers["x-run-id"] != first.headers["x-run-id"]


@pytest.mark.parametrize("claims,accepted", [
    ({"email": "ada@corp.test"}, True), ({"email": "ADA@CORP.TEST"}, True),
    ({"email": "ada@evil.test"}, False), ({"email": "ada@notcorp.test"}, False), ({"email": "ada@sub.corp.test"}, False),
    ({"email": "ada@corp.test", "email_verified": True}, True), ({"email": "ada@corp.test", "email_verified": "true"}, True),
    ({"email": "ada@corp.test", "email_verified": False}, False), ({"email": "a@evil.test@corp.test"}, False),
    ({"email": "ada@corp.test", "email_verified": "False"}, False),
    ({"email": "ada@corp.test", "email_verified": 0}, False),
    ({"email": "corp.test"}, False)])
def test_only_people_of_the_allowed_domains_are_taken(sluice, agent, provider, claims, accepted):
    world = World(sluice, agent, provider, allowedDomains=["corp.test"])
    if accepted:
        world.accepted(provider.token(**claims))
    else:
        world.refused(provider.token(**claims), "domain")


# Tokens that prove nothing.

def encoded(document):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(provider, algorithm="none", **claims):
    return f"{encoded({'alg': algorithm, 'kid': 'k1'})}.{encoded(provider.claims(**claims))}."


def signed_with_the_public_key(provider):
    """What is believed by those who take the token's word for the algorithm."""
    public = provider.keys[0].private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{encoded(provider.claims())}"
    return f"{signed}.{encoded(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"


def now():
    return int(time.time())


def resigned(provider, change):
    """A right token of which a part was changed."""
    parts = provider.token().split(".")
    return ".".join(change(parts))


NESTED = b"[" * 5000 + b"]" * 5000


def written(header=b'{"alg":"RS256","kid":"k1"}', claims=b"{}"):
    return f"{encoded(header)}.{encoded(claims)}.AAAA"


BAD = {
    "unsigned": (lambda p: unsigned(p), "algorithm"),
    "none in capitals": (lambda p: unsigned(p, "NONE"), "algorithm"),
    "no signature": (lambda p: resigned(p, lambda parts: [*parts[:2], ""]), "signature"),
    "wrong key": (lambda p: p.token(key=Key("k1", "RS256")), "signature"),
    "a public key as a shared secret": (signed_with_the_public_key, "algorithm"),
    "another algorithm than the key's": (lambda p: p.token(algorithm="PS256"), "algorithm"),
    "another kind of key": (lambda p: p.token(key=Key("k1", "ES256")), "algorithm"),
    "unknown key": (lambda p: p.token(key=Key("k9", "RS256")), 'key "k9"'),
    "no key id, unknown key": (lambda p: p.token(key=Key(None, "RS256")), "names no key"),
    "changed claims": (
        lambda p: resigned(p, lambda parts: [parts[0], encoded(p.claims("eve@corp.test")), parts[2]]), "signature"),
    "expired": (lambda p: p.token(exp=now() - 61), "expired"),
    "no expiry": (lambda p: p.token(exp=None), "exp"),
    "expiry is a text": (lambda p: p.token(exp="tomorrow"), "exp"),
    "not yet valid": (lambda p: p.token(nbf=now() + 120), "not valid yet"),
    "issued in the future": (lambda p: p.token(iat=now() + 120), "future"),
    "wrong audience": (lambda p: p.token(aud="another"), "audience"),
    "no audience": (lambda p: p.token(aud=None), "audience"),
    "audiences of others": (lambda p: p.token(aud=["a", "b"]), "audience"),
    "wrong issuer": (lambda p: p.token(iss=ISSUER + "/"), "issuer"),
    "no issuer": (lambda p: p.token(iss=None), "issuer"),
    "no user": (lambda p: p.token(email=None), "claim email"),
    "empty user": (lambda p: p.token(email=""), "claim email"),
    "user is a number": (lambda p: p.token(email=7), "claim email"),
    "user with a control character": (lambda p: p.token(email="a\nb"), "claim email"),
    "long user": (lambda p: p.token(email="a" * 257), "claim email"),
    "huge": (lambda p: p.token(padding="x" * 20_000), "longer than 16384 bytes"),
    "nested": (lambda p: written(claims=b'{"a":' + NESTED + b"}"), "malformed"),
    "nested header": (lambda p: written(header=b'{"a":' + NESTED + b"}"), "malformed"),
    "no JSON": (lambda p: written(header=b'{"alg":'), "malformed"),
    "no claims": (lambda p: written(claims=b""), "malformed"),
    "a claim twice": (lambda p: written(claims=b'{"iss":1,"iss":2}'), "malformed"),
    "what is critical is not known": (
        lambda p: jwt.encode(p.claims(), p.keys[0].private, "RS256", {"kid": "k1", "crit": ["x"], "x": 1}), "crit"),
    "for another use": (
        lambda p: jwt.encode(p.claims(), p.keys[0].private, "RS256", {"kid": "k1", "typ": "logout+jwt"}), "typ"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_is_refused_and_the_failed_check_is_named(world, case):
    make, words = BAD[case]
    token = make(world.provider)
    assert token.startswith("eyJ"), "only such a text is taken for a token"
    world.refused(token, words)
    # Beside a key it is no better.
    answer = world.client(token).post(
        "/api/v1/agents/helper/invoke", {"message": "hello"}, {"X-RunAgents-API-Key": world.key})
    assert answer.status == 401 and words in answer.error
    world.accepted(world.provider.token())


# Where keys come from.

def test_keys_are_fetched_once_and_again_when_one_is_new(world, provider):
    for _ in range(3):
        world.accepted(provider.token())
    assert provider.requests == 1
    provider.keys = [Key("k2", "ES256"), *provider.keys]
    world.accepted(provider.token())
    assert provider.requests == 2
    # The old one is known as long as it is published.
    world.accepted(provider.token(key=provider.keys[1]))
    assert provider.requests == 2
    provider.keys = [provider.keys[0]]


def test_unknown_keys_do_not_make_it_ask_each_time(world, provider):
    world.accepted(provider.token())
    for number in range(20):
        answer = world.invoke(provider.token(key=Key(f"unknown-{number}", "ES256")))
        assert answer.status == 401
    # One for the first of them, and another after each pause of three seconds that the loop took.
    assert provider.requests <= 5


def test_a_provider_that_is_down_is_said_to_be_and_its_cached_keys_go_on(world, provider):
    provider.close()
    answer = world.invoke(provider.token())
    assert answer.status == 503 and answer.headers["sluice-error-code"] == "identity_provider_unavailable", answer
    assert "corp" in answer.error and int(answer.headers["retry-after"]) >= 1
    provider.start()
    eventually(lambda: world.invoke(provider.token()).status, lambda status: status == 200)
    provider.close()
    world.accepted(provider.token())
    assert world.invoke(provider.token(key=Key("k9", "RS256"))).status == 401
    world.accepted(provider.token())


@pytest.mark.parametrize("answer", ["error", "redirect", "no keys", "large"])
def test_what_is_no_key_set_is_not_taken_for_one(world, provider, answer):
    if answer == "error":
        provider.status = 500
    elif answer == "redirect":
        provider.status = 302
    elif answer == "no keys":
        provider.keys[0].document["use"] = "enc"
    else:
        provider.keys[0].document["padding"] = "x" * (1024 * 1024)
    refused = world.invoke(provider.token())
    assert refused.status == 503 and "corp" in refused.error, refused


# The token goes nowhere.

def test_a_token_reaches_neither_the_agent_nor_the_log(own_sluice, agent, provider):
    sluice = own_sluice(SLUICE_LOG_LEVEL="trace")
    World(sluice, agent, provider)
    world = World(sluice, agent, provider, role="operator")
    tokens = [provider.token(), provider.token(exp=1), provider.token(key=Key("k9", "RS256"))]
    for token in tokens:
        world.invoke(token)
        world.invoke(token, headers={"X-RunAgents-API-Key": world.key})
        world.client(token).post("/runs", {"agent_id": "a", "user_id": "u"})
        world.client(token).post(f"{world.base}/runs", {"agent_id": "a", "user_id": "u"})
    calls = [agent.next_call() for _ in range(2)]
    shown = json.dumps(calls) + json.dumps(world.api.get("/runs?agent_id=helper").json)
    sluice.stop()
    parts = {part for token in tokens for part in token.split(".")[1:]}
    kept = b"".join(path.read_bytes() for path in sluice.directory.rglob("*") if path.is_file())
    exported = sluice.run("log", "cat", "--data-dir", sluice.data).stdout
    for part in parts:
        assert part not in shown and part.encode() not in kept and part not in exported
    assert "ada@corp.test" in exported


# Approvers.

class Approvals:
    """An agent that has to ask a group before it pays."""

    def __init__(self, sluice, provider, name, approvals):
        self.sluice, self.provider = sluice, provider
        self.tool = ScriptedTool()
        store_tool(sluice, f"{name}-bank", self.tool.url)
        self.agent = GovernedAgent(
            sluice, name, [("approval_required", ["POST"], self.tool.url + "/*")],
            approvals=[{"name": "payments", "toolIds": [f"{name}-bank"]} | approvals] if approvals else ())
        self.bank = f"{name}-bank"
        self.issuer = f"https://{name}.test"
        self.provider_name = f"{name}-people"
        answer = sluice.client().post("/api/v1/identity-providers", {
            "name": self.provider_name,
            "spec": provider.spec(issuer=self.issuer, role="approver", groupsClaim="groups")})
        assert answer.status == 201, answer

    def person(self, user, groups=None, **more):
        claims = {"iss": self.issuer} | ({} if groups is None else {"groups": groups}) | more
        return self.sluice.client(self.provider.token(user, **claims))

    def blocked(self, **start):
        run = self.agent.start(**start)
        return self.agent.blocked(run, "POST", self.bank, "/pay", b"{}")

    def approve(self, person, action):
        return person.post(
            f"/runs/{action['run_id']}/actions/{action['action_id']}/approve",
            headers={"X-Payload-Hash": action["payload_hash"]})

    def close(self):
        self.tool.close()


@pytest.fixture
def approvals(sluice, provider):
    made = []

    def make(name, **approvals):
        made.append(Approvals(sluice, provider, name, approvals))
        return made[-1]

    yield make
    for each in made:
        each.close()


GROUPS = [["finance"], ["staff", "finance"], "staff, finance", "staff,finance"]


@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_a_person_of_the_group_approves_and_is_recorded(approvals, groups):
    world = approvals(f"payer-{GROUPS.index(groups)}", approvers={"groups": ["finance"]})
    action = world.blocked()
    for outsider in (["staff"], [], None, "financial", ["finance2"], "staff finance", "contractors of finance,guests"):
        answer = world.approve(world.person("eve@corp.test", outsider), action)
        assert answer.status == 403 and answer.headers["sluice-error-code"] == "not_an_approver", answer
    request, = world.agent.requests(action["run_id"])
    answer = world.person("carol@corp.test", groups).post(f"/governance/requests/{request['id']}/approve", {})
    assert answer.status == 200 and answer.json["approver_id"] == "carol@corp.test", answer
    run = action["run_id"]
    assert world.agent.call(run, "POST", world.bank, "/pay", b"{}").status == 200
    granted = world.agent.events(run, "APPROVAL_GRANTED") or world.agent.events(run, "APPROVED")
    assert granted[0]["actor"] == "carol@corp.test"


def test_the_log_says_which_person_it_was(own_sluice, provider):
    sluice = own_sluice()
    world = Approvals(sluice, provider, "payer", {"approvers": {"groups": ["finance"]}})
    action = world.blocked()
    assert world.approve(world.person("carol@corp.test", ["finance"]), action).status == 200
    sluice.restart()
    assert world.agent.action(action["run_id"], action["action_id"])["status"] == "APPROVED"
    sluice.stop()
    events = [json.loads(line) for line in sluice.run(
        "log", "cat", "--data-dir", sluice.data).stdout.split("\n")[:-1]]
    approved = next(event for event in events if event["type"] == "action.approved")
    assert approved["actor"] == {
        "kind": "person", "identity_provider": "payer-people", "subject": "sub-of-carol@corp.test",
        "name": "carol@corp.test"}
    world.close()


def test_nobody_approves_what_they_asked_for(approvals):
    world = approvals("asker")
    for user in ("carol@corp.test", "Carol@Corp.Test"):
        action = world.blocked(user=user)
        answer = world.approve(world.person("carol@corp.test", ["finance"]), action)
        assert answer.status == 403 and answer.headers["sluice-error-code"] == "self_approval", answer
        assert world.approve(world.person("dan@corp.test"), action).status == 200


def test_nobody_grants_themselves_access(sluice, approvals):
    world = approvals("granter")
    asked = sluice.client().post("/governance/requests", {
        "subject": "carol@corp.test", "tool_id": world.bank, "agent_id": "granter"})
    path = f"/governance/requests/{asked.json['id']}/approve"
    answer = world.person("carol@corp.test").post(path, {"scope": "agent_user_ttl"})
    assert answer.status == 403 and answer.headers["sluice-error-code"] == "self_approval", answer
    answer = world.person("dan@corp.test").post(path, {"scope": "agent_user_ttl"})
    assert answer.status == 200 and answer.json["approver_id"] == "dan@corp.test"


def test_a_person_who_created_a_run_does_not_approve_its_calls(sluice, provider, approvals):
    world = approvals("creator")
    operators = {"name": "creator-operators", "spec": provider.spec(issuer="https://operators.test", role="operator")}
    assert sluice.client().post("/api/v1/identity-providers", operators).status == 201
    operator = sluice.client(provider.token("olga@corp.test", iss="https://operators.test"))
    created = operator.post("/runs", {"agent_id": "creator", "user_id": "somebody"})
    assert created.status == 201, created
    action = world.agent.blocked(created.json["id"], "POST", world.bank, "/pay", b"{}")
    # The same person, now as an approver.
    operators["spec"]["role"] = "approver"
    assert sluice.client().post("/api/v1/identity-providers", operators).status == 201
    answer = world.approve(operator, action)
    assert answer.status == 403 and answer.headers["sluice-error-code"] == "self_approval", answer
    assert world.approve(world.person("dan@corp.test"), action).status == 200


def test_all_groups_may_be_asked_of_several_people(approvals):
    world = approvals("both", approvers={"groups": ["finance", "risk"], "match": "all"})
    action = world.blocked()
    assert world.approve(world.person("carol@corp.test", ["finance"]), action).status == 200
    assert world.agent.action(action["run_id"], action["action_id"])["status"] == "BLOCKED"
    assert world.approve(world.person("rita@corp.test", ["risk"]), action).status == 200
    assert world.agent.action(action["run_id"], action["action_id"])["status"] == "APPROVED"


ALLOWED = {"approver": {"read", "decide"}, "viewer": {"read"}, "operator": {"read", "deploy", "drive"}}


@pytest.mark.parametrize("role", ALLOWED)
def test_a_person_may_do_what_the_providers_role_may(sluice, agent, provider, role):
    world = World(sluice, agent, provider, role=role)
    header = {"X-Workspace-Namespace": world.workspace}
    client = world.client(provider.token())
    run = world.api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    action = world.api.post(f"/runs/{run}/actions", {"tool_id": "t"}).json["action_id"]
    answers = {
        "read": client.get("/api/v1/agents", header),
        "deploy": client.post("/api/v1/deploy", {"agent_name": "b", "image": "i"}, header),
        "drive": client.post("/runs", {"agent_id": "a", "user_id": "u"}, header),
        "decide": client.post(f"/runs/{run}/actions/{action}/approve", {}, header),
        "keys": client.get("/api/v1/auth/api-keys", header),
    }
    for name, answer in answers.items():
        expected = (200, 201) if name in ALLOWED[role] else (403,)
        assert answer.status in expected, (name, answer)
    assert world.invoke(provider.token()).status == 200, "everybody who is proven may invoke"


def test_every_person_has_a_rate_of_their_own(own_sluice, provider):
    sluice = own_sluice(SLUICE_RATE_LIMIT="1", SLUICE_RATE_BURST="3")
    answer = sluice.client().post("/api/v1/identity-providers", {"name": "corp", "spec": provider.spec(role="viewer")})
    assert answer.status == 201
    token = provider.token("eve@corp.test")
    statuses = [sluice.client(token).get("/runs").status for _ in range(30)]
    assert 429 in statuses
    assert sluice.client(provider.token("ada@corp.test")).get("/runs").status == 200


def test_a_bad_token_signs_nobody_in(sluice, agent, provider):
    world = World(sluice, agent, provider, role="approver")
    answer = world.client(provider.token(exp=1)).get("/runs", {"X-Workspace-Namespace": world.workspace})
    assert answer.status == 401 and "expired" in answer.error
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
