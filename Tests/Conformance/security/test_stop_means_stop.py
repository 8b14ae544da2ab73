"""Stop means stop: after a control nothing of a runaway agent reaches a tool or a model (case O12 and its kind)."""

import contextlib
import itertools
import os
import pathlib
import signal
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
        self.arrivals, self.tool_arrivals, self.streams = [], [], {"open": 0, "closed": 0}
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

    def deploy_stopped(self):
        """A new version, which a stop keeps from starting."""
        code = RUNAWAY.replace("MODEL", '"m"').replace("{TOOL}", "pay") + "# A later version.\n"
        self.agents.deploy("runaway", code, policies=["all"], required_tools=["pay"])

    def answer(self, call):
        now = time.monotonic()
        self.arrivals.append(now)
        self.tool_arrivals.append(now)
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

    def left(self):
        """Processes out of the daemon's directory, also those that are below no daemon any more."""
        found = []
        for command in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if str(self.sluice.data).encode() in command.read_bytes():
                    found.append(int(command.parent.name))
        return found

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
        self.api.post("/api/v1/agents/runaway/stop", {"runs": "cancel"})
        assert self.sluice.stop() == 0
        # Without a sandbox some of its children outlive the launcher (docs/stop.md); they would keep other tests waiting.
        for process in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
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


def stop(api, path, **body):
    answer = api.post(f"/api/v1/{path}/stop", body)
    assert (answer.status, answer.json["status"]) == (200, "stopped"), answer
    return answer


def start(api, path, **body):
    answer = api.post(f"/api/v1/{path}/start", body)
    assert (answer.status, answer.json["status"]) == (200, "started"), answer


@pytest.mark.parametrize("path", ["agents/runaway", "workspaces/default"])
def test_stopping_an_agent_or_its_workspace_ends_all_its_calls_and_holds_its_runs(runaway, path):
    run = runaway.start()
    stop(runaway.api, path, reason="it ran away")
    answered = time.monotonic()
    eventually(runaway.processes, lambda found: not found, GONE_SECONDS)
    waiting = runaway.agents.start("runaway")
    if path.startswith("workspaces"):
        count = len(runaway.arrivals)
        answer = runaway.bystander.call(runaway.bystander.start(), "POST", "other", "/x", b"")
        assert (answer.status, answer.code) == (403, "WORKSPACE_STOPPED")
        assert len(runaway.arrivals) == count and runaway.other_tool.calls == []
    else:
        runaway.assert_silent_since(answered)
    for each in (run, waiting):
        assert runaway.api.get(f"/runs/{each}").json["status"] == "RUNNING"
    runaway.sluice.restart()
    assert runaway.agents.status("runaway")["phase"] == ("Stopped" if path.startswith("agents") else "Running")
    assert [each["reason"] for each in runaway.api.get("/api/v1/controls").json] == ["it ran away"]
    count = len(runaway.arrivals)
    runaway.deploy_stopped()
    eventually(runaway.processes, lambda found: not found)
    assert len(runaway.arrivals) == count
    start(runaway.api, path)
    for each in (run, waiting):
        runaway.agents.eventually(
            lambda each=each: [event["type"] for event in runaway.agents.events(each)][-1],
            lambda last: last == "INVOKE_REQUESTED")
    eventually(lambda: len(runaway.arrivals), lambda now: now > count)


def test_stopping_a_tool_ends_all_its_calls_and_leaves_the_agent_its_models(runaway):
    run = runaway.start()
    stop(runaway.api, "tools/pay", reason="it leaks")
    answered = time.monotonic()
    eventually(lambda: runaway.streams["open"] - runaway.streams["closed"], lambda count: count == 0, GONE_SECONDS)
    # The agent runs away further: its models are asked again and again, long after the tool fell silent.
    asked = runaway.model.calls.qsize()
    eventually(lambda: (runaway.model.calls.qsize() - asked, time.monotonic() - answered),
               lambda found: found[0] > 20 and found[1] > 2 * STOP_SECONDS)
    late = [arrival - answered for arrival in runaway.tool_arrivals if arrival > answered + STOP_SECONDS]
    assert not late, late
    assert runaway.api.get(f"/runs/{run}").json["status"] == "RUNNING"
    count = len(runaway.tool_arrivals)
    start(runaway.api, "tools/pay")
    eventually(lambda: len(runaway.tool_arrivals), lambda now: now > count)


def test_a_stop_that_cancels_ends_the_runs_and_refuses_new_ones(runaway):
    run = runaway.start()
    stop(runaway.api, "agents/runaway", runs="cancel", reason="it ran away")
    answered = time.monotonic()
    assert runaway.agents.finished(run)["status"] == "FAILED"
    refused = runaway.api.post("/runs", {"agent_id": "runaway", "user_id": "ada", "invoke": True})
    assert refused.status == 409 and "it ran away" in refused.json["error"]
    runaway.assert_silent_since(answered)
    start(runaway.api, "agents/runaway", reason="repaired")
    runaway.start()


