"""What `runagents init` writes, deployed as it is; and the package's own faults, which Sluice repairs in the interpreter."""

import http.server
import json
import os
import subprocess
import threading

import pytest
import yaml

from deployed_agents import DeployedAgents
from scripted_model import ScriptedModel, words
from sluice_process import ROOT

VERSIONS = ["0.2.0", "1.3.1", "1.4.2"]
MODULES = ROOT / "Sources/Execution/Python"

# Runs in the environment of one published package, with a model that answers what it was asked.
PROBE = """
import inspect, json, os, sys
sys.path.insert(0, sys.argv[1])
from sluice_agent import package_repairs
import runagents
from runagents import runtime

def raised(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return None

found = {"before": raised(lambda: runagents.Agent().chat("hello"))}
published = runtime.call_llm
package_repairs.install(runtime, runagents.Agent)
repaired = runtime.call_llm
package_repairs.install(runtime, runagents.Agent)
found["twice"] = runtime.call_llm is repaired
found["own"] = runtime.call_llm([{"role": "user", "content": "own"}], None, "req-1")
agent = runagents.Agent()
found["chat"] = agent.chat("hello", tools=[{"type": "function", "function": {"name": "f"}}])
agent.model = "another"
found["history"] = agent.chat("more", history=[{"role": "user", "content": "hello"}])
context = runtime.RunContext()
found["context"] = context.chat("from a context")
found["tool"] = context.call_tool("bank", "/charges", {"amount": 7})
found["unknown tool"] = raised(lambda: context.call_tool("nothing", "/"))
found["unknown option"] = raised(lambda: runtime.call_llm([], unknown=1))
print(json.dumps(found))
"""

# A package as its makers may mend it: nothing of it is changed.
MENDED = """
import json, sys, types
sys.path.insert(0, sys.argv[1])
from sluice_agent import package_repairs

class Agent:
    def chat(self, message): return "own"
    def call_tool(self, name): return "own"

class RunContext:
    def chat(self, message): return "of the context"
    call_tool = None

def call_llm(messages, gateway_url=None, model=None, system_prompt=None, tools=None): return "own"
def call_any(messages, **options): return "own"

for function in (call_llm, call_any):
    runtime = types.SimpleNamespace(call_llm=function, RunContext=RunContext)
    before = dict(vars(RunContext))
    package_repairs.install(runtime, Agent)
    assert runtime.call_llm is function and dict(vars(RunContext)) == before
# And one that has no such class at all.
runtime = types.SimpleNamespace(call_llm=lambda messages: None)
before = runtime.call_llm
package_repairs.install(runtime, None)
assert runtime.call_llm is before
print("[]")
"""


class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = json.dumps({"path": self.path, "body": body, "request": self.headers["X-Request-Id"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def echo():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def python(version, code, tmp_path, **environment):
    """What the code prints in the environment of a published package, with the interpreter's additions beside it."""
    (tmp_path / "sluice_agent").symlink_to(MODULES)
    ended = subprocess.run(
        [ROOT / f".venv/runagents-{version}/bin/python", "-c", code, tmp_path], capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", **environment})
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("ending", ["", "/chat/completions"])
@pytest.mark.parametrize("version", VERSIONS)
def test_chat_of_the_published_package_is_repaired(version, ending, echo, tmp_path):
    found = python(version, PROBE, tmp_path, LLM_GATEWAY_URL=f"{echo}/v1{ending}", LLM_MODEL="m", SYSTEM_PROMPT="You pay.",
                   TOOL_URL_BANK=f"{echo}/bank")
    assert found["before"] == "TypeError" and found["twice"] is True
    system, hello = {"role": "system", "content": "You pay."}, {"role": "user", "content": "hello"}
    assert found["own"] == {"path": "/v1/chat/completions", "request": "req-1", "body": {
        "model": "m", "messages": [{"role": "user", "content": "own"}]}}
    assert found["chat"]["body"] == {
        "model": "m", "messages": [system, hello], "tool_choice": "auto",
        "tools": [{"type": "function", "function": {"name": "f"}}]}
    assert found["chat"]["path"] == "/v1/chat/completions"
    assert found["history"]["body"] == {"model": "another", "messages": [hello, {"role": "user", "content": "more"}]}
    assert found["context"]["body"]["messages"] == [system, {"role": "user", "content": "from a context"}]
    assert (found["tool"]["path"], found["tool"]["body"]) == ("/bank/charges", {"amount": 7})
    assert found["unknown tool"] in ("KeyError", "ToolNotConfigured") and found["unknown option"] == "TypeError"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_package_that_works_is_not_touched(version, tmp_path):
    python(version, MENDED, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_scaffolded_agent_answers(version, own_sluice, tmp_path):
    """The files of `runagents init`, with the settings of its `runagents.yaml`, run by the package of the same version."""
    ended = subprocess.run([ROOT / f".venv/runagents-{version}/bin/runagents", "init", "first-agent"], cwd=tmp_path,
                           capture_output=True, text=True, timeout=60, env=os.environ | {"HOME": str(tmp_path)})
    assert ended.returncode == 0, ended.stderr
    project = tmp_path / "first-agent"
    settings = yaml.safe_load((project / "runagents.yaml").read_text())
    sluice = own_sluice(SLUICE_AGENT_RUNTIME=f"runagents=={version}")
    agents, model = DeployedAgents(sluice), ScriptedModel()
    try:
        model.say = lambda body: words(" / ".join(f"{each['role']}: {each['content']}" for each in body["messages"]))
        assert agents.api.post("/api/v1/model-providers", {
            "name": "first-model", "credentials": {"api_key": "sk-first"},
            "spec": {"provider": settings["model"]["provider"], "endpoint": model.url, "models": [settings["model"]["model"]],
                     "auth": {"type": "APIKey"}}}).status == 201
        answer = agents.api.post("/api/deploy", {
            "name": settings["name"], "source_files": {"agent.py": (project / "agent.py").read_text()},
            "requirements": (project / "requirements.txt").read_text(), "entry_point": settings["entry_point"],
            "system_prompt": settings["system_prompt"], "required_tools": settings["tools"],
            "llm_configs": [{**settings["model"], "role": "default"}]})
        assert answer.status == 201, answer
        agents.await_phase("first-agent", "Running")
        answer = agents.ask("first-agent", "hello")
        assert (answer["handler"], answer["response"]) == (
            "user", "system: You are a helpful assistant. / user: hello")
    finally:
        model.close()
