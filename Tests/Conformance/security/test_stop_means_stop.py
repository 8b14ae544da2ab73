"""Stop means stop: after a control nothing of a runaway agent reaches a tool or a model (case O12 and its kind)."""

import itertools
import pathlib
import threading
import time

import pytest

from deployed_agents import DeployedAgents
from governed_agent import GovernedAgent, store_tool
from scripted_model import ScriptedModel
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from waiting import eventually

STOP_SECONDS = 2
GONE_SECONDS = 15
numbers = itertools.count()

# Calls models and tools in threads and in children of sessions of their own, ignores SIGTERM, and never answers.
RUNAWAY = """
import http.client, json, os, signal, threading, urllib.parse
signal.signal(signal.SIGTERM, signal.SIG_IGN)
gate = urllib.parse.urlsplit(os.environ["GOVERNANCE_URL"])

def ask(method, path, body, headers):
    connection = http.client.HTTPConnection(gate.hostname, gate.port, timeout=60)
    connection.request(method, gate.path + path, body, headers)
    return connection.getresponse().read()

def loop(path, body, headers):
    for number in range(1_000_000):
        try:
            ask("POST", path, body(number), headers)
        except Exception:
            pass

def run_away(headers):
    model = lambda number: json.dumps({"model": MODEL, "messages": [{"role": "user", "content": str(number)}]})
    tool = lambda number: f"{os.getpid()}-{threading.get_ident()}-{number}"
    loops = [("/v1/chat/completions", model), (f"/egress/{TOOL}/loop", tool), (f"/egress/{TOOL}/held", tool)]
    for path, body in loops:
        threading.Thread(target=loop, args=(path, body, headers)).start()

def handler(request, context=None):
    run = request["run_id"]
    for headers in ({"X-Run-ID": run}, {}):
        if os.fork() == 0:
            os.setsid()
            run_away(headers)
            threading.Event().wait()
    run_away({"X-Run-ID": run})
    threading.Event().wait()
"""


class Runaway:
    """A runaway agent of a daemon of its own, and the tool and the model that count its calls."""

    def __init__(self, directory, **settings):
        self.sluice = SluiceProcess(directory, settings).start()
        self.api, self.agents = self.sluice.client(), DeployedAgents(self.sluice)
        self.tool, self.other_tool, self.model = ScriptedTool(), ScriptedTool(), ScriptedModel()
        self.arrivals, self.streams = [], {"open": 0, "closed": 0}
        self.tool.answer = self.answer
        self.model.say = lambda body: self.arrivals.append(time.monotonic()) or {"role": "assistant", "content": "on"}
        store_tool(self.sluice, "pay", self.tool.url)
        store_tool(self.sluice, "other", self.other_tool.url)
        assert self.api.post("/api/v1/model-providers", {"name": "m", "spec": {
            "provider": "vllm", "endpoint": self.model.url, "models": ["m"]}}).status == 201
        self.bystander = GovernedAgent(self.sluice, "bystander", [("allow", ["*"], self.other_tool.url + "/*")])
        assert self.api.post("/api/policies", {"name": "all", "spec": {"policies": [
            {"permission": "allow", "operations": ["*"], "resource": self.tool.url + "/*"}]}}).status == 201
        self.deploy()

    def deploy(self, **more):
        code = RUNAWAY.replace("MODEL", '"m"').replace("{TOOL}", "pay")
        self.agents.deploy("runaway", code, policies=["all"], required_tools=["pay"], **more)
        self.agents.await_phase("runaway", "Running")

    def answer(self, call):
        self.arrivals.append(time.monotonic())
        return (200, [], self.stream()) if call.target == "/held" else (200, [], b"done")

    def stream(self):
        """A response without an end, that counts who still reads it."""
        self.streams["open"] += 1
        try:
            while True:
                yield b"."
                time.sleep(0.05)
        finally:
            self.streams["closed"] += 1

    def start(self):
        """A run that has run away: model and tool are called again and again, and responses are being streamed."""
        run = self.agents.start("runaway")
        before, calls = len(self.arrivals), self.model.calls.qsize()
        eventually(lambda: (len(self.arrivals) - before, self.model.calls.qsize() - calls, self.streams["open"]),
                   lambda counts: counts[0] > 40 and counts[1] > 10 and counts[2] >= 2)
        return run

    def processes(self):
        """The processes below the daemon, zombies left out."""
        parents = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(stat.parent.name)] = int(parent)

        def descends(process):
            while process in parents:
                process = parents[process]
                if process == self.sluice.process.pid:
                    return True
            return False

        return [process for process in parents if descends(process)]

    def assert_silent_since(self, answered):
        """Everything of the agent has ended, and no call came later than two seconds after the control's answer."""
        eventually(self.processes, lambda found: not found, GONE_SECONDS)
        eventually(lambda: self.streams["open"] - self.streams["closed"], lambda count: count == 0, GONE_SECONDS)
        count = len(self.arrivals)
        run = self.bystander.start()
        for number in range(2):
            assert self.bystander.call(run, "POST", "other", "/round", str(number).encode()).status == 200
            assert len(self.arrivals) == count
        late = [arrival - answered for arrival in self.arrivals if arrival > answered + STOP_SECONDS]
        assert not late, late

    def close(self):
        assert self.sluice.stop() == 0
        for server in (self.tool, self.other_tool, self.model):
            server.close()


@pytest.fixture(params=["required", "none"])
def runaway(tmp_path, request):
    runaway = Runaway(tmp_path, SLUICE_AGENT_SANDBOX=request.param)
    yield runaway
    runaway.close()


def test_cancelling_a_run_ends_its_process_and_all_its_calls(runaway):
    run = runaway.start()
    assert runaway.api.post(f"/runs/{run}/cancel", {"reason": "it ran away"}).status == 200
    runaway.assert_silent_since(time.monotonic())
    assert runaway.agents.events(run)[-1]["data"]["reason"] == "cancelled: it ran away"


def test_deleting_an_agent_ends_its_runs_and_all_its_calls(runaway):
    run = runaway.start()
    assert runaway.api.delete("/api/v1/agents/runaway").status == 200
    runaway.assert_silent_since(time.monotonic())
    assert runaway.agents.finished(run)["status"] == "FAILED"
