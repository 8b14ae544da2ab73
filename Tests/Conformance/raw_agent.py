"""An agent that answers with exactly the bytes that a test chooses."""

import http.server
import json
import threading


class RawAgent:
    """`answer` makes the body of a request's; an answer that is a pair brings its status. `requests` is what came."""

    def __init__(self):
        self.answer = lambda request: b"{}"
        self.requests = []
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                agent.requests.append(request)
                answer = agent.answer(request)
                status, content = answer if isinstance(answer, tuple) else (200, answer)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/invoke"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
