"""An agent that runs what it is told to, from within its sandbox, and a client of the gate's own socket."""

import http.client
import os
import socket

from deployed_agents import DeployedAgents
from http_client import TIMEOUT_SECONDS, HTTPClient

# Runs the message as code; what it prints or raises is the answer.
HOSTILE = """
import contextlib, io, traceback

def handler(request, context=None):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(request["message"], {"request": request})
        except BaseException:
            traceback.print_exc(file=out)
    return {"response": out.getvalue()}
"""

# What the code of an attempt finds defined: the run it is in, its own address, and how to ask there or anywhere at the gate.
ASKING = """
import http.client, json, os, socket, urllib.parse
run, gate = request.get("run_id"), urllib.parse.urlsplit(os.environ["GOVERNANCE_URL"])

def ask(method, path, body=None, headers={}, own=True):
    connection = http.client.HTTPConnection(gate.hostname, gate.port, timeout=30)
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, (gate.path if own else "") + path, content, headers)
    response = connection.getresponse()
    text = response.read().decode()
    return response.status, text, dict(response.getheaders())

def statuses(requests, own=True):
    print(json.dumps([ask(*each, own=own)[0] for each in requests]))
"""


class HostileAgents(DeployedAgents):
    """Agents of a daemon that do what a test says from inside of bubblewrap."""

    def attempt(self, name, code):
        """What the code prints."""
        return self.ask(name, ASKING + code)["response"]

    def token(self, name):
        """The instance's token; backwards on its way, because in an answer it would be redacted."""
        token = self.attempt(name, "print(gate.path.removeprefix('/as/')[::-1])").strip()[::-1]
        assert token.startswith("ra_agent_"), token
        return token


class GateClient(HTTPClient):
    """Requests at the gate's socket, from outside any sandbox."""

    def __init__(self, sluice, key=None):
        super().__init__("gate", 0, key)
        self.directory = sluice.data / "run"

    def connection(self):
        return GateConnection(self.directory)


class GateConnection(http.client.HTTPConnection):
    def __init__(self, directory):
        super().__init__("gate", timeout=TIMEOUT_SECONDS)
        self.directory = directory

    def connect(self):
        """By a path that is short enough for a socket's address, however long the directory's is."""
        descriptor = os.open(self.directory, os.O_PATH)
        try:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{descriptor}/gate.sock")
        finally:
            os.close(descriptor)
