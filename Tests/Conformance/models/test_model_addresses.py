"""Clients reach models at every address that they make of the gateway's base, and of Azure's paths."""

import json

import anthropic
import openai
import pytest

from models.byte_provider import provider  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
REPLY = {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
         "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, "choices": [{
             "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}
VECTORS = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
           "usage": {"prompt_tokens": 1, "total_tokens": 1}}
BASES = ["/v1", "/v1/p/default", "/v1/p/{provider}", "/api/v1/v1", "/api/v1/v1/p/default", "/as/{key}/v1",
         "/as/{key}/v1/p/default"]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("addresses")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def key(sluice):
    return sluice.key("agent")


@pytest.fixture
def model(sluice, provider):
    provider.say(REPLY)
    return provider.store(sluice.client())


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", ["", "/chat/completions", "/v1/chat/completions"])
def test_chat_completions_are_asked_at_the_base_and_below_it(sluice, key, provider, model, base, path):
    base = base.format(provider=f"of-{model}", key=key)
    answer = sluice.client(None if "/as/" in base else key).post(base + path, {"model": model, "messages": ASK})
    assert answer.status == 200 and answer.json["choices"][0]["message"]["content"] == "hello", answer
    assert provider.calls.get(timeout=30)[0] == "/v1/chat/completions"


@pytest.mark.parametrize("base", BASES)
def test_messages_responses_and_embeddings_are_asked_below_another_v1(sluice, key, provider, model, base):
    base = base.format(provider=f"of-{model}", key=key)
    client = sluice.client(None if "/as/" in base else key)
    for path in ("/messages", "/v1/messages"):
        answer = client.post(base + path, {"model": model, "messages": ASK, "max_tokens": 9})
        assert answer.status == 200 and answer.json["content"][0]["text"] == "hello", answer
    for path in ("/responses", "/v1/responses"):
        answer = client.post(base + path, {"model": model, "input": "a question", "store": False})
        assert answer.status == 200 and answer.json["output"][0]["content"][0]["text"] == "hello", answer
    provider.say(VECTORS)
    for path in ("/embeddings", "/v1/embeddings"):
        assert client.post(base + path, {"model": model, "input": "a"}).json["data"][0]["embedding"] == [0.5]
    answer = client.post(base + "/v1/messages/count_tokens", {"model": model, "messages": ASK})
    assert answer.json["input_tokens"] > 0
    assert model in [each["id"] for each in client.get(base + "/v1/models").json["data"]]


def test_the_sdks_work_on_the_gateways_base(sluice, key, model):
    base = f"{sluice.url}/as/{key}/v1/p/default"
    answer = openai.OpenAI(base_url=base, api_key="none", max_retries=0).chat.completions.create(model=model, messages=ASK)
    assert answer.choices[0].message.content == "hello"
    messages = anthropic.Anthropic(base_url=base, api_key="none", max_retries=0).messages
    assert messages.create(model=model, messages=ASK, max_tokens=9).content[0].text == "hello"


def test_errors_at_the_base_have_the_form_of_openais_sdk(sluice, key):
    for path in ("/v1", "/v1/p/default", "/v1/v1/chat/completions", f"/as/{key}/v1"):
        answer = sluice.client(key if not path.startswith("/as") else None).post(path, {"model": "none", "messages": ASK})
        assert answer.status == 404 and answer.json["error"]["code"] == "MODEL_UNKNOWN"
    answer = sluice.client(key).post("/v1/v1/messages", {"model": "none", "messages": ASK})
    assert answer.status == 404 and answer.json["type"] == "error"
    answer = sluice.client(key).get("/v1")
    assert answer.status == 405 and answer.headers["allow"] == "POST"
    # The base of Sluice's own API is none of the gateway's.
    assert sluice.client(key).post("/api/v1", {"model": "none", "messages": ASK}).status == 404


def azure(sluice, key, **options):
    return openai.AzureOpenAI(
        **{"azure_endpoint": sluice.url, "api_key": key, "api_version": "2024-10-21", "max_retries": 0} | options)


def test_azures_client_asks_chats_streams_and_embeddings(sluice, key, provider, model):
    client = azure(sluice, key)
    answer = client.chat.completions.create(model=model, messages=ASK)
    assert answer.choices[0].message.content == "hello"
    assert json.loads(provider.calls.get(timeout=30)[1])["model"] == model
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"content": "hello"}, "finish_reason": None}]}
    provider.stream(chunk)
    chunks = list(client.chat.completions.create(model=model, messages=ASK, stream=True))
    assert chunks[0].choices[0].delta.content == "hello"
    provider.say(VECTORS)
    assert client.embeddings.create(model=model, input="a", encoding_format="float").data[0].embedding == [0.5]
    assert model in [each.id for each in client.models.list()]


def test_azures_client_asks_responses(sluice, key, model):
    assert azure(sluice, key).responses.create(model=model, input="a question").output_text == "hello"


def test_the_model_of_azures_path_counts_and_not_that_of_the_body(sluice, key, provider, model):
    client = azure(sluice, key, azure_deployment=model)
    client.chat.completions.create(model="what-the-code-says", messages=ASK)
    assert json.loads(provider.calls.get(timeout=30)[1]) == {"model": model, "messages": ASK}
    path = f"/openai/deployments/{model}/chat/completions?api-version=2024-10-21"
    answer = sluice.client(None).post(path, {"messages": ASK}, {"api-key": key})
    assert answer.status == 200 and json.loads(provider.calls.get(timeout=30)[1])["model"] == model
    assert sluice.client(None).post(f"/as/{key}" + path, {"messages": ASK}).status == 200


def test_azures_key_header_counts_on_azures_paths_alone_and_not_beside_another(sluice, key, model):
    path = f"/openai/deployments/{model}/chat/completions?api-version=2024-10-21"
    with pytest.raises(openai.AuthenticationError):
        azure(sluice, "ra_ws_no-such-key").chat.completions.create(model=model, messages=ASK)
    assert sluice.client(None).post(path, {"messages": ASK}).status == 401
    assert sluice.client("ra_ws_no-such-key").post(path, {"messages": ASK}, {"api-key": key}).status == 401
    assert sluice.client(key).post(path, {"messages": ASK}, {"api-key": "anything"}).status == 200
    body = {"model": model, "messages": ASK}
    assert sluice.client(None).post("/v1/chat/completions", body, {"api-key": key}).status == 401
    assert sluice.client(None).get("/api/v1/tools", {"api-key": key}).status == 401
