"""Google Gemini's models for callers of OpenAI's and Anthropic's SDKs."""

import json

import anthropic
import openai
import pydantic
import pytest

from models import gemini_words as gemini
from models.byte_provider import KEY, ByteProvider, provider  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
PARAMETERS = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
              "properties": {"city": {"$ref": "#/$defs/City"}}, "$defs": {"City": {"type": "string"}}}
JSON = {"Content-Type": "application/json; charset=UTF-8"}
EVENTS = {"Content-Type": "text/event-stream"}
TWO_CALLS = [gemini.call("weather", {"city": "Oslo"}, "fc-1", gemini.SIGNATURE), gemini.call("weather", {"city": "Rome"})]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("gemini")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(sluice):
    return openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)


@pytest.fixture
def messages(sluice):
    return anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30).messages


def store(sluice, provider, kind="gemini", **spec):  # noqa: F811
    return provider.store(sluice.client(), kind, **spec)


def play(provider, *answers, check=True):  # noqa: F811
    """Answers the calls one after the other, each a list of parts, and refuses what the service would refuse."""
    left = list(answers)

    def respond(body):
        try:
            gemini.check(body) if check else None
        except AssertionError as problem:
            return 400, JSON, json.dumps(gemini.error(str(problem))).encode()
        path = provider.calls.queue[-1][0]
        parts = left.pop(0)
        if ":streamGenerateContent?alt=sse" not in path:
            return 200, JSON, json.dumps(gemini.document(*parts)).encode()
        chunks = [gemini.document(part, reason=None) for part in parts]
        return 200, EVENTS, gemini.stream(*chunks, gemini.document(gemini.text("")))
    provider.respond = respond


def last_call(sluice, model):
    answer = sluice.run("log", "cat", "--data-dir", sluice.data)
    assert answer.returncode == 0, answer.stderr
    events = [json.loads(line) for line in answer.stdout.split("\n")[:-1]]
    assert KEY not in answer.stdout
    return [event["data"] for event in events
            if event["type"].startswith("model_call.") and event["data"]["model"] == model][-1]


