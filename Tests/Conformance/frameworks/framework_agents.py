"""Agents of frameworks as their authors write them, with the model and the bank that they use."""

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import signal
import threading

from deployed_agents import DeployedAgents
from scripted_provider import Anthropic, Answer, OpenAI
from scripted_tool import ScriptedTool
from sluice_process import ROOT

AGENTS = pathlib.Path(__file__).parent / "agents"
BANK = "https://bank.example"
# A daemon that keeps no responses of models cannot give them again, so the model has to repeat itself.
IS_REWORDED = "SLUICE_JOURNAL_MODEL_CALLS" in (ROOT / "README.md").read_text()
PAUSES_MAX = 6
OPENAI_MODEL, ANTHROPIC_MODEL = "gpt-5", "claude-sonnet-4-5"


@dataclasses.dataclass(frozen=True)
class Framework:
    """A row of the table in docs/agents.md: the author's file and the environment that it runs in."""

    title: str
    file: str
    environment: str
    # The form in which it makes the calls of one turn.
    form: str = "one by one"
    is_default: bool = True
    is_interrupted: bool = False

    @property
    def packages(self):
        return next((ROOT / f".venv/frameworks-{self.environment}/lib").glob("python*/site-packages"), None)

    @property
    def code(self):
        return (AGENTS / f"{self.file}.py").read_text()


THREADS, GATHER = "threads", "`gather`"
FRAMEWORKS = [
    Framework("LangGraph, compiled graph with a checkpointer in memory", "langgraph_graph", "langgraph", THREADS),
    Framework("LangGraph, compiled graph of coroutines", "langgraph_gather", "langgraph", GATHER, is_default=False),
    Framework("LangGraph, functional API", "langgraph_functional", "langgraph"),
    Framework("LangGraph, `interrupt()`", "langgraph_interrupt", "langgraph", is_interrupted=True),
    Framework("LangChain, `create_agent`", "langchain_agent", "langgraph", GATHER),
    Framework("OpenAI Agents SDK", "openai_agents", "openai_agents", GATHER),
    Framework("PydanticAI, coroutines", "pydantic_ai", "pydantic_ai", GATHER),
    Framework("PydanticAI, functions", "pydantic_ai_threads", "pydantic_ai", THREADS, is_default=False),
    Framework("smolagents", "smolagents", "smolagents", THREADS),
    Framework("LlamaIndex", "llama_index", "llama_index", GATHER),
    Framework("AG2", "ag2", "ag2", THREADS),
    Framework("Microsoft Agent Framework", "agent_framework", "agent_framework", THREADS),
    Framework("`openai` in a loop of its own", "openai_loop", "loops"),
    Framework("`openai` in a loop with `gather`", "openai_gather", "loops", GATHER, is_default=False),
    Framework("`anthropic` in a loop of its own", "anthropic_loop", "loops"),
    Framework("`anthropic` in a loop with threads", "anthropic_threads", "loops", THREADS, is_default=False),
    Framework("Google ADK", "google_adk", "google_adk", is_default=False),
    Framework("CrewAI", "crewai", "crewai", THREADS, is_default=False),
]


class NativeOpenAI(OpenAI):
    """Asked by clients of OpenAI's own format, whose requests the gateway passes on with every member."""

    def check(self, path, headers, body, content):
        assert path == "/v1/chat/completions"


class NativeAnthropic(Anthropic):
    def check(self, path, headers, body, content):
        assert path == "/v1/messages"


class Bank:
    """A tool whose GET is allowed and whose POST needs an approval; it counts payments."""

    def __init__(self):
        self.tool = ScriptedTool()
        self.tool.answer = self.answer

    def answer(self, call):
        body = {"balance": "plenty"} if call.method == "GET" else {"receipt": f"number {len(self.payments)}"}
        return 200, [("Content-Type", "application/json")], json.dumps(body).encode()

    @property
    def payments(self):
        return [call for call in self.tool.calls if call.method == "POST"]


class Cashier:
    """A model that reads the balance, pays, and says that it is done, in other words at each call."""

    def __init__(self, payments=1):
        self.number = itertools.count(1)
        self.payments = payments
        self.asked = 0
        self.lock = threading.Lock()

    def __call__(self, body):
        with self.lock:
            self.asked += 1
            number = next(self.number) if IS_REWORDED else len(body["messages"])
        seen = json.dumps(body)
        names = {tool.get("name") or tool["function"]["name"] for tool in body.get("tools", [])}
        if "plenty" not in seen:
            return Answer(calls=[(f"call-{number}", "balance", {})])
        if "receipt" not in seen and "403" not in seen:
            return Answer(calls=[
                (f"call-{number}-{index}", "pay", {"amount": 7 + index, "note": f"words {number}"})
                for index in range(self.payments)])
        if "final_answer" in names:
            return Answer(calls=[(f"call-{number}", "final_answer", {"answer": f"done, in words {number}"})])
        return Answer(f"done, in words {number}")


