"""Models of providers with formats of their own answer as OpenAI's would: asked by the published SDK, and judged on the
far side by each provider's own types.
"""

import hashlib
import itertools
import json
import threading

import openai
import pytest

from scripted_model import ScriptedModel, words
from scripted_provider import Anthropic, Answer, Bedrock, Ollama
from sluice_process import SluiceProcess, free_port
from translated_models import PIXEL, TRANSLATED, each_of, numbers, provider_of, store  # noqa: F401 - a fixture

provider = each_of(TRANSLATED)
WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "Tells the weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
TIME = {"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {}}}}
CALLS = [("c1", "weather", {"city": "Bergen"}), ("c2", "time", {})]
ASK = [{"role": "user", "content": "a question"}]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("translation"), {"SLUICE_LLM_TIMEOUT": "5s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(sluice):
    return openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)


def streamed(client, **request):
    """A stream, put together by the SDK's own accumulator, and its usage."""
    with client.chat.completions.stream(stream_options={"include_usage": True}, **request) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion()


ASKING = {"whole": lambda client, **request: client.chat.completions.create(**request), "streamed": streamed}


@pytest.mark.parametrize("asking", ASKING)
def test_a_model_answers(client, provider, store, asking):
    model = store(provider)
    provider.say = lambda body: Answer("one two three", prompt=11, completion=4, cached=3)
    answer = ASKING[asking](client, model=model, messages=ASK)
    assert answer.choices[0].message.content == "one two three" and answer.choices[0].finish_reason == "stop"
    assert answer.model == model and answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (11, 4, 15)
    if provider.kind != "ollama":
        assert answer.usage.prompt_tokens_details.cached_tokens == 3


@pytest.mark.parametrize("asking", ASKING)
def test_calls_of_tools_come_back_as_openais(client, provider, store, asking):
    model = store(provider)
    provider.say = lambda body: Answer("I look", CALLS)
    choice = ASKING[asking](client, model=model, messages=ASK, tools=[WEATHER, TIME]).choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content == "I look"
    calls = choice.message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        (name, arguments) for _, name, arguments in CALLS]
    ids = [call.id for call in calls]
    assert len(set(ids)) == 2 and all(ids)
    if provider.kind != "ollama":
        assert ids == ["c1", "c2"]


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_why_a_model_stopped_is_said(client, provider, store, finish):
    if provider.kind == "ollama" and finish == "content_filter":
        pytest.skip("Ollama filters nothing")
    model = store(provider)
    provider.say = lambda body: Answer("cut", finish=finish)
    for asking in ASKING.values():
        if finish == "length" and asking is streamed:
            continue  # The SDK's accumulator raises on it.
        try:
            assert asking(client, model=model, messages=ASK).choices[0].finish_reason == finish
        except openai.ContentFilterFinishReasonError:
            assert finish == "content_filter"