@pytest.mark.parametrize("kind", ["gemini", "google"])
def test_openais_sdk_gets_the_answer_and_the_request_is_googles(sluice, provider, client, kind):  # noqa: F811
    play(provider, [gemini.text("hm", thought=True), gemini.text("hello", thoughtSignature=gemini.SIGNATURE)])
    model = store(sluice, provider, kind)
    answer = client.chat.completions.create(
        model=model, max_tokens=9, temperature=0.5, stop="END", seed=3, messages=[
            {"role": "system", "content": "be brief"}, {"role": "user", "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}])
    assert answer.choices[0].message.content == "hello" and answer.choices[0].finish_reason == "stop"
    path, content = provider.calls.get(timeout=30)
    headers = {name.lower(): value for name, value in provider.headers.get(timeout=30).items()}
    assert path == f"/v1beta/models/{model}:generateContent"
    assert headers["x-goog-api-key"] == KEY and "authorization" not in headers
    assert json.loads(content) == {
        "contents": [{"role": "user", "parts": [
            {"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}],
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "generationConfig": {"maxOutputTokens": 9, "temperature": 0.5, "seed": 3, "stopSequences": ["END"]}}


@pytest.mark.parametrize("stream", [False, True])
def test_every_dialect_gets_the_answer(sluice, provider, client, messages, stream):  # noqa: F811
    parts = [gemini.text("hm", thought=True), gemini.text("hel"), gemini.text("lo")]
    play(provider, parts, parts, parts)
    model = store(sluice, provider)
    if stream:
        chunks = client.chat.completions.create(
            model=model, messages=ASK, stream=True, stream_options={"include_usage": True})
        chunks = list(chunks)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "hello"
        assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (7, 5)
        with messages.stream(model=model, messages=ASK, max_tokens=9) as events:
            assert events.get_final_text() == "hello"
            assert events.get_final_message().usage.output_tokens == 5
        with client.responses.stream(model=model, input="a question") as events:
            events.until_done()
            assert events.get_final_response().output_text == "hello"
    else:
        assert client.chat.completions.create(model=model, messages=ASK).choices[0].message.content == "hello"
        assert messages.create(model=model, messages=ASK, max_tokens=9).content[0].text == "hello"
        assert client.responses.create(model=model, input="a question").output_text == "hello"


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_calls_come_back_with_their_signature_by_openais_sdk(sluice, provider, client, stream):  # noqa: F811
    play(provider, TWO_CALLS, [gemini.text("done")])
    model = store(sluice, provider)
    tools = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]
    if stream:
        with client.chat.completions.stream(model=model, messages=ASK, tools=tools) as events:
            events.until_done()
            choice = events.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(model=model, messages=ASK, tools=tools).choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Oslo"}, {"city": "Rome"}]
    turns = [*ASK, {"role": "assistant", "content": None, "tool_calls": [
        {"id": call.id, "type": "function", "function": {
            "name": call.function.name, "arguments": call.function.arguments}} for call in calls]}]
    turns += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls]
    answer = client.chat.completions.create(model=model, messages=turns, tools=tools)
    assert answer.choices[0].message.content == "done"
    assert_signed_back(provider)


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_calls_come_back_with_their_signature_by_anthropics_sdk(sluice, provider, messages, stream):  # noqa: F811
    play(provider, TWO_CALLS, [gemini.text("done")])
    model = store(sluice, provider)
    tools = [{"name": "weather", "input_schema": PARAMETERS}]
    ask = {"model": model, "max_tokens": 9, "tools": tools}
    if stream:
        with messages.stream(messages=ASK, **ask) as events:
            answer = events.get_final_message()
    else:
        answer = messages.create(messages=ASK, **ask)
    assert answer.stop_reason == "tool_use"
    assert [block.input for block in answer.content] == [{"city": "Oslo"}, {"city": "Rome"}]
    turns = [*ASK, {"role": "assistant", "content": [block.model_dump() for block in answer.content]},
             {"role": "user", "content": [
                 {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"} for block in answer.content]}]
    assert messages.create(messages=turns, **ask).content[0].text == "done"
    assert_signed_back(provider)


def test_parallel_calls_come_back_with_their_signature_by_responses(sluice, provider, client):  # noqa: F811
    play(provider, TWO_CALLS, [gemini.text("done")])
    model = store(sluice, provider)
    tools = [{"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}]
    answer = client.responses.create(model=model, input="a question", tools=tools)
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": "Oslo"}, {"city": "Rome"}]
    turns = [{"role": "user", "content": "a question"}, *(call.model_dump() for call in calls)]
    turns += [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls]
    assert client.responses.create(model=model, input=turns, tools=tools).output_text == "done"
    assert_signed_back(provider)


def assert_signed_back(provider):  # noqa: F811
    first, second = (json.loads(provider.calls.get(timeout=30)[1]) for _ in range(2))
    declaration = first["tools"][0]["functionDeclarations"][0]
    assert declaration["parametersJsonSchema"] == {"type": "object", "properties": {"city": {"type": "string"}}}
    made = second["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in made] == [gemini.SIGNATURE, None]
    assert made[0]["functionCall"] == {"id": "fc-1", "name": "weather", "args": {"city": "Oslo"}}
    results = [part["functionResponse"] for part in second["contents"][2]["parts"]]
    assert [result["id"] for result in results] == [part["functionCall"]["id"] for part in made]
    assert all(result["response"] == {"output": "sunny"} for result in results)


@pytest.mark.parametrize("kind, path", [
    ("openai", "/v1/chat/completions"), ("vllm", "/v1/messages"), ("anthropic", "/v1/messages"),
    ("anthropic", "/v1/chat/completions")])
def test_a_conversation_that_goes_on_with_another_provider_has_ids_that_it_accepts(sluice, provider, kind, path):  # noqa: F811
    play(provider, TWO_CALLS)
    api = sluice.client(sluice.key("agent"))
    model = store(sluice, provider)
    is_chat = path.endswith("completions")
    tool = {"type": "function", "function": {"name": "weather"}} if is_chat else {"name": "weather", "input_schema": {}}
    body = {"model": model, "messages": ASK, "max_tokens": 9, "tools": [tool]}
    answer = api.post(path, body).json
    if is_chat:
        said = answer["choices"][0]["message"]
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in said["tool_calls"]]
    else:
        said = {"role": "assistant", "content": answer["content"]}
        results = [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": block["id"], "content": "sunny"} for block in answer["content"]]}]
    other = ByteProvider()
    other.say({"error": {"message": "seen"}}, 400)
    answer = api.post(path, body | {"model": other.store(sluice.client(), kind), "messages": [*ASK, said, *results]})
    assert answer.status == 400 and "seen" in str(answer.json)
    sent = json.loads(other.calls.get(timeout=30)[1])["messages"]
    other.close()
    if kind == "anthropic" or not is_chat and kind != "vllm":
        made = [block["id"] for block in sent[1]["content"]]
        given = [block["tool_use_id"] for block in sent[2]["content"]]
    else:
        made = [call["id"] for call in sent[1]["tool_calls"]]
        given = [message["tool_call_id"] for message in sent[2:]]
    assert made == given and len(set(made)) == 2 and all(len(id) <= 40 for id in made), made


def test_a_history_of_another_model_is_accepted(sluice, provider, client):  # noqa: F811
    play(provider, [gemini.text("done")])
    turns = [*ASK, {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
    model = store(sluice, provider)
    assert client.chat.completions.create(model=model, messages=turns).choices[0].message.content == "done"


def test_an_answer_in_json_is_parsed(sluice, provider, client):  # noqa: F811
    class Weather(pydantic.BaseModel):
        city: str
        degrees: int

    play(provider, [gemini.text('{"city":"Oslo","degrees":3}')])
    answer = client.chat.completions.parse(
        model=store(sluice, provider), messages=ASK, response_format=Weather)
    assert answer.choices[0].message.parsed == Weather(city="Oslo", degrees=3)
    sent = json.loads(provider.calls.get(timeout=30)[1])["generationConfig"]
    assert sent["responseMimeType"] == "application/json" and sent["responseJsonSchema"]["required"] == ["city", "degrees"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_limit_and_the_tokens_of_thoughts_are_told_and_recorded(sluice, provider, client, messages, stream):  # noqa: F811
    usage = {"promptTokenCount": 700, "cachedContentTokenCount": 300, "candidatesTokenCount": 20,
             "thoughtsTokenCount": 50, "totalTokenCount": 770}
    document = gemini.document(gemini.text("so"), reason="MAX_TOKENS", usage=usage)
    provider.respond = lambda body: (200, EVENTS, gemini.stream(document)) if stream else (
        200, JSON, json.dumps(document).encode())
    model = store(sluice, provider)
    if stream:
        chunks = list(client.chat.completions.create(model=model, messages=ASK, stream=True))
        assert chunks[-1].choices[0].finish_reason == "length"
        with messages.stream(model=model, messages=ASK, max_tokens=9) as events:
            assert events.get_final_message().stop_reason == "max_tokens"
    else:
        assert client.chat.completions.create(model=model, messages=ASK).choices[0].finish_reason == "length"
        assert messages.create(model=model, messages=ASK, max_tokens=9).stop_reason == "max_tokens"
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"]) == (700, 70) and "estimated" not in data


def test_a_blocked_prompt_is_a_filtered_answer(sluice, provider, client, messages):  # noqa: F811
    provider.say({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 7}})
    model = store(sluice, provider)
    assert client.chat.completions.create(model=model, messages=ASK).choices[0].finish_reason == "content_filter"
    assert messages.create(model=model, messages=ASK, max_tokens=9).stop_reason == "refusal"


def test_a_malformed_call_is_an_error_with_its_tokens(sluice, provider, client):  # noqa: F811
    provider.say(gemini.document(reason="MALFORMED_FUNCTION_CALL"))
    model = store(sluice, provider)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=model, messages=ASK)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert "MALFORMED_FUNCTION_CALL" in caught.value.response.text
    assert last_call(sluice, model)["completion_tokens"] == 5


@pytest.mark.parametrize("ending", [
    gemini.stream(gemini.document(gemini.text("he"), reason=None)),
    gemini.stream(gemini.document(gemini.text("he"), reason=None), gemini.error("overloaded", 503, "UNAVAILABLE")),
    gemini.stream(gemini.document(gemini.text("he"), reason=None), [gemini.error("overloaded", 503, "UNAVAILABLE")]),
], ids=["cut", "error", "error in an array"])
def test_a_stream_that_does_not_end_is_an_error(sluice, provider, client, messages, ending):  # noqa: F811
    provider.respond = lambda body: (200, EVENTS, ending)
    model = store(sluice, provider)
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=model, messages=ASK, stream=True))
    with pytest.raises(anthropic.APIError), messages.stream(model=model, messages=ASK, max_tokens=9) as events:
        events.get_final_text()
    assert "error" in last_call(sluice, model)


@pytest.mark.parametrize("wrapped", [False, True], ids=["document", "array"])
@pytest.mark.parametrize("stream", [False, True])
def test_googles_words_and_status_reach_both_sdks(sluice, provider, client, messages, wrapped, stream):  # noqa: F811
    error = gemini.error("The input token count exceeds the maximum number of tokens allowed")
    provider.say([error] if wrapped else error, 400)
    model = store(sluice, provider)
    for ask in (lambda: client.chat.completions.create(model=model, messages=ASK, stream=stream),
                lambda: messages.create(model=model, messages=ASK, max_tokens=9, stream=stream)):
        with pytest.raises((openai.BadRequestError, anthropic.BadRequestError)) as caught:
            ask()
        assert "exceeds the maximum" in caught.value.message


def test_a_refused_key_is_the_operators_matter(sluice, provider, client):  # noqa: F811
    provider.say(gemini.error("API key not valid. Please pass a valid API key.", 400, "INVALID_ARGUMENT", {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}), 400)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=store(sluice, provider), messages=ASK)
    assert caught.value.status_code == 502 and "refuses the credentials" in caught.value.response.text


def test_the_pause_that_google_asks_for_is_in_retry_after(sluice, provider, client):  # noqa: F811
    provider.say(gemini.error("quota", 429, "RESOURCE_EXHAUSTED", {
        "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}), 429)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=store(sluice, provider), messages=ASK)
    assert caught.value.response.headers["retry-after"] == "35"


def test_embeddings_are_googles_with_tokens_estimated(sluice, provider, client):  # noqa: F811
    provider.respond = lambda body: (200, JSON, json.dumps({
        "embeddings": [{"values": [0.5, -1.25]} for _ in body["requests"]]}).encode())
    model = store(sluice, provider)
    answer = client.embeddings.create(model=model, input=["one two three", "four"], dimensions=2)
    assert [one.embedding for one in answer.data] == [[0.5, -1.25]] * 2 and answer.usage.prompt_tokens == 5
    path, content = provider.calls.get(timeout=30)
    assert path == f"/v1beta/models/{model}:batchEmbedContents"
    assert json.loads(content)["requests"][0] == {
        "model": f"models/{model}", "content": {"parts": [{"text": "one two three"}]}, "outputDimensionality": 2}
    data = last_call(sluice, model)
    assert data["prompt_tokens"] == 5 and data["estimated"]
