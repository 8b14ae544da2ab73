"""Consent belongs to its user: the link is shown to those entitled, and the browser that starts is the one that comes back."""

import base64
import json
import urllib.parse

import pytest

from browser import Browser
from consent_world import World, consent
from identity_server import ISSUER, IdentityServer
from openid_server import OpenIDServer
from scripted_agent import ScriptedAgent
from sluice_process import SluiceProcess
from waiting import eventually

ADA, MALLORY = "ada@corp.test", "mallory@corp.test"


@pytest.fixture(scope="module")
def module_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("consent"))
    yield world
    world.close()


@pytest.fixture
def world(module_world):
    """A workspace without an identity provider, and no consent given."""
    api = module_world.agent.api
    for provider in api.get("/api/v1/identity-providers").json:
        assert api.delete(f"/api/v1/identity-providers/{provider['name']}").status == 200
    module_world.oauth.user, module_world.oauth.consents = "ada", True
    module_world.oauth.grants.clear()
    for secret in api.get("/api/v1/secrets").json:
        if secret["name"].startswith("consent:"):
            name = urllib.parse.quote(secret["name"], safe="")
            assert api.delete(f"/api/v1/secrets/tool/mail/{name}").status == 200
    return module_world


@pytest.fixture
def tokens():
    """An identity provider that publishes keys alone: it has no page to sign in at."""
    server = IdentityServer()
    yield server
    server.close()


@pytest.fixture
def openid(world):
    server = OpenIDServer("sluice", "planted-openid-secret", world.sluice.url + "/oauth/signed-in")
    yield server
    server.close()


def store_provider(world, spec, **more):
    answer = world.agent.api.post("/api/v1/identity-providers", {"name": "corp", "spec": spec} | more)
    assert answer.status == 201, answer
    return answer.json


def places(run, action):
    """Everything that a reader is shown of a run that waits for consent."""
    return [f"/runs/{run}", f"/runs/{run}/actions", f"/runs/{run}/actions/{action}", f"/runs/{run}/events",
            f"/api/v1/runs/{run}", f"/api/v1/runs/{run}/actions", "/runs?status=PAUSED_CONSENT",
            "/api/v1/context/export", "/governance/requests", "/audit/export"]


# The link.

@pytest.mark.parametrize("role", ["admin", "operator", "approver", "viewer"])
def test_a_key_that_is_no_agents_sees_no_link_but_what_waits_and_for_whom(world, role):
    run = world.agent.start("ada")
    asked = world.asked(run)
    seal = asked["authorization_url"].rsplit("/", 1)[1]
    reader = world.sluice.client(world.sluice.key(role))
    for path in places(run, asked["action_id"]):
        assert seal not in reader.get(path).content.decode(), path
    action = reader.get(f"/runs/{run}/actions/{asked['action_id']}").json
    assert action["status"] == "BLOCKED" and action["tool_id"] == "mail" and "authorization_url" not in action
    assert reader.get(f"/runs/{run}").json["user_id"] == "ada"


def test_the_runs_own_agent_sees_the_link_and_no_other_agent_the_run(world):
    run = world.agent.start("ada")
    asked = world.asked(run)
    assert world.waiting(run, asked["action_id"])["authorization_url"] == asked["authorization_url"]
    listed = world.sluice.client(world.agent.token).get(f"/runs/{run}/actions").json
    assert [each["authorization_url"] for each in listed] == [asked["authorization_url"]]
    other = world.agent.api.post("/api/v1/auth/api-keys", {"name": "o", "role": "agent", "agent": "other"}).json["token"]
    assert world.sluice.client(other).get(f"/runs/{run}/actions/{asked['action_id']}").status == 404


