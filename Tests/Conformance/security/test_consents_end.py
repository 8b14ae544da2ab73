"""A consent comes from its user alone, and what ended it is final."""

import json
import queue
import threading

import pytest

from consent_world import World, consent


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def test_no_operator_stores_a_consent_for_its_user(world):
    """A token that an operator planted would have the user's calls go out with the operator's account."""
    operator = world.sluice.client(world.sluice.key("operator"))
    planted = json.dumps({
        "access_token": "mallory", "refresh_at": 1 << 60, "expires_at": 1 << 60, "token_url": world.oauth.url + "/token",
        "client_id": "sluice-client"})
    answer = operator.post("/api/v1/secrets", {
        "owner_kind": "tool", "owner": "mail", "name": "consent:ada", "value": planted})
    assert answer.status == 400 and "consent" in answer.json["error"]
    world.asked(world.agent.start("ada"))


class HeldTokens(list):
    """The tokens of an authorization server, which answers with the next one once it is told to."""

    def __init__(self, tokens):
        super().__init__(tokens)
        self.came, self.may_go = threading.Event(), threading.Event()

    def append(self, token):
        super().append(token)
        self.came.set()
        assert self.may_go.wait(60)


def test_a_consent_that_is_revoked_while_its_token_is_renewed_stays_revoked(world):
    run = world.agent.start("ada")
    assert consent(world.asked(run)["authorization_url"])[0] == 200
    world.oauth.tokens[-1].access_token = "not any more"
    world.oauth.tokens = HeldTokens(world.oauth.tokens)
    answers = queue.Queue()
    caller = threading.Thread(target=lambda: answers.put(world.agent.call(run, "GET", "mail", "/inbox")))
    caller.start()
    assert world.oauth.tokens.came.wait(60)
    assert world.agent.api.request("DELETE", "/api/v1/secrets/tool/mail/consent%3Aada").status == 200
    world.oauth.tokens.may_go.set()
    caller.join(60)
    assert answers.get_nowait().status in (401, 403, 502)
    assert "consent:ada" not in [secret["name"] for secret in world.agent.api.get("/api/v1/secrets").json]
    assert world.asked(run)["action_id"]
