"""Answers that break after their beginning are billed, and never taken for whole."""

import http.client
import json

import pytest

from models.byte_provider import provider  # noqa: F401 - fixture
from models.test_accounts import ASK, END, WORD, last_call, sluice  # noqa: F401 - fixture

MESSAGE = {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "m",
                                                "content": [], "usage": {"input_tokens": 7, "output_tokens": 1}}}
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "half"}}
PART = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "i", "delta": "half"}
CUT = {
    "chat/completions": ("vllm", {}, [WORD]), "messages": ("anthropic", {}, [MESSAGE, DELTA]),
    "responses": ("vllm", {"api": "responses"}, [PART])}


def question(path, model, **more):
    asked = {"input": "a question"} if path == "responses" else {"messages": ASK, "max_tokens": 9}
    return {"model": model} | asked | more


@pytest.mark.parametrize("path", CUT)
def test_a_stream_that_ends_early_is_no_whole_answer(sluice, provider, path):
    kind, spec, events = CUT[path]
    provider.stream(*events, done=False)
    model = provider.store(sluice.client(), kind=kind, **spec)
    client = sluice.client(sluice.key("agent"))
    connection = http.client.HTTPConnection(client.host, client.port, timeout=60)
    connection.request("POST", f"/v1/{path}", json.dumps(question(path, model, stream=True)), client.headers)
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    connection.close()
    assert "ended early" in last_call(sluice, model)["error"]


def test_a_reason_to_stop_is_an_end(sluice, provider):
    provider.stream(WORD, END, done=False)
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post("/v1/chat/completions", question("", model, stream=True))
    assert answer.status == 200 and "error" not in last_call(sluice, model)


@pytest.mark.parametrize("path", ["chat/completions", "messages", "responses"])
@pytest.mark.parametrize("headers, content", [
    ({"Content-Encoding": "br"}, b"x"), ({"Content-Encoding": "gzip"}, b"no gzip"), ({"Content-Type": "text/html"}, b"<p>")])
def test_an_answer_that_cannot_be_read_is_billed_and_not_asked_for_again(sluice, provider, path, headers, content):
    provider.respond = lambda body: (200, {"Content-Type": "application/json"} | headers, content)
    model = provider.store(sluice.client(), kind="ollama")
    answer = sluice.client(sluice.key("agent")).post(f"/v1/{path}", question(path, model))
    assert (answer.status, answer.headers["x-should-retry"]) == (502, "false"), answer
    data = last_call(sluice, model)
    assert data["prompt_tokens"] > 0 and data["estimated"] and provider.calls.qsize() == 1


@pytest.mark.parametrize("path", ["messages", "responses"])
def test_a_provider_that_refuses_the_request_for_the_usage_streams_for_every_caller(sluice, provider, path):
    refusal = {"error": {"message": "Unrecognized request argument supplied: stream_options"}}
    stream = (200, {"Content-Type": "text/event-stream"}, b"".join(
        b"data: %s\n\n" % json.dumps(each).encode() for each in (WORD, END)) + b"data: [DONE]\n\n")
    provider.respond = lambda body: (
        (400, {"Content-Type": "application/json"}, json.dumps(refusal).encode()) if "stream_options" in body else stream)
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post(f"/v1/{path}", question(path, model, stream=True))
    assert answer.status == 200 and b"hello" in answer.content and b"Unrecognized" not in answer.content


@pytest.mark.parametrize("stream", ["true", 1])
def test_a_stream_is_asked_for_by_a_boolean(sluice, provider, stream):
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post("/v1/chat/completions", question("", model, stream=stream))
    assert answer.status == 400 and answer.json["error"]["message"] == "stream must be true or false"
    assert provider.calls.empty()


def test_items_that_are_referred_to_have_a_bound_for_all_of_them_together(sluice, provider):
    provider.say({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "x" * 1_000_000}, "finish_reason": "stop"}]})
    model = provider.store(sluice.client())
    api = sluice.client(sluice.key("agent"))
    item = api.post("/v1/responses", question("responses", model)).json["output"][0]["id"]
    reference = {"type": "item_reference", "id": item}
    assert api.post("/v1/responses", {"model": model, "input": [reference] * 3}).status == 200
    answer = api.post("/v1/responses", {"model": model, "input": [reference] * 100})
    assert answer.status == 400 and "refer to fewer" in answer.json["error"]["message"]
    assert provider.calls.qsize() == 2
