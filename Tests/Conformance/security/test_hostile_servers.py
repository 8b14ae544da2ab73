"""Servers that answer whatever harms a client: the call fails, and the daemon lives within its memory."""

import concurrent.futures
import http.client
import itertools
import json
import socket
import threading

import pytest

from deployed_agents import DeployedAgents
from governed_agent import GovernedAgent, store_tool
from hostile_server import FREQUENT, OK, RARE, HostileServer, Response
from identity_server import IdentityServer
from scripted_provider import Bedrock
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from waiting import eventually

SEED = 19
RESPONSES = 20_000
MEMORY_MIB_MAX = 200
THREADS = 8
# Calls of each kind; probes bring the number of responses to its full size.
TOOL_CALLS, MODEL_CALLS, TOKEN_CALLS, CONNECTOR_CALLS, KEY_SETS, INVOKES, WITNESSED = 1500, 800, 400, 400, 40, 40, 5


@pytest.fixture(scope="module")
def hostile():
    server = HostileServer(SEED)
    yield server
    server.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory, hostile):
    other = SluiceProcess(tmp_path_factory.mktemp("witness")).start()
    cosigner = other.run("audit", "key", "--witness", "--url", other.url).stdout.strip()
    assert other.stop() == 0
    process = SluiceProcess(tmp_path_factory.mktemp("attacked"), {
        "SLUICE_EGRESS_TIMEOUT": "2s", "SLUICE_LLM_TIMEOUT": "2s", "SLUICE_INVOKE_TIMEOUT": "2s",
        "SLUICE_INVOKE_BACKOFF_MIN": "10ms", "SLUICE_INVOKE_BACKOFF_MAX": "20ms", "SLUICE_CHECKPOINT_INTERVAL": "200ms",
        "SLUICE_WITNESSES": f"{cosigner} {hostile.url}/witness"}).start()
    yield process
    assert process.process.poll() is None, process.output.read_text()[-3000:]
    assert process.stop() == 0


class Attack:
    """Every kind of call that leaves the daemon, each led to the hostile server; `answered` are the daemon's statuses."""

    def __init__(self, daemon, hostile):
        self.daemon, self.hostile, self.api = daemon, hostile, daemon.client()
        self.numbers, self.kept = itertools.count(), threading.local()
        store_tool(daemon, "hostile", hostile.url)
        store_tool(daemon, "tokens", hostile.url, {"authentication": {
            "type": "OAuth2", "oauth2Config": {"tokenUrl": hostile.url + "/token"}}},
            credentials={"client_id": "c", "client_secret": "secret-of-the-client"})
        self.agent = GovernedAgent(daemon, "attacked", [("allow", ["*"], hostile.url + "/*")])
        self.run = self.agent.start()
        answer = self.api.post("/api/v1/model-providers", {
            "name": "hostile", "spec": {"provider": "openai", "endpoint": hostile.url, "models": ["m"]}})
        assert answer.status == 201, answer
        answer = self.api.post("/api/v1/model-providers", {
            "name": "translated", "spec": {"provider": "ollama", "endpoint": hostile.url, "models": ["o"]}})
        assert answer.status == 201, answer

    def probe(self):
        """On a connection that each thread keeps: most of the responses go this way."""
        if not hasattr(self.kept, "connection"):
            self.kept.connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=30)
        body = json.dumps({"url": f"{self.hostile.url}/{next(self.numbers)}"})
        self.kept.connection.request(
            "POST", "/api/tools/probe", body, self.api.headers | {"Content-Type": "application/json"})
        answer = self.kept.connection.getresponse()
        return answer.status == 200 and isinstance(json.loads(answer.read())["reachable"], bool)

    def tool(self, name="hostile"):
        number = next(self.numbers)
        try:
            answer = self.agent.call(self.run, ("GET", "HEAD", "DELETE")[number % 3], name, f"/{number}")
        except http.client.HTTPException:
            # The gate had begun to pass the answer on when it broke.
            return True
        return 200 <= answer.status <= 599

    def token(self):
        return self.tool("tokens")

    def model(self):
        number = next(self.numbers)
        body = {"model": "mo"[number % 2], "stream": number % 4 < 2, "messages": [{"role": "user", "content": "x"}]}
        try:
            return 200 <= self.api.post("/v1/chat/completions", body).status <= 599
        except http.client.HTTPException:
            return True

    def connector(self):
        answer = self.api.post("/api/v1/approval-connectors/test", {
            "type": ("webhook", "slack")[next(self.numbers) % 2], "endpoint": self.hostile.url, "timeout_seconds": 2})
        return answer.status == 200 and answer.json["status"] in ("healthy", "unhealthy")

    def key_set(self):
        """A provider of a workspace of its own, whose keys are on the hostile server."""
        workspace = f"hostile-{next(self.numbers)}"
        api = self.daemon.client(self.daemon.key("admin", workspace))
        issuer = IdentityServer()
        issuer.close()
        keys = issuer.spec()["identityProvider"] | {"jwksUri": self.hostile.url}
        answer = api.post(
            "/api/v1/identity-providers", {"name": "corp", "spec": issuer.spec() | {"identityProvider": keys}})
        assert answer.status == 201, answer
        answer = self.daemon.client(issuer.token()).post(
            f"/api/v1/workspaces/{workspace}/agents/none/invoke", {"message": "x"})
        return 400 <= answer.status <= 503

    def invoke(self):
        answer = self.api.post("/runs", {
            "agent_id": "attacked", "user_id": "u", "message": "m", "invoke_url": self.hostile.url + "/invoke"})
        return answer.status == 201

    def repeat(self, call, times):
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            outcomes = list(pool.map(lambda _: call(), range(times)))
        assert all(outcomes), call


