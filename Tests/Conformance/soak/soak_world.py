"""The work of a soak: what clients, agents, approvers, operators and readers do to one daemon."""

import collections
import itertools
import json
import os
import random
import subprocess
import threading

from deployed_agents import DeployedAgents
from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import ADMIN_KEY, ROOT
from soak_work import SoakClient, UnexpectedAnswer
from waiting import eventually

SDK = ROOT / ".venv/runagents-1.4.2/bin/python"
USERS, ROOMS, STREAM_KEYS = 300, 20, 4
INVOKED_SECONDS_MAX = 120
CLERK = """
import http.client, os, urllib.parse
gate = urllib.parse.urlsplit(os.environ["GOVERNANCE_URL"])

def handler(request, context=None):
    connection = http.client.HTTPConnection(gate.hostname, gate.port, timeout=60)
    connection.request("POST", gate.path + "/egress/bank/pay", request["run_id"], {"X-Run-ID": request["run_id"]})
    response = connection.getresponse()
    return {"response": f"VERSION {response.status} {response.read().decode()}"}
"""


class SoakWorld:
    def __init__(self, sluice, directory):
        self.sluice, self.place = sluice, directory / "backup"
        self.statuses = collections.Counter()
        self.lock, self.random = threading.Lock(), random.Random(20)
        self.version, self.completed, self.remembered = 0, 0, []
        self.bank = ScriptedTool()
        self.bank.answer = self.answer
        self.calls = itertools.count()
        store_tool(sluice, "bank", self.bank.url)
        rules = [("allow", ["GET", "POST"], self.bank.url + "/*"), ("approval_required", ["PUT"], self.bank.url + "/*")]
        self.payer = GovernedAgent(sluice, "payer", rules)
        self.agents = DeployedAgents(sluice)
        self.redeploy(0)
        self.agents.await_phase("clerk", "Running")
        self.rooms = [self.new_run("room") for _ in range(ROOMS)]
        self.stream_keys = [sluice.key("viewer") for _ in range(STREAM_KEYS)]

    @property
    def api(self):
        return SoakClient(self.sluice, ADMIN_KEY, self.statuses)

    def answer(self, call):
        # The tool keeps every call; a soak has too many.
        self.bank.calls.clear()
        return 200, [], b"done"

    def new_run(self, agent):
        user = f"user-{self.random.randrange(USERS)}"
        return self.api.expect(201, "POST", "/runs", {"agent_id": agent, "user_id": user}).json["id"]

    def say(self, run, message):
        self.api.expect(201, "POST", f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": message}})

    def life_of_a_run(self, number):
        """A run from its creation to its end: with messages, and a blocked action that is decided."""
        run = self.new_run("ledger")
        self.say(run, f"the invoice {number} of last month, please")
        action = self.api.expect(201, "POST", f"/runs/{run}/actions", {
            "tool_id": "bank", "payload_hash": f"sha256:{number:064x}"}).json["action_id"]
        path = f"/runs/{run}/actions/{action}"
        if number % 10 == 3:
            self.api.expect(200, "POST", path + "/reject", {"reason": "not this one"})
        elif number % 10 != 7:
            self.api.expect(200, "POST", path + "/approve", {"payload_hash": f"sha256:{number:064x}"})
            self.say(run, "paid")
        if number % 10 == 7:
            self.api.expect(200, "POST", f"/runs/{run}/cancel", {"reason": "not wanted any more"})
        elif number % 10 != 3:  # A rejection ends its run.
            self.api.expect(200, "PATCH", f"/runs/{run}", {"status": "COMPLETED"})
            with self.lock:
                self.completed += 1
        self.remember(run)

    def remember(self, run):
        """Keeps what a run looks like at a position, for questions about the past."""
        if self.random.random() < 0.05:
            answer = self.api.expect(200, "GET", f"/runs/{run}")
            position = answer.headers.get("sluice-position")
            if position is not None:
                with self.lock:
                    self.remembered.append((run, position, answer.content))

    def speak_in_a_room(self, number):
        self.say(self.rooms[number % ROOMS], f"word {number}")

    def invoked_run(self, number):
        """A run that Sluice drives, by whichever version of the agent serves."""
        run = self.agents.start("clerk", f"pay {number}")
        ended = eventually(
            lambda: self.api.expect(200, "GET", f"/runs/{run}").json,
            lambda found: found["status"] in ("COMPLETED", "FAILED"), INVOKED_SECONDS_MAX)
        if ended["status"] != "COMPLETED" or "200 done" not in json.dumps(self.agents.answer(run)):
            raise UnexpectedAnswer(f"{ended} {self.agents.events(run)[-3:]}")

    def governed_call(self, number):
        """A call through the gate; one in ten has to be approved, and is made again."""
        run = self.payer.start(user=f"user-{number % USERS}")
        method, path, body = ("PUT", f"/limit/{number}", b"7") if number % 10 == 5 else ("POST", "/pay", b"%d" % number)
        if method == "PUT":
            self.payer.approve(self.payer.blocked(run, method, "bank", path, body))
        answer = self.payer.call(run, method, "bank", path, body)
        if (answer.status, answer.content) != (200, b"done"):
            raise UnexpectedAnswer(f"{method} {path}: {answer}")
        self.api.expect(200, "PATCH", f"/runs/{run}", {"status": "COMPLETED"})

    def redeploy(self, number):
        self.version += 1
        # Of the same bytes in two places, so that a bundle is used again now and then.
        code = CLERK.replace("VERSION", str(self.version // 2))
        policies = {"policies": ["payer-rules"], "required_tools": ["bank"]}
        self.agents.deploy("clerk", code, **policies)

    def whole_list(self, number):
        completed = self.completed
        runs = self.api.expect(200, "GET", "/runs?status=COMPLETED").json
        if len(runs) < completed:
            raise UnexpectedAnswer(f"{len(runs)} runs are listed, and {completed} are completed")

    def page(self, number):
        query = ("status=COMPLETED", "agent_id=ledger", "user_id=user-7", "q=invoice", "sort=-updated_at")[number % 5]
        runs = self.api.expect(200, "GET", f"/runs?limit=100&{query}").json
        if len(runs) > 100:
            raise UnexpectedAnswer(f"a page of {len(runs)} runs")

    def export(self, number):
        self.api.expect(200, "GET", f"/runs/{self.rooms[number % ROOMS]}/audit/export")

    def ask_the_past(self, number):
        """A run as it was is the same bytes again, however much came after it."""
        with self.lock:
            chosen = self.random.choice(self.remembered) if self.remembered else None
        if chosen:
            run, position, content = chosen
            then = self.api.expect(200, "GET", f"/runs/{run}?as_of={position}")
            if then.content != content:
                raise UnexpectedAnswer(f"run {run} at {position}: {then.content[:300]!r}, was {content[:300]!r}")

    def replace_secret(self, number):
        self.api.expect(201, "POST", "/api/v1/secrets", {
            "owner_kind": "tool", "owner": "bank", "name": "TOKEN", "value": f"secret {number}"})

    def back_up(self, number):
        self.command("backup", self.place, "--data-dir", self.sluice.data)
        if number % 4 == 3:
            self.command("backup", "verify", self.place)

    def command(self, *arguments):
        done = self.sluice.run(*arguments)
        if done.returncode != 0:
            raise UnexpectedAnswer(f"{arguments[0]}: {done.returncode} {done.stderr[-300:]}")

    def sdk(self):
        """The published client beside everything else; without its environment there is none."""
        if SDK.exists():
            return subprocess.Popen(
                [SDK, os.path.join(os.path.dirname(__file__), "sdk_reader.py"), self.sluice.url, ADMIN_KEY, "payer"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        self.bank.close()