def test_a_whole_conversation_is_put_in_the_providers_format(client, provider, store):
    """The provider's own types check it all; what it means is checked here."""
    model = store(provider)
    messages = [
        {"role": "system", "content": "Be brief."}, {"role": "developer", "content": [{"type": "text", "text": "In Norwegian."}]},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]},
        {"role": "user", "content": "And the weather?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for id, name, arguments in CALLS]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"}, {"role": "tool", "tool_call_id": "c2", "content": "noon"},
        {"role": "user", "content": "Thanks. So?"}]
    client.chat.completions.create(
        model=model, messages=messages, tools=[WEATHER, TIME], temperature=0.5, top_p=0.9, max_tokens=77,
        stop=["END", "STOP"], user="ada")
    body = provider.next_call()[2]
    if provider.kind == "anthropic":
        assert body["model"] == model and body["system"] == "Be brief.\n\nIn Norwegian."
        first, turn, last = body["messages"]
        assert [block["type"] for block in first["content"]] == ["text", "image", "text"]
        assert first["content"][1]["source"] == {
            "type": "base64", "media_type": "image/png", "data": PIXEL.split(",")[1]}
        assert [(b["id"], b["name"], b["input"]) for b in turn["content"]] == CALLS
        assert [b["type"] for b in last["content"]] == ["tool_result", "tool_result", "text"]
        assert last["content"][0] == {
            "type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "rain"}]}
        assert body["tools"][0] == {
            "name": "weather", "description": "Tells the weather", "input_schema": WEATHER["function"]["parameters"]}
        assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.5, 0.9, 77)
        assert body["stop_sequences"] == ["END", "STOP"] and body["metadata"] == {"user_id": hashlib.sha256(b"ada").hexdigest()}
    elif provider.kind == "bedrock":
        assert body["system"] == [{"text": "Be brief."}, {"text": "In Norwegian."}]
        first, turn, last = body["messages"]
        assert first["content"] == [
            {"text": "What is this?"}, {"image": {"format": "png", "source": {"bytes": PIXEL.split(",")[1]}}},
            {"text": "And the weather?"}]
        assert [tuple(b["toolUse"].values()) for b in turn["content"]] == CALLS
        assert last["content"][0] == {"toolResult": {"toolUseId": "c1", "content": [{"text": "rain"}]}}
        assert last["content"][2] == {"text": "Thanks. So?"}
        assert body["inferenceConfig"] == {
            "maxTokens": 77, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END", "STOP"]}
        assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"] == {"json": WEATHER["function"]["parameters"]}
    else:
        assert [message["role"] for message in body["messages"]] == [
            "system", "system", "user", "user", "assistant", "tool", "tool", "user"]
        assert body["messages"][2] == {"role": "user", "content": "What is this?", "images": [PIXEL.split(",")[1]]}
        assert [(c["function"]["name"], c["function"]["arguments"]) for c in body["messages"][4]["tool_calls"]] == [
            (name, arguments) for _, name, arguments in CALLS]
        assert body["messages"][5] == {"role": "tool", "content": "rain", "tool_name": "weather"}
        assert body["options"] == {"num_predict": 77, "temperature": 0.5, "top_p": 0.9, "stop": ["END", "STOP"]}
        assert body["tools"][0] == WEATHER


def test_a_choice_of_tools_is_kept(client, provider, store):
    model = store(provider)
    def asked(choice, **more):
        client.chat.completions.create(model=model, messages=ASK, tools=[WEATHER, TIME], tool_choice=choice, **more)
        return provider.next_call()[2]
    named = {"type": "function", "function": {"name": "time"}}
    if provider.kind == "anthropic":
        assert asked("auto").get("tool_choice") is None and asked("none")["tool_choice"] == {"type": "none"}
        assert asked("required", parallel_tool_calls=False)["tool_choice"] == {
            "type": "any", "disable_parallel_tool_use": True}
        assert asked(named)["tool_choice"] == {"type": "tool", "name": "time"}
    elif provider.kind == "bedrock":
        assert "toolChoice" not in asked("auto")["toolConfig"] and "toolConfig" not in asked("none")
        assert asked("required")["toolConfig"]["toolChoice"] == {"any": {}}
        assert asked(named)["toolConfig"]["toolChoice"] == {"tool": {"name": "time"}}
    else:
        assert len(asked("auto")["tools"]) == 2 and "tools" not in asked("none")
        forced = asked(named)
        assert "tools" not in forced and forced["format"] == {"type": "object", "properties": {}}
        assert "Call the tool time." in forced["messages"][0]["content"]
        assert [each["properties"]["name"]["enum"] for each in asked("required")["format"]["anyOf"]] == [["weather"], ["time"]]


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "weather"}}])
def test_a_forced_tool_is_called_by_every_provider(client, provider, store, asking, choice):
    model = store(provider)
    arguments = {"city": "Bergen"}
    answer = arguments if isinstance(choice, dict) else {"name": "weather", "arguments": arguments}
    provider.say = lambda body: (
        Answer(json.dumps(answer)) if provider.kind == "ollama" else Answer(calls=[("c1", "weather", arguments)]))
    found = ASKING[asking](client, model=model, messages=ASK, tools=[WEATHER, TIME], tool_choice=choice).choices[0]
    call, = found.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", arguments) and call.id
    assert found.finish_reason == "tool_calls" and not found.message.content


