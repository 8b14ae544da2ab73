"""Agents of frameworks as their authors write them, with the model and the bank that they use."""

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
OPENAI_MODEL, ANTHROPIC_MODEL = "gpt-5", "claude-sonnet-4-5"


@dataclasses.dataclass(frozen=True)
class Framework:
    """A row of the table in docs/agents.md: the author's file and the environment that it runs in."""

    title: str
    file: str
    environment: str
    is_default: bool = True
    is_interrupted: bool = False

    @property
    def packages(self):
        return next((ROOT / f".venv/frameworks-{self.environment}/lib").glob("python*/site-packages"), None)

    @property
    def code(self):
        return (AGENTS / f"{self.file}.py").read_text()


FRAMEWORKS = [
    Framework("LangGraph, compiled graph with a checkpointer in memory", "langgraph_graph", "langgraph"),
    Framework("LangGraph, functional API", "langgraph_functional", "langgraph"),
    Framework("LangGraph, `interrupt()`", "langgraph_interrupt", "langgraph", is_interrupted=True),
    Framework("LangChain, `create_agent`", "langchain_agent", "langgraph"),
    Framework("OpenAI Agents SDK", "openai_agents", "openai_agents"),
    Framework("PydanticAI", "pydantic_ai", "pydantic_ai"),
    Framework("smolagents", "smolagents", "smolagents"),
    Framework("LlamaIndex", "llama_index", "llama_index"),
    Framework("AG2", "ag2", "ag2"),
    Framework("Microsoft Agent Framework", "agent_framework", "agent_framework"),
    Framework("`openai` in a loop of its own", "openai_loop", "loops"),
    Framework("`anthropic` in a loop of its own", "anthropic_loop", "loops"),
    Framework("Google ADK", "google_adk", "google_adk", is_default=False),
    Framework("CrewAI", "crewai", "crewai", is_default=False),
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

    def __init__(self, sluice, framework, payments=1):
        self.sluice, self.framework = sluice, framework
        self.agents = DeployedAgents(sluice)
        self.api = self.agents.api
        self.bank, self.cashier = Bank(), Cashier(payments)
        self.providers = [NativeOpenAI(self.cashier), NativeAnthropic(self.cashier)]
        self.name = f"{framework.file.replace('_', '-')}-{next(self.numbers)}"
        self.workspace_models()
        self.deploy()

    def workspace_models(self):
        """The models under their own names, for this world alone: worlds follow each other."""
        for provider, model in zip(self.providers, (OPENAI_MODEL, ANTHROPIC_MODEL)):
            answer = self.api.post("/api/v1/model-providers", {
                "name": f"{self.name}-{provider.kind}", "credentials": provider.credentials,
                "spec": provider.spec(model)})
            assert answer.status == 201, answer

    def deploy(self):
        tool, policy = f"bank-{self.name}", f"policy-{self.name}"
        assert self.api.post("/api/v1/tools", {"name": tool, "spec": {
            "connection": {"baseUrl": self.bank.tool.url}}}).status == 201
        url = self.bank.tool.url
        assert self.api.post("/api/v1/policies", {"name": policy, "spec": {"policies": [
            {"permission": "allow", "resource": url + "/*", "operations": ["GET"]},
            {"permission": "allow", "resource": url + "/free-payments", "operations": ["POST"]},
            {"permission": "approval_required", "resource": url + "/payments", "operations": ["POST"]},
        ]}}).status == 201
        environment = {"PYTHONPATH": str(self.framework.packages), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                       "CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true"}
        self.agents.deploy(
            self.name, self.framework.code, required_tools=[tool], policies=[policy],
            tool_url_mappings={BANK: tool}, llm_config={"provider": "openai", "model": OPENAI_MODEL},
            env=[{"name": name, "value": value} for name, value in environment.items()])
        self.agents.await_phase(self.name, "Running")

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

    def kill_process(self):
        """SIGKILL for the agent's interpreter."""
        mark = f"AGENT_NAME={self.name}".encode()
        killed = 0
        for directory in pathlib.Path("/proc").iterdir():
            try:
                if directory.name.isdigit() and mark in (directory / "environ").read_bytes().split(b"\0"):
                    os.kill(int(directory.name), signal.SIGKILL)
                    killed += 1
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        assert killed, f"no process of {self.name}"

    def close(self):
        for provider in self.providers:
            assert self.api.delete(f"/api/v1/model-providers/{self.name}-{provider.kind}").status == 200
            provider.close()
        self.bank.tool.close()
