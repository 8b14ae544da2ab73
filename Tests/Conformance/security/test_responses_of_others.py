"""Agents that know the id of another principal's response get nothing of it: neither from Sluice nor from the provider,
which would show it to every agent of the workspace.
"""

import json

import pytest

from models.byte_provider import provider as bytes_of  # noqa: F401 - fixture
from models.test_responses import STORED, ended, passing
from scripted_provider import OpenAI
from translated_models import store  # noqa: F401 - a fixture


def test_a_response_is_its_principals_and_its_users_alone(sluice, store):
    provider = OpenAI()
    model = store(provider)
    mine = sluice.client(sluice.key("agent"))
    first = mine.post("/v1/responses", {"model": model, "input": "a secret"}).json
    item = {"type": "item_reference", "id": first["output"][0]["id"]}
    for client, headers in ((sluice.client(), {}), (mine, {"X-End-User-ID": "bob"})):
        for body in ({"input": "a", "previous_response_id": first["id"]}, {"input": [item]}):
            answer = client.post("/v1/responses", {"model": model} | body, headers=headers)
            assert answer.status == 400 and "is not kept here: send the" in answer.json["error"]["message"], answer
    assert provider.calls.qsize() == 1
    assert mine.post("/v1/responses", {"model": model, "input": "a", "previous_response_id": first["id"]}).status == 200
    provider.close()


@pytest.mark.parametrize("stream", [True, False])
def test_a_response_that_its_provider_keeps_is_its_principals_alone(sluice, bytes_of, stream):
    """With the credentials of the workspace the provider would show it to any agent."""
    own = STORED | {"id": f"resp_{stream}"}
    passing(bytes_of, *ended(id=own["id"]), response=own)
    model = bytes_of.store(sluice.client(), api="responses")
    other = bytes_of.store(sluice.client(), api="responses")
    mine = sluice.client(sluice.key("agent"))

    def ask(client, model=model, **body):
        return client.post("/v1/responses", {"model": model, "input": "a"} | body)

    def refusals(client):
        return [ask(client, previous_response_id=own["id"]).status, ask(client, model=other, previous_response_id=own["id"]).status]

    assert refusals(mine) == [400, 400], "nothing is known of it yet"
    # A response that repeats foreign ids in its metadata does not make them the caller's.
    passing(bytes_of, *ended(id="resp_x"), response=STORED | {"id": "resp_x", "metadata": {"id": own["id"]}})
    assert ask(mine).status == 200 and refusals(mine) == [400, 400]
    passing(bytes_of, *ended(id=own["id"]), response=own)
    assert ask(mine, stream=stream).status == 200
    assert refusals(mine) == [200, 400], "and at the provider that keeps it alone"
    assert refusals(sluice.client()) == [400, 400], "another key of the workspace"
    bytes_of.calls.queue.clear()
    sent = {"model": model, "previous_response_id": own["id"], "input": [{"type": "item_reference", "id": "rs_upstream"}]}
    assert mine.post("/v1/responses", sent).status == 200
    assert json.loads(bytes_of.calls.get(timeout=30)[1]) == sent


@pytest.mark.parametrize("body, words", [
    ({"background": True}, "background"), ({"conversation": "conv_1"}, "conversation"),
    ({"input": [{"type": "item_reference", "id": "msg_of_another"}]}, "msg_of_another")])
def test_a_provider_is_not_asked_for_what_callers_could_not_read_or_is_anothers(sluice, bytes_of, body, words):
    passing(bytes_of)
    model = bytes_of.store(sluice.client(), api="responses")
    answer = sluice.client(sluice.key("agent")).post("/v1/responses", {"model": model, "input": "a"} | body)
    assert answer.status == 400 and words in answer.json["error"]["message"] and bytes_of.calls.empty()
