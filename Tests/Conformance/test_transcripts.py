"""What Anthropic's service really streamed, as its SDK's source distribution has it on record, means the same in OpenAI's
format: event by event, judged by what the SDK of each makes of it.
"""

import pathlib

import anthropic
import openai
import pytest

from scripted_provider import Anthropic
from sluice_process import SluiceProcess
from test_translation import ASK
from translated_models import store  # noqa: F401 - a fixture

RECORDED = pathlib.Path(__file__).parents[2] / ".venv" / "transcripts"
NAMES = ["basic_response", "tool_use_response", "refusal_response", "message_delta_omitted_usage_response",
         "message_delta_fields_response", "incomplete_partial_json_response", "server_tool_use_response",
         "fallback_response"]
REASONS = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length", "refusal": "content_filter"}


class Recorded(Anthropic):
    """Plays a transcript: what it says no test wrote."""

    def __init__(self, transcript):
        super().__init__()
        self.transcript = transcript

    def check(self, path, headers, body, content):
        assert path == "/v1/messages"

    def events(self, answer, body):
        for event in self.transcript.split("\n\n"):
            yield event.strip().encode() + b"\n\n"


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("transcripts")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(params=NAMES)
def provider(request):
    assert RECORDED.exists(), "`make clients` fetches the transcripts"
    provider = Recorded((RECORDED / f"{request.param}.txt").read_text())
    yield provider
    provider.close()


def direct(provider):
    """What Anthropic's SDK reads without us between."""
    client = anthropic.Anthropic(base_url=provider.url, api_key="x", max_retries=0)
    return client.messages.stream(model="m", max_tokens=100, messages=ASK)


def test_a_transcript_means_the_same_in_openais_format(sluice, provider, store):
    model = store(provider)
    with direct(provider) as stream:
        texts = [event.text for event in stream if event.type == "text"]
        message = stream.get_final_message()
    client = openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0)
    chunks = list(client.chat.completions.create(
        model=model, messages=ASK, stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert [delta.content for delta in deltas if delta.content] == texts, "piece by piece"
    calls = [block for block in message.content if block.type == "tool_use"]
    begun = [call for delta in deltas for call in delta.tool_calls or [] if call.id]
    assert [(call.id, call.function.name) for call in begun] == [(call.id, call.name) for call in calls]
    usage = message.usage
    prompt = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (prompt, usage.output_tokens)
    finish, = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert finish == REASONS[message.stop_reason]


def test_a_transcript_is_passed_on_as_it_is(sluice, api, provider, store):
    model = store(provider)
    with direct(provider) as stream:
        expected = stream.get_final_message()
    client = anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0)
    with client.messages.stream(model=model, max_tokens=100, messages=ASK) as stream:
        assert stream.get_final_message() == expected
    row, = [row for row in api.get("/api/v1/model-usage?group_by=model").json["rows"] if row["model"] == model]
    assert row["completion_tokens"] == expected.usage.output_tokens and row["estimated_calls"] == 0
