"""A client that names ever new users fills neither the keyring nor what others may use of it."""

import json

import pytest

from scripted_model import ScriptedModel
from waiting import eventually


@pytest.fixture
def sluice(own_sluice):
    return own_sluice(SLUICE_PEOPLE_MAX="16")


@pytest.fixture
def scripted_model():
    model = ScriptedModel()
    yield model
    model.close()


def start(client, user):
    return client.post("/runs", {"agent_id": "a", "user_id": user})


def taken(client, name):
    """The number of new users that the client may name before it is refused, and the refusal."""
    for number in range(20):
        answer = start(client, f"{name}-{number}")
        if answer.status != 201:
            return number, answer
    raise AssertionError("nothing was refused")


def test_a_key_that_names_ever_new_users_is_refused_and_the_others_are_not(sluice):
    greedy, modest = sluice.client(sluice.key("operator")), sluice.client(sluice.key("operator"))
    count, refused = taken(greedy, "greedy")
    assert 0 < count < 8 and refused.status == 429
    assert refused.headers["sluice-error-code"] == "share_exceeded" and "retry-after" in refused.headers
    assert "people-max" in refused.json["error"] and "erase" in refused.json["error"]
    assert start(greedy, "greedy-0").status == 201, "a user who is known costs nothing"
    access = greedy.post("/governance/requests", {
        "subject": "greedy-new", "tool_id": "crm", "capability": "read", "tool_url": "https://crm.test/1"})
    assert access.status == 429, "requests for access bring in people too"
    assert start(modest, "modest-0").status == 201
    other = sluice.client(sluice.key("operator", "other"))
    assert taken(other, "other")[0] >= 1, "nor is another workspace"


def test_a_share_outlives_a_restart_and_ends_with_an_erasure(sluice):
    token = sluice.key("operator")
    count, _ = taken(sluice.client(token), "greedy")
    assert sluice.stop() == 0
    sluice.start()
    assert start(sluice.client(token), "greedy-new").status == 429
    text = sluice.client().get("/metrics").content.decode()
    assert f'sluice_keyring_keys{{kind="person"}} {count}' in text and "sluice_keyring_people_max 16" in text
    shown = json.loads(sluice.run("secrets", "keyring", "--json", "--data-dir", sluice.data).stdout)
    assert shown["keys_person"] == count and shown["format"] == 3, shown
    admin = sluice.client()
    for run in admin.get("/runs?user_id=greedy-0").json:
        assert admin.post(f"/runs/{run['id']}/cancel").status == 200
    assert admin.post("/erasures", {"user_id": "greedy-0"}).status == 202
    eventually(lambda: start(sluice.client(token), "greedy-new").status, lambda status: status == 201)


def test_model_calls_that_name_ever_new_users_take_from_the_share_too(sluice, scripted_model):
    admin = sluice.client()
    assert admin.post("/api/v1/model-providers", {"name": "p", "spec": {
        "provider": "vllm", "endpoint": scripted_model.url, "models": ["m"]}}).status == 201
    token = sluice.key("operator")

    def ask(user):
        return sluice.client(token, **{"X-End-User-ID": user}).post("/v1/chat/completions", {
            "model": "m", "messages": [{"role": "user", "content": "hi"}]})
    statuses = [ask(f"greedy-{number}").status for number in range(20)]
    count = statuses.index(429)
    assert 0 < count < 8 and set(statuses[count:]) == {429} and scripted_model.calls.qsize() == count
    assert ask("greedy-0").status == 200, "a user who is known costs nothing"
    text = admin.get("/metrics").content.decode()
    assert f'sluice_keyring_keys{{kind="person"}} {count}' in text
