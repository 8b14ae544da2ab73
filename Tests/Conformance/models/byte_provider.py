"""A model provider whose responses a test writes byte for byte."""

import contextlib
import http.server
import itertools
import json
import queue
import threading

import pytest

KEY = "sk-upstream-0123456789abcdef"
"""The key that Sluice holds for the provider."""
numbers = itertools.count()


def sse(*documents, done=True):
    """A stream of those documents, each as the text that it is, or as JSON."""
    texts = [document if isinstance(document, str) else json.dumps(document) for document in documents]
    return b"".join(f"data: {text}\n\n".encode() for text in texts + ["[DONE]"] * done)


class ByteProvider:
    """`respond` is a function of the request's body: a triple of a status, headers and the body's bytes."""

    def __init__(self):
        self.calls = queue.Queue()
        self.respond = None
        self.headers = queue.Queue()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                provider.headers.put(dict(self.headers))
                provider.calls.put((self.path, content))
                status, headers, body = provider.respond(json.loads(content))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stream(self, *documents, done=True):
        """Answers every call with that stream."""
        self.respond = lambda body: (200, {"Content-Type": "text/event-stream"}, sse(*documents, done=done))

    def say(self, document, status=200, **headers):
        """Answers every call with that document."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.respond = lambda body: (
            status, {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}, content)

    def store(self, api, /, kind="vllm", path="", workspace="", **spec):
        """Registers the provider with a model of its own; returns the model's name."""
        name = f"byte-model-{next(numbers)}"
        answer = api.post(f"/api/v1{workspace}/model-providers", {
            "name": f"of-{name}", "credentials": {"api_key": KEY}, "spec": {
                "provider": kind, "endpoint": f"http://127.0.0.1:{self.server.server_port}{path}", "models": [name],
                "auth": {"type": "APIKey"},
                "prices": {name: {"input_per_million_usd": 100, "output_per_million_usd": 1000}}} | spec})
        assert answer.status == 201, answer
        return name

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def provider():
    provider = ByteProvider()
    yield provider
    provider.close()
