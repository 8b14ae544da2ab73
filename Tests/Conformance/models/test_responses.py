"""OpenAI's Responses for every provider's model: asked by the published SDK, judged on the near side by its types, on the
far side by each provider's own.
"""

import concurrent.futures
import hashlib
import http.client
import itertools
import json
import threading

import openai
import pydantic
import pytest
from openai.types.responses import Response, ResponseStreamEvent

from models.byte_provider import provider as bytes_of  # noqa: F401 - fixture
from models.test_accounts import END, TOLD, WORD, last_call
from scripted_provider import Anthropic, Answer, OpenAI
from sluice_process import SluiceProcess
from translated_models import EVERY, PIXEL, each_of, store  # noqa: F401 - a fixture

provider = each_of(EVERY)
WEATHER = {"type": "function", "name": "weather", "description": "Tells the weather", "strict": True, "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}}
TIME = {"type": "function", "name": "time", "parameters": {"type": "object", "properties": {}}}
CALLS = [("c1", "weather", {"city": "Bergen"}), ("c2", "time", {})]
EVENT = pydantic.TypeAdapter(ResponseStreamEvent)


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("responses"), {"SLUICE_LLM_TIMEOUT": "5s", "SLUICE_HEARTBEAT": "1s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(sluice):
    return openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)


def whole(client, **request):
    response = client.responses.create(**request)
    Response.model_validate(response.to_dict(mode="json"))
    return response


def events_of(client, **request):
    """The events of a stream, each of which the SDK's own types accept."""
    events = list(client.responses.create(stream=True, **request))
    for event in events:
        EVENT.validate_python(event.to_dict(mode="json"))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return events


def streamed(client, **request):
    """A stream, whose events amount to the response at its end."""
    events = events_of(client, **request)
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    response = events[-1].response
    assert events[-1].type == f"response.{response.status}"
    done = [event for event in events if event.type == "response.output_item.done"]
    assert [event.item for event in done] == response.output
    assert [event.output_index for event in done] == list(range(len(done)))
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == response.output_text
    for item in response.output:
        own = [event for event in events if getattr(event, "item_id", None) == item.id]
        if item.type == "function_call":
            assert "".join(e.delta for e in own if e.type.endswith("arguments.delta")) == item.arguments
            assert [e.type for e in own][-1] == "response.function_call_arguments.done"
    return response


ASKING = {"whole": whole, "streamed": streamed}


def called(response):
    return [(item.call_id, item.name, json.loads(item.arguments))
            for item in response.output if item.type == "function_call"]


@pytest.mark.parametrize("asking", ASKING)
def test_a_model_answers_and_is_metered(client, api, provider, store, asking):
    model = store(provider)
    provider.say = lambda body: Answer("one two three", prompt=11, completion=4, cached=3)
    response = ASKING[asking](client, model=model, input="a question")
    assert response.output_text == "one two three" and response.status == "completed"
    assert response.id.startswith("resp_") and response.output[0].id.startswith("msg_") and response.model == model
    cached = 0 if provider.kind == "ollama" else 3
    usage = response.usage
    assert (usage.input_tokens, usage.input_tokens_details.cached_tokens) == (11, cached)
    assert (usage.output_tokens, usage.total_tokens) == (4, 15)
    row, = [row for row in api.get("/api/v1/model-usage?group_by=model").json["rows"] if row["model"] == model]
    assert (row["calls"], row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"]) == (1, 11, cached, 4)
    assert row["estimated_calls"] == 0


@pytest.mark.parametrize("asking", ASKING)
def test_calls_of_tools_come_back_one_by_one(client, provider, store, asking):
    model = store(provider)
    provider.say = lambda body: Answer("I look", CALLS)
    response = ASKING[asking](client, model=model, tools=[WEATHER, TIME], input="a question")
    assert response.status == "completed" and response.output_text == "I look"
    assert [call[1:] for call in called(response)] == [call[1:] for call in CALLS]
    assert len({item.id for item in response.output}) == 3
    if provider.kind != "ollama":
        assert [call[0] for call in called(response)] == ["c1", "c2"]


@pytest.mark.parametrize("finish, reason", [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_that_is_cut_is_incomplete(client, provider, store, finish, reason):
    if provider.kind == "ollama" and finish == "content_filter":
        pytest.skip("Ollama filters nothing")
    model = store(provider)
    provider.say = lambda body: Answer("cut", finish=finish)
    for asking in ASKING.values():
        response = asking(client, model=model, input="a question")
        assert (response.status, response.incomplete_details.reason) == ("incomplete", reason)
        assert response.output_text == "cut"


def test_the_sdks_own_stream_and_parse_read_the_answer(client, provider, store):
    class Place(pydantic.BaseModel):
        city: str

    model = store(provider)
    if provider.kind in ("anthropic", "bedrock"):
        provider.say = lambda body: Answer(calls=[("c", "answer_in_json", {"city": "Bergen"})])
    else:
        provider.say = lambda body: Answer('{"city": "Bergen"}')
    assert client.responses.parse(model=model, input="where?", text_format=Place).output_parsed == Place(city="Bergen")
    with client.responses.stream(model=model, input="where?", text_format=Place) as stream:
        assert stream.get_final_response().output_parsed == Place(city="Bergen")


def test_a_whole_conversation_reaches_an_openai_model(client, store):
    provider = OpenAI()
    model = store(provider)
    response = whole(
        client, model=model, instructions="Be brief.", max_output_tokens=77, temperature=0.5, top_p=0.9,
        parallel_tool_calls=False, tool_choice="required", tools=[WEATHER, TIME], safety_identifier="ada",
        metadata={"a": "b"}, store=False, truncation="auto", include=["reasoning.encrypted_content"],
        text={"format": {"type": "json_schema", "name": "place", "schema": WEATHER["parameters"], "strict": True}},
        input=[
            {"role": "developer", "content": "In English."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": PIXEL, "detail": "auto"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "I look", "annotations": []}]},
            *({"type": "function_call", "id": "fc_" + id, "call_id": id, "name": name, "arguments": json.dumps(arguments)}
              for id, name, arguments in CALLS),
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "noon"}]},
            {"role": "assistant", "content": "Rain at noon."}, {"role": "user", "content": "So?"}])
    body = provider.next_call()[2]
    assert body.pop("model") == model
    function = {name: value for name, value in WEATHER.items() if name != "type"}
    assert body == {
        "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "system", "content": "In English."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]},
            {"role": "assistant", "content": "I look", "tool_calls": [
                {"id": id, "type": "function", "function": {
                    "name": name, "arguments": json.dumps(arguments, separators=(",", ":"))}}
                for id, name, arguments in CALLS]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool", "tool_call_id": "c2", "content": "noon"},
            {"role": "assistant", "content": "Rain at noon."}, {"role": "user", "content": "So?"}],
        "tools": [{"type": "function", "function": function},
                  {"type": "function", "function": {"name": "time", "parameters": TIME["parameters"]}}],
        "tool_choice": "required", "parallel_tool_calls": False, "max_completion_tokens": 77, "temperature": 0.5,
        "top_p": 0.9, "user": hashlib.sha256(b"ada").hexdigest(), "response_format": {
            "type": "json_schema", "json_schema": {
                "name": "place", "schema": WEATHER["parameters"], "strict": True}}}
    assert (response.instructions, response.max_output_tokens, response.temperature) == ("Be brief.", 77, 0.5)
    assert (response.tool_choice, response.parallel_tool_calls, response.metadata) == ("required", False, {"a": "b"})
    assert [tool.name for tool in response.tools] == ["weather", "time"] and response.text.format.name == "place"
    provider.close()


@pytest.mark.parametrize("choice, expected", [
    ("auto", None), ("none", "none"), ({"type": "function", "name": "time"}, {"type": "function", "function": {"name": "time"}}),
    ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "time"}]}, "required")])