class FrameworkWorld:
    """A deployed agent of a framework. It runs with the packages that were installed beforehand."""

    numbers = itertools.count()

    def __init__(self, sluice, framework, payments=1, model=None, sources=None, is_awaited=True):
        self.sluice, self.framework = sluice, framework
        self.sources = sources or {"agent.py": framework.code}
        self.agents = DeployedAgents(sluice)
        self.api = self.agents.api
        self.bank, self.cashier = Bank(), model or Cashier(payments)
        self.providers = [NativeOpenAI(self.cashier), NativeAnthropic(self.cashier)]
        # Its processes are found by this name, among those of every daemon of the machine.
        self.name = f"{framework.file.replace('_', '-')}-{sluice.port}-{next(self.numbers)}"
        self.workspace_models()
        self.make_bank()
        self.deploy()
        if is_awaited:
            self.await_start()

    def workspace_models(self):
        """The models under their own names, for this world alone: worlds follow each other."""
        for provider, model in zip(self.providers, (OPENAI_MODEL, ANTHROPIC_MODEL)):
            answer = self.api.post("/api/v1/model-providers", {
                "name": f"{self.name}-{provider.kind}", "credentials": provider.credentials,
                "spec": provider.spec(model)})
            assert answer.status == 201, answer

    def make_bank(self):
        url = self.bank.tool.url
        assert self.api.post("/api/v1/tools", {
            "name": f"bank-{self.name}", "spec": {"connection": {"baseUrl": url}}}).status == 201
        assert self.api.post("/api/v1/policies", {"name": f"policy-{self.name}", "spec": {"policies": [
            {"permission": "allow", "resource": url + "/*", "operations": ["GET"]},
            {"permission": "allow", "resource": url + "/free-payments", "operations": ["POST"]},
            {"permission": "approval_required", "resource": url + "/payments", "operations": ["POST"]},
        ]}}).status == 201

    def deploy(self):
        environment = {"PYTHONPATH": str(self.framework.packages), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                       "CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true"}
        tool = f"bank-{self.name}"
        self.agents.deploy(
            self.name, "", source_files=self.sources, requirements="# installed beforehand", required_tools=[tool],
            policies=[f"policy-{self.name}"],
            tool_url_mappings={BANK: tool}, llm_config={"provider": "openai", "model": OPENAI_MODEL},
            env=[{"name": name, "value": value} for name, value in environment.items()])

    def await_start(self):
        status = self.agents.eventually(
            lambda: self.agents.status(self.name), lambda status: status["phase"] in ("Running", "Failed"))
        assert status["phase"] == "Running", status

    def replace_process(self):
        """Deploys the agent again, and awaits the end of the process that it had."""
        before = set(self.processes())
        assert before
        self.sources = {name: text + "\n" for name, text in self.sources.items()}
        self.deploy()
        self.await_start()
        self.agents.eventually(self.processes, lambda now: now and not before & set(now))

    def start(self):
        return self.agents.start(self.name, "Pay what is due.")

    def blocked(self, run, count=1):
        """The run's blocked actions, once there are so many and the attempt has ended."""
        self.agents.eventually(
            lambda: [event["type"] for event in self.agents.events(run)],
            lambda types: {"INVOKE_COMPLETED", "INVOKE_FAILED", "FAILED"} & set(types))
        actions = self.agents.eventually(
            lambda: [each for each in self.api.get(f"/runs/{run}/actions").json if each["status"] == "BLOCKED"],
            lambda actions: len(actions) >= count)
        assert len(actions) == count, actions
        return actions

    def decide(self, approver, run, action, decision="approve"):
        answer = approver.post(
            f"/runs/{run}/actions/{action['action_id']}/{decision}",
            headers={"X-Payload-Hash": action.get("payload_hash") or ""})
        assert answer.status == 200, answer

    def after_approvals(self, approver, run, disturb=None):
        """The finished run, after each blocked action was approved; `disturb` is called at the first pause."""
        for _ in range(PAUSES_MAX):
            found = self.agents.eventually(
                lambda: self.api.get(f"/runs/{run}").json, lambda found: found["status"] != "RUNNING")
            if found["status"] != "PAUSED_APPROVAL":
                return self.agents.finished(run)
            if disturb is not None:
                disturb()
                disturb = None
            for action in self.api.get(f"/runs/{run}/actions").json:
                if action["status"] == "BLOCKED":
                    self.decide(approver, run, action)
        raise AssertionError(f"the run pauses again and again: {self.failure(run)}")

    def failure(self, run):
        """The run's events and the end of the agent's output, for a test that failed."""
        return self.agents.events(run), self.api.get(f"/api/v1/agents/{self.name}/logs").content[-4000:]

    def processes(self):
        """The agent's interpreters."""
        mark = f"AGENT_NAME={self.name}".encode()
        found = []
        for directory in pathlib.Path("/proc").iterdir():
            try:
                if directory.name.isdigit() and mark in (directory / "environ").read_bytes().split(b"\0"):
                    found.append(int(directory.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def kill_process(self):
        """SIGKILL for the agent's interpreter."""
        found = self.processes()
        assert found, f"no process of {self.name}"
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def close(self):
        for provider in self.providers:
            assert self.api.delete(f"/api/v1/model-providers/{self.name}-{provider.kind}").status == 200
            provider.close()
        self.bank.tool.close()
