"""The main job, shown to a person: an agent is deployed from source, its payment is blocked at the gate, approved by its
hash, carried out, and proven.

Run by `make demo` in the environment of the published client, runagents 1.4.2.
"""

import argparse
import json
import os
import pathlib
import secrets
import sys
import tempfile
import threading
import time
import urllib.request

import runagents

from daemon import Daemon
from tool_server import Bank

BOLD, DIM, GREEN, RED, PLAIN = ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else [""] * 5
steps = iter(range(1, 100))


def step(text):
    print(f"\n{BOLD}{next(steps)}. {text}{PLAIN}", flush=True)


def show(text):
    print(f"   {text}", flush=True)


def check(is_so, text):
    """Says that something holds; ends the demo when it does not."""
    if not is_so:
        raise SystemExit(f"   {RED}not so: {text}{PLAIN}")
    show(f"{GREEN}ok{PLAIN} {text}")


class Follower(threading.Thread):
    """Follows a run's stream, across restarts of the daemon, and prints each event as it comes."""

    def __init__(self, daemon, run):
        super().__init__(daemon=True)
        self.daemon_process, self.run_id = daemon, run
        self.events, self.last_id, self.is_ended = [], "", threading.Event()

    def run(self):
        while not self.is_ended.is_set():
            try:
                self.read()
            except (OSError, ValueError):
                time.sleep(0.1)

    def read(self):
        request = urllib.request.Request(
            f"{self.daemon_process.url}/api/v1/runs/{self.run_id}/events/stream",
            headers={"X-RunAgents-API-Key": self.daemon_process.key, "Last-Event-ID": self.last_id})
        event = {}
        with urllib.request.urlopen(request, timeout=60) as response:
            for line in response:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event.get("event") == "end":
                    self.is_ended.set()
                    return
                elif "id" in event:
                    self.take(event)
                if not name:
                    event = {}

    def take(self, event):
        self.last_id = event["id"]
        entry = json.loads(event["data"])
        self.events.append(entry)
        show(f"{DIM}live  seq {entry['seq']:>2}  {entry['type']:<18} {entry.get('payload_hash', '')[:24]}{PLAIN}")

    def wait_for(self, event_type, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(each["type"] == event_type for each in self.events):
                return
            time.sleep(0.02)
        raise SystemExit(f"{event_type} did not come; the last event was {self.events[-1:]}")


def main(binary, directory, cleanup):
    step("Start the daemon, with an empty data directory")
    daemon = Daemon(binary, directory)
    cleanup.append(daemon.stop)
    daemon.start()
    show(f"sluice serves both eras of the API on {daemon.url}")

    step("Register a tool with its key, and a policy: reading is allowed, paying needs a person of finance")
    client = runagents.Client(endpoint=daemon.url, api_key=daemon.key)
    bank = Bank(secrets.token_hex(16))
    status, tool = daemon.ask("POST", "/api/v1/tools", {
        "name": "bank", "credentials": {"api_key": bank.key},
        "spec": {
            "connection": {"baseUrl": bank.url, "authentication": {"type": "APIKey"}},
            "capabilities": [{"method": "GET", "path": "/accounts/*"}, {"method": "POST", "path": "/payments"}]}})
    check(status == 201 and bank.key not in json.dumps(tool), "the tool's key is sealed; no answer shows it")
    client.policies.apply({"name": "payments", "spec": {
        "policies": [
            {"permission": "allow", "resource": f"{bank.url}/*", "operations": ["GET"]},
            {"permission": "approval_required", "resource": f"{bank.url}/payments", "operations": ["POST"]}],
        "approvals": [{"name": "paying", "toolIds": ["bank"], "approvers": {"groups": ["finance"], "match": "any"}}]}})
    _, made = daemon.ask("POST", "/api/v1/auth/api-keys", {"name": "grace", "role": "approver", "groups": ["finance"]})
    approver = {"X-RunAgents-API-Key": made["token"]}

    step("Deploy an agent from its source; Sluice installs what it needs and runs it in a sandbox")
    source = (pathlib.Path(__file__).parent / "agent.py").read_text()
    client.seed_starter_kit()
    client.agents.deploy(
        "payments", source_files={"agent.py": source}, entry_point="agent.py", required_tools=["bank"],
        policies=["payments"], llm_configs=[{"provider": "playground", "model": "playground", "role": "chat"}])
    for line in source.split("\n\n\n")[-1].strip().splitlines():
        show(f"{DIM}{line}{PLAIN}")

    step("Create a run; Sluice calls the agent, and the run is streamed live")
    _, run = daemon.ask("POST", "/api/v1/runs", {
        "agent_id": "payments", "user_id": "ada", "message": "Pay invoice 7", "invoke": True})
    follower = Follower(daemon, run["id"])
    follower.start()
    follower.wait_for("INVOKE_COMPLETED", 600)
    paused = client.runs.get(run["id"])
    check(paused.status == "PAUSED_APPROVAL", "the payment is blocked, the run waits for a person")
    check(bank.payments == [], "no money has moved")

    step("What the approver sees")
    path = f"/api/v1/runs/{run['id']}/actions/{paused.blocked_action_id}"
    _, action = daemon.ask("GET", path)
    for name in ("tool_id", "tool_method", "tool_url", "payload", "payload_hash", "message", "approver_groups", "expires_at"):
        show(f"{name:<15} {action[name]}")

    step("kill -9 the daemon while the approval is awaited, and start it again")
    before = daemon.ask("GET", f"/api/v1/runs/{run['id']}/events")
    daemon.kill()
    daemon.start()
    check(daemon.ask("GET", f"/api/v1/runs/{run['id']}/events") == before, "every event is still there, byte for byte")
    check(daemon.ask("GET", path) == (200, action), "the action is still blocked")

    step("Approve as whoever started the run, or another payload: refused")
    status, answer = daemon.ask("POST", path + "/approve", headers={"X-Payload-Hash": action["payload_hash"]})
    check(status == 403, f"{status} {answer}")
    status, answer = daemon.ask("POST", path + "/approve", headers=approver | {"X-Payload-Hash": "sha256:" + "0" * 64})
    check((status, answer) == (409, {"error": "payload_hash mismatch"}), f"{status} {answer}")
    check(bank.payments == [], "still no money has moved")

    step("Grace of finance approves exactly what was blocked: Sluice resumes the agent, which pays")
    status, answer = daemon.ask("POST", path + "/approve", headers=approver | {"X-Payload-Hash": action["payload_hash"]})
    check(status == 200 and answer["status"] == "APPROVED", f"{status} {answer['status']}")
    finished = client.runs.wait(run["id"], timeout_seconds=60, interval_seconds=1)
    check(finished.status == "COMPLETED", "the run is COMPLETED")
    check(len(bank.payments) == 1, f"one payment was made: {bank.payments}")
    check(bank.reads == 1, "the handler began anew, and what it had read before came from the record: the bank was asked once")
    check(daemon.ask("GET", path)[1]["status"] == "EXECUTED", "the action is EXECUTED")
    _, usage = daemon.ask("GET", "/api/v1/model-usage?group_by=model")
    check([(row["model"], row["calls"]) for row in usage["rows"]] == [("playground", 1)],
          "the agent asked its model once, through the gate: the playground, which needs no account")
    check(follower.is_ended.wait(30), "the stream came to its end, with nothing lost or repeated across the kill")
    events = [entry["seq"] for entry in follower.events]
    check(events == list(range(1, len(events) + 1)), f"seq 1 to {len(events)}, each once")

    step("kill -9 once more, restart, and compare")
    before = {name: daemon.ask("GET", name) for name in (
        f"/runs/{run['id']}", f"/runs/{run['id']}/events", "/api/agents", "/api/tools", "/runs?agent_id=payments")}
    daemon.kill()
    daemon.start()
    check({name: daemon.ask("GET", name) for name in before} == before, "every answer is the same")

    step("Verify and replay the log, offline")
    daemon.stop()
    for line in daemon.run("log", "verify").splitlines():
        show(line)
    replayed = [json.loads(line) for line in daemon.run("replay", "--run", run["id"]).splitlines()]
    for event in replayed:
        show(f"{DIM}position {event['position']:>2}  {event['time'][11:23]}  {event['type']:<20} by {event['actor']['name']}{PLAIN}")
    shown = [event["seq"] for event in replayed if "seq" in event]
    check(shown == events, "the replay has every event that was streamed")

    step("Delete the read models and make them anew from the log")
    show(daemon.run("projections", "rebuild").strip())
    daemon.start()
    check({name: daemon.ask("GET", name) for name in before} == before, "every answer is the same")
    print(f"\n{BOLD}Done.{PLAIN} What was approved is what ran, and the log can prove it.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sluice", required=True, help="the built binary")
    arguments = parser.parse_args()
    cleanup = []
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as directory:
        try:
            main(os.path.abspath(arguments.sluice), directory, cleanup)
        finally:
            for close in reversed(cleanup):
                close()
