"""Callers read a provider's own words and status, in the form of errors of the path that they asked."""

import base64
import struct

import anthropic
import openai
import pytest

from models.byte_provider import KEY, ByteProvider, provider  # noqa: F401 - fixture
from scripted_provider import Ollama
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
PAGE = b"<!DOCTYPE html><html><head><style>p{}</style><title>Oops</title></head><body><p>context too long</p></body></html>"
ERRORS = [
    {"error": {"message": "context too long", "type": "t"}}, {"error": "context too long"},
    {"object": "error", "message": "context too long", "code": 40303}, {"detail": "context too long"},
    {"detail": [{"loc": ["body"], "msg": "context too long"}]}, [{"error": {"code": 400, "message": "context too long"}}],
    PAGE, b"context too long",
]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("words")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(sluice):
    return openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)


@pytest.fixture
def messages(sluice):
    return anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30).messages


@pytest.mark.parametrize("error", ERRORS, ids=range(len(ERRORS)))
@pytest.mark.parametrize("status", [400, 422, 500, 529])
def test_a_providers_words_and_status_reach_both_sdks(sluice, provider, client, messages, error, status):
    provider.say(error, status, Retry_After="7")
    model = provider.store(sluice.client())
    for call in (lambda: client.chat.completions.create(model=model, messages=ASK),
                 lambda: messages.create(model=model, messages=ASK, max_tokens=9)):
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
            call()
        assert caught.value.status_code == status
        assert "context too long" in caught.value.response.text
        assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.body["error"]["message"].endswith("context too long"), "without the page's markup"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_the_provider_refuses_is_the_operators_matter_and_not_shown(sluice, provider, client, status):
    provider.say({"error": {"message": f"Incorrect API key provided: {KEY}"}}, status)
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=provider.store(sluice.client()), messages=ASK)
    assert caught.value.status_code == 502 and KEY not in caught.value.response.text
    assert "Incorrect API key provided" in caught.value.response.json()["detail"]


def test_refusals_are_in_the_form_of_the_path(sluice, client, messages):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=ASK)
    assert caught.value.code == "MODEL_UNKNOWN" and caught.value.type == "not_found_error"
    assert 'no provider found for model "no-such-model"' in caught.value.body["message"]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="", messages=ASK)
    assert caught.value.body["message"] == "model is required"
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="ra_ws_no-such-key").chat.completions.create(model="m", messages=ASK)
    assert caught.value.type == "authentication_error"
    api = sluice.client(sluice.key("agent"))
    for path in ("/api/v1/chat/completions", "/api/v1/v1/chat/completions"):
        answer = api.post(path, {"model": "no-such-model", "messages": ASK})
        assert answer.json["error"] == 'no provider found for model "no-such-model"', "text, as published"
    with pytest.raises(anthropic.NotFoundError) as caught:
        messages.create(model="no-such-model", messages=ASK, max_tokens=9)
    assert caught.value.body["error"]["type"] == "not_found_error"


def test_a_providers_error_is_a_text_below_the_published_address(sluice, provider):
    provider.say({"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}, 400)
    api = sluice.client(sluice.key("agent"))
    for kind in ("vllm", "ollama"):
        model = provider.store(sluice.client(), kind=kind)
        answer = api.post("/api/v1/chat/completions", {"model": model, "messages": ASK})
        assert answer.status == 400 and answer.json["error"] == "too long", answer
    assert api.post("/v1/images/generations", {}).json["error"]["message"], "an unknown address of SDKs has their form"


def test_other_resources_with_such_names_keep_the_form_of_the_api(sluice):
    for path in ("/api/v1/tools/messages", "/api/v1/agents/embeddings"):
        answer = sluice.client().get(path)
        assert answer.status == 404 and isinstance(answer.json["error"], str)


def test_a_caller_reads_the_first_providers_limit_when_the_fallback_cannot_stand_in(sluice, provider, client):
    other = ByteProvider()
    other.say({"error": {"message": "unknown model"}}, 400)
    stand_in = other.store(sluice.client())
    provider.say({"error": {"message": "slow down"}}, 429, Retry_After="11")
    model = provider.store(sluice.client(), fallbacks=[{"provider": f"of-{stand_in}", "model": stand_in}])
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=model, messages=ASK)
    assert caught.value.response.headers["retry-after"] == "11" and "slow down" in str(caught.value)
    assert other.calls.qsize() == 1
    other.close()


@pytest.mark.parametrize("path, asked", [
    ("", "/v1/messages"), ("/v1", "/v1/messages"), ("/v1/messages", "/v1/messages"),
    ("/anthropic", "/anthropic/v1/messages"), ("/anthropic/v1", "/anthropic/v1/messages"),
    ("/anthropic/", "/anthropic/v1/messages")])
def test_an_endpoint_for_anthropics_sdk_is_asked_where_that_asks(sluice, provider, messages, path, asked):
    provider.say({"error": {"message": "no"}}, 400)
    model = provider.store(sluice.client(), "anthropic", path)
    with pytest.raises(anthropic.BadRequestError):
        messages.create(model=model, messages=ASK, max_tokens=9)
    assert provider.calls.get(timeout=30)[0] == asked


def test_vectors_come_in_base64_when_that_is_asked_for(sluice, client):
    ollama = Ollama()
    vector = [0.5, -1.25, 3e-5]
    ollama.say = lambda body: (200, {"embeddings": [vector], "prompt_eval_count": 3}, ())
    answer = sluice.client().post("/api/v1/model-providers", {"name": "vectors", "spec": ollama.spec("vector-model")})
    assert answer.status == 201, answer
    # The SDK asks for base64 and decodes it.
    found = client.embeddings.create(model="vector-model", input="a").data[0].embedding
    assert found == pytest.approx(vector, rel=1e-6)
    raw = client.embeddings.with_raw_response.create(model="vector-model", input="a", encoding_format="base64")
    text = raw.http_response.json()["data"][0]["embedding"]
    assert struct.unpack("<3f", base64.b64decode(text)) == pytest.approx(vector, rel=1e-6)
    ollama.close()
