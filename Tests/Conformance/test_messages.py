"""Whoever speaks Anthropic's Messages asks any provider's model: by the published SDK, judged on the far side by each
provider's own types.
"""

import hashlib
import itertools
import json
import threading

import anthropic
import pytest

from scripted_provider import Anthropic, Answer, OpenAI
from sluice_process import SluiceProcess
from translated_models import EVERY, PIXEL, each_of, provider_of, store  # noqa: F401 - a fixture

provider = each_of(EVERY)
WEATHER = {"name": "weather", "description": "Tells the weather", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
TIME = {"name": "time", "input_schema": {"type": "object", "properties": {}}}
CALLS = [("c1", "weather", {"city": "Bergen"}), ("c2", "time", {})]
ASK = {"messages": [{"role": "user", "content": "a question"}], "max_tokens": 100}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL.split(",")[1]}}


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("messages"), {"SLUICE_LLM_TIMEOUT": "5s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(sluice):
    return anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30)


def streamed(client, **request):
    """A stream, put together by the SDK's own accumulator."""
    with client.messages.stream(**request) as stream:
        return stream.get_final_message()


ASKING = {"whole": lambda client, **request: client.messages.create(**request), "streamed": streamed}


def spoken(message):
    return "".join(block.text for block in message.content if block.type == "text")


def called(message):
    return [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"]


@pytest.mark.parametrize("asking", ASKING)
def test_a_model_answers_and_is_metered(client, api, provider, store, asking):
    model = store(provider)
    provider.say = lambda body: Answer("one two three", prompt=11, completion=4, cached=3)
    message = ASKING[asking](client, model=model, **ASK)
    assert spoken(message) == "one two three" and (message.stop_reason, message.role) == ("end_turn", "assistant")
    assert message.model == model and message.type == "message" and message.id.startswith("msg_")
    cached = 0 if provider.kind == "ollama" else 3
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (11 - cached, cached, 4)
    row, = [row for row in api.get("/api/v1/model-usage?group_by=model").json["rows"] if row["model"] == model]
    assert (row["calls"], row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"]) == (1, 11, cached, 4)
    assert row["estimated_calls"] == 0


@pytest.mark.parametrize("asking", ASKING)
def test_calls_of_tools_come_back_as_anthropics(client, provider, store, asking):
    model = store(provider)
    provider.say = lambda body: Answer("I look", CALLS)
    message = ASKING[asking](client, model=model, tools=[WEATHER, TIME], **ASK)
    assert message.stop_reason == "tool_use" and spoken(message) == "I look"
    assert [call[1:] for call in called(message)] == [call[1:] for call in CALLS]
    if provider.kind != "ollama":
        assert [call[0] for call in called(message)] == ["c1", "c2"]


@pytest.mark.parametrize("finish, reason", [("length", "max_tokens"), ("content_filter", "refusal")])
def test_why_a_model_stopped_is_said(client, provider, store, finish, reason):
    if provider.kind == "ollama" and finish == "content_filter":
        pytest.skip("Ollama filters nothing")
    model = store(provider)
    provider.say = lambda body: Answer("cut", finish=finish)
    for asking in ASKING.values():
        assert asking(client, model=model, **ASK).stop_reason == reason


def test_a_whole_conversation_reaches_an_openai_model(client, store):
    provider = OpenAI()
    client.messages.create(
        model=store(provider), max_tokens=77, temperature=0.5, top_p=0.9, top_k=3, stop_sequences=["END"],
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        metadata={"user_id": "ada"}, tools=[WEATHER, TIME],
        tool_choice={"type": "any", "disable_parallel_tool_use": True}, messages=[
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "I look"},
                *({"type": "tool_use", "id": id, "name": name, "input": input} for id, name, input in CALLS)]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "noon"}]},
                {"type": "text", "text": "So?"}]}])
    body = provider.next_call()[2]
    model = body.pop("model")
    assert body == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]},
            {"role": "assistant", "content": "I look", "tool_calls": [
                {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(input, separators=(",", ":"))}}
                for id, name, input in CALLS]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool", "tool_call_id": "c2", "content": "noon"}, {"role": "user", "content": "So?"}],
        "tools": [
            {"type": "function", "function": {
                "name": "weather", "description": "Tells the weather", "parameters": WEATHER["input_schema"]}},
            {"type": "function", "function": {"name": "time", "parameters": TIME["input_schema"]}}],
        "tool_choice": "required", "parallel_tool_calls": False, "max_completion_tokens": 77, "temperature": 0.5,
        "top_p": 0.9, "stop": ["END"],
        "user": hashlib.sha256(b"ada").hexdigest()}, model
    provider.close()


