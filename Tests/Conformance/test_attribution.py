"""Two runs of one agent at a time, with every HTTP client: each request is attributed to the run that made it."""

import importlib.util
import threading

import pytest

from deployed_agents import DeployedAgents
from scripted_tool import ScriptedTool
from sluice_process import ROOT, SluiceProcess

CLIENTS = ["requests", "urllib3", "urllib", "http_client", "httpx", "httpx2", "httpx_async", "aiohttp"]
PACKAGES = next((ROOT / ".venv/frameworks-loops/lib").glob("python*/site-packages"), None)
AGENT = '''
import asyncio, concurrent.futures, http.client, multiprocessing.pool, os, threading, urllib.parse, urllib.request

URL = os.environ["TOOL_URL_BANK"]
PARTS = urllib.parse.urlsplit(URL)
both = threading.Barrier(2)
early_pool = concurrent.futures.ThreadPoolExecutor(4)


def requests_(path):
    import requests
    requests.post(URL + path).raise_for_status()


def urllib3_(path):
    import urllib3
    assert urllib3.PoolManager().request("POST", URL + path).status == 200


def urllib_(path):
    urllib.request.urlopen(urllib.request.Request(URL + path, method="POST")).read()


def http_client_(path):
    connection = http.client.HTTPConnection(PARTS.hostname, PARTS.port)
    connection.request("POST", PARTS.path + path)
    assert connection.getresponse().status == 200


def httpx_(path):
    import httpx
    httpx.post(URL + path).raise_for_status()


def httpx2_(path):
    import httpx2
    httpx2.post(URL + path).raise_for_status()


async def httpx_async_(path):
    import httpx
    async with httpx.AsyncClient() as client:
        (await client.post(URL + path)).raise_for_status()


async def aiohttp_(path):
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.post(URL + path) as response:
            response.raise_for_status()


async def gather(call, tag):
    if asyncio.iscoroutinefunction(call):
        return await asyncio.gather(*(call(f"/{tag}/gather{index}") for index in range(3)))
    loop = asyncio.get_running_loop()
    await asyncio.gather(
        asyncio.to_thread(call, f"/{tag}/to-thread"), loop.run_in_executor(None, call, f"/{tag}/executor"))


def handler(request, context=None):
    name, tag = request["message"].split()
    call = globals()[name + "_"]
    one = (lambda path: asyncio.run(call(path))) if asyncio.iscoroutinefunction(call) else call
    both.wait(60)
    one(f"/{tag}/plain")
    thread = threading.Thread(target=one, args=(f"/{tag}/thread",))
    thread.start()
    thread.join()
    early_pool.submit(one, f"/{tag}/early-pool").result()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, [f"/{tag}/pool{index}" for index in range(3)]))
    with multiprocessing.pool.ThreadPool(2) as pool:
        pool.map(one, [f"/{tag}/thread-pool{index}" for index in range(2)])
    asyncio.run(gather(call, tag))
    both.wait(60)
    return "done"
'''
RAW = '''
import os, socket, threading, time, urllib.parse

PARTS = urllib.parse.urlsplit(os.environ["TOOL_URL_BANK"])


def handler(request, context=None):
    """A client that no module of Python's is below: it writes to a socket itself."""
    with socket.create_connection((PARTS.hostname, PARTS.port)) as connection:
        connection.sendall(
            f"POST {PARTS.path}/{request['message']}/raw HTTP/1.1\\r\\nHost: gate\\r\\nContent-Length: 0\\r\\n"
            "Connection: close\\r\\n\\r\\n".encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part
    return answer.decode().split("\\r\\n")[0]
'''