@pytest.mark.parametrize("asking", ASKING)
def test_answers_in_json_are_json(client, provider, store, asking):
    model = store(provider)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    found = {"city": "Bergen"}

    def say(body):
        tools = body.get("tools") or [tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", [])]
        if provider.kind == "ollama":
            assert body["format"] == schema
            return Answer(json.dumps(found))
        assert [tool["name"] for tool in tools] == ["answer_in_json"]
        return Answer(calls=[("c1", "answer_in_json", found)])

    provider.say = say
    choice = ASKING[asking](client, model=model, messages=ASK, response_format={
        "type": "json_schema", "json_schema": {"name": "place", "schema": schema}}).choices[0]
    assert json.loads(choice.message.content) == found
    assert choice.finish_reason == "stop" and not choice.message.tool_calls


def test_a_stream_comes_part_by_part_and_ends_upstream_when_nobody_reads_on(client, provider, store):
    model = store(provider)
    provider.go_on = threading.Semaphore(1 if provider.kind == "ollama" else 2 if provider.kind == "bedrock" else 4)
    provider.say = lambda body: Answer(" ".join(["word"] * 4000))
    stream = client.chat.completions.create(model=model, messages=ASK, stream=True)
    assert "word" in next(iter(stream)).choices[0].delta.content, "before the model goes on"
    provider.next_call()
    stream.close()
    for _ in range(5000):
        provider.go_on.release()
    assert provider.next_call() == "gone"


def test_usage_comes_only_when_asked_for(client, provider, store):
    model = store(provider)
    chunks = list(client.chat.completions.create(model=model, messages=ASK, stream=True))
    assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant" and chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 429])
def test_what_a_provider_says_of_the_request_is_openais_error(client, provider, store, status):
    model = store(provider)
    key = next(iter(provider.credentials.values()), "no-key-at-all")
    provider.say = lambda body: (status, provider.error(f"too much of {key}"), [("Retry-After", "7")])
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=model, messages=ASK)
    assert caught.value.status_code == status and caught.value.response.headers["retry-after"] == "7"
    assert caught.value.body["message"].startswith("too much of") and set(caught.value.body) == {
        "message", "type", "param", "code"}
    assert key not in caught.value.body["message"] or key == "no-key-at-all"


def test_an_error_within_a_stream_is_raised(client, provider, store):
    model = store(provider)
    events = type(provider).events
    provider.events = lambda answer, body: itertools.chain(
        itertools.islice(events(provider, answer, body), 2 if provider.kind != "anthropic" else 5),
        [provider.stream_error("overloaded")])
    provider.say = lambda body: Answer("one two three four five")
    text = ""
    with pytest.raises(openai.APIError, match="overloaded"):
        for chunk in client.chat.completions.create(model=model, messages=ASK, stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text.startswith("one ")


def test_a_stream_that_breaks_off_is_no_whole_answer(client, provider, store):
    model = store(provider)
    provider.broken_after = 3
    provider.say = lambda body: Answer("one two three four five")
    with pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(model=model, messages=ASK, stream=True))


@pytest.mark.parametrize("document", [{}, [], "text", {"content": 7, "message": 7, "output": []}, None])
def test_an_answer_that_is_none_is_a_502(api, provider, store, document):
    if provider.kind == "ollama" and document and "message" in document:
        document = {"message": None}
    provider.say = lambda body: (200, document, ())
    answer = api.post("/v1/chat/completions", {"model": store(provider), "messages": ASK})
    assert (answer.status, answer.error) == (502, "provider request failed"), answer