def test_others_than_openai_know_max_tokens(client, store):
    provider = OpenAI()
    provider.check = lambda path, headers, body, content: None
    provider.kind = "vllm"
    client.messages.create(model=store(provider), **ASK)
    assert provider.next_call()[2]["max_tokens"] == 100
    provider.close()


def test_anthropic_itself_gets_what_was_written(client, store):
    """Byte for byte: also what no other format knows."""
    provider = Anthropic()
    provider.check = lambda path, headers, body, content: None
    request = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 3, "max_tokens": 2000,
               "messages": ASK["messages"], "tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    model = store(provider)
    message = client.messages.create(model=model, extra_headers={"anthropic-beta": "some-beta"}, **request)
    assert [block.type for block in message.content] == ["thinking", "text"]
    path, headers, body = provider.next_call()
    assert path == "/v1/messages" and body == request | {"model": model}
    assert headers["anthropic-beta"] == "some-beta" and headers["x-api-key"] == provider.credentials["api_key"]
    provider.close()


@pytest.mark.parametrize("asking", ASKING)
def test_an_answer_of_a_schema_is_json(client, store, asking):
    provider = OpenAI()
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    provider.say = lambda body: Answer(json.dumps({"city": "Bergen"}))
    message = ASKING[asking](
        client, model=store(provider), extra_body={"output_config": {"format": {"type": "json_schema", "schema": schema}}},
        **ASK)
    assert json.loads(spoken(message)) == {"city": "Bergen"}
    assert provider.next_call()[2]["response_format"]["json_schema"]["schema"] == schema
    provider.close()


def test_a_stream_comes_event_by_event(client, provider, store):
    model = store(provider)
    provider.go_on = threading.Semaphore(0)
    provider.say = lambda body: Answer("one two three")
    before_the_first = {"openai": 1, "anthropic": 3, "bedrock": 1, "ollama": 0}[provider.kind]
    for _ in range(before_the_first):
        provider.go_on.release()
    with client.messages.stream(model=model, **ASK) as stream:
        texts = iter(stream.text_stream)
        assert next(texts).strip() == "one"
        provider.go_on.release(20)
        assert "".join(texts) == "two three"


def test_a_caller_that_goes_away_ends_the_stream_upstream(client, provider, store):
    model = store(provider)
    provider.go_on = threading.Semaphore(3)
    provider.say = lambda body: Answer("word " * 50_000)
    with client.messages.stream(model=model, **ASK) as stream:
        next(iter(stream.text_stream))
    provider.next_call()
    provider.go_on.release(60_000)
    assert provider.next_call() == "gone"


@pytest.mark.parametrize("status, raised", [
    (400, anthropic.BadRequestError), (404, anthropic.NotFoundError), (429, anthropic.RateLimitError)])
def test_what_a_provider_says_of_the_request_is_anthropics_error(client, provider, store, status, raised):
    model = store(provider)
    key = next(iter(provider.credentials.values()), "no-key-at-all")
    provider.say = lambda body: (status, provider.error(f"too much of {key}"), [("Retry-After", "7")])
    with pytest.raises(raised) as caught:
        client.messages.create(model=model, **ASK)
    assert caught.value.body["type"] == "error" and caught.value.body["error"]["message"].startswith("too much of")
    assert key not in str(caught.value.body) or key == "no-key-at-all"
    assert caught.value.response.headers["retry-after"] == "7"


