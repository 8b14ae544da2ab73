"""Accounts of model calls are exact for every caller, and a provider's secrets reach neither callers nor the log."""

import json

import openai
import pytest

from models.byte_provider import KEY, provider  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
USAGE = {"prompt_tokens": 700, "completion_tokens": 50, "total_tokens": 750}
WORD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hello"}, "finish_reason": None}]}
END = WORD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
TOLD = WORD | {"choices": [], "usage": USAGE}


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("accounts")).start()
    yield process
    assert process.stop() == 0


def sdk(sluice):
    return openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)


def log(sluice):
    answer = sluice.run("log", "cat", "--data-dir", sluice.data)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def last_call(sluice, model):
    """What the log has of the last call of the model."""
    events = [json.loads(line) for line in log(sluice).split("\n")[:-1]]
    return [event["data"] for event in events
            if event["type"].startswith("model_call.") and event["data"]["model"] == model][-1]


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}])
def test_a_stream_is_metered_exactly_for_a_caller_that_asks_for_no_usage(sluice, provider, options):
    provider.stream(WORD, END, TOLD)
    model = provider.store(sluice.client())
    more = {} if options is None else {"stream_options": options}
    chunks = list(sdk(sluice).chat.completions.create(model=model, messages=ASK, stream=True, **more))
    assert [len(chunk.choices) for chunk in chunks] == [1, 1], "the extra chunk is not the caller's"
    sent = json.loads(provider.calls.get(timeout=30)[1])
    assert sent == {"model": model, "messages": ASK, "stream": True, "stream_options": {"include_usage": True}}
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"]) == (700, 50) and "estimated" not in data


def test_a_caller_that_asks_for_the_usage_gets_it_and_its_body_goes_byte_for_byte(sluice, provider):
    provider.stream(WORD, END, TOLD)
    model = provider.store(sluice.client())
    content = b'{"stream" :true,"model":"%s","messages":[],"stream_options":{"include_usage":true}}' % model.encode()
    answer = sluice.client(sluice.key("agent")).post("/v1/chat/completions", content=content)
    assert json.dumps(TOLD).encode() in answer.content
    assert provider.calls.get(timeout=30)[1] == content


def test_a_usage_beside_the_last_choice_stays(sluice, provider):
    provider.stream(WORD, END | {"usage": USAGE})
    model = provider.store(sluice.client())
    chunks = list(sdk(sluice).chat.completions.create(model=model, messages=ASK, stream=True))
    assert [len(chunk.choices) for chunk in chunks] == [1, 1]
    assert last_call(sluice, model)["prompt_tokens"] == 700


