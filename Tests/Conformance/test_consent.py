"""Tools that act for a person: the person consents at the tool's own identity provider, and no other person can."""

import json
import urllib.parse

import pytest

import consent_world
from browser import Browser
from consent_world import SECRET, World, consent
from deployed_agents import DeployedAgents
from governed_agent import store_tool
from scripted_model import ScriptedModel, tool_call, words
from waiting import eventually

BROWSER = Browser()


def follow(url):
    return consent_world.follow(url, BROWSER)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def test_a_call_waits_for_the_users_consent_and_goes_out_with_their_token(world):
    run = world.agent.start("ada")
    asked = world.asked(run)
    assert asked["tool"] == "mail" and asked["resume_id"] == asked["action_id"] and not world.tool.calls
    shown = world.agent.run(run)
    assert (shown["status"], shown["blocked_action_id"]) == ("PAUSED_CONSENT", asked["resume_id"])
    action = world.agent.action(run, asked["resume_id"])
    assert action["status"] == "BLOCKED" and "authorization_url" not in action
    assert world.waiting(run, asked["resume_id"])["authorization_url"] == asked["authorization_url"]
    status, page, _, headers = follow(asked["authorization_url"])
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query))
    assert status == 302 and headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert query["scope"] == "mail.read mail.send" and query["access_type"] == "offline"
    assert query["code_challenge_method"] == "S256" and len(query["state"]) == 64
    assert consent(asked["authorization_url"])[0] == 200
    assert world.agent.run(run)["status"] == "RUNNING"
    answer = world.agent.call(run, "GET", "mail", "/inbox")
    assert (answer.status, answer.json) == (200, {"heard": "ada"})
    types = [event["type"] for event in world.agent.events(run)]
    assert types == ["CONSENT_REQUIRED", "CONSENT_GRANTED", "TOOL_CALLED"]
    assert world.agent.events(run, "CONSENT_GRANTED")[0]["data"]["scope"] == "mail.read mail.send"
    assert "authorization_url" not in world.waiting(run, asked["resume_id"])
    again = world.agent.start("ada")
    assert world.agent.call(again, "GET", "mail", "/inbox").status == 200, "who has consented is not asked again"


def test_consent_is_one_persons_and_asked_once_a_run(world):
    run = world.agent.start("ada")
    first, second = world.asked(run), world.asked(run)
    assert first["resume_id"] == second["resume_id"]
    consent(first["authorization_url"])
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200
    other = world.agent.start("bob")
    world.asked(other)
    assert len(world.tool.calls) == 1


def test_nobody_else_can_give_consent(world):
    run = world.agent.start("ada")
    asked = world.asked(run)
    for client in (world.agent.approver, world.agent.api):
        refused = client.post(f"/runs/{run}/actions/{asked['resume_id']}/approve", {})
        assert refused.status == 409 and "authorization_url" in refused.error
        assert refused.headers["sluice-error-code"] == "consent_is_the_users"
    assert world.agent.api.request("PATCH", f"/runs/{run}", {"status": "RUNNING"}).status == 409
    assert not world.agent.requests(run), "no approver is asked"
    for change in (lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"), lambda link: link[:-4]):
        assert follow(change(asked["authorization_url"]))[0] == 404


def test_consent_is_no_approval(world):
    run = world.agent.start("ada")
    asked = world.asked(run, "POST", b"send it")
    consent(asked["authorization_url"])
    action = world.agent.blocked(run, "POST", "mail", "/inbox", b"send it")
    assert not world.tool.calls
    world.agent.approve(action)
    assert world.agent.call(run, "POST", "mail", "/inbox", b"send it").status == 200
    assert [call.body for call in world.tool.calls] == [b"send it"]


def test_a_state_is_good_once_and_for_its_own_run(world):
    run = world.agent.start("ada")
    link = world.asked(run)["authorization_url"]
    _, page, _, _ = follow(link)
    _, back, _, _ = follow(page)
    forged = back.replace("state=", "state=0")
    assert follow(forged)[0] == 400
    assert follow(world.sluice.url + "/oauth/callback")[0] == 400
    assert follow(back)[0] == 200
    status, _, text, headers = follow(back)
    assert status == 400 and "used before" in text and "default-src 'none'" in headers["Content-Security-Policy"]
    assert follow(link)[0] == 410, "nothing waits any more"
    assert len(world.oauth.grants) == 1


def test_a_link_that_is_opened_often_keeps_the_newest_and_no_others_place(world):
    ada, bob = world.asked(world.agent.start("ada")), world.asked(world.agent.start("bob"))
    _, first, _, _ = follow(ada["authorization_url"])
    _, of_bob, _, _ = follow(bob["authorization_url"])
    for _ in range(8):
        _, last, _, _ = follow(ada["authorization_url"])
    assert follow(follow(first)[1])[0] == 400
    assert follow(follow(last)[1])[0] == 200 and follow(follow(of_bob)[1])[0] == 200


def test_a_code_of_another_page_gets_no_token(world):
    """PKCE: who has the code and not the verifier has nothing."""
    first, second = world.asked(world.agent.start("ada")), world.asked(world.agent.start("bob"))
    _, page, _, _ = follow(first["authorization_url"])
    _, stolen, _, _ = follow(page)
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(stolen).query)["code"][0]
    _, page, _, _ = follow(second["authorization_url"])
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(page).query)["state"][0]
    status, _, text, _ = follow(f"{world.sluice.url}/oauth/callback?code={code}&state={state}")
    assert status == 502 and not world.oauth.tokens and "no token" in text


