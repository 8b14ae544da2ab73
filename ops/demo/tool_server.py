"""The demo's tool: a bank. It knows nothing of Sluice; it asks for its key and keeps a list of what it was told to do."""

import http.server
import json
import threading


class Bank:
    def __init__(self, key):
        self.key = key
        self.reads, self.payments = 0, []
        bank = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                bank.reads += 1
                self.answer(200, {"account": self.path.rsplit("/", 1)[-1], "owner": "Ada's Analytical Engines"})

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Authorization") != f"Bearer {bank.key}":
                    return self.answer(401, {"error": "the bank's key is missing"})
                bank.payments.append(json.loads(body) | {"for": self.headers.get("X-End-User-Id")})
                self.answer(200, {"receipt": f"receipt-{len(bank.payments):04}"})

            def answer(self, status, document):
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"