def test_choices_of_tools_are_translated(client, store, choice, expected):
    provider = OpenAI()
    whole(client, model=store(provider), input="a", tools=[WEATHER, TIME], tool_choice=choice)
    body = provider.next_call()[2]
    assert body.get("tool_choice") == expected
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert names == (["time"] if isinstance(choice, dict) and "mode" in choice else ["weather", "time"])
    provider.close()


def test_how_much_to_think_goes_to_models_that_know_it(sluice, bytes_of, client):
    bytes_of.say({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hm"}}]})
    for kind, expected in (("openai", "low"), ("vllm", None)):
        whole(client, model=bytes_of.store(sluice.client(), kind), input="a", reasoning={"effort": "low"})
        assert json.loads(bytes_of.calls.get(timeout=30)[1]).get("reasoning_effort") == expected


@pytest.mark.parametrize("broken, words", [
    ({"input": 7}, "input"), ({"input": []}, "input must hold"), ({"input": [{"role": "tool", "content": "a"}]}, "input[0].role"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "input[0].content[0].image_url"),
    ({"input": [{"type": "web_search_call", "id": "w"}]}, "input[0].type"),
    ({"input": [{"type": "function_call_output", "output": "a"}]}, "input[0].call_id"),
    ({"tools": [{"type": "web_search"}]}, 'tools[0].type "web_search" cannot be used: this model\'s provider hosts no tools'),
    ({"tools": [WEATHER, {"type": "mcp", "server_label": "a"}]}, 'tools[1].type "mcp" cannot be used'),
    ({"tools": [{"type": "custom", "name": "a"}]}, "send a function with the tool's input as its parameters"),
    ({"tools": [{"name": "a"}]}, 'tools[0].type must be "function"'), ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ({"tool_choice": {"type": "file_search"}}, 'tool_choice.type "file_search" cannot be used'),
    ({"tool_choice": {"type": "allowed_tools", "tools": [{"type": "mcp"}]}}, 'tool_choice.tools[0].type "mcp"'), ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"text": {"format": {"type": "grammar"}}}, "text.format.type"), ({"prompt": {"id": "p"}}, "prompt"),
    ({"top_logprobs": 3}, "top_logprobs"), ({"background": True}, "background"),
    ({"conversation": "conv_1"}, "conversation"), ({"instructions": 7}, "instructions")])
