"""The kinds of providers that the published clients ask: each refuses what its service refuses."""

import base64
import json
import struct
import warnings

import pydantic
from anthropic.types import beta, message_count_tokens_params, message_create_params
from openai.types import chat

import scripted_provider
from models.clients import provider_rules
from models.clients.drivers import scenarios
from models.clients.strict_gemini import StrictGemini
from models.clients.strict_scenarios import Strict
from scripted_provider import Answer, exhaust, with_bytes

STRICT = pydantic.ConfigDict(extra="forbid")


class StrictOpenAI(Strict, scripted_provider.OpenAI):
    model, embedding_model = "gpt-5", "text-embedding-3-small"
    request = pydantic.TypeAdapter(chat.completion_create_params.CompletionCreateParams, config=STRICT)

    def check(self, path, headers, body, content):
        assert headers["authorization"] == f"Bearer {self.credentials['api_key']}" and "x-api-key" not in headers
        if path != "/v1/embeddings":
            assert path == "/v1/chat/completions", path
            self.check_body(body)

    def check_body(self, body):
        exhaust(self.request.validate_python(as_read(body)))
        provider_rules.check_openai(body)

    def embedding(self, body):
        vector = scenarios.VECTOR
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        return {"object": "list", "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1},
                "data": [{"object": "embedding", "index": 0, "embedding": vector}]}


class StrictMistral(StrictOpenAI):
    """A service that speaks OpenAI's format in words of its own, and refuses members that it does not know."""

    kind, model, embedding_model = "mistral", "mistral-large-latest", "mistral-embed"
    members = {
        "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "response_format",
        "tools", "tool_choice", "parallel_tool_calls", "presence_penalty", "frequency_penalty", "n", "stream_options",
        "metadata", "reasoning_effort", "prompt_cache_key"}

    def check_body(self, body):
        unknown = set(body) - self.members
        assert not unknown, f"extra_forbidden: {unknown}"
        super().check_body(body)
        assert all(message["role"] != "developer" for message in body["messages"])

    def call_id(self, number):
        return f"aB3dE6gH{number}"

    def error(self, message):
        return {"object": "error", "message": message, "type": "invalid_request_error", "param": None, "code": "3051"}

    def deltas(self, answer):
        """Calls come whole, all in the chunk that ends the answer."""
        yield {"role": "assistant", "content": ""}, None
        for piece in answer.pieces:
            yield {"content": piece}, None
        calls = [call | {"index": index} for index, call in enumerate(self.calls_of(answer))]
        yield {"content": "", "tool_calls": calls or None}, answer.finish

    def stream_error(self, message):
        return b"data: " + scripted_provider.written({"error": self.error(message)}) + b"\n\n"


class StrictAnthropic(Strict, scripted_provider.Anthropic):
    model = "claude-sonnet-4-5"
    request = pydantic.TypeAdapter(message_create_params.MessageCreateParams, config=STRICT)
    count_request = pydantic.TypeAdapter(message_count_tokens_params.MessageCountTokensParams)
    with warnings.catch_warnings(action="ignore"):  # One of the types allows members that it does not name.
        beta_request = pydantic.TypeAdapter(beta.message_create_params.MessageCreateParams, config=STRICT)
    events_before_break = 5

    def say_in_scenario(self, body):
        return super().say_in_scenario(body) if "max_tokens" in body else (200, {"input_tokens": 9}, ())

    def check(self, path, headers, body, content):
        if path == "/v1/messages/count_tokens":
            exhaust(self.count_request.validate_python(body))
            return
        assert path == "/v1/messages", path
        assert headers["anthropic-version"] in ("2023-06-01", "2026-10-21"), headers
        assert headers["x-api-key"] == self.credentials["api_key"] and "authorization" not in headers, headers
        request = self.beta_request if "anthropic-beta" in headers else self.request
        exhaust(request.validate_python({name: each for name, each in body.items() if name != "betas"}))
        provider_rules.check_anthropic(body)
        assert 0 <= body.get("temperature", 0) <= 1

    def documents(self, answer, body):
        """Today's service tells the whole usage again at the end."""
        for document in super().documents(answer, body):
            yield document | {"usage": self.usage(answer)} if document["type"] == "message_delta" else document

    def tools(self, body):
        return [tool["name"] for tool in body.get("tools") or ()]

    def call_id(self, number):
        return f"toolu_01{number}AbCdEfGhIjKlMnOpQrSt"

    def structured(self, body):
        if (body.get("output_config") or {}).get("format") or body.get("output_format"):
            return Answer(json.dumps(scenarios.CITY, ensure_ascii=False))
        return super().structured(body)


class StrictBedrock(Strict, scripted_provider.Bedrock):
    model, embedding_model = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.titan-embed-text-v2:0"

    def check(self, path, headers, body, content):
        super().check(path, headers, body, content)
        if not path.endswith("/invoke"):
            provider_rules.check_bedrock(with_bytes(body))

    def tools(self, body):
        return [tool["toolSpec"]["name"] for tool in (body.get("toolConfig") or {}).get("tools") or ()]

    def call_id(self, number):
        return f"tooluse_{number}bCdEfGhIjKlMnOpQrStUvW"

    def embedding(self, body):
        return {"embedding": scenarios.VECTOR, "inputTextTokenCount": 1}


class StrictOllama(Strict, scripted_provider.Ollama):
    model, embedding_model = "llama3.3:70b", "nomic-embed-text"

    def check(self, path, headers, body, content):
        super().check(path, headers, body, content)
        calls = [call["function"]["name"] for message in body.get("messages", ()) for call in message.get("tool_calls", ())]
        for message in body.get("messages", ()):
            assert message["role"] != "tool" or message["tool_name"] in calls, message

    def embedding(self, body):
        return {"model": body["model"], "embeddings": [scenarios.VECTOR], "prompt_eval_count": 1}


def as_read(value):
    """Without what OpenAI's service takes and leaves unread: its SDK sends answers back with nulls and indices."""
    if isinstance(value, dict):
        return {name: as_read(each) for name, each in value.items() if each is not None and name != "index"}
    return [as_read(each) for each in value] if isinstance(value, list) else value


PROVIDERS = [StrictOpenAI, StrictAnthropic, StrictBedrock, StrictGemini, StrictOllama, StrictMistral]
KINDS = [provider.kind for provider in PROVIDERS]