def test_twenty_thousand_hostile_responses_end_their_call_and_nothing_else(daemon, hostile):
    attack = Attack(daemon, hostile)
    for call, times in [
            (attack.invoke, INVOKES), (attack.key_set, KEY_SETS), (attack.connector, CONNECTOR_CALLS),
            (attack.token, TOKEN_CALLS), (attack.model, MODEL_CALLS), (attack.tool, TOOL_CALLS)]:
        before = hostile.served
        attack.repeat(call, times)
        # Some calls share one response, the more the slower the machine is.
        assert hostile.served - before >= times / 10, (call, hostile.served - before)
    while hostile.served < RESPONSES:
        attack.repeat(attack.probe, min(2000, RESPONSES + 100 - hostile.served))
    assert hostile.paths["/witness/add-checkpoint"] >= WITNESSED
    assert hostile.kinds == set(FREQUENT + RARE)
    assert daemon.process.poll() is None, daemon.output.read_text()[-3000:]
    assert daemon.memory_mib("VmHWM") < MEMORY_MIB_MAX
    assert attack.api.get("/readyz").status == 200


@pytest.fixture
def answering():
    """A server that gives one response again and again."""
    servers = []

    def answering(content, **more):
        servers.append(HostileServer(SEED, lambda: Response(content, **more)))
        return servers[-1]
    yield answering
    for server in servers:
        server.close()


@pytest.mark.parametrize("content", [
    b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 000 X\r\n\r\n", b"HTTP/1.1 600 X\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n" + OK, b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + OK,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
], ids=["099", "000", "600", "101", "102", "flood of 100", "two framings", "two lengths", "HTTP/2"])
def test_a_tools_broken_response_is_502_and_recorded(sluice, answering, content):
    server = answering(content)
    store_tool(sluice, "breaking", server.url)
    agent = GovernedAgent(sluice, "breaker", [("allow", ["*"], server.url + "/*")])
    run = agent.start()
    answer = agent.call(run, "GET", "breaking", "/x")
    assert (answer.status, answer.code) == (502, "TOOL_BROKE_OFF"), answer
    called, = agent.events(run, "TOOL_CALLED")
    assert called["data"].get("error"), called


def test_interim_responses_that_mean_nothing_are_skipped(sluice, answering):
    server = answering(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK)
    store_tool(sluice, "hinting", server.url)
    agent = GovernedAgent(sluice, "hinter", [("allow", ["*"], server.url + "/*")])
    answer = agent.call(agent.start(), "GET", "hinting", "/x")
    assert (answer.status, answer.content) == (200, b"{}")
    assert not answer.header("link")


@pytest.mark.parametrize("lifetime", ['"nan"', '"-nan"', '"inf"', "1e999", "-1e999", '"0x1p9999"', "[]", '"' + "9" * 999 + '"'])
def test_no_lifetime_of_a_token_ends_the_process(own_sluice, lifetime):
    """G9: a tool's token endpoint chooses `expires_in`."""
    daemon, server = own_sluice(), ScriptedTool()
    token = b'{"access_token": "of-the-tool", "expires_in": %s}' % lifetime.encode()
    server.answer = lambda call: (200, [], token if call.target == "/token" else b"done")
    store_tool(daemon, "lasting", server.url, {"authentication": {
        "type": "OAuth2", "oauth2Config": {"tokenUrl": server.url + "/token"}}},
        credentials={"client_id": "c", "client_secret": "secret-of-the-client"})
    agent = GovernedAgent(daemon, "lasting", [("allow", ["*"], server.url + "/*")])
    assert agent.call(agent.start(), "GET", "lasting", "/x").content == b"done"
    assert server.calls[-1].header("authorization") == ["Bearer of-the-tool"]
    server.close()


