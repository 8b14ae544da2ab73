"""Each kind of token costs what its provider bills for it, and the caller reads all kinds in its own format."""

import anthropic
import openai
import pytest

from models.byte_provider import provider  # noqa: F401 - fixture
from models.test_accounts import ASK, END, TOLD, WORD, last_call
from sluice_process import SluiceProcess

MILLION = 1_000_000
WRITES = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 2 * MILLION,
          "cache_creation": {"ephemeral_5m_input_tokens": MILLION, "ephemeral_1h_input_tokens": MILLION}}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
           "stop_sequence": None, "content": [{"type": "text", "text": "hi"}], "usage": WRITES}
STATED = {"input_per_million_usd": 1, "output_per_million_usd": 10, "cached_input_per_million_usd": 0.1,
          "cache_write_per_million_usd": 2, "audio_input_per_million_usd": 30, "audio_output_per_million_usd": 40,
          "reasoning_per_million_usd": 20}
DETAILED = {"prompt_tokens": 1111, "completion_tokens": 111, "total_tokens": 1222,
            "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 100, "audio_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 100, "audio_tokens": 10}}
COST = (1 * 1 + 1000 * 0.1 + 100 * 2 + 10 * 30 + 1 * 10 + 100 * 20 + 10 * 40) / MILLION


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("prices")).start()
    yield process
    assert process.stop() == 0


def message_stream():
    begun = MESSAGE | {"content": [], "stop_reason": None, "usage": WRITES | {"output_tokens": 1}}
    events = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 0, "cache_creation_input_tokens": 2 * MILLION}},
        {"type": "message_stop"}]
    return events


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("prices", [{}, {"input_per_million_usd": 1}])
def test_writing_to_a_cache_costs_more_than_input(sluice, provider, path, stream, prices):
    # Of the table where the document has no price, and by Anthropic's factors where it has that of input alone.
    provider.stream(*message_stream(), done=False) if stream else provider.say(MESSAGE)
    model = "claude-haiku-4-5"
    name = provider.store(sluice.client(), kind="anthropic", models=[model], prices={model: prices} if prices else {})
    answer = sluice.client(sluice.key("agent")).post(
        path.replace("/v1", f"/v1/p/of-{name}"), {"model": model, "messages": ASK, "stream": stream, "max_tokens": 9})
    assert answer.status == 200, answer
    data = last_call(sluice, model)
    assert data["cost_usd"] == 3.25, data
    assert (data["prompt_tokens"], data["cache_write_tokens"], data["cache_write_1h_tokens"]) == (
        2 * MILLION, MILLION, MILLION)
    assert data["price"]["cache_write_per_million_usd"] == 1.25 and data["price"]["cache_write_1h_per_million_usd"] == 2


@pytest.mark.parametrize("usage", [
    {"cache_creation_input_tokens": MILLION}, {"cache_creation_input_tokens": MILLION, "cache_creation": None},
    {"cache_creation_input_tokens": MILLION, "cache_creation": {
        "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}}])
def test_a_write_of_no_told_time_stays_for_five_minutes(sluice, provider, usage):
    provider.say(MESSAGE | {"usage": {"input_tokens": 0, "output_tokens": 0} | usage})
    name = provider.store(sluice.client(), kind="anthropic", models=["claude-haiku-4-5"], prices={})
    answer = sluice.client(sluice.key("agent")).post(
        f"/v1/p/of-{name}/messages", {"model": "claude-haiku-4-5", "messages": ASK, "max_tokens": 9})
    assert answer.status == 200 and last_call(sluice, "claude-haiku-4-5")["cost_usd"] == 1.25


def answered(usage):
    message = {"role": "assistant", "content": "hi"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_caches_reasoning_and_audio_have_the_prices_that_the_operator_states(sluice, provider, path, stream):
    provider.stream(WORD, END, TOLD | {"usage": DETAILED}) if stream else provider.say(answered(DETAILED))
    model = provider.store(sluice.client())
    sluice.client().post("/api/v1/model-providers", {"name": f"of-{model}", "spec": {
        "provider": "vllm", "endpoint": f"http://127.0.0.1:{provider.server.server_port}", "models": [model],
        "auth": {"type": "APIKey"}, "prices": {model: STATED}}})
    answer = sluice.client(sluice.key("agent")).post(
        path, {"model": model, "messages": ASK, "stream": stream, "max_tokens": 9})
    assert answer.status == 200, answer
    data = last_call(sluice, model)
    assert data["cost_usd"] == pytest.approx(COST, abs=1e-12), data
    assert (data["reasoning_tokens"], data["audio_prompt_tokens"], data["audio_completion_tokens"]) == (100, 10, 10)
    assert "cache_write_1h_tokens" not in data and data["price"] == STATED, "an hour costs as other writes"


def test_a_caller_of_openais_format_reads_all_kinds_of_anthropics(sluice, provider):
    provider.say(MESSAGE | {"usage": WRITES | {
        "input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4}}})
    model = provider.store(sluice.client(), kind="anthropic")
    sdk = openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)
    usage = sdk.chat.completions.create(model=model, messages=ASK).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (2 * MILLION + 12, 9)
    details = usage.prompt_tokens_details
    assert (details.cached_tokens, details.model_dump()["cache_write_tokens"]) == (7, 2 * MILLION)
    assert usage.completion_tokens_details.reasoning_tokens == 4


def test_a_caller_of_anthropics_format_reads_all_kinds_of_openais(sluice, provider):
    provider.say(answered(DETAILED))
    model = provider.store(sluice.client())
    sdk = anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30)
    usage = sdk.messages.create(model=model, messages=ASK, max_tokens=9).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (11, 1000, 100)
    assert (usage.output_tokens, usage.model_dump()["output_tokens_details"]["thinking_tokens"]) == (111, 100)
    assert usage.cache_creation.ephemeral_5m_input_tokens == 100


@pytest.mark.parametrize("usage, cached, written, completion", [
    ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}, 8, None, 2),
    ({"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 8}, 8, None, 2),
    ({"prompt_tokens": 10, "completion_tokens": 2, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}, 3, 4, 2),
    ({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 20,
      "completion_tokens_details": {"reasoning_tokens": 8}}, 0, None, 10)])
def test_other_names_for_the_same_kinds_are_read(sluice, provider, usage, cached, written, completion):
    provider.say(answered(usage))
    model = provider.store(sluice.client())
    assert sluice.client(sluice.key("agent")).post(
        "/v1/chat/completions", {"model": model, "messages": ASK}).status == 200
    data = last_call(sluice, model)
    assert (data["cached_tokens"], data.get("cache_write_tokens"), data["completion_tokens"]) == (
        cached, written, completion)


def test_an_unknown_kind_of_price_is_refused_by_its_name(sluice):
    answer = sluice.client().post("/api/v1/model-providers", {"name": "q", "spec": {
        "provider": "openai", "prices": {"m": {"input_per_million_usd": 1, "thinking_per_million_usd": 2}}}})
    assert answer.status == 400 and "must not have thinking_per_million_usd" in answer.error
    assert "cache_write_1h_per_million_usd" in answer.error
