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


UNREADABLE = {"ollama": [{"embeddings": [[0.5]]}, {"embeddings": "none"}, {"error": "no memory"}],
              "gemini": [{"embeddings": [{"values": [0.5]}]}, {}, {"error": {"message": "no memory"}}]}
TOLD_BY = {"ollama": {"prompt_eval_count": 9}, "gemini": {"usageMetadata": {"promptTokenCount": 9}}}


@pytest.mark.parametrize("told", [True, False], ids=["told", "estimated"])
@pytest.mark.parametrize("kind, document", [(kind, each) for kind in UNREADABLE for each in UNREADABLE[kind]],
                         ids=[f"{kind}-{number}" for kind in UNREADABLE for number in range(3)])
def test_embeddings_that_cannot_be_read_are_billed_and_not_asked_for_again(sluice, provider, kind, document, told):
    provider.say(document | (TOLD_BY[kind] if told else {}))
    model = provider.store(sluice.client(), kind=kind)
    answer = sluice.client(sluice.key("agent")).post("/v1/embeddings", {"model": model, "input": ["12345678", "x"]})
    assert (answer.status, answer.headers["x-should-retry"]) == (502, "false"), answer
    data = last_call(sluice, model)
    assert data["prompt_tokens"] == (9 if told else 3) and data.get("estimated", False) != told, data
    assert ("no memory" in data["error"]) == ("error" in document) and provider.calls.qsize() == 1


def test_embeddings_of_which_a_later_part_is_refused_are_billed_for_the_parts_before(sluice, provider):
    def respond(body):
        texts = len(body["requests"])
        if texts < 100:
            return 400, {"Content-Type": "application/json"}, b'{"error": {"message": "too long"}}'
        answer = {"embeddings": [{"values": [0.5]}] * texts, "usageMetadata": {"promptTokenCount": 321}}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
    provider.respond = respond
    model = provider.store(sluice.client(), kind="gemini")
    answer = sluice.client(sluice.key("agent")).post("/v1/embeddings", {"model": model, "input": ["x"] * 101})
    assert answer.status == 400 and answer.json["error"]["message"] == "too long"
    data = last_call(sluice, model)
    assert data["prompt_tokens"] == 321 and "too long" in data["error"] and "estimated" not in data


@pytest.mark.parametrize("format", ["hex", "int8", 7])
def test_an_encoding_of_embeddings_that_is_none_is_refused(sluice, provider, format):
    model = provider.store(sluice.client(), kind="ollama")
    answer = sluice.client(sluice.key("agent")).post(
        "/v1/embeddings", {"model": model, "input": "x", "encoding_format": format})
    assert answer.status == 400 and answer.json["error"]["message"].startswith('encoding_format must be "float" or "base64"')
    assert provider.calls.empty()


# A whole answer to a request for a stream, by kind.
CALLED = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bergen"}'}}
WHOLE = {
    "vllm": {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "hello", "tool_calls": [CALLED]}}],
        "usage": {"prompt_tokens": 700, "completion_tokens": 50, "total_tokens": 750}},
    "anthropic": {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "content": [
        {"type": "text", "text": "hello"}, {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bergen"}}],
        "usage": {"input_tokens": 700, "output_tokens": 50}},
    "gemini": {"candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [
        {"text": "hello"}, {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Bergen"}}}]}}],
        "usageMetadata": {"promptTokenCount": 700, "candidatesTokenCount": 50, "totalTokenCount": 750}},
    "ollama": {"model": "m", "done": True, "done_reason": "stop", "prompt_eval_count": 700, "eval_count": 50, "message": {
        "role": "assistant", "content": "hello", "tool_calls": [{"function": {"name": "weather", "arguments": {
            "city": "Bergen"}}}]}}}
ENDINGS = {"chat/completions": b"data: [DONE]", "messages": b"event: message_stop", "responses": b"event: response.completed"}


@pytest.mark.parametrize("path, kind", [
    (path, kind) for path in ENDINGS for kind in WHOLE if (path, kind) not in (
        ("chat/completions", "vllm"), ("messages", "anthropic"))])
def test_a_whole_answer_to_a_request_for_a_stream_is_given_as_one(sluice, provider, path, kind):
    provider.say(WHOLE[kind])
    model = provider.store(sluice.client(), kind=kind)
    answer = sluice.client(sluice.key("agent")).post(f"/v1/{path}", question(path, model, stream=True))
    assert answer.status == 200 and answer.headers["content-type"] == "text/event-stream"
    assert ENDINGS[path] in answer.content and b"error" not in answer.content.replace(b'"error":null', b""), answer
    assert all(word in answer.content for word in (b"hello", b"weather", b"Bergen"))
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"]) == (700, 50) and not {"estimated", "error"} & data.keys()


def test_the_parts_of_a_stream_in_an_array_are_one_answer(sluice, provider):
    parts = [{"candidates": [{"content": {"parts": [{"text": word}]}}]} for word in ("hel", "lo")]
    provider.say([*parts, WHOLE["gemini"] | {"candidates": [{"finishReason": "STOP", "content": {"parts": []}}]}])
    model = provider.store(sluice.client(), kind="gemini")
    answer = sluice.client(sluice.key("agent")).post("/v1/messages", question("messages", model, stream=True))
    assert b'"text":"hello"' in answer.content and ENDINGS["messages"] in answer.content
    assert last_call(sluice, model)["prompt_tokens"] == 700


@pytest.mark.parametrize("content, reason", [
    (b'{"error":{"message":"overloaded"}}', "the provider reports an error: overloaded"),
    (b' [{"error":{"message":"overloaded"}}]', "overloaded"), (b'{"choices":[{"mess', "no JSON"), (b"{}", "no choice"),
    (b'{"choices":[],"usage":{"prompt_tokens":700,"completion_tokens":50}}', "no choice"), (b"<html>", "ended early"),
    (b"", "ended early")], ids=["error", "array", "cut", "empty", "billed", "html", "nothing"])
def test_a_whole_answer_that_cannot_be_read_is_an_error_within_the_stream(sluice, provider, content, reason):
    provider.say(content)
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post("/v1/messages", question("messages", model, stream=True))
    assert b"event: error" in answer.content and reason.encode() in answer.content, answer
    data = last_call(sluice, model)
    assert reason in data["error"] and data["prompt_tokens"] == (700 if b"700" in content else 3)
