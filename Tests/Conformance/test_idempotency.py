"""The same Idempotency-Key and body give the first answer again."""

import uuid

import pytest

from sluice_process import SluiceProcess


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    """One of its own: where nothing else is going on, nothing moves the log."""
    process = SluiceProcess(tmp_path_factory.mktemp("idempotency")).start()
    yield process
    assert process.stop() == 0


def keyed():
    return {"Idempotency-Key": str(uuid.uuid4())}


@pytest.fixture
def posts(api, run):
    """POSTs of every kind, each with a body that is valid once."""
    paused = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    action = api.post(f"/runs/{paused}/actions", {"tool_id": "t"}).json["action_id"]
    open_run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    return {
        "run": ("/runs", {"agent_id": "a", "user_id": "u"}),
        "event": (f"/runs/{run['id']}/events", {"type": "USER_MESSAGE", "data": {"message": "once"}}),
        "action": (f"/runs/{open_run}/actions", {"tool_id": "t"}),
        "approve": (f"/runs/{paused}/actions/{action}/approve", {}),
        "deploy": ("/api/deploy", {"agent_name": "idempotent", "image": "i"}),
        "tool": ("/api/v1/tools", {"name": "idempotent", "base_url": "https://x.test"}),
        "access": ("/governance/requests", {"subject": str(uuid.uuid4()), "tool_id": "t"}),
        "cancel": (f"/runs/{run['id']}/cancel", {}),
    }


@pytest.mark.parametrize("kind", ["run", "event", "action", "approve", "deploy", "tool", "access", "cancel"])
def test_a_repeated_post_changes_nothing_and_answers_the_same(api, posts, kind):
    path, body = posts[kind]
    headers = keyed()
    first = api.post(path, body, headers)
    assert first.status in (200, 201) and "idempotency-replayed" not in first.headers
    position = api.get("/readyz").json["position"]
    again = api.post(path, body, headers)
    assert (again.status, again.json) == (first.status, first.json)
    assert again.headers["idempotency-replayed"] == "true"
    assert api.get("/readyz").json["position"] == position


def test_the_same_key_with_another_body_is_422(api, run):
    headers = keyed()
    path = f"/runs/{run['id']}/events"
    assert api.post(path, {"type": "USER_MESSAGE"}, headers).status == 201
    other = api.post(path, {"type": "AGENT_MESSAGE"}, headers)
    assert other.status == 422 and "Idempotency-Key" in other.error
    elsewhere = api.post("/runs", {"agent_id": "a", "user_id": "u"}, headers)
    assert elsewhere.status == 422


def test_a_repeated_post_of_a_key_does_not_show_the_secret_again(api):
    headers = keyed()
    first = api.post("/api/auth/api-keys", {"name": "n", "role": "viewer"}, headers)
    again = api.post("/api/auth/api-keys", {"name": "n", "role": "viewer"}, headers)
    assert again.json["key"] == first.json["key"]
    assert again.json["token"] == "shown once, with the first answer" != first.json["token"]


def test_the_first_answer_is_given_again_after_a_kill(own_sluice):
    sluice = own_sluice()
    headers = keyed()
    first = sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}, headers)
    sluice.restart()
    again = sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}, headers)
    assert (again.status, again.content) == (first.status, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(sluice.client().get("/runs").json) == 1
    assert sluice.client().post("/runs", {"agent_id": "b", "user_id": "u"}, headers).status == 422


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "caf\u00e9"])
def test_a_key_that_is_no_key_is_refused(api, key):
    assert api.post("/runs", {"agent_id": "a", "user_id": "u"}, {"Idempotency-Key": key}).status == 400


def test_a_refused_post_may_be_corrected_under_the_same_key(api):
    headers = keyed()
    assert api.post("/runs", {"agent_id": "a"}, headers).status == 400
    assert api.post("/runs", {"agent_id": "a", "user_id": "u"}, headers).status == 201


def test_what_ends_work_is_done_also_when_all_keys_are_used_up(own_sluice):
    sluice = own_sluice(SLUICE_IDEMPOTENCY_KEYS_MAX="8")
    api = sluice.client()
    for name in ("one", "two"):
        assert api.post("/api/v1/deploy", {"agent_name": name, "image": "i"}).status in (200, 201)
    assert api.post("/api/v1/tools", {"name": "t", "base_url": "https://x.test"}).status == 201
    runs = [api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"] for _ in range(3)]
    first = keyed()
    made = api.post("/runs", {"agent_id": "a", "user_id": "first"}, first)
    while (answer := api.post("/runs", {"agent_id": "b", "user_id": "u"}, keyed())).status == 201:
        pass
    assert answer.status in (429, 503) and "Idempotency-Key" in answer.error
    for path, body in [
            (f"/runs/{runs[0]}/cancel", {}), ("/runs/cancel", {"agent": "a", "dry_run": False}),
            ("/api/v1/agents/one/stop", {}), ("/api/agents/default/two/stop", {}), ("/api/v1/tools/t/stop", {}),
            ("/api/v1/workspaces/default/stop", {})]:
        headers = keyed()
        assert api.post(path, body, headers).status == 200, path
        again = api.post(path, body, headers)
        assert again.status in (200, 409) and "idempotency-replayed" not in again.headers, again
    assert {api.get(f"/runs/{run}").json["status"] for run in runs} == {"FAILED"}
    # What is remembered is not forgotten for it, and starting needs room.
    again = api.post("/runs", {"agent_id": "a", "user_id": "first"}, first)
    assert again.json["id"] == made.json["id"] and again.headers["idempotency-replayed"] == "true"
    assert api.post("/api/v1/tools/t/start", {}, keyed()).status in (429, 503)