@pytest.mark.parametrize("counted", [2**64 - 1, 2**64, -1, 1e300, "x"])
def test_no_count_of_a_model_provider_ends_the_process(own_sluice, counted):
    """G9: the numbers of all texts are added up, and the provider chooses each."""
    daemon, provider = own_sluice(), Bedrock()
    provider.say = lambda body: (200, {"embedding": [1], "inputTextTokenCount": counted}, ())
    model = "amazon.titan-embed-text-v2:0"
    answer = daemon.client().post("/api/v1/model-providers", {
        "name": "counting", "credentials": provider.credentials, "spec": provider.spec(model)})
    assert answer.status == 201, answer
    answer = daemon.client().post("/v1/embeddings", {"model": model, "input": ["one", "two", "three"]})
    assert (answer.status, len(answer.json["data"])) == (200, 3), answer
    provider.close()


def test_a_second_response_is_not_taken_for_the_answer_to_another_call(sluice, answering):
    planted = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"
    server = answering(OK + planted, stays=True)
    store_tool(sluice, "planting", server.url)
    agent = GovernedAgent(sluice, "planter", [("allow", ["*"], server.url + "/*")])
    run = agent.start()
    for number in range(50):
        answer = agent.call(run, "GET", "planting", f"/{number}")
        assert (answer.status, answer.content) == (200, b"{}"), number


def test_a_compressed_body_is_passed_on_as_it_is(sluice, answering):
    server = answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
    store_tool(sluice, "compressing", server.url)
    agent = GovernedAgent(sluice, "compressor", [("allow", ["*"], server.url + "/*")])
    assert agent.call(agent.start(), "GET", "compressing", "/x").content == b"abc"


def test_a_redirect_is_not_followed(sluice, answering):
    target = answering(OK)
    server = answering(f"HTTP/1.1 302 X\r\nLocation: {target.url}/\r\nContent-Length: 0\r\n\r\n".encode())
    assert sluice.client().post("/api/tools/probe", {"url": server.url}).json["status_code"] == 302
    assert target.served == 0


def test_a_key_set_that_drips_is_given_up(own_sluice):
    """The head comes at once, and then a byte now and then: the deadline is of the whole response."""
    daemon = own_sluice()
    listener = socket.create_server(("127.0.0.1", 0))
    issuer = IdentityServer()
    issuer.close()
    keys = issuer.spec()["identityProvider"] | {"jwksUri": f"http://127.0.0.1:{listener.getsockname()[1]}/"}
    answer = daemon.client().post(
        "/api/v1/identity-providers", {"name": "slow", "spec": issuer.spec() | {"identityProvider": keys}})
    assert answer.status == 201, answer
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(daemon.client(issuer.token()).post, "/api/v1/agents/none/invoke", {"message": "x"})
        peer, _ = listener.accept()
        peer.recv(65_536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        peer.settimeout(1)
        closed = False
        for _ in range(25):
            try:
                peer.sendall(b" ")
                closed = peer.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
        assert closed
        assert asked.result().status in (401, 503)
    listener.close()


def test_an_agent_that_answers_with_a_wild_status_fails_its_invoke(sluice, answering):
    server = answering(b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n")
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "wild", "user_id": "u", "message": "m", "invoke_url": server.url}).json["id"]
    failed = eventually(
        lambda: [event for event in api.get(f"/runs/{run}/events").json if event["type"] == "INVOKE_FAILED"], bool)
    assert "breaks HTTP" in failed[0]["data"]["error"]
    api.post(f"/runs/{run}/cancel")


HOSTILE_AGENT = """
import http.server

original = http.server.BaseHTTPRequestHandler.send_response

def send_response(self, code, message=None):
    if self.command == "POST":
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 099 X\\r\\nContent-Length: 0\\r\\n\\r\\n")
    original(self, code, message)

http.server.BaseHTTPRequestHandler.send_response = send_response

def handler(request, context=None):
    return "hello"
"""


def test_a_sandboxed_agents_own_socket_ends_no_daemon(own_sluice):
    daemon = own_sluice(
        SLUICE_INVOKE_ATTEMPTS_MAX="2", SLUICE_INVOKE_BACKOFF_MIN="10ms", SLUICE_AGENT_SANDBOX="required")
    agents = DeployedAgents(daemon)
    agents.deploy("wild", HOSTILE_AGENT)
    run = agents.start("wild")
    assert agents.finished(run)["status"] == "FAILED"
    failed = [event["data"] for event in agents.events(run) if event["type"] == "INVOKE_FAILED"]
    assert failed and "breaks HTTP" in failed[0]["error"], failed
    assert daemon.process.poll() is None and daemon.client().get("/readyz").status == 200


def test_a_method_that_the_gate_does_not_know_is_refused_and_not_sent(sluice, answering):
    server = answering(OK)
    store_tool(sluice, "tracing", server.url)
    agent = GovernedAgent(sluice, "tracer", [("allow", ["*"], server.url + "/*")])
    answer = agent.call(agent.start(), "TRACE", "tracing", "/x", b"{}")
    assert answer.status in (404, 405) and answer.json["error"] and server.served == 0
