"""kill -9 at random points under load: what was acknowledged is there, whole, in order - and a rebuild agrees."""

import http.client
import json
import os
import random
import re
import threading
import uuid

from sluice_process import ADMIN_KEY

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "100"))
WRITERS = 4


class Writer(threading.Thread):
    """Works on runs of its own over one connection until it breaks, and notes every acknowledged answer."""

    def __init__(self, port, seed, ledger):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.random = random.Random(seed)
        self.ledger = ledger

    def ask(self, method, path, body):
        headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
        if method == "POST" and self.random.random() < 0.3:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        self.connection.request(method, path, json.dumps(body), headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        assert response.status in (200, 201), (path, response.status, answer)
        return answer

    def run(self):
        try:
            while True:
                run = self.ask("POST", "/runs", {"agent_id": "crash", "user_id": "u"})["id"]
                entry = self.ledger.setdefault(run, {"events": {}, "actions": {}, "status": "RUNNING"})
                for _ in range(self.random.randint(1, 6)):
                    event = self.ask("POST", f"/runs/{run}/events", {
                        "type": "USER_MESSAGE", "data": {"message": "x" * self.random.randint(0, 2000)}})
                    entry["events"][event["seq"]] = event
                if self.random.random() < 0.5:
                    action = self.ask("POST", f"/runs/{run}/actions", {"tool_id": "t"})["action_id"]
                    entry["actions"][action] = "BLOCKED"
                    self.ask("POST", f"/runs/{run}/actions/{action}/approve", {})
                    entry["actions"][action] = "APPROVED"
                if self.random.random() < 0.7:
                    self.ask("PATCH", f"/runs/{run}", {"status": "COMPLETED"})
                    entry["status"] = "COMPLETED"
                self.ask("POST", "/api/deploy", {"agent_name": f"agent-{self.random.randint(0, 50)}", "image": run})
        except (OSError, http.client.HTTPException):
            pass


ORDER = {"BLOCKED": 0, "APPROVED": 1}


def check(api, ledger):
    """Everything acknowledged is there; what was not may be there too, but whole."""
    for run, entry in ledger.items():
        events = api.get(f"/runs/{run}/events").json
        assert [each["seq"] for each in events] == list(range(1, len(events) + 1)), run
        for seq, event in entry["events"].items():
            assert events[seq - 1] == event, run
        found = api.get(f"/runs/{run}").json
        if entry["status"] == "COMPLETED":
            assert found["status"] == "COMPLETED", run
        actions = {each["action_id"]: each["status"] for each in found["blocked_actions"]}
        for action, status in entry["actions"].items():
            assert ORDER[actions[action]] >= ORDER[status], run
        # One command's events are all there or none: a blocked action and its pause, an approval and its resume.
        if found["status"] == "PAUSED_APPROVAL":
            assert "BLOCKED" in actions.values() and found["blocked_action_id"] in actions, run
        else:
            assert "BLOCKED" not in actions.values(), run
        types = [each["type"] for each in events]
        assert types.count("APPROVAL_REQUIRED") == len(actions), run
        assert types.count("APPROVED") == list(actions.values()).count("APPROVED"), run


def everything(api, ledger):
    """Every answer that reads can give about what was written; the log does not say when keys were used."""
    paths = ["/runs?agent_id=crash", "/runs", "/api/agents", "/api/v1/agents", "/api/tools", "/api/auth/api-keys"]
    paths += [f"/runs/{run}{part}" for run in ledger for part in ("", "/events", "/actions")]
    return {path: re.sub(rb',"lastUsedAt":"[^"]*"', b"", api.get(path).content) for path in paths}


def test_kill_at_any_point_loses_nothing_acknowledged(own_sluice):
    seed = int(os.environ.get("CRASH_SEED", random.randrange(2**32)))
    print(f"CRASH_SEED={seed}")
    chance = random.Random(seed)
    sluice = own_sluice(SLUICE_SEGMENT_BYTES_MAX="65536")
    ledger, recent = {}, {}
    for round_number in range(ROUNDS):
        recent = {}
        writers = [Writer(sluice.port, chance.random(), recent) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        # The random length of the load is what picks the point of the kill.
        writers[0].join(timeout=chance.uniform(0.02, 0.3))
        sluice.kill()
        for writer in writers:
            writer.join()
        sluice.start()
        check(sluice.client(), recent)
        ledger |= recent
    api = sluice.client()
    assert sum(len(entry["events"]) for entry in ledger.values()) > ROUNDS
    check(api, ledger)
    before = everything(api, ledger)
    assert sluice.stop() == 0
    verified = sluice.run("log", "verify", "--data-dir", sluice.data, "--json")
    assert verified.returncode == 0, verified.stdout
    assert len(list((sluice.data / "log").glob("*.seg"))) > 1
    assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
    sluice.start()
    assert everything(api, ledger) == before
