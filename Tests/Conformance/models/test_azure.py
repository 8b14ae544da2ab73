"""A provider of Azure's API is asked at the deployment of the model, with its version and its header for the key."""

import json

import anthropic
import openai
import pytest

from models.byte_provider import KEY, provider  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
REPLY = {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
         "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, "choices": [{
             "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}
VERSION = "?api-version=2024-10-21"


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("azure")).start()
    yield process
    assert process.stop() == 0


@pytest.mark.parametrize("endpoint, spec, asked", [
    ("", {}, "/openai/deployments/{model}/chat/completions" + VERSION),
    ("/", {"apiVersion": "2025-04-01-preview"}, "/openai/deployments/{model}/chat/completions?api-version=2025-04-01-preview"),
    ("/openai/", {}, "/openai/deployments/{model}/chat/completions" + VERSION),
    ("?api-version=2024-06-01", {}, "/openai/deployments/{model}/chat/completions?api-version=2024-06-01"),
    ("/openai/deployments/theirs", {}, "/openai/deployments/theirs/chat/completions" + VERSION),
    ("/openai/deployments/theirs/chat/completions?api-version=2024-06-01", {},
     "/openai/deployments/theirs/chat/completions?api-version=2024-06-01"),
    ("/openai/v1", {}, "/openai/v1/chat/completions"),
    ("/openai/v1/", {"apiVersion": "preview"}, "/openai/v1/chat/completions?api-version=preview"),
])
def test_azure_is_asked_where_its_documentation_says(sluice, provider, endpoint, spec, asked):
    provider.say(REPLY)
    model = provider.store(sluice.client(), "azure", endpoint, **spec)
    key = sluice.key("agent")
    chat = openai.OpenAI(base_url=sluice.url + "/v1", api_key=key, max_retries=0).chat.completions
    assert chat.create(model=model, messages=ASK).choices[0].message.content == "hello"
    messages = anthropic.Anthropic(base_url=sluice.url, api_key=key, max_retries=0).messages
    assert messages.create(model=model, messages=ASK, max_tokens=9).content[0].text == "hello"
    for _ in range(2):
        path, content = provider.calls.get(timeout=30)
        assert path == asked.format(model=model) and json.loads(content)["model"] == model
        headers = {name.lower(): value for name, value in provider.headers.get(timeout=30).items()}
        assert headers["api-key"] == KEY and "authorization" not in headers


def test_an_alias_leads_azures_client_to_azures_deployment(sluice, provider):
    provider.say(REPLY)
    model = provider.store(sluice.client(), "azure")
    alias = {"spec": {"provider": f"of-{model}", "model": model}}
    assert sluice.client().put(f"/api/v1/model-aliases/{model}-*", alias).status == 201
    client = openai.AzureOpenAI(
        azure_endpoint=sluice.url, api_key=sluice.key("agent"), api_version="2024-10-21", max_retries=0)
    assert client.chat.completions.create(model=f"{model}-x", messages=ASK).choices[0].message.content == "hello"
    path, content = provider.calls.get(timeout=30)
    assert path == f"/openai/deployments/{model}/chat/completions" + VERSION and json.loads(content)["model"] == model


@pytest.mark.parametrize("spec, advice", [
    ({"provider": "azure"}, "https://NAME.openai.azure.com"), ({"provider": "Azure-OpenAI", "endpoint": ""}, "NAME.openai"),
    ({"provider": "vllm"}, "https://models.example.com/v1"), ({"provider": "bedrock"}, "spec.region"),
    ({"provider": "vllm", "endpoint": None}, "https://models.example.com/v1")])
def test_a_provider_that_needs_an_endpoint_is_stored_with_one(sluice, spec, advice):
    answer = sluice.client().post("/api/v1/model-providers", {"name": "nowhere", "spec": {"models": ["m"]} | spec})
    assert answer.status == 400 and answer.error.startswith("spec.endpoint is required for spec.provider"), answer
    assert advice in answer.error and sluice.client().get("/api/v1/model-providers/nowhere").status == 404


@pytest.mark.parametrize("spec", [
    {"provider": "openai"}, {"provider": "anthropic"}, {"provider": "gemini"}, {"provider": "ollama"},
    {"provider": "playground"}, {"provider": "bedrock", "region": "eu-north-1"}])
def test_a_provider_whose_format_has_an_address_needs_none(sluice, spec):
    answer = sluice.client().post(
        "/api/v1/model-providers", {"name": f"{spec['provider']}-somewhere", "spec": {"models": ["m"]} | spec})
    assert answer.status == 201, answer
