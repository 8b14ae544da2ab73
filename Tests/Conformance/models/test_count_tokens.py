"""The tokens of a request in Anthropic's format are counted by its provider, or estimated, and cost nothing."""

import json

import anthropic
import pytest

from models.byte_provider import KEY, provider  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question of eight words for a count"}]
TOOLS = [{"name": "pay", "description": "Pays.", "input_schema": {"type": "object", "properties": {"to": {"type": "string"}}}}]
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaaa"}}


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("counts")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def messages(sluice):
    return anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30).messages


def recorded(sluice):
    answer = sluice.run("log", "cat", "--data-dir", sluice.data)
    return [json.loads(line) for line in answer.stdout.split("\n")[:-1] if '"model_call.' in line]


def test_an_anthropic_provider_counts_itself(sluice, provider, messages):
    provider.say({"input_tokens": 2095})
    model = provider.store(sluice.client(), "anthropic")
    raw = messages.with_raw_response.count_tokens(model=model, messages=ASK, tools=TOOLS)
    assert raw.parse().input_tokens == 2095 and "sluice-estimate" not in raw.headers
    path, content = provider.calls.get(timeout=30)
    assert path == "/v1/messages/count_tokens"
    assert json.loads(content) == {"model": model, "messages": ASK, "tools": TOOLS}
    assert recorded(sluice) == [], "a count is no call of a model"


def test_an_alias_is_counted_for_its_model(sluice, provider, messages):
    provider.say({"input_tokens": 7})
    model = provider.store(sluice.client(), "anthropic")
    alias = sluice.client().put(f"/api/v1/model-aliases/{model}-*", {"spec": {"provider": f"of-{model}", "model": model}})
    assert alias.status == 201, alias
    assert messages.count_tokens(model=f"{model}-dated", messages=ASK).input_tokens == 7
    assert json.loads(provider.calls.get(timeout=30)[1])["model"] == model


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_service_of_that_format_that_counts_nothing_is_estimated(sluice, provider, messages, status):
    provider.say({"detail": "no such route"}, status)
    model = provider.store(sluice.client(), "anthropic")
    raw = messages.with_raw_response.count_tokens(model=model, messages=ASK)
    assert raw.parse().input_tokens > 0 and raw.headers["sluice-estimate"] == "true"


def test_other_providers_are_estimated_with_tools_images_and_results_and_not_asked(sluice, provider, messages):
    model = provider.store(sluice.client())

    def count(**more):
        raw = messages.with_raw_response.count_tokens(**({"model": model, "messages": ASK} | more))
        assert raw.headers["sluice-estimate"] == "true"
        return raw.parse().input_tokens
    plain = count()
    assert plain > 5
    assert count(system="s" * 400) == plain + 100
    assert count(tools=TOOLS) > plain
    image = [{"role": "user", "content": [IMAGE]}]
    assert count(messages=ASK + image) > plain + 1000
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "pay", "input": {"to": "x" * 400}}]}
    assert count(messages=ASK + [call]) > plain + 100
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}]}
    assert count(messages=ASK + [call, result]) > plain + 1100
    assert provider.calls.empty() and recorded(sluice) == []


def test_errors_and_refusals_are_those_of_messages(sluice, provider, messages):
    with pytest.raises(anthropic.NotFoundError, match="no provider found"):
        messages.count_tokens(model="no-such-model", messages=ASK)
    provider.say({"type": "error", "error": {"type": "invalid_request_error", "message": f"no {KEY}"}}, 400)
    model = provider.store(sluice.client(), "anthropic", rateLimit={"requestsPerMinute": 1})
    with pytest.raises(anthropic.BadRequestError) as caught:
        messages.count_tokens(model=model, messages=ASK)
    assert caught.value.body["error"]["message"].startswith("no ") and KEY not in caught.value.response.text
    with pytest.raises(anthropic.RateLimitError):
        messages.count_tokens(model=model, messages=ASK)
    path = "/v1/messages/count_tokens"
    answer = sluice.client(sluice.key("agent")).post(path, {"model": model})
    assert answer.status == 400 and answer.json["type"] == "error" and "messages" in answer.error
    assert sluice.client(sluice.key("viewer")).post(path, {"model": model, "messages": ASK}).status == 403
    assert sluice.client(None).post(path, {"model": model, "messages": ASK}).status == 401