def test_who_does_not_consent_ends_the_run(world):
    run = world.agent.start("ada")
    world.oauth.consents = False
    status, text = consent(world.asked(run)["authorization_url"])
    assert status == 200 and "did not consent" in text
    ended = world.agent.run(run)
    assert ended["status"] == "FAILED" and not world.tool.calls


def test_a_run_that_is_over_keeps_no_token(world):
    run = world.agent.start("ada")
    _, page, _, _ = follow(world.asked(run)["authorization_url"])
    assert world.agent.api.post(f"/runs/{run}/cancel").status == 200
    _, back, _, _ = follow(page)
    assert follow(back)[0] == 410
    names = [secret["name"] for secret in world.agent.api.get("/api/v1/secrets").json]
    assert names and not any(name.startswith("consent:") for name in names)


def test_a_token_is_refreshed_and_one_that_is_revoked_is_asked_for_again(world):
    world.oauth.lifetime = 0
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    assert [world.agent.call(run, "GET", "mail", f"/inbox?{n}").status for n in range(2)] == [200, 200]
    assert world.oauth.grants[0] == "authorization_code" and set(world.oauth.grants[1:]) == {"refresh_token"}
    world.oauth.forget()
    world.asked(run)
    assert world.agent.run(run)["status"] == "PAUSED_CONSENT"


@pytest.mark.parametrize("body, status", [
    ('{"error": "invalid_grant"}', 400), ('{"error": "bad_refresh_token"}', 200),
    ("error=bad_refresh_token&error_description=x", 200), ('{"error": "interaction_required"}', 400),
    ('{"ok": false, "error": "invalid_refresh_token"}', 200), ("", 400), ("<html>no</html>", 401)])
def test_a_refused_refresh_asks_for_consent_again_in_whatever_words(world, body, status):
    world.oauth.lifetime = 0
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    world.oauth.refusal = (body, status)
    eventually(
        lambda: world.agent.call(run, "GET", "mail", "/inbox"),
        lambda answer: answer.status == 403 and answer.code == "CONSENT_REQUIRED")
    world.oauth.refusal, world.oauth.lifetime = None, 3600
    consent(world.asked(run)["authorization_url"])
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200


@pytest.mark.parametrize("body, status", [
    ('{"error": "invalid_grant"}', 503), ("", 429), ('{"error": "temporarily_unavailable"}', 400),
    ('{"error": "invalid_client"}', 401)])
def test_a_refresh_that_failed_for_other_reasons_keeps_the_consent(world, body, status):
    world.oauth.lifetime = 0
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    world.oauth.refusal = (body, status)
    eventually(lambda: world.agent.call(run, "GET", "mail", "/inbox").status, lambda status: status == 502)
    world.oauth.refusal, world.oauth.lifetime = None, 3600
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200


def test_a_token_that_the_tool_refuses_is_refreshed_once(world):
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    world.oauth.tokens[0].access_token = "not any more"
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200
    assert world.oauth.grants == ["authorization_code", "refresh_token"]


def test_an_operator_revokes_consent_like_any_secret(world):
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    assert "consent:ada" in [secret["name"] for secret in world.agent.api.get("/api/v1/secrets").json]
    assert world.agent.api.request("DELETE", "/api/v1/secrets/tool/mail/consent%3Aada").status == 200
    world.asked(run)