def test_a_link_that_the_agent_writes_down_is_recorded_without_its_seal(world):
    run = world.agent.start("ada")
    asked = world.asked(run)
    link = asked["authorization_url"]
    seal = link.rsplit("/", 1)[1]
    agent = world.sluice.client(world.agent.token)
    spellings = [link, link.replace("/", "\\/"), urllib.parse.quote(link, safe="")]
    for spelling in spellings:
        added = agent.post(f"/runs/{run}/events", {"type": "AGENT_MESSAGE", "data": {"text": f"open {spelling} now"}})
        assert added.status == 201 and seal not in added.content.decode()
    escaped = '{"type": "AGENT_MESSAGE", "data": {"text": "' + link.replace("/", "\\/") + '"}}'
    assert agent.post(f"/runs/{run}/events", content=escaped.encode()).status == 201
    assert agent.post(f"/runs/{run}/tool-result", {"tool_id": "mail", "result": {"open": link}}).status == 201
    assert agent.post(f"/runs/{run}/checkpoint", {"action_id": asked["action_id"], "state": link}).status == 201
    for path in places(run, asked["action_id"]) + [f"/runs/{run}/checkpoint/{asked['action_id']}"]:
        assert seal not in world.agent.api.get(path).content.decode(), path
    assert f"/oauth/start/{run}/{asked['action_id']}/***" in json.dumps(world.agent.events(run))
    assert seal not in world.sluice.run("log", "cat", "--data-dir", world.sluice.data).stdout


def spelled(link):
    """The link, and its seal alone, as encoders and mark-up write them."""
    seal = link.rsplit("/", 1)[1]
    return [
        seal, seal.upper(), "".join(f"%{ord(char):02x}" for char in link),
        urllib.parse.quote(urllib.parse.quote(link, safe=""), safe=""),
        base64.b64encode(link.encode()).decode(), base64.b64encode(b"x" + seal.encode()).decode(), seal.encode().hex(),
        link.replace("/", "&#47;"), "".join(f"\\u{ord(char):04x}" for char in seal), f"[open]({link})", link + "?x=1"]


def test_no_spelling_of_a_link_is_recorded_with_its_seal(world):
    """G16: events, results, checkpoints, actions and requests for access."""
    run = world.agent.start("ada")
    asked = world.asked(run)
    agent = world.sluice.client(world.agent.token)
    for text in spelled(asked["authorization_url"]):
        assert agent.post(f"/runs/{run}/events", {"type": "NOTE", "data": {"text": text}}).status == 201
        assert agent.post(f"/runs/{run}/tool-result", {"tool_id": "mail", "result": text}).status == 201
        assert agent.post(f"/runs/{run}/checkpoint", {"action_id": "a", "state": text}).status == 201
        agent.post(f"/runs/{run}/events", {"type": text, "data": {}})
        agent.post(f"/runs/{run}/actions", {"tool_id": "mail", "capability": text, "tool_url": text})
        agent.post("/governance/requests", {
            "subject": "ada", "tool_id": "mail", "run_id": run, "capability": text, "tool_url": text})
    recorded = [
        world.sluice.client(world.sluice.key(role)).get(path).content.decode().lower()
        for role in ("viewer", "approver", "admin") for path in places(run, asked["action_id"])]
    recorded.append(world.sluice.run("log", "cat", "--data-dir", world.sluice.data).stdout.lower())
    for text in spelled(asked["authorization_url"]):
        written = json.dumps(text)[1:-1].lower()
        assert not any(written in each for each in recorded), text


def test_no_spelling_of_a_link_is_recorded_in_the_answer_of_an_invoke(world):
    remote, links = ScriptedAgent(), []

    def turn(body):
        links.append(world.asked(body["run_id"])["authorization_url"])
        return 200, {"consent_required": True, "text": spelled(links[0]), "inner": json.dumps(spelled(links[0]))}

    remote.answers["/"] = turn
    run = world.sluice.client().post("/runs", {
        "agent_id": "mailer", "user_id": "bob", "message": "m", "invoke_url": remote.url + "/i"}).json["id"]
    answer = eventually(lambda: world.agent.events(run, "INVOKE_COMPLETED"), bool)[0]["data"]
    shown = json.dumps(answer).lower()
    for text in spelled(links[0]):
        once = json.dumps(text)[1:-1]
        assert once.lower() not in shown and json.dumps(once)[1:-1].lower() not in shown, text
    remote.close()


