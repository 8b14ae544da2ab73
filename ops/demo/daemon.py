"""The demo's daemon: starts, kills and restarts `sluice serve`, and asks it over HTTP."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Daemon:
    def __init__(self, binary, directory):
        self.binary = binary
        self.data = os.path.join(directory, "data")
        self.log = os.path.join(directory, "sluice.log")
        self.port = free_port()
        self.key = "ra_ws_" + secrets.token_hex(24)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}"],
                env=os.environ | {"SLUICE_API_KEY": self.key}, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        with open(self.log) as log:
            raise SystemExit(f"sluice did not start:\n{log.read()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def ask(self, method, path, body=None, headers=None):
        """Returns the status and the JSON of the answer, also of a refusal."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"X-RunAgents-API-Key": self.key, "Content-Type": "application/json"} | (headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def run(self, *arguments):
        """Runs another subcommand; returns what it prints."""
        ended = subprocess.run([self.binary, *arguments, "--data-dir", self.data], capture_output=True, text=True)
        if ended.returncode != 0:
            raise SystemExit(f"sluice {' '.join(arguments)} ended with {ended.returncode}: {ended.stderr}")
        return ended.stdout
