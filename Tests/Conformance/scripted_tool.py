"""An HTTP tool that a test scripts: it records every call as it came, and answers as told."""

import dataclasses
import http.server
import threading


@dataclasses.dataclass
class ToolCall:
    method: str
    target: str
    headers: list
    body: bytes

    def header(self, name):
        """Every value of a header."""
        return [value for each, value in self.headers if each.lower() == name]


class ScriptedTool:
    """`answer` makes (status, headers, body) of a call; a body may be bytes, or an iterator that is sent as it comes."""

    def __init__(self, port=0):
        self.calls = []
        self.arrived = threading.Semaphore(0)
        self.answer = lambda call: (200, [], b"done")
        tool = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_call(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call = ToolCall(self.command, self.path, list(self.headers.items()), body)
                tool.calls.append(call)
                tool.arrived.release()
                try:
                    self.reply(*tool.answer(call))
                except OSError:
                    self.close_connection = True

            def reply(self, status, headers, body):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if isinstance(body, bytes):
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(body)
                    return
                self.send_header("Connection", "close")
                self.end_headers()
                for part in body:
                    self.wfile.write(part)
                    self.wfile.flush()

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_call

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def await_call(self, seconds=60):
        """Waits for one more call than was waited for before."""
        assert self.arrived.acquire(timeout=seconds), "the tool was not called"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