def test_the_answer_of_an_invoke_has_the_link_for_a_proven_user_alone(world, tokens):
    store_provider(world, tokens.spec())
    scripted = ScriptedAgent()

    def answer(body):
        asked = world.agent.call(body["run_id"], "GET", "mail", "/inbox").json
        return 200, {"consent_required": True, "text": "open " + asked["authorization_url"]}

    scripted.answers["/invoke"] = answer
    deployed = world.agent.api.post("/api/v1/deploy", {
        "agent_name": "mailer", "image": "i", "policies": ["mailer-rules"], "invoke_url": scripted.url + "/invoke"})
    assert deployed.status == 201, deployed
    try:
        path = "/api/v1/agents/mailer/invoke"
        keyed = world.agent.api.post(path, {"message": "m", "user_id": ADA})
        assert keyed.status in (200, 202) and "/oauth/start/" in keyed.json["text"], keyed
        assert keyed.json["text"].endswith("/***")
        proven = world.sluice.client(tokens.token(ADA)).post(path, {"message": "m"})
        link = proven.json["text"].removeprefix("open ")
        assert Browser().open(link).status == 401, "it is whole, and asks who opens it"
        action = link.split("/")[-2]
        run = link.split("/")[-3]
        ada = world.sluice.client(tokens.token(ADA))
        assert ada.get(f"/runs/{run}/actions/{action}").json["authorization_url"] == link
        assert [each["authorization_url"] for each in ada.get(f"/runs/{run}/actions").json] == [link]
        mallory = world.sluice.client(tokens.token(MALLORY))
        for path in (f"/runs/{run}", f"/runs/{run}/actions", f"/runs/{run}/actions/{action}"):
            assert mallory.get(path).status == 404
        assert mallory.get("/runs").status == 403
    finally:
        scripted.close()
        world.agent.api.post("/api/v1/deploy", {"agent_name": "mailer", "image": "i", "policies": ["mailer-rules"]})


def test_a_person_of_the_same_user_id_at_another_provider_reads_and_consents_to_nothing(world, tokens):
    other = IdentityServer()
    scripted = ScriptedAgent()
    scripted.answers["/invoke"] = lambda body: (
        200, {"consent_required": True, "url": world.agent.call(body["run_id"], "GET", "mail", "/inbox").json[
            "authorization_url"]})
    try:
        store_provider(world, tokens.spec())
        assert world.agent.api.post("/api/v1/identity-providers", {
            "name": "other", "spec": other.spec(issuer="https://other.test")}).status == 201
        assert world.agent.api.post("/api/v1/deploy", {
            "agent_name": "mailer", "image": "i", "policies": ["mailer-rules"],
            "invoke_url": scripted.url + "/invoke"}).status == 201
        ada, stranger = tokens.token(ADA), other.token(ADA, iss="https://other.test")
        link = world.sluice.client(ada).post("/api/v1/agents/mailer/invoke", {"message": "m"}).json["url"]
        run = link.split("/")[-3]
        assert world.sluice.client(ada).get(f"/runs/{run}").status == 200
        assert world.sluice.client(stranger).get(f"/runs/{run}").status == 404
        assert Browser().open(link, headers={"Authorization": f"Bearer {stranger}"}).status == 403
        assert Browser().open(link, headers={"Authorization": f"Bearer {ada}"}).status == 302
        assert world.agent.api.post(f"/runs/{run}/cancel").status == 200
        assert world.sluice.client(stranger).get(f"/runs/{run}").status == 404
    finally:
        other.close()
        scripted.close()
        world.agent.api.post("/api/v1/deploy", {"agent_name": "mailer", "image": "i", "policies": ["mailer-rules"]})