@pytest.mark.parametrize("refusal", [
    b'{"detail":"Extra inputs are not permitted: stream_options"}',
    b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}'])
def test_a_provider_that_knows_no_stream_options_is_asked_without_them(sluice, provider, refusal):
    model = provider.store(sluice.client())
    provider.stream(WORD, END)
    answer = provider.respond
    provider.respond = lambda body: answer(body) if "stream_options" not in body else (
        422, {"Content-Type": "application/json"}, refusal)
    chunks = list(sdk(sluice).chat.completions.create(model=model, messages=ASK, stream=True))
    assert len(chunks) == 2
    data = last_call(sluice, model)
    assert data["estimated"] and data["completion_tokens"] == 2


@pytest.mark.parametrize("path, stream", [
    ("/v1/chat/completions", True), ("/v1/chat/completions", False), ("/v1/messages", True), ("/v1/messages", False)])
def test_an_error_within_an_answer_of_200_is_a_failure_without_the_providers_key(sluice, provider, path, stream):
    error = {"error": {"message": f"Incorrect key {KEY}", "type": "invalid_request_error"}}
    model = provider.store(sluice.client())
    provider.stream(WORD, error) if stream else provider.say(error)
    answer = sluice.client(sluice.key("agent")).post(
        path, {"model": model, "messages": ASK, "stream": stream, "max_tokens": 9})
    assert KEY not in answer.content.decode() and "Incorrect key" in answer.content.decode()
    assert KEY not in log(sluice)
    assert "Incorrect key" in last_call(sluice, model)["error"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("error", [
    {"object": "error", "message": f"too long for {KEY}", "code": 400}, {"error": f"too long for {KEY}"},
    {"error": {"detail": f"too long for {KEY}"}}])
def test_an_error_in_a_stream_is_known_in_whichever_form_a_service_writes_it(sluice, provider, path, error):
    provider.stream(WORD, error)
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post(
        path, {"model": model, "messages": ASK, "stream": True, "max_tokens": 9})
    assert "too long for" in answer.content.decode() and KEY not in answer.content.decode()
    assert "too long for" in last_call(sluice, model)["error"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_translated_answer_without_usage_is_estimated(sluice, provider, stream):
    message = {"role": "assistant", "content": "hello"}
    if stream:
        provider.stream(WORD, END)
    else:
        provider.say({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]})
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post(
        "/v1/messages", {"model": model, "messages": ASK, "max_tokens": 9, "stream": stream})
    assert answer.status == 200
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"], data["estimated"]) == (3, 2, True)


def test_a_call_cut_off_by_the_limit_of_tokens_is_an_answer_with_its_usage(sluice, provider):
    provider.say({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE, "choices": [{
        "index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": None, "tool_calls": [{
            "id": "a", "type": "function", "function": {"name": "pay", "arguments": '{"amount": 1'}}]}}]})
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post("/v1/messages", {"model": model, "messages": ASK, "max_tokens": 9})
    assert answer.status == 200 and answer.json["stop_reason"] == "max_tokens" and answer.json["content"] == []
    assert last_call(sluice, model)["completion_tokens"] == 50


def test_an_answer_that_cannot_be_expressed_is_billed_once(sluice, provider):
    provider.say({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE, "choices": [{
        "index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [{
            "id": "a", "type": "function", "function": {"name": "pay", "arguments": '["amount"]'}}]}}]})
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent")).post("/v1/messages", {"model": model, "messages": ASK, "max_tokens": 9})
    assert answer.status == 502 and answer.headers["x-should-retry"] == "false"
    data = last_call(sluice, model)
    assert data["completion_tokens"] == 50 and "error" in data


@pytest.mark.parametrize("user, reason", [
    ("x" * 1025, "at most 1024 bytes"), ("%C3%A6" * 513, "at most 1024 bytes"), ("a%00", "control characters"),
    ("%0Aada", "control characters"), ("a%7F", "control characters")], ids=["long", "wide", "zero", "line", "delete"])
@pytest.mark.parametrize("path", ["chat/completions", "messages", "responses", "embeddings", "messages/count_tokens"])
def test_a_user_who_cannot_be_recorded_is_refused_by_the_headers_name(sluice, provider, path, user, reason):
    model = provider.store(sluice.client())
    answer = sluice.client(sluice.key("agent"), **{"X-End-User-ID": user}).post(
        "/v1/" + path, {"model": model, "messages": ASK, "input": "a", "max_tokens": 9})
    message = answer.json["error"]["message"]
    assert answer.status == 400 and message.startswith("X-End-User-ID must") and reason in message, answer
    assert provider.calls.empty()


@pytest.mark.parametrize("user, recorded", [("x" * 1024, "x" * 1024), ("%C3%A6", "æ"), ("100%", "100%")])
def test_a_user_is_recorded_whole(sluice, provider, user, recorded):
    provider.say({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE, "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]})
    model = provider.store(sluice.client())
    client = sluice.client(sluice.key("agent"), **{"X-End-User-ID": user})
    assert client.post("/v1/chat/completions", {"model": model, "messages": ASK}).status == 200
    assert last_call(sluice, model)["user_id"] == recorded