def test_a_request_that_cannot_be_expressed_is_refused_in_words(sluice, store, broken, words):
    provider = OpenAI()
    model = store(provider)
    answer = sluice.client(sluice.key("agent")).post("/v1/responses", {"model": model, "input": "a"} | broken)
    assert answer.status == 400 and words in answer.json["error"]["message"], answer
    assert answer.json["error"]["code"] == "REQUEST_UNSUPPORTED" and provider.calls.empty()
    provider.close()


def test_a_response_continues_another_and_refers_to_its_items(client, provider, store):
    model = store(provider)
    asks = []
    provider.say = lambda body: asks.append(json.dumps(body)) or Answer("I look", CALLS[:1])
    first = whole(client, model=model, input="the first question", tools=[WEATHER], instructions="only once")
    call = called(first)[0]
    provider.say = lambda body: asks.append(json.dumps(body)) or Answer("It rains")
    output = {"type": "function_call_output", "call_id": call[0], "output": "rain"}
    second = streamed(client, model=model, input=[output], tools=[WEATHER], previous_response_id=first.id)
    assert second.previous_response_id == first.id and second.output_text == "It rains"
    assert all(text in asks[1] for text in ("the first question", "I look", "Bergen", "rain"))
    assert "only once" in asks[0] and "only once" not in asks[1]
    whole(client, model=model, input="And now?", tools=[WEATHER], previous_response_id=second.id)
    assert all(text in asks[2] for text in ("the first question", "It rains", "And now?"))
    references = [{"type": "item_reference", "id": item.id} for item in first.output]
    whole(client, model=model, input=[{"role": "user", "content": "by reference"}, *references, output], tools=[WEATHER])
    assert all(text in asks[3] for text in ("by reference", "I look", "Bergen", "rain"))
    assert "the first question" not in asks[3]


