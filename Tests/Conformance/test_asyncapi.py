"""The AsyncAPI document of streams and webhooks.

Each message that the suite reads from a stream, or that a webhook receives, is compared with it (`event_stream.py`,
`approval_services.py`).
"""

import json
import re
import warnings

import pytest

import described_answers
import described_messages
from approval_services import Services
from event_stream import EventStream, StreamEvent

with warnings.catch_warnings():
    # Two of its models have a field that hides a method.
    warnings.simplefilter("ignore")
    from asyncapi3.models import AsyncAPI3

FREE = {"data": {"anything": 1}}


@pytest.fixture(scope="module")
def messages(sluice):
    return described_answers.served(sluice, "/asyncapi.json")


def test_it_is_an_asyncapi_document(messages):
    assert messages["asyncapi"] == "3.0.0"
    AsyncAPI3.model_validate(messages)


def test_every_reference_leads_somewhere(sluice, messages):
    documents = {"": messages, "openapi.json": sluice.client(None).get("/openapi.json").json}
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(messages)))
    assert len(references) > 20
    for reference in references:
        name, _, path = reference.partition("#/")
        found = documents[name]
        for part in path.split("/"):
            found = found[part]
        assert found


def test_every_stream_is_a_channel(messages):
    addresses = {channel["address"] for channel in messages["channels"].values()}
    assert addresses == {"/runs/{runId}/events/stream", "/events/stream", "/agents/{agentName}/logs", None}


@pytest.mark.parametrize("base", ["", "/api/v1"])
@pytest.mark.parametrize("query", ["", "?format=cloudevents"])
def test_a_stream_sends_what_is_described(api, base, query):
    run = api.post("/runs", {"agent_id": "described", "user_id": "u"}).json["id"]
    api.post(f"/runs/{run}/events", {"type": "AGENT_MESSAGE", "data": {"message": "m"}, "actor": "a"})
    action = api.post(f"/runs/{run}/actions", {"tool_id": "t", "capability": "c", "payload_hash": "a" * 64}).json["action_id"]
    api.post(f"/runs/{run}/actions/{action}/approve", {"payload_hash": "a" * 64})
    api.patch(f"/runs/{run}", {"status": "COMPLETED"})
    kinds = [event.type for event in EventStream(api, f"{base}/runs/{run}/events/stream{query}")]
    assert kinds == ["AGENT_MESSAGE", "APPROVAL_REQUIRED", "APPROVED", "end"]
    stream = EventStream(api, f"{base}/events/stream?after_seq=0&run={run}" + query.replace("?", "&"))
    assert stream.take(4)
    stream.close()


def test_a_webhook_receives_what_is_described(own_sluice):
    services = Services()
    api = own_sluice().client()
    hook = {"name": "ops", "type": "webhook", "endpoint": services.url + "/hooks/ops"}
    assert api.post("/api/v1/approval-connectors", hook).status == 201
    assert api.post("/api/v1/approval-connectors/test", hook).status == 200
    services.expect("approval.test")
    request = api.post("/approvals/requests", {"subject": "u", "tool_id": "t", "agent_id": "a"}).json["id"]
    services.expect("approval.requested")
    assert api.post(f"/approvals/requests/{request}/approve", {}).status == 200
    services.expect("approval.decided")
    services.close()


@pytest.mark.parametrize("event", [
    StreamEvent(1, "RUN_STARTED", {}), StreamEvent(None, "end", {}), StreamEvent(1, "run.created", FREE),
    StreamEvent(1, "end", {"more": 1})], ids=["no members", "end", "other members", "end with members"])
def test_what_is_not_described_is_noticed(event):
    if event.type == "end" and not event.data:
        return described_messages.check_stream("/runs/x/events/stream", event)
    with pytest.raises(AssertionError):
        described_messages.check_stream("/runs/x/events/stream", event)


def test_a_webhook_with_another_member_is_noticed():
    data = {"workspace": "w", "key_id": "k", "reason": "expired"}
    signed = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1," + "A" * 43 + "="}
    payload = {"type": "security.key_misuse", "timestamp": "2026-01-01T00:00:00Z", "data": data}
    described_messages.check_webhook(payload, signed)
    for wrong in (payload | {"data": data | {"secret": 1}}, payload | {"type": "approval.other"}, payload | {"more": 1}):
        with pytest.raises(AssertionError):
            described_messages.check_webhook(wrong, signed)
