"""A model provider that a test scripts: it answers in OpenAI's format, as told, and keeps what it was asked."""

import http.server
import json
import queue
import threading

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def words(text):
    """The answer of a model that has something to say."""
    return {"role": "assistant", "content": text}


def tool_call(function, arguments, call_id="call-1"):
    """The answer of a model that wants a function called."""
    return {"role": "assistant", "content": None, "tool_calls": [
        {"id": call_id, "type": "function", "function": {"name": function, "arguments": json.dumps(arguments)}}]}


class ScriptedModel:
    """`say` is a function of the request's body: a message, or a pair of a status and a document (with headers)."""

    def __init__(self, say=lambda body: words("hello")):
        self.calls = queue.Queue()
        self.say = say
        self.tells_usage = True
        """False for a model whose streams never tell what they used."""
        self.go_on = threading.Semaphore(0)
        """Released once for each streamed chunk after the first, when a body asks for `"hold": true`."""
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(content)
                headers = {name.lower(): value for name, value in self.headers.items()}
                model.calls.put((self.path, headers, content))
                try:
                    answer = model.say(body)
                    if isinstance(answer, tuple):
                        self.send(*answer)
                    elif body.get("stream"):
                        self.stream(body, answer)
                    else:
                        self.send(200, completion(body, answer))
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def send(self, status, document, headers=()):
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def stream(self, body, message):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                for number, word in enumerate(message["content"].split(" ")):
                    if number and body.get("hold"):
                        assert model.go_on.acquire(timeout=30)
                    self.chunk(body, {"delta": {"role": "assistant", "content": word + " "}, "finish_reason": None})
                self.chunk(body, {"delta": {}, "finish_reason": "stop"})
                if model.tells_usage and body.get("stream_options", {}).get("include_usage"):
                    self.send_chunk(body, [], USAGE)
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

            def chunk(self, body, choice):
                self.send_chunk(body, [{"index": 0} | choice])

            def send_chunk(self, body, choices, usage=None):
                document = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
                            "choices": choices, "usage": usage}
                self.wfile.write(b"data: " + json.dumps(document).encode() + b"\n\n")
                self.wfile.flush()

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

    def next_call(self, timeout=30):
        return self.calls.get(timeout=timeout)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def completion(body, message):
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {"id": "c-1", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": USAGE}