def test_a_response_that_is_not_to_be_stored_is_not(client, store):
    provider = OpenAI()
    model = store(provider)
    first = whole(client, model=model, input="a", store=False)
    assert first.store is False
    with pytest.raises(openai.BadRequestError, match="not kept here: send the whole input"):
        client.responses.create(model=model, input="b", previous_response_id=first.id)
    provider.close()


def test_responses_are_not_read_or_deleted(client, sluice, store):
    provider = OpenAI()
    response = whole(client, model=store(provider), input="a")
    for call in (client.responses.retrieve, client.responses.delete):
        with pytest.raises(openai.NotFoundError, match="cannot be read or deleted") as caught:
            call(response.id)
        assert caught.value.type == "not_found_error"
    provider.close()


def test_an_error_within_a_stream_is_raised_and_ends_the_response(client, sluice, provider, store):
    model = store(provider)
    events = type(provider).events
    provider.events = lambda answer, body: itertools.chain(
        itertools.islice(events(provider, answer, body), 5 if provider.kind == "anthropic" else 3),
        [provider.stream_error("overloaded")])
    provider.say = lambda body: Answer("one two three four five")
    with pytest.raises(openai.APIError, match="overloaded"):
        streamed(client, model=model, input="a")
    answer = sluice.client(sluice.key("agent")).post("/v1/responses", {"model": model, "input": "a", "stream": True})
    *_, failed = [json.loads(line[6:]) for line in answer.content.decode().split("\n") if line.startswith("data: ")]
    assert failed["type"] == "response.failed" and "overloaded" in failed["response"]["error"]["message"]
    EVENT.validate_python(failed)


def test_a_stream_comes_event_by_event(client, provider, store):
    model = store(provider)
    provider.go_on = threading.Semaphore(0)
    provider.say = lambda body: Answer("one two three")
    for _ in range({"openai": 1, "anthropic": 3, "bedrock": 1, "ollama": 0}[provider.kind]):
        provider.go_on.release()
    events = iter(client.responses.create(model=model, input="a", stream=True))
    assert next(e.delta for e in events if e.type == "response.output_text.delta").strip() == "one"
    provider.go_on.release(20)
    assert list(events)[-1].response.output_text == "one two three"


@pytest.mark.parametrize("status, raised", [
    (400, openai.BadRequestError), (404, openai.NotFoundError), (429, openai.RateLimitError)])
def test_what_a_provider_says_of_the_request_is_openais_error(client, provider, store, status, raised):
    model = store(provider)
    key = next(iter(provider.credentials.values()), "no-key-at-all")
    provider.say = lambda body: (status, provider.error(f"too much of {key}"), [("Retry-After", "7")])
    with pytest.raises(raised) as caught:
        client.responses.create(model=model, input="a")
    assert caught.value.body["message"].startswith("too much of") and caught.value.response.headers["retry-after"] == "7"
    assert key not in str(caught.value.body) or key == "no-key-at-all"


def test_the_playground_answers(client, api):
    api.post("/api/v1/starter-kit", {})
    for asking in ASKING.values():
        assert "[playground]" in asking(client, model="playground", input="Say hi").output_text
    response = whole(client, model="playground", input='weather {"city":"Bergen"}', tools=[WEATHER])
    assert called(response)[0][1:] == ("weather", {"city": "Bergen"})


