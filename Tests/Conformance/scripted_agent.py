"""An HTTP agent that a test scripts: it records what it is asked and answers as told."""

import http.server
import json
import queue
import threading


class ScriptedAgent:
    """`answers` maps a path prefix to a function of the request's body; `calls` is a queue of what came."""

    def __init__(self):
        self.calls = queue.Queue()
        self.answers = {}
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                agent.calls.put((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                answer = next(each for prefix, each in agent.answers.items() if self.path.startswith(prefix))
                try:
                    status, document = answer(body)
                    content = json.dumps(document).encode()
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def next_call(self, timeout=30):
        return self.calls.get(timeout=timeout)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