@pytest.mark.parametrize("broken, words", [
    ({"messages": 7}, "messages"), ({"messages": []}, "messages"), ({"messages": [{"role": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://x"}}]}]}, "image_url"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id"), ({"n": 2}, "n must be 1"),
    ({"temperature": "hot"}, "temperature"), ({"max_tokens": -1}, "max_tokens"), ({"stop": [1]}, "stop"),
    ({"tools": [{"type": "web_search"}]}, "tools[0]"), ({"tool_choice": "maybe"}, "tool_choice"),
    ({"response_format": {"type": "xml"}}, "response_format"), ({"logprobs": True}, "logprobs")])
def test_what_cannot_be_translated_is_named(api, provider, store, broken, words):
    answer = api.post("/v1/chat/completions", {"model": store(provider), "messages": ASK} | broken)
    assert answer.status == 400 and words in answer.error, answer
    assert provider.calls.empty()


def test_a_provider_that_fails_is_asked_again_and_then_another(api, client, provider, store):
    second = ScriptedModel(lambda body: words("of the second"))
    api.post("/api/v1/model-providers", {"name": "second", "spec": {
        "provider": "openai", "endpoint": second.url, "models": ["other"], "auth": {"type": "None"}}})
    model = store(provider, fallbacks=[{"provider": "second", "model": "other"}])
    failures = iter([503])
    provider.say = lambda body: (next(failures), provider.error("busy"), ()) if failures.__length_hint__() else Answer("mine")
    answer = client.chat.completions.with_raw_response.create(model=model, messages=ASK)
    assert answer.parse().choices[0].message.content == "mine", "503 is tried again"
    assert answer.headers["sluice-provider"] != "second" and second.calls.empty()
    for status in (500, 503, 429, 401):
        provider.say = lambda body: (status, provider.error("busy"), ())
        answer = client.chat.completions.with_raw_response.create(model=model, messages=ASK)
        assert answer.parse().choices[0].message.content == "of the second"
        assert answer.headers["sluice-provider"] == "second"
        assert json.loads(second.next_call()[2])["model"] == "other"
    provider.say = lambda body: (400, provider.error("wrong"), ())
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=model, messages=ASK)
    assert second.calls.empty(), "what is wrong with the request is so everywhere"
    second.close()


def test_a_limit_of_requests_a_minute_holds(api, client, provider, store):
    model = store(provider, rateLimit={"requestsPerMinute": 2})
    for _ in range(2):
        client.chat.completions.create(model=model, messages=ASK)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=model, messages=ASK)
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
    assert provider.calls.qsize() == 2
    rows = api.get("/api/v1/model-usage?group_by=provider").json["rows"]
    counted = next(row for row in rows if row["provider"] == provider_of(model))
    assert counted["calls"] == 2, "what was not sent is no call"


def test_models_are_listed(sluice, client, api, provider, store):
    model = store(provider, f"meta/model:{next(numbers)}")
    listed = {each.id: each.owned_by for each in client.models.list()}
    name = provider_of(model)
    assert listed[model] == name
    assert client.models.retrieve(model).id == model
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such")
    one = openai.OpenAI(base_url=f"{sluice.url}/v1/p/{name}", api_key=sluice.key("agent"), max_retries=0)
    assert [each.id for each in one.models.list()] == [model]
    assert sluice.client(None).get("/v1/models").status == 401
    assert model not in str(sluice.client(sluice.key("agent", "elsewhere")).get("/v1/models").json)


def test_a_provider_can_be_tested(api, provider, store):
    model = store(provider)
    name = provider_of(model)
    def status():
        return api.get(f"/api/v1/model-providers/{name}").json["status"]
    assert status()["phase"] == "Pending"
    found = api.post(f"/api/v1/model-providers/{name}/test")
    assert found.status == 200
    if provider.kind == "bedrock":
        assert not found.json["reachable"] and "call a model" in found.json["error"]
        return
    assert found.json["reachable"] and status()["phase"] == "Available"
    store(provider, model, endpoint=f"http://127.0.0.1:{free_port()}")
    assert not api.post(f"/api/v1/model-providers/{name}/test").json["reachable"]
    assert status()["phase"] == "Unavailable" and "cannot be reached" in status()["message"]


def test_embeddings_of_ollama(client, store):
    provider = Ollama()
    provider.say = lambda body: (200, {"model": body["model"], "embeddings": [[0.5, 0.25], [1, 0]], "prompt_eval_count": 4}, ())
    answer = client.embeddings.create(model=store(provider), input=["one", "two"])
    assert [each.embedding for each in answer.data] == [[0.5, 0.25], [1, 0]] and answer.usage.prompt_tokens == 4
    provider.close()


def test_embeddings_of_bedrock(client, store):
    """Amazon's models take one text at a time, Cohere's all of them."""
    provider = Bedrock()
    vectors = {"one": [0.5, 0.25], "two": [1, 0]}
    provider.say = lambda body: (200, {"embedding": vectors[body["inputText"]], "inputTextTokenCount": 2}, ())
    model = store(provider, "amazon.titan-embed-text-v2:0")
    answer = client.embeddings.create(model=model, input=["one", "two"], dimensions=2)
    assert [each.embedding for each in answer.data] == list(vectors.values()) and answer.usage.prompt_tokens == 4
    path, _, body = provider.next_call()
    assert path == f"/model/{model.replace(':', '%3A')}/invoke" and body == {"inputText": "one", "dimensions": 2}
    with pytest.raises(openai.BadRequestError, match="several calls"):
        client.embeddings.create(model=model, input=["one"] * 129)
    provider.say = lambda body: (
        200, {"embeddings": [vectors[text] for text in body["texts"]]}, [("X-Amzn-Bedrock-Input-Token-Count", "6")])
    answer = client.embeddings.create(model=store(provider, "cohere.embed-english-v3"), input=["one", "two"])
    assert [each.embedding for each in answer.data] == list(vectors.values()) and answer.usage.prompt_tokens == 6
    provider.say = lambda body: (200, {"embeddings": []}, ())
    with pytest.raises(openai.InternalServerError, match="no embedding"):
        client.embeddings.create(model="cohere.embed-english-v3", input="one")
    provider.close()


@pytest.mark.parametrize("input", [None, 7, [], ["one", 2]])
def test_what_cannot_be_embedded_is_named(api, store, input):
    provider = Ollama()
    answer = api.post("/v1/embeddings", {"model": store(provider), "input": input})
    assert answer.status == 400 and "input" in answer.error and provider.calls.empty()
    provider.close()


def test_who_makes_no_embeddings_says_so(client, store):
    provider = Anthropic()
    with pytest.raises(openai.BadRequestError, match="no embeddings"):
        client.embeddings.create(model=store(provider), input="one")
    provider.close()


@pytest.mark.parametrize("broken, words", [
    ({"rateLimit": {"requestsPerMinute": "many"}}, "requestsPerMinute"), ({"fallbacks": {}}, "fallbacks"),
    ({"fallbacks": [{}]}, "provider")])
def test_a_provider_that_makes_no_sense_is_refused(api, broken, words):
    answer = api.post("/api/v1/model-providers", {"name": "broken", "spec": {"provider": "openai"} | broken})
    assert answer.status == 400 and words in answer.error


def test_the_playground_answers_without_an_account(api, client):
    assert api.post("/api/v1/starter-kit").status == 201
    for asking in ASKING.values():
        answer = asking(client, model="playground", messages=ASK)
        assert answer.choices[0].message.content == "[playground] you said: a question"
        assert answer.system_fingerprint == "sluice-playground" and answer.usage.total_tokens > 0
        choice = asking(client, model="playground", tools=[WEATHER, TIME], messages=[
            {"role": "user", "content": "Call weather with {\"city\": \"Bergen\"}"}]).choices[0]
        assert choice.finish_reason == "tool_calls"
        call = choice.message.tool_calls[0]
        assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Bergen"})
        done = asking(client, model="playground", tools=[WEATHER], messages=[
            {"role": "user", "content": "the weather of Bergen"},
            {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": {
                "name": "weather", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": call.id, "content": "rain"}])
        assert done.choices[0].message.content == "[playground] the tool answered: rain"