@pytest.fixture(scope="module")
def attribution_sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("attribution"), {"SLUICE_AGENT_SANDBOX": "none"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def agents(attribution_sluice):
    return DeployedAgents(attribution_sluice)


@pytest.fixture(scope="module")
def tool(attribution_sluice):
    tool = ScriptedTool()
    assert attribution_sluice.client().post(
        "/api/v1/tools", {"name": "bank", "spec": {"connection": {"baseUrl": tool.url}}}).status == 201
    yield tool
    tool.close()


def deploy(agents, name, code, **more):
    assert PACKAGES, "the clients are not installed: run `make clients`"
    agents.deploy(
        name, code, required_tools=["bank"], env=[{"name": "PYTHONPATH", "value": str(PACKAGES)}], **more)
    agents.await_phase(name, "Running")


def called(tool, run):
    """The paths that the gate called for the run."""
    return [call.target for call in tool.calls if call.header("x-run-id") == [run]]


@pytest.mark.parametrize("client", CLIENTS)
def test_each_call_of_two_runs_at_a_time_is_its_own_runs(agents, tool, client):
    name = f"calls-with-{client.replace('_', '-')}"
    deploy(agents, name, AGENT)
    runs = {tag: agents.start(name, f"{client} {tag}", user=tag) for tag in (f"{client}-a", f"{client}-b")}
    for tag, run in runs.items():
        assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
        paths = called(tool, run)
        assert len(paths) >= 8 + (1 if "async" in client or client == "aiohttp" else 0), paths
        assert all(path.startswith(f"/{tag}/") for path in paths), paths
        assert len(paths) == sum(call.target.startswith(f"/{tag}/") for call in tool.calls)
        users = {call.header("x-end-user-id")[0] for call in tool.calls if call.target.startswith(f"/{tag}/")}
        assert users == {tag}


def test_other_hosts_see_nothing_of_runs(agents, tool):
    """A request that is not for the gate is as its author made it."""
    elsewhere = ScriptedTool()
    deploy(agents, "calls-elsewhere", f'''
import urllib3

def handler(request, context=None):
    return urllib3.PoolManager().request("GET", "{elsewhere.url}/page").status
''')
    assert agents.ask("calls-elsewhere")["response"] == "200"
    names = {name.lower() for name, _ in elsewhere.calls[0].headers}
    assert not {"x-run-id", "x-request-id", "x-end-user-id"} & names
    elsewhere.close()


def test_a_header_that_the_author_sets_stays(agents, tool):
    deploy(agents, "names-a-run", '''
import os, urllib3

def handler(request, context=None):
    url = os.environ["TOOL_URL_BANK"] + "/page"
    answer = urllib3.PoolManager().request("POST", url, headers={"X-Run-ID": "no-such-run", "X-Request-Id": "mine"})
    return answer.data.decode()
''')
    assert "run no-such-run not found" in agents.ask("names-a-run")["response"]


def test_an_isolated_agent_takes_one_run_at_a_time_and_needs_no_header(agents, tool):
    deploy(agents, "raw-isolated", RAW, isolation="run")
    runs = {tag: agents.start("raw-isolated", tag) for tag in (f"isolated-{number}" for number in range(6))}
    for tag, run in runs.items():
        assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
        assert agents.answer(run)["response"] == "HTTP/1.1 200 OK"
        assert called(tool, run) == [f"/{tag}/raw"]


def test_an_unknown_isolation_is_refused(agents):
    answer = agents.api.post(
        "/api/v1/deploy", {"agent_name": "isolated-wrongly", "source_files": {"agent.py": RAW}, "isolation": "thread"})
    assert answer.status == 400 and 'isolation must be "run"' in answer.json["error"]


ASYNC = """
import os

import httpx

client = httpx.AsyncClient(base_url=os.environ["TOOL_URL_BANK"])


async def {name}(message: str):
    response = await client.post("/" + message)
    print("printed", response.status_code)
"""


@pytest.mark.parametrize("name, answer", [("handler", "None"), ("main", "printed 200")])
def test_clients_of_the_module_work_in_every_run_of_a_coroutine(agents, tool, name, answer):
    """Their connections belong to one event loop, so all runs of the process are in it."""
    deploy(agents, f"async-{name}", ASYNC.replace("{name}", name))
    for number in range(3):
        assert agents.ask(f"async-{name}", f"{name}-{number}")["response"] == answer


@pytest.mark.parametrize("body", ["return 'ran ' + message", "yield 'at first'; yield 'ran ' + message"])
def test_an_object_of_an_unknown_framework_may_be_asynchronous(agents, body):
    name = f"unknown-{body[:5]}"
    agents.deploy(name, f"""
class Assistant:
    async def run(self, message):
        {body}

agent = Assistant()
""")
    assert agents.ask(name, "well")["response"] == "ran well"


def test_a_script_that_ends_the_process_ends_its_run_alone(agents, tool):
    deploy(agents, "exits", """
import sys

async def main(message: str):
    print("said", message)
    sys.exit(0 if message == "well" else 3)
""")
    assert agents.ask("exits", "well")["response"] == "said well"
    run = agents.start("exits", "badly")
    assert agents.finished(run)["status"] == "FAILED"
    assert any("exit code 3" in str(event["data"]) for event in agents.events(run))
    assert agents.ask("exits", "well")["response"] == "said well"


@pytest.mark.parametrize("code, message", [
    ("import no_such_module\n\ndef handler(request):\n    return 1\n", "agent.py cannot be imported"),
    ("from langgraph_of_nobody import thing\n\ndef handler(request):\n    return thing\n", "agent.py cannot be imported"),
    ("agent = 1\n", "agent.py is not run"), ("handler = None\n", "agent.py is not run"),
    ("agent: object = 5\n", "agent.py is not run"),
])
def test_a_module_that_cannot_be_called_fails_the_start(agents, code, message):
    name = f"uncallable-{abs(hash(code)) % 10**8}"
    agents.deploy(name, code, requirements="# none")
    agents.await_phase(name, "Failed", containing=message)


def test_each_pending_action_of_an_attempt_is_named_once_until_its_call_is_made(attempts):
    """Other calls of a run that waits are refused with its action."""
    attempt = attempts.Attempt("run", "req")
    for action in ("first", "second", "first"):
        attempt.note(403, "APPROVAL_REQUIRED", action, "bank")
    attempt.note(429, "TOO_MANY_CALLS", "", "bank")
    assert [each["action_id"] for each in attempt.pending] == ["first", "second"]
    attempt.note(422, "", "first", "bank")
    assert [each["action_id"] for each in attempt.pending] == ["second"]


@pytest.fixture
def attempts():
    file = ROOT / "Sources/Execution/Python/attempts.py"
    specification = importlib.util.spec_from_file_location("sluice_attempts", file)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