def test_every_address_of_models_serves_responses(sluice, store):
    provider = OpenAI()
    model = store(provider)
    key = sluice.key("agent")
    api = sluice.client(key)
    for path in ("/v1", "/v1/p/default", "/api/v1", "/api/v1/v1", "/api/v1/workspaces/default", f"/as/{key}/v1"):
        answer = api.post(path + "/responses", {"model": model, "input": "a"})
        assert answer.status == 200 and answer.json["object"] == "response", (path, answer)
        refused = api.post(path + "/responses", {"model": "no-such-model", "input": "a"})
        assert refused.status == 404 and isinstance(refused.json["error"], str if path.startswith("/api") else dict)
    assert sluice.client(sluice.key("viewer")).post("/v1/responses", {"model": model, "input": "a"}).status == 403
    provider.close()


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_without_usage_is_estimated_once(sluice, bytes_of, client, stream):
    message = {"role": "assistant", "content": "hello"}
    if stream:
        bytes_of.stream(WORD, END)
    else:
        bytes_of.say({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]})
    model = bytes_of.store(sluice.client())
    ASKING["streamed" if stream else "whole"](client, model=model, input="a question")
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"], data["estimated"]) == (3, 2, True)


def test_a_streams_usage_is_asked_for(sluice, bytes_of, client):
    bytes_of.stream(WORD, END, TOLD)
    model = bytes_of.store(sluice.client())
    assert streamed(client, model=model, input="a").usage.total_tokens == 750
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"]) == (700, 50) and "estimated" not in data
    assert data["operation"] == "responses"


# What a provider that serves responses itself answers.

STORED = {"id": "resp_upstream_1", "object": "response", "created_at": 1, "status": "completed", "error": None,
          "incomplete_details": None, "instructions": None, "metadata": {}, "model": "m", "parallel_tool_calls": True,
          "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0, "usage": {
              "input_tokens": 700, "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 0}, "output_tokens": 50,
              "output_tokens_details": {"reasoning_tokens": 40}, "total_tokens": 750}, "output": [
                  {"id": "rs_upstream", "type": "reasoning", "summary": []},
                  {"id": "msg_upstream", "type": "message", "status": "completed", "role": "assistant", "content": [
                      {"type": "output_text", "text": "hello", "annotations": []}]}]}


def passing(provider, *events, response=None):
    """Answers streams with those events and all else with a response."""
    body = b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events)
    provider.respond = lambda asked: (
        (200, {"Content-Type": "text/event-stream"}, body) if asked.get("stream") else
        (200, {"Content-Type": "application/json"}, json.dumps(response or STORED, indent=1).encode()))
    return body


def ended(status="completed", **more):
    response = STORED | {"status": status} | more
    return [{"type": "response.created", "sequence_number": 0, "response": response | {"status": "in_progress", "usage": None}},
            {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_upstream", "output_index": 0,
             "content_index": 0, "delta": "hello", "logprobs": []},
            {"type": f"response.{status}", "sequence_number": 2, "response": response}]


@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_that_serves_responses_gets_and_gives_every_byte(sluice, bytes_of, stream):
    body = passing(bytes_of, *ended())
    model = bytes_of.store(sluice.client(), api="responses")
    content = json.dumps({"stream": stream, "model": model, "input": "a", "tools": [{"type": "web_search"}]}, indent=2)
    answer = sluice.client(sluice.key("agent")).post("/v1/responses", content=content.encode())
    assert bytes_of.calls.get(timeout=30) == ("/v1/responses", content.encode())
    assert answer.content == (body if stream else json.dumps(STORED, indent=1).encode())
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["cached_tokens"], data["completion_tokens"]) == (700, 600, 50)
    assert "estimated" not in data and "error" not in data


def test_the_usage_of_a_response_of_a_megabyte_is_read(sluice, bytes_of):
    passing(bytes_of, *ended(instructions="x" * 1_000_000))
    model = bytes_of.store(sluice.client(), api="responses")
    answer = sluice.client(sluice.key("agent")).post("/v1/responses", {"model": model, "input": "a", "stream": True})
    assert len(answer.content) > 2_000_000
    assert last_call(sluice, model)["prompt_tokens"] == 700