def test_the_gateways_own_errors_are_anthropics_too(client, sluice, provider, store):
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="no-such-model", **ASK)
    assert caught.value.body["error"] == {
        "type": "not_found_error", "message": 'no provider found for model "no-such-model"'}
    model = store(provider)
    provider.say = lambda body: (500, {}, ())
    with pytest.raises(anthropic.InternalServerError) as caught:
        client.messages.create(model=model, **ASK)
    assert caught.value.status_code == 502
    assert caught.value.body["error"] == {"type": "api_error", "message": "provider request failed"}
    assert "500" in caught.value.body["detail"]
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(base_url=sluice.url, api_key="ra_ws_no-such-key", max_retries=0).messages.create(
            model=model, **ASK)


def test_an_error_within_a_stream_is_raised(client, provider, store):
    model = store(provider)
    events = type(provider).events
    provider.events = lambda answer, body: itertools.chain(
        itertools.islice(events(provider, answer, body), 5 if provider.kind == "anthropic" else 3),
        [provider.stream_error("overloaded")])
    provider.say = lambda body: Answer("one two three four five")
    with pytest.raises(anthropic.APIStatusError, match="overloaded"):
        streamed(client, model=model, **ASK)


def test_the_two_headers_must_not_carry_different_keys(sluice):
    headers = {"X-RunAgents-API-Key": sluice.key("viewer"), "x-api-key": sluice.key("agent")}
    answer = sluice.client(None).get("/v1/models", headers=headers)
    assert answer.status == 401 and "different keys" in answer.error
    same = sluice.client(None).get("/v1/models", headers={"x-api-key": sluice.key("agent")})
    assert same.status == 200


@pytest.mark.parametrize("broken, words", [
    ({"messages": 7}, "messages"), ({"messages": []}, "messages"), ({"max_tokens": None}, "max_tokens"),
    ({"max_tokens": 0}, "max_tokens"), ({"system": 7}, "system"), ({"system": [{"type": "image"}]}, "system[0]"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "system", "content": "x"}]}, "messages must hold"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]}, "source.type"),
    ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "tool_use_id"),
    ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": "{}"}]}]},
     "input"),
    ({"temperature": "hot"}, "temperature"), ({"stop_sequences": "END"}, "stop_sequences"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0]"),
    ({"tool_choice": {"type": "maybe"}}, "tool_choice"), ({"mcp_servers": [{}]}, "mcp_servers"),
    ({"output_config": {"format": {"type": "xml"}}}, "output_config")])
def test_what_cannot_be_translated_is_named(api, store, broken, words):
    provider = OpenAI()
    answer = api.post("/v1/messages", {"model": store(provider)} | ASK | broken)
    assert answer.status == 400 and answer.json["error"]["type"] == "invalid_request_error", answer
    assert words in answer.json["error"]["message"] and provider.calls.empty()
    provider.close()


def test_the_playground_answers_without_an_account(api, client):
    assert api.post("/api/v1/starter-kit").status == 201
    for asking in ASKING.values():
        message = asking(client, model="playground", **ASK)
        assert spoken(message) == "[playground] you said: a question" and message.usage.output_tokens > 0
        message = asking(client, model="playground", max_tokens=100, tools=[WEATHER], messages=[
            {"role": "user", "content": "Call weather with {\"city\": \"Bergen\"}"}])
        assert [call[1:] for call in called(message)] == [CALLS[0][1:]]


def test_a_provider_is_asked_by_its_address_too(sluice, provider, store):
    model = store(provider)
    client = anthropic.Anthropic(
        base_url=f"{sluice.url}/as/{sluice.key('agent')}", api_key="in-the-address", max_retries=0, timeout=30)
    assert spoken(client.messages.create(model=model, **ASK)) == "hello"
    named = sluice.client().post(f"/v1/p/{provider_of(model)}/messages", ASK | {"model": model})
    assert named.status == 200 and named.json["role"] == "assistant"