# The browser.

def test_the_browser_that_starts_holds_a_cookie_for_the_way_back(world):
    page = Browser().open(world.asked(world.agent.start("ada"))["authorization_url"])
    cookie, = page.header("Set-Cookie")
    name, _, rest = cookie.partition("=")
    assert name.startswith("sluice-consent-") and len(rest.partition(";")[0]) == 64
    attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes and "secure" not in attributes


def test_over_tls_the_cookie_is_of_this_host_alone(tmp_path):
    world = World(tmp_path, SLUICE_PUBLIC_URL="https://sluice.corp.test")
    try:
        link = world.asked(world.agent.start("ada"))["authorization_url"]
        assert link.startswith("https://sluice.corp.test/oauth/start/")
        page = Browser().open(link.replace("https://sluice.corp.test", world.sluice.url))
        cookie, = page.header("Set-Cookie")
        assert cookie.startswith("__Host-sluice-consent-") and "Domain" not in cookie
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= {each.strip().lower() for each in cookie.split(";")}
    finally:
        world.close()


def test_a_callback_from_another_browser_is_refused_and_no_code_is_exchanged(world):
    run = world.agent.start("ada")
    link = world.asked(run)["authorization_url"]
    user, thief = Browser(), Browser()
    at_provider = user.open(link).location
    back = thief.open(at_provider).location
    refused = thief.open(back)
    assert refused.status == 403 and "another browser" in refused.text
    assert world.oauth.grants == [] and world.agent.run(run)["status"] == "PAUSED_CONSENT"
    assert user.open(back).status == 400, "the answer was used up"
    assert consent(link)[0] == 200


@pytest.mark.parametrize("value", ["", "0" * 64, "x" * 5000])
def test_a_callback_with_another_cookie_is_refused(world, value):
    link = world.asked(world.agent.start("ada"))["authorization_url"]
    browser = Browser()
    back = browser.open(browser.open(link).location).location
    jar = browser.cookies[urllib.parse.urlsplit(world.sluice.url).netloc]
    for name in jar:
        jar[name] = value
    assert browser.open(back).status == 403 and world.oauth.grants == []


def test_a_cookie_of_another_attempt_is_another_cookie(world):
    browser, other = Browser(), Browser()
    first = browser.open(world.asked(world.agent.start("ada"))["authorization_url"])
    second = other.open(world.asked(world.agent.start("ada"))["authorization_url"])
    netloc = urllib.parse.urlsplit(world.sluice.url).netloc
    (value,), (name,) = browser.cookies[netloc].values(), other.cookies[netloc].keys()
    browser.cookies[netloc] = {name: value}
    assert browser.open(browser.open(second.location).location).status == 403
    assert first.status == 302 and world.oauth.grants == []


def test_a_refusal_from_another_browser_ends_no_run(world):
    run = world.agent.start("ada")
    world.oauth.consents = False
    link = world.asked(run)["authorization_url"]
    back = Browser().open(Browser().open(link).location).location
    assert Browser().open(back).status == 403 and world.agent.run(run)["status"] == "PAUSED_CONSENT"


def test_two_consents_may_be_open_in_one_browser(world):
    browser = Browser()
    links = [world.asked(world.agent.start(user))["authorization_url"] for user in ("ada", "bob")]
    pages = [browser.open(link).location for link in links]
    for page in pages:
        assert browser.open(browser.open(page).location).status == 200
    assert browser.cookies[urllib.parse.urlsplit(world.sluice.url).netloc] == {}, "and none is left"


# Where the identity provider has keys alone.