def test_which_providers_serve_responses_is_said_or_translated(sluice, bytes_of, client):
    api = sluice.client()
    bytes_of.say({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hm"}}]})
    for kind, spec in (("openai", {}), ("vllm", {}), ("openai", {"api": "chat"})):
        assert whole(client, model=bytes_of.store(api, kind, **spec), input="a").output_text == "hm"
        assert bytes_of.calls.get(timeout=30)[0] == "/v1/chat/completions"
    answer = api.post("/api/v1/model-providers", {"name": "x", "spec": {"provider": "openai", "api": "soap"}})
    assert answer.status == 400 and answer.error == "spec.api must be responses or chat"


FAILED = {"code": "server_error", "message": "Incorrect key sk-upstream-0123456789abcdef"}


@pytest.mark.parametrize("events", [
    ended("failed", error=FAILED, usage=None), [*ended()[:2], {"type": "error", "sequence_number": 2, "param": None} | FAILED],
    [*ended()[:2], {"type": "error", "sequence_number": 2, "error": FAILED}]], ids=["failed", "error", "nested"])
def test_a_failure_within_a_passed_on_stream_is_one_without_the_providers_key(sluice, bytes_of, events):
    passing(bytes_of, *events)
    model = bytes_of.store(sluice.client(), api="responses")
    answer = sluice.client(sluice.key("agent")).post("/v1/responses", {"model": model, "input": "a", "stream": True})
    assert FAILED["message"] not in answer.content.decode() and "Incorrect key" in answer.content.decode()
    data = last_call(sluice, model)
    assert "Incorrect key" in data["error"] and FAILED["message"] not in data["error"]
    assert data["estimated"] and data["completion_tokens"] == 2, "each text counts once"


def test_a_failed_response_of_200_is_a_failure(sluice, bytes_of):
    passing(bytes_of, response=STORED | {"status": "failed", "error": FAILED})
    model = bytes_of.store(sluice.client(), api="responses")
    sluice.client(sluice.key("agent")).post("/v1/responses", {"model": model, "input": "a"})
    data = last_call(sluice, model)
    assert "Incorrect key" in data["error"] and data["completion_tokens"] == 50


def test_a_cut_answer_that_is_passed_on_is_an_answer(sluice, bytes_of, client):
    passing(bytes_of, *ended("incomplete", incomplete_details={"reason": "max_output_tokens"}))
    model = bytes_of.store(sluice.client(), api="responses")
    assert events_of(client, model=model, input="a")[-1].type == "response.incomplete"
    data = last_call(sluice, model)
    assert "error" not in data and data["completion_tokens"] == 50


def test_a_response_made_by_translation_continues_at_a_provider_that_serves_responses(sluice, bytes_of, client, store):
    provider = OpenAI(lambda body: Answer("rain"))
    first = whole(client, model=store(provider), input="Weather?")
    passing(bytes_of)
    model = bytes_of.store(sluice.client(), api="responses")
    client.responses.create(model=model, input="Sure?", previous_response_id=first.id)
    body = json.loads(bytes_of.calls.get(timeout=30)[1])
    assert [item["role"] for item in body["input"]] == ["user", "assistant", "user"] and "previous_response_id" not in body
    provider.close()


def test_a_fallback_in_another_format_stands_in(sluice, bytes_of, client, store):
    stand_in = Anthropic(lambda body: Answer("I stand in"))
    model = store(stand_in)
    bytes_of.say({"error": {"message": "overloaded"}}, 503)
    first = bytes_of.store(sluice.client(), api="responses", fallbacks=[
        {"provider": "of-" + model.replace(":", "-"), "model": model}])
    assert whole(client, model=first, input="a").output_text == "I stand in"
    stand_in.close()


@pytest.mark.parametrize("reference, tokens", [
    ({"previous_response_id": STORED["id"], "input": "b"}, 750),
    ({"input": [{"type": "item_reference", "id": "msg_upstream"}, {"type": "item_reference", "id": "rs_upstream"}]}, 50)],
    ids=["response", "items"])
def test_the_turns_that_a_provider_keeps_are_billed_by_an_estimate_when_it_tells_no_usage(sluice, bytes_of, reference, tokens):
    api = sluice.client(sluice.key("agent"))
    passing(bytes_of, *ended())
    model = bytes_of.store(sluice.client(), api="responses")
    assert api.post("/v1/responses", {"model": model, "input": "a"}).status == 200
    passing(bytes_of, *ended()[:2])
    with pytest.raises(http.client.IncompleteRead):
        api.post("/v1/responses", {"model": model, "stream": True} | reference)
    data = last_call(sluice, model)
    assert data["prompt_tokens"] - tokens in (0, 1) and data["estimated"], data


def test_the_turns_that_a_provider_keeps_are_reserved(sluice, bytes_of):
    """Calls at the same time, each of which is small but for the turns before it."""
    api, caller = sluice.client(), sluice.client(sluice.key("agent"), **{"X-End-User-ID": "reserved"})
    passing(bytes_of)
    model = bytes_of.store(api, api="responses")
    # The first call has used 750 of them, and the next one reserves as many, and some more.
    assert api.put("/api/v1/model-limits/turns", {"spec": {
        "subject": {"user": "reserved"}, "tokens": {"day": 1_500}}}).status == 200
    assert caller.post("/v1/responses", {"model": model, "input": "a"}).status == 200
    bytes_of.calls.get(timeout=30)
    answered = threading.Event()

    def wait(body, respond=bytes_of.respond):
        answered.wait(30)
        return respond(body)
    bytes_of.respond = wait
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = {"model": model, "input": "b", "max_output_tokens": 5}
        first = pool.submit(caller.post, "/v1/responses", asked | {"previous_response_id": STORED["id"]})
        bytes_of.calls.get(timeout=30)
        second = caller.post("/v1/responses", asked)
        answered.set()
        assert first.result().status == 200
    assert second.status == 429 and "calls in flight may use up the rest" in second.json["error"]["message"], second
    assert bytes_of.calls.empty()


# As Codex asks: everything at once, nothing stored, the reasoning of earlier turns sealed.

CODEX = {
    "instructions": "You are a coding agent.", "stream": True, "store": False, "tool_choice": "auto",
    "parallel_tool_calls": False, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "0199",
    "reasoning": {"effort": "medium", "summary": "auto"}, "text": {"verbosity": "low"}, "tools": [
        {"type": "function", "name": "shell", "description": "Runs a command", "strict": False, "parameters": {
            "type": "object", "properties": {"command": {"type": "array", "items": {"type": "string"}}},
            "required": ["command"], "additionalProperties": False}}],
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<permissions/>"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context/>"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "List the files."}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "content": None, "encrypted_content": "x"},
        {"type": "function_call", "name": "shell", "arguments": "{\"command\":[\"ls\"]}", "call_id": "call_1"},
        {"type": "function_call_output", "call_id": "call_1", "output": "{\"output\":\"a.txt\",\"metadata\":{\"exit_code\":0}}"}]}


def test_a_coding_agents_request_is_answered_by_any_model(sluice, provider, store):
    model = store(provider)
    provider.check = provider.check if provider.kind != "openai" else lambda *given: None
    provider.say = lambda body: Answer(calls=[("call_2", "shell", {"command": ["cat", "a.txt"]})])
    answer = sluice.client(sluice.key("agent")).post(
        "/v1/responses", CODEX | {"model": model}, headers={
            "Accept": "text/event-stream", "OpenAI-Beta": "responses=experimental", "session_id": "0199",
            "originator": "codex_cli_rs"})
    events = [json.loads(line[6:]) for line in answer.content.decode().split("\n") if line.startswith("data: ")]
    assert events[-1]["type"] == "response.completed"
    item, = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert (item["type"], item["name"], json.loads(item["arguments"])) == ("function_call", "shell", {"command": ["cat", "a.txt"]})
    path, headers, body = provider.next_call()
    assert "a.txt" in json.dumps(body) and "session_id" not in headers and "x" != body.get("encrypted_content")
