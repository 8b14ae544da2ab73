"""Google Gemini as a scripted provider: it refuses what its service refuses, and answers as that does."""

import re

from models.clients.strict_scenarios import Strict
from models.clients.drivers import scenarios
from scripted_provider import ScriptedProvider, written

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
MEMBERS = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings"}
GENERATION = {"maxOutputTokens", "temperature", "topP", "topK", "seed", "stopSequences", "responseMimeType",
              "responseJsonSchema", "candidateCount"}
PARTS = {"text", "inlineData", "fileData", "functionCall", "functionResponse", "thoughtSignature"}


class StrictGemini(Strict, ScriptedProvider):
    kind, model, embedding_model = "gemini", "gemini-2.5-pro", "gemini-embedding-001"
    stream_type = "text/event-stream"
    auth = {"type": "APIKey"}
    credentials = {"api_key": "AIza-of-the-provider-0123456789"}
    reasons = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
    events_before_break = 1

    def check(self, path, headers, body, content):
        assert headers["x-goog-api-key"] == self.credentials["api_key"] and "authorization" not in headers
        model, _, operation = path.removeprefix("/v1beta/models/").partition(":")
        if operation == "batchEmbedContents":
            return
        assert operation in ("generateContent", "streamGenerateContent?alt=sse"), path
        assert model == self.model and not set(body) - MEMBERS, body
        assert not set(body.get("generationConfig", ())) - GENERATION
        self.check_turns(body["contents"])
        declared = [each for tool in body.get("tools", ()) for each in tool["functionDeclarations"]]
        assert all(NAME.fullmatch(each["name"]) for each in declared), declared
        assert declared or "toolConfig" not in body

    def check_turns(self, turns):
        """The turn after calls answers each of them."""
        assert turns[0]["role"] == "user"
        calls = []
        for turn in turns:
            parts = turn["parts"]
            assert parts and all(not set(part) - PARTS for part in parts) and turn["role"] in ("user", "model"), turn
            answered = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
            assert answered == calls, f"calls {calls} have the responses {answered}"
            calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
        assert not calls, "calls without responses"

    def is_streamed(self, path, body):
        return "streamGenerateContent" in path

    def usage(self, answer):
        return {"promptTokenCount": answer.prompt, "candidatesTokenCount": answer.completion - 1, "thoughtsTokenCount": 1,
                "totalTokenCount": answer.prompt + answer.completion}

    def response(self, parts, answer=None):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        document = {"candidates": [candidate], "modelVersion": self.model, "responseId": "r-1"}
        if answer:
            candidate["finishReason"] = self.reasons[answer.finish]
            document["usageMetadata"] = self.usage(answer)
        return document

    def parts(self, answer):
        """Calls have no ids there; thoughts are parts that say so."""
        yield {"text": "hm", "thought": True}
        yield from ({"text": piece} for piece in answer.pieces)
        yield from ({"functionCall": {"name": name, "args": arguments}} for _, name, arguments in answer.calls)

    def document(self, answer, body):
        return self.response(list(self.parts(answer)), answer)

    def events(self, answer, body):
        events = [self.event(self.response([part])) for part in self.parts(answer)]
        events.append(self.event(self.response([{"text": ""}], answer)))
        if answer.text == scenarios.BREAK:
            events = [events[0], self.event(self.error(scenarios.BREAK))]
        return events

    def event(self, document):
        return b"data: " + written(document) + b"\r\n\r\n"

    def tools(self, body):
        return [each["name"] for tool in body.get("tools") or () for each in tool["functionDeclarations"]]

    def embedding(self, body):
        return {"embeddings": [{"values": scenarios.VECTOR} for _ in body["requests"]]}

    def error(self, message):
        return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}