def test_a_link_needs_the_users_own_token_where_an_identity_provider_knows_them(world, tokens):
    store_provider(world, tokens.spec())
    run = world.agent.start(ADA)
    link = world.asked(run)["authorization_url"]
    browser = Browser()
    bare = browser.open(link)
    assert bare.status == 401 and "sign" in bare.text.lower() and not bare.header("Set-Cookie")
    for token, status in [(tokens.token(MALLORY), 403), (tokens.token(ADA, exp=1), 401), ("nonsense", 401),
                          (world.sluice.key("admin"), 401)]:
        for method in ("GET", "POST"):
            refused = browser.open(link, method, {"Authorization": f"Bearer {token}"})
            assert (refused.status, refused.location) == (status, None), (method, refused)
    shown = browser.open(link, headers={"Authorization": f"Bearer {tokens.token(ADA)}"})
    assert shown.status == 302 and browser.open(browser.open(shown.location).location).status == 200
    assert world.agent.run(run)["status"] == "RUNNING"


def test_an_application_gets_a_ticket_for_its_users_browser(world, tokens):
    store_provider(world, tokens.spec())
    first, second = (world.asked(world.agent.start(ADA))["authorization_url"] for _ in range(2))
    made = Browser().open(first, "POST", {"Authorization": f"Bearer {tokens.token(ADA)}"})
    assert made.status == 201
    ticketed = json.loads(made.text)["authorization_url"]
    query = urllib.parse.urlsplit(ticketed).query
    assert ticketed.startswith(first + "?ticket=")
    assert Browser().open(f"{second}?{query}").status == 401, "a ticket is for one consent"
    digit = "0" if query[-1] != "0" else "1"
    assert Browser().open(f"{first}?{query[:-1]}{digit}").status == 401
    end, _, code = query.removeprefix("ticket=").partition(".")
    assert Browser().open(f"{first}?ticket={int(end) + 1}.{code}").status == 401
    assert consent(ticketed)[0] == 200


def test_an_agent_that_takes_people_of_one_provider_lets_those_of_another_consent_to_nothing(world, tokens):
    other = IdentityServer()
    try:
        store_provider(world, tokens.spec())
        assert world.agent.api.post("/api/v1/identity-providers", {
            "name": "other", "spec": other.spec(issuer="https://other.test")}).status == 201
        assert world.agent.api.post("/api/v1/deploy", {
            "agent_name": "mailer", "image": "i", "policies": ["mailer-rules"],
            "identity_provider": "corp"}).status == 201
        link = world.asked(world.agent.start(ADA))["authorization_url"]
        stranger = other.token(ADA, iss="https://other.test")
        assert Browser().open(link, headers={"Authorization": f"Bearer {stranger}"}).status == 401
        assert Browser().open(link, headers={"Authorization": f"Bearer {tokens.token(ADA)}"}).status == 302
    finally:
        other.close()
        world.agent.api.post("/api/v1/deploy", {"agent_name": "mailer", "image": "i", "policies": ["mailer-rules"]})


# Where people can sign in at the identity provider.

def sign_in(browser, link):
    """Opens the link and goes on until the tool's page, or a page that says why not."""
    page = browser.open(link)
    assert page.status == 302 and page.location.startswith("http"), page
    return browser.open(browser.open(page.location).location)


@pytest.mark.parametrize("form", ["discovered", "named"])
def test_the_user_signs_in_first_and_goes_on_to_the_tool(world, openid, form):
    stored = store_provider(world, openid.spec(named=form == "named"))
    assert "planted-openid-secret" not in json.dumps(stored)
    assert stored["spec"]["identityProvider"]["clientId"] == "sluice"
    run = world.agent.start(ADA)
    link = world.asked(run)["authorization_url"]
    openid.user = ADA
    browser = Browser()
    at_provider = browser.open(link).location
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(at_provider).query))
    assert at_provider.startswith(openid.url + "/authorize?") and query["code_challenge_method"] == "S256"
    assert query["nonce"] and query["state"] and "openid" in query["scope"].split()
    back = browser.open(at_provider).location
    assert back.startswith(world.sluice.url + "/oauth/signed-in?")
    at_tool = browser.open(back)
    assert at_tool.status == 302 and at_tool.location.startswith(world.oauth.url + "/authorize?")
    assert browser.open(browser.open(at_tool.location).location).status == 200
    assert world.agent.run(run)["status"] == "RUNNING"
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200


