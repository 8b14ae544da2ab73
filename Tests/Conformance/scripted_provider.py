"""Model providers with formats of their own, as a test scripts them: each request is checked with the provider's own
published types, each answer is written as the provider writes it.
"""

import base64
import binascii
import http.server
import json
import queue
import struct
import threading
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import botocore.validate
import ollama
import pydantic
from anthropic import types as anthropic
from openai.types import chat as openai

ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class Answer:
    """What the model says, in no provider's words."""

    def __init__(self, text="", calls=(), finish="stop", prompt=7, completion=5, cached=0):
        self.text, self.calls, self.finish = text, list(calls), "tool_calls" if calls else finish
        self.prompt, self.completion, self.cached = prompt, completion, cached

    @property
    def pieces(self):
        """The text as it is streamed."""
        return [word + " " for word in self.text.split(" ")[:-1]] + self.text.split(" ")[-1:] if self.text else []


class ScriptedProvider:
    """`say` is a function of the request's body: an `Answer`, or a triple of a status, a body and headers."""

    path = None
    kind = None

    def __init__(self, say=lambda body: Answer("hello")):
        self.calls = queue.Queue()
        self.problems = []
        self.say = say
        self.go_on = None
        """A semaphore to be released for each piece of a stream after the first."""
        self.broken_after = None
        """How many pieces of a stream come before the connection breaks."""
        self.bytes_at_once = None
        """Size of the pieces in which a stream arrives, which then end anywhere; `None` for one event a piece."""
        self.refuses_problems = False
        """True when the caller too reads what the provider's own types refuse."""
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                headers = {name.lower(): value for name, value in self.headers.items()}
                provider.calls.put((self.path, headers, None))
                self.send(200, {"data": []}, ())

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = json.loads(content)
                try:
                    provider.check(self.path, headers, body, content)
                except Exception as problem:  # Whatever the provider's own types refuse fails the test.
                    provider.problems.append(repr(problem))
                    if provider.refuses_problems:
                        return self.send(400, provider.error(f"invalid request: {problem!r}"), ())
                provider.calls.put((self.path, headers, body))
                try:
                    answer = provider.say(body)
                    if isinstance(answer, tuple):
                        self.send(*answer)
                    elif provider.is_streamed(self.path, body):
                        self.stream(answer, body)
                    else:
                        self.send(200, provider.document(answer, body), ())
                except (BrokenPipeError, ConnectionResetError):
                    provider.calls.put("gone")

            def send(self, status, document, headers):
                content = written(document)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def stream(self, answer, body):
                self.send_response(200)
                self.send_header("Content-Type", provider.stream_type)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                pieces = provider.events(answer, body)
                if provider.bytes_at_once:
                    pieces = split(b"".join(pieces), provider.bytes_at_once)
                for number, piece in enumerate(pieces):
                    if number and provider.go_on:
                        assert provider.go_on.acquire(timeout=30)
                    if number == provider.broken_after:
                        self.close_connection = True
                        return
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """Clients that go away are what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    auth = {"type": "None"}
    credentials = {}

    def spec(self, model):
        return {"provider": self.kind, "endpoint": self.url, "models": [model], "auth": self.auth}

    def next_call(self, timeout=30):
        return self.calls.get(timeout=timeout)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        assert not self.problems, self.problems


def sse(event, document):
    return b"event: %s\ndata: %s\n\n" % (event.encode(), written(document))


class Anthropic(ScriptedProvider):
    kind = "anthropic"
    stream_type = "text/event-stream; charset=utf-8"
    auth = {"type": "APIKey"}
    credentials = {"api_key": "sk-ant-of-the-provider-0123456789"}
    request = pydantic.TypeAdapter(anthropic.message_create_params.MessageCreateParams)
    reasons = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}

    def check(self, path, headers, body, content):
        assert path == "/v1/messages" and headers["anthropic-version"] == "2023-06-01"
        assert headers["x-api-key"] == self.credentials["api_key"] and "authorization" not in headers
        exhaust(self.request.validate_python(body))
        assert not set(body) - {"model", "max_tokens", "system", "messages", "tools", "tool_choice", "stop_sequences",
                                "temperature", "top_p", "metadata", "stream"}
        roles = [message["role"] for message in body["messages"]]
        assert all(one != other for one, other in zip(roles, roles[1:])), roles
        assert 0 <= body.get("temperature", 0) <= 1

    def is_streamed(self, path, body):
        return body.get("stream", False)

    def usage(self, answer):
        return {"input_tokens": answer.prompt - answer.cached, "output_tokens": answer.completion,
                "cache_read_input_tokens": answer.cached, "cache_creation_input_tokens": 0}

    def document(self, answer, body):
        content = [{"type": "thinking", "thinking": "hm", "signature": "s"}]
        if answer.text:
            content.append({"type": "text", "text": answer.text, "citations": None})
        content += [{"type": "tool_use", "id": id, "name": name, "input": arguments}
                    for id, name, arguments in answer.calls]
        return anthropic.Message.model_validate({
            "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
            "stop_reason": self.reasons[answer.finish], "stop_sequence": None, "usage": self.usage(answer),
        }).model_dump(mode="json")

    def events(self, answer, body):
        event = pydantic.TypeAdapter(anthropic.RawMessageStreamEvent)
        for document in self.documents(answer, body):
            event.validate_python(document)
            yield sse(document["type"], document)
            if document["type"] == "message_start":
                yield sse("ping", {"type": "ping"})

    def documents(self, answer, body):
        yield {"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": self.usage(answer) | {"output_tokens": 1}}}
        index = 0
        if answer.text:
            yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
            for piece in answer.pieces:
                yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            yield {"type": "content_block_stop", "index": 0}
            index = 1
        for id, name, arguments in answer.calls:
            yield {"type": "content_block_start", "index": index, "content_block": {
                "type": "tool_use", "id": id, "name": name, "input": {}}}
            for piece in halves("" if not arguments else json.dumps(arguments)):
                yield {"type": "content_block_delta", "index": index, "delta": {
                    "type": "input_json_delta", "partial_json": piece}}
            yield {"type": "content_block_stop", "index": index}
            index += 1
        yield {"type": "message_delta", "delta": {"stop_reason": self.reasons[answer.finish], "stop_sequence": None},
               "usage": {"output_tokens": answer.completion}}
        yield {"type": "message_stop"}

    def error(self, message):
        return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}

    def stream_error(self, message):
        return sse("error", {"type": "error", "error": {"type": "overloaded_error", "message": message}})


class OpenAI(ScriptedProvider):
    """Asked in OpenAI's format by who was asked in another."""

    kind = "openai"
    stream_type = "text/event-stream"
    auth = {"type": "APIKey"}
    credentials = {"api_key": "sk-of-the-provider-0123456789"}
    request = pydantic.TypeAdapter(openai.completion_create_params.CompletionCreateParams)

    def check(self, path, headers, body, content):
        assert path == "/v1/chat/completions" and headers["authorization"] == f"Bearer {self.credentials['api_key']}"
        assert "x-api-key" not in headers
        exhaust(self.request.validate_python(body))
        assert not set(body) - {
            "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "max_completion_tokens", "temperature",
            "top_p", "stop", "user", "response_format", "stream", "stream_options"}

    def is_streamed(self, path, body):
        return body.get("stream", False)

    def usage(self, answer):
        return {"prompt_tokens": answer.prompt, "completion_tokens": answer.completion,
                "total_tokens": answer.prompt + answer.completion,
                "prompt_tokens_details": {"cached_tokens": answer.cached}}

    def calls_of(self, answer):
        return [{"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                for id, name, arguments in answer.calls]

    def document(self, answer, body):
        message = {"role": "assistant", "content": answer.text or None, "refusal": None}
        if answer.calls:
            message["tool_calls"] = self.calls_of(answer)
        return openai.ChatCompletion.model_validate({
            "id": "c-1", "object": "chat.completion", "created": 1, "model": body["model"], "usage": self.usage(answer),
            "choices": [{"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}],
        }).model_dump(mode="json")

    def events(self, answer, body):
        for delta, finish in self.deltas(answer):
            yield self.chunk(body, [{"index": 0, "delta": delta, "finish_reason": finish}])
        if body.get("stream_options", {}).get("include_usage"):
            yield self.chunk(body, [], self.usage(answer))
        yield b"data: [DONE]\n\n"

    def deltas(self, answer):
        yield {"role": "assistant", "content": ""}, None
        for piece in answer.pieces:
            yield {"content": piece}, None
        for index, call in enumerate(self.calls_of(answer)):
            function = call["function"]
            yield {"tool_calls": [call | {"index": index, "function": function | {"arguments": ""}}]}, None
            for piece in halves(function["arguments"]):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
        yield {}, answer.finish

    def chunk(self, body, choices, usage=None):
        document = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
                    "choices": choices, "usage": usage}
        openai.ChatCompletionChunk.model_validate(document)
        return b"data: " + written(document) + b"\n\n"

    def error(self, message):
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    def stream_error(self, message):
        return b"data: " + json.dumps(self.error(message)).encode() + b"\n\n"


class Bedrock(ScriptedProvider):
    kind = "bedrock"
    stream_type = "application/vnd.amazon.eventstream"
    auth = {"type": "AWSSignature", "region": "eu-west-1"}
    credentials = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
    service = botocore.session.get_session().get_service_model("bedrock-runtime")
    reasons = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use",
               "content_filter": "guardrail_intervened"}

    def check(self, path, headers, body, content):
        if path.endswith("/invoke"):  # Its body is the model's own.
            return self.check_signature(path, headers, content)
        model = urllib.parse.unquote(path.split("/")[2])
        shape = self.service.operation_model("ConverseStream" if self.is_streamed(path, body) else "Converse").input_shape
        report = botocore.validate.ParamValidator().validate(with_bytes(body) | {"modelId": model}, shape)
        assert not report.has_errors(), report.generate_report()
        unknown = set(body) - set(shape.members)
        assert not unknown, unknown
        self.check_signature(path, headers, content)

    def check_signature(self, path, headers, content):
        """As botocore would have signed it, at the same time."""
        request = botocore.awsrequest.AWSRequest("POST", f"{self.url}{path}", {
            "Content-Type": headers["content-type"], "Host": headers["host"]}, content)
        request.context["timestamp"] = headers["x-amz-date"]
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", "eu-west-1")
        request.headers["X-Amz-Date"] = headers["x-amz-date"]
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        assert headers["authorization"].endswith("Signature=" + signature), (headers["authorization"], canonical)

    def is_streamed(self, path, body):
        return path.endswith("/converse-stream")

    def usage(self, answer):
        return {"inputTokens": answer.prompt - answer.cached, "outputTokens": answer.completion,
                "totalTokens": answer.prompt + answer.completion, "cacheReadInputTokens": answer.cached}

    def document(self, answer, body):
        content = [{"text": answer.text}] if answer.text else []
        content += [{"toolUse": {"toolUseId": id, "name": name, "input": arguments}}
                    for id, name, arguments in answer.calls]
        return {"output": {"message": {"role": "assistant", "content": content}},
                "stopReason": self.reasons[answer.finish], "usage": self.usage(answer), "metrics": {"latencyMs": 1}}

    def events(self, answer, body):
        yield message("messageStart", {"role": "assistant"})
        index = 0
        if answer.text:
            for piece in answer.pieces:
                yield message("contentBlockDelta", {"delta": {"text": piece}, "contentBlockIndex": 0})
            yield message("contentBlockStop", {"contentBlockIndex": 0})
            index = 1
        for id, name, arguments in answer.calls:
            yield message("contentBlockStart", {
                "start": {"toolUse": {"toolUseId": id, "name": name}}, "contentBlockIndex": index})
            for piece in halves("" if not arguments else json.dumps(arguments)):
                yield message("contentBlockDelta", {
                    "delta": {"toolUse": {"input": piece}}, "contentBlockIndex": index})
            yield message("contentBlockStop", {"contentBlockIndex": index})
            index += 1
        yield message("messageStop", {"stopReason": self.reasons[answer.finish]})
        yield message("metadata", {"usage": self.usage(answer), "metrics": {"latencyMs": 1}})

    def error(self, message):
        return {"message": message}

    def stream_error(self, text):
        return message("modelStreamErrorException", {"message": text}, kind="exception")


def message(event, payload, kind="event"):
    """A message of Amazon's event stream."""
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in ((f":{kind}-type", event), (":content-type", "application/json"), (":message-type", kind)))
    payload = written(payload)
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack(">I", binascii.crc32(prelude))
    content = prelude + headers + payload
    return content + struct.pack(">I", binascii.crc32(content))


class Ollama(ScriptedProvider):
    kind = "ollama"
    stream_type = "application/x-ndjson"

    def check(self, path, headers, body, content):
        if path == "/api/embed":
            ollama._types.EmbedRequest.model_validate(body)
            return
        assert path == "/api/chat" and "authorization" not in headers
        ollama._types.ChatRequest.model_validate(body)
        assert not set(body) - {"model", "messages", "tools", "format", "options", "stream"}
        ollama.Options.model_validate(body.get("options", {}), strict=True)

    def is_streamed(self, path, body):
        return body["stream"]

    def part(self, body, text, **more):
        return {"model": body["model"], "created_at": "2026-11-26T00:00:00Z",
                "message": {"role": "assistant", "content": text}, "done": False} | more

    def last(self, answer, body, text):
        document = self.part(
            body, text, done=True, done_reason="length" if answer.finish == "length" else "stop", total_duration=1,
            prompt_eval_count=answer.prompt, eval_count=answer.completion)
        ollama.ChatResponse.model_validate(document)
        return document

    def calls_of(self, answer):
        return [{"function": {"name": name, "arguments": arguments}} for _, name, arguments in answer.calls]

    def document(self, answer, body):
        document = self.last(answer, body, answer.text)
        if answer.calls:
            document["message"]["tool_calls"] = self.calls_of(answer)
        return document

    def events(self, answer, body):
        for piece in answer.pieces:
            yield written(self.part(body, piece)) + b"\n"
        for call in self.calls_of(answer):
            part = self.part(body, "")
            part["message"]["tool_calls"] = [call]
            yield written(part) + b"\n"
        yield written(self.last(answer, body, "")) + b"\n"

    def error(self, message):
        return {"error": message}

    def stream_error(self, text):
        return json.dumps({"error": text}).encode() + b"\n"


def split(content, size):
    return [content[begin:begin + size] for begin in range(0, len(content), size)]


def written(document):
    """JSON with every character as it is, as the services write it."""
    return json.dumps(document, ensure_ascii=False).encode()


def halves(text):
    return [text[:len(text) // 2], text[len(text) // 2:]]


def exhaust(value):
    """Reads what pydantic checks only when it is read."""
    if isinstance(value, dict):
        for each in value.values():
            exhaust(each)
    elif not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for each in value:
            exhaust(each)


def with_bytes(value):
    """Blobs come as base64 on the wire."""
    if isinstance(value, dict):
        return {name: base64.b64decode(each) if name == "bytes" else with_bytes(each) for name, each in value.items()}
    return [with_bytes(each) for each in value] if isinstance(value, list) else value