def test_a_stop_outlives_its_agent_and_is_the_operators(tmp_path):
    sluice = SluiceProcess(tmp_path).start()
    api, tool = sluice.client(), ScriptedTool()
    store_tool(sluice, "pay", tool.url)
    agent = GovernedAgent(sluice, "payer", [("allow", ["*"], tool.url + "/*")])
    run = agent.start()
    for role in ("viewer", "approver", "agent"):
        assert sluice.client(sluice.key(role)).post("/api/v1/agents/payer/stop").status == 403
    assert api.post("/api/v1/agents/nobody/stop").status == 404
    assert api.post("/api/v1/agents/payer/stop", {"runs": "some"}).status == 400
    stop(api, "agents/payer", reason="audit")
    answer = agent.call(run, "POST", "pay", "/x", b"")
    assert (answer.status, answer.code) == (403, "AGENT_STOPPED") and "audit" in answer.json["error"]
    assert api.post("/v1/chat/completions", {"model": "m", "messages": []}).status == 404
    asked = sluice.client(agent.token).post("/v1/chat/completions", {"model": "m", "messages": []})
    assert (asked.status, asked.json["code"]) == (403, "AGENT_STOPPED")
    note = sluice.client(agent.token).post(f"/runs/{run}/events", {"type": "NOTE"})
    assert (note.status, note.headers["sluice-error-code"]) == (409, "agent_stopped")
    assert api.delete("/api/v1/agents/payer").status == 200
    assert api.post("/api/v1/deploy", {"agent_name": "payer", "image": "i", "policies": ["payer-rules"]}).status == 201
    agent.token = agent.key()
    run = agent.start()
    assert agent.call(run, "POST", "pay", "/x", b"").code == "AGENT_STOPPED"
    assert api.get("/api/v1/agents/payer").json["status"]["phase"] == "Stopped"
    assert [each["status"]["phase"] for each in api.get("/api/v1/agents").json] == ["Stopped"]
    start(api, "agents/payer")
    assert agent.call(run, "POST", "pay", "/x", b"").status == 200
    assert len(tool.calls) == 1
    assert sluice.stop() == 0
    tool.close()


def test_the_command_line_stops_and_starts(tmp_path):
    sluice = SluiceProcess(tmp_path).start()
    tool = ScriptedTool()
    stream = [("Content-Type", "text/event-stream")]
    tool.answer = lambda call: (200, stream, iter(lambda: time.sleep(0.05) or b".", None))
    store_tool(sluice, "pay", tool.url)
    agent = GovernedAgent(sluice, "payer", [("allow", ["*"], tool.url + "/*")])
    run = agent.start()
    response, connection = agent.open(run, "GET", "pay", "/stream")
    assert response.read(1) == b"."

    def command(*arguments):
        done = sluice.run(*arguments, "--url", sluice.url)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert command("tools", "stop", "pay", "--reason", "leak") == "tool pay stopped"
    with pytest.raises(Exception):
        while response.read(1):
            pass
        raise EOFError
    connection.close()
    assert agent.call(run, "GET", "pay", "/x").code == "TOOL_STOPPED"
    assert len(tool.calls) == 1
    tool.answer = lambda call: (200, [], b"done")
    assert command("tools", "start", "pay") == "tool pay started"
    assert agent.call(run, "GET", "pay", "/x").status == 200
    assert command("agents", "stop", "payer", "--runs", "cancel") == "agent payer stopped; runs: cancel"
    agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "FAILED")
    assert command("agents", "start", "payer") == "agent payer started"
    assert command("workspaces", "stop", "default") == "workspace default stopped; runs: hold"
    assert command("workspaces", "start", "default") == "workspace default started"
    assert sluice.stop() == 0
    tool.close()


def test_a_budget_and_what_was_spent_outlive_the_agent(tmp_path):
    sluice, model = SluiceProcess(tmp_path).start(), ScriptedModel()
    api = sluice.client()
    assert api.post("/api/v1/model-providers", {"name": "m", "spec": {
        "provider": "vllm", "endpoint": model.url, "models": ["m"],
        "prices": {"m": {"input_per_million_usd": 10_000, "output_per_million_usd": 0}}}}).status == 201

    def ask(agent):
        return sluice.client(agent.token).post(
            "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}]}).status

    agent = GovernedAgent(sluice, "payer", [], monthly_budget_usd=0.05)
    assert [ask(agent), ask(agent)] == [200, 402]
    key = agent.token
    assert api.delete("/api/v1/agents/payer").status == 200
    assert ask(agent) == 401
    assert api.post("/api/deploy", {"agent_name": "payer", "image": "i"}).status == 201
    assert ask(agent) == 401 and key == agent.token
    agent.token = agent.key()
    assert ask(agent) == 402
    assert api.put("/api/v1/agents/payer/config", {"monthly_budget_usd": 100}).status == 200
    assert ask(agent) == 200
    assert sluice.stop() == 0
    model.close()


def test_an_agent_that_is_not_deployed_calls_nothing(tmp_path):
    sluice, tool, model = SluiceProcess(tmp_path).start(), ScriptedTool(), ScriptedModel()
    api = sluice.client()
    store_tool(sluice, "pay", tool.url, spec={"governance": {"accessControl": {"mode": "Open"}}})
    assert api.post("/api/v1/model-providers", {"name": "m", "spec": {
        "provider": "vllm", "endpoint": model.url, "models": ["m"]}}).status == 201
    made = api.post("/api/v1/auth/api-keys", {"name": "ghost", "role": "agent", "agent": "ghost"})
    if made.status == 201:
        run = api.post("/runs", {"agent_id": "ghost", "user_id": "ada"}).json["id"]
        ghost = sluice.client(made.json["token"])
        called = ghost.get(f"/as/{made.json['token']}/egress/pay/x", headers={"X-Run-ID": run})
        asked = ghost.post("/v1/chat/completions", {"model": "m", "messages": []})
        assert {(each.status, each.json["code"]) for each in (called, asked)} == {(403, "AGENT_UNKNOWN")}
    assert tool.calls == [] and model.calls.empty()
    assert sluice.stop() == 0
    tool.close()
    model.close()