def test_a_token_goes_to_no_other_provider(world):
    run = world.agent.start("ada")
    consent(world.asked(run)["authorization_url"])
    world.connect(tokenUrl=world.oauth.url + "/elsewhere")
    world.asked(run)
    assert not world.tool.calls


def test_a_link_outlives_the_daemon_and_tokens_are_nowhere_in_clear_text(world):
    run = world.agent.start("ada")
    asked = world.asked(run)
    answers = [json.dumps(asked), json.dumps(world.agent.events(run))]
    world.sluice.restart()
    assert consent(asked["authorization_url"])[0] == 200
    assert world.agent.call(run, "GET", "mail", "/inbox").status == 200
    world.sluice.restart()
    assert world.agent.call(run, "GET", "mail", "/inbox?again").status == 200
    api = world.agent.api
    answers += [api.get(path).content.decode() for path in (
        f"/runs/{run}", f"/runs/{run}/events", f"/runs/{run}/actions", "/api/v1/secrets", "/api/v1/tools", "/metrics")]
    answers.append(world.sluice.run("log", "cat", "--data-dir", world.sluice.data).stdout)
    answers += [path.read_bytes().decode(errors="replace") for path in world.sluice.data.rglob("*") if path.is_file()]
    answers.append(world.sluice.output.read_text())
    for text in answers:
        for planted in (SECRET, "planted-access", "planted-refresh"):
            assert planted not in text


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "https://x.test/?q"])
def test_a_public_url_that_is_none_is_refused(own_sluice, url):
    process = own_sluice()
    assert process.stop() == 0
    refused = process.run("serve", "--data-dir", process.data, "--set", f"public-url={url}")
    assert refused.returncode != 0 and "public-url" in refused.stderr


def test_an_agent_that_sluice_runs_goes_on_once_its_user_has_consented(world):
    """The published runtime's own loop: it stops at CONSENT_REQUIRED, and is resumed by Sluice."""
    agents, model = DeployedAgents(world.sluice), ScriptedModel()
    assert agents.api.post("/api/v1/model-providers", {
        "name": "m", "spec": {"provider": "openai", "endpoint": model.url, "models": ["m"],
                              "auth": {"type": "None"}}}).status == 201

    def say(body):
        answered = [message for message in body["messages"] if message["role"] == "tool"]
        return words("the tool said " + answered[-1]["content"]) if answered else tool_call("mail__read", {}, "call-1")

    model.say = say
    store_tool(world.sluice, "mail", world.tool.url, {"authentication": {
        "type": "OAuth2", "oauth2Config": {
            "authUrl": world.oauth.url + "/authorize", "tokenUrl": world.oauth.url + "/token",
            "scopes": "mail.read"}}},
        {"capabilities": [{"name": "read", "method": "GET", "path": "/inbox"}]},
        credentials={"client_id": "sluice-client", "client_secret": SECRET})
    agents.deploy("reader", "# The runtime's own loop.\n", required_tools=["mail"],
                  llm_config={"provider": "openai", "model": "m"})
    run = agents.start("reader", user="ada")
    paused = agents.eventually(
        lambda: agents.api.get(f"/runs/{run}").json, lambda run: run["status"] in ("PAUSED_CONSENT", "FAILED"))
    assert paused["status"] == "PAUSED_CONSENT", agents.events(run)
    key = agents.api.post("/api/v1/auth/api-keys", {"name": "reader", "role": "agent", "agent": "reader"}).json["token"]
    action = world.sluice.client(key).get(f"/runs/{run}/actions/{paused['blocked_action_id']}").json
    agents.eventually(lambda: agents.events(run), lambda events: events[-1]["type"] == "INVOKE_COMPLETED")
    assert consent(action["authorization_url"])[0] == 200
    assert agents.finished(run)["status"] == "COMPLETED", json.dumps(agents.events(run), indent=1)
    assert "heard" in agents.answer(run)["response"]
    types = [event["type"] for event in agents.events(run)]
    assert types.index("CONSENT_REQUIRED") < types.index("CONSENT_GRANTED") < types.index("TOOL_CALLED")
    assert agents.api.get(f"/runs/{run}/actions/{action['action_id']}").json["status"] == "EXECUTED"
    model.close()