def test_another_person_who_signs_in_gets_no_further(world, openid):
    store_provider(world, openid.spec())
    run = world.agent.start(ADA)
    openid.user = MALLORY
    refused = sign_in(Browser(), world.asked(run)["authorization_url"])
    assert refused.status == 403 and MALLORY in refused.text and refused.location is None
    assert world.agent.run(run)["status"] == "PAUSED_CONSENT" and world.oauth.grants == []


def test_a_sign_in_comes_back_to_the_browser_that_began_it(world, openid):
    store_provider(world, openid.spec())
    link = world.asked(world.agent.start(ADA))["authorization_url"]
    openid.user = ADA
    back = Browser().open(Browser().open(link).location).location
    assert Browser().open(back).status == 403 and openid.grants == [], "no code is exchanged"


def test_an_answer_of_one_server_is_none_of_the_other(world, openid):
    """A sign-in's state at the address of consents, and the reverse."""
    store_provider(world, openid.spec())
    link = world.asked(world.agent.start(ADA))["authorization_url"]
    openid.user = ADA
    browser = Browser()
    back = browser.open(browser.open(link).location).location
    assert browser.open(back.replace("/oauth/signed-in", "/oauth/callback")).status == 400
    at_tool = sign_in(browser, link)
    back = browser.open(at_tool.location).location
    assert browser.open(back.replace("/oauth/callback", "/oauth/signed-in")).status == 400
    assert world.oauth.grants == []


@pytest.mark.parametrize("claims,words", [
    ({"nonce": "another"}, "another sign-in"), ({"nonce": None}, "another sign-in"), ({"aud": "another"}, "audience"),
    ({"aud": ["sluice", "another"]}, "another client"), ({"azp": "another"}, "another client"),
    ({"iss": "https://another.test"}, "issuer"), ({"exp": 1}, "expired"), ({"email": None}, "email")])
def test_an_id_token_that_fails_a_check_signs_no_person_in(world, openid, claims, words):
    store_provider(world, openid.spec())
    openid.user, openid.claims = ADA, claims
    refused = sign_in(Browser(), world.asked(world.agent.start(ADA))["authorization_url"])
    assert refused.status == 401 and words in refused.text and world.oauth.grants == []


def test_a_person_who_does_not_sign_in_ends_no_run(world, openid):
    store_provider(world, openid.spec())
    run = world.agent.start(ADA)
    openid.user = None
    refused = sign_in(Browser(), world.asked(run)["authorization_url"])
    assert refused.status == 403 and world.agent.run(run)["status"] == "PAUSED_CONSENT"


def test_a_provider_that_fails_lets_no_person_past(world, openid):
    store_provider(world, openid.spec())
    link = world.asked(world.agent.start(ADA))["authorization_url"]
    openid.issuer_said = "https://another.test"
    refused = Browser().open(link)
    assert refused.status == 503 and "another issuer" in refused.text
    openid.issuer_said = None
    openid.close()
    assert Browser().open(link).status == 503


@pytest.mark.parametrize("change,words", [
    ({"clientId": None}, "clientId is required"), ({"scopes": ["email"]}, "openid"),
    ({"clientAuthentication": "guess"}, "clientAuthentication"), ({"tokenEndpoint": "ftp://x"}, "tokenEndpoint"),
    ({"issuer": "corp"}, "issuer")])
def test_a_registration_that_cannot_work_is_refused(world, openid, change, words):
    spec = openid.spec()
    spec["identityProvider"] |= change
    refused = world.agent.api.post("/api/v1/identity-providers", {"name": "corp", "spec": spec})
    assert refused.status == 400 and words in refused.error, refused
