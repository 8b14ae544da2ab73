"""The demo's tool: a bank that lets a payment through only when a person has approved exactly its bytes.

It stands in for the egress gateway, which is a later part of Sluice: it asks Sluice to block the call, and compares
the hash of what arrives with the hash that was approved.
"""

import hashlib
import http.server
import json
import threading
import urllib.request


class Bank:
    def __init__(self, sluice_url, agent_key):
        self.sluice_url, self.agent_key = sluice_url, agent_key
        self.payments = []
        bank = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = bank.pay(body, self.headers.get("X-Run-Id"), self.headers.get("X-Action-Id"))
                content = json.dumps(answer).encode()
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

    def pay(self, body, run, action):
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if not action:
            blocked = self.ask("POST", f"/runs/{run}/actions", {
                "tool_id": "bank", "capability": "POST /payments", "payload_hash": digest,
                "tool_method": "POST", "tool_url": self.url + "/payments"})
            return 403, {
                "code": "APPROVAL_REQUIRED", "action_id": blocked["action_id"], "tool": "bank",
                "message": "a payment needs a person's approval"}
        approved = self.ask("GET", f"/runs/{run}/actions/{action}")
        if approved["status"] != "APPROVED" or approved["payload_hash"] != digest:
            return 409, {"error": "this is not what was approved"}
        self.payments.append(json.loads(body))
        return 200, {"receipt": f"receipt-{len(self.payments):04}"}

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.sluice_url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.agent_key}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
