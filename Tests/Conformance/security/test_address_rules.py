"""Addresses that the daemon must not be led to: by every kind of call, in every spelling."""

import json
import socket
import threading

import pytest

from governed_agent import GovernedAgent, store_tool
from identity_server import IdentityServer
from sluice_process import SluiceProcess
from waiting import eventually

# Link-local, metadata services, unspecified, multicast, broadcast, reserved; also inside IPv6 and as a browser reads them.
NEVER = [
    "169.254.169.254", "169.254.170.2", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::1]", "[fe80::1]",
    "[64:ff9b:1::a9fe:a9fe]", "[64:ff9b:1:a9fe:a9:fe00::]",
    "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", "0.0.0.0", "0", "[::]",
    "[::ffff:0.0.0.0]", "224.0.0.1", "255.255.255.255", "240.0.0.1", "[ff02::1]",
]


class Listener:
    """Counts the connections to a port of every local address."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET6)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.bind(("::", 0))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        self.requests = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                request = peer.recv(65_536)
                if request:
                    self.requests.append(request)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


@pytest.fixture(scope="module")
def listener():
    made = Listener()
    yield made
    made.socket.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("addresses"), {
        "SLUICE_INVOKE_ATTEMPTS_MAX": "1", "SLUICE_INVOKE_BACKOFF_MIN": "10ms", "SLUICE_EGRESS_TIMEOUT": "3s",
        "SLUICE_LLM_TIMEOUT": "3s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def names(listener):
    """Names of this machine that resolve to loopback or to an address of its own network."""
    found = []
    for name in (socket.gethostname(), "ip6-localhost", "localhost.localdomain"):
        try:
            if socket.getaddrinfo(name, listener.port, type=socket.SOCK_STREAM):
                found.append(name)
        except OSError:
            continue
    return found


class Calls:
    """Each kind of call, made to a URL; the text in which the daemon says what came of it."""

    count = 0

    def __init__(self, daemon):
        self.daemon = daemon

    def workspace(self):
        Calls.count += 1
        name = f"addresses-{Calls.count}"
        return name, self.daemon.client(self.daemon.key("admin", name))

    def tool(self, url, topology=None):
        Calls.count += 1
        name = f"tool-{Calls.count}"
        store_tool(self.daemon, name, url, {"topology": topology} if topology else {})
        agent = GovernedAgent(self.daemon, f"{name}-agent", [("allow", ["*"], "*")])
        return self.text(agent.call(agent.start(), "GET", name, "/x"))

    def probe(self, url):
        return self.text(self.daemon.client().post("/api/tools/probe", {"url": url}))

    def stored_tool(self, url):
        Calls.count += 1
        store_tool(self.daemon, f"tool-{Calls.count}", url)
        return self.text(self.daemon.client().post(f"/api/tools/tool-{Calls.count}/test"))

    def model(self, url, topology=None):
        _, api = self.workspace()
        spec = {"provider": "openai", "endpoint": url, "models": ["m"]} | ({"topology": topology} if topology else {})
        assert api.post("/api/v1/model-providers", {"name": "p", "spec": spec}).status == 201
        return self.text(api.post("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}]}))

    def key_set(self, url, topology=None):
        workspace, api = self.workspace()
        issuer = IdentityServer()
        issuer.close()
        spec = issuer.spec() | ({"topology": topology} if topology else {})
        spec["identityProvider"] |= {"jwksUri": url}
        assert api.post("/api/v1/identity-providers", {"name": "corp", "spec": spec}).status == 201
        said = len(self.daemon.output.read_text())
        answer = self.daemon.client(issuer.token()).post(
            f"/api/v1/workspaces/{workspace}/agents/none/invoke", {"message": "x"})
        assert answer.status in (401, 503), answer
        # A client is not told where keys are; the operator's log is.
        return self.text(answer) + self.daemon.output.read_text()[said:]

    def token(self, url, topology=None):
        Calls.count += 1
        name = f"tool-{Calls.count}"
        store_tool(self.daemon, name, "http://127.0.0.1:9", {"authentication": {
            "type": "OAuth2", "oauth2Config": {"tokenUrl": url}}} | ({"topology": topology} if topology else {}),
            credentials={"client_id": "c", "client_secret": "s"})
        agent = GovernedAgent(self.daemon, f"{name}-agent", [("allow", ["*"], "*")])
        return self.text(agent.call(agent.start(), "GET", name, "/x"))

    def connector(self, url, topology=None):
        return self.text(self.daemon.client().post(
            "/api/v1/approval-connectors/test",
            {"type": "webhook", "endpoint": url, "timeout_seconds": 3} | ({"topology": topology} if topology else {})))

    def invoke(self, url):
        api = self.daemon.client()
        run = api.post("/runs", {"agent_id": "a", "user_id": "u", "message": "m", "invoke_url": url})
        assert run.status == 201, run
        run = run.json["id"]
        ended = eventually(
            lambda: [event for event in api.get(f"/runs/{run}/events").json
                     if event["type"] in ("INVOKE_FAILED", "INVOKE_COMPLETED")], bool)
        return json.dumps(ended)

    @staticmethod
    def text(answer):
        return f"{answer.status} {answer.content.decode()}"


KINDS = ["tool", "probe", "stored_tool", "model", "key_set", "token", "connector", "invoke"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_call_reaches_an_address_that_is_never_meant(daemon, listener, kind):
    before = len(listener.requests)
    for host in NEVER:
        said = getattr(Calls(daemon), kind)(f"http://{host}:{listener.port}/")
        assert "outbound-allow" in said, (host, said)
    assert listener.requests[before:] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.", "2130706433", "127.1", "[::1]",
                                  "[::ffff:127.0.0.1]"])
def test_loopback_that_is_written_out_is_reached(daemon, listener, kind, host):
    before = len(listener.requests)
    said = getattr(Calls(daemon), kind)(f"http://{host}:{listener.port}/")
    assert "outbound-allow" not in said, said
    assert len(listener.requests) > before


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_leads_to_loopback_reaches_nothing(daemon, listener, names, kind):
    if not names:
        pytest.skip("no name of this machine resolves")
    before = len(listener.requests)
    for name in names:
        said = getattr(Calls(daemon), kind)(f"http://{name}:{listener.port}/")
        assert "outbound-allow" in said, (name, said)
    assert listener.requests[before:] == []


@pytest.mark.parametrize("kind", ["tool", "model", "key_set", "token", "connector"])
def test_a_name_is_reached_where_its_document_is_internal(daemon, listener, names, kind):
    if not names:
        pytest.skip("no name of this machine resolves")
    before = len(listener.requests)
    getattr(Calls(daemon), kind)(f"http://{names[0]}:{listener.port}/", topology="Internal")
    assert len(listener.requests) > before


def test_internal_reaches_no_metadata_service(daemon, listener):
    for kind in ("tool", "model", "token", "connector"):
        said = getattr(Calls(daemon), kind)(f"http://169.254.169.254:{listener.port}/", topology="Internal")
        assert "outbound-allow" in said, (kind, said)


@pytest.mark.parametrize("name", ["api.localhost", "a.b.localhost."])
def test_names_under_localhost_lead_to_loopback_or_nowhere(daemon, listener, name):
    for kind in KINDS:
        said = getattr(Calls(daemon), kind)(f"http://{name}:{listener.port}/")
        assert "outbound-allow" not in said or "loopback" not in said, said


def test_the_setting_allows_what_the_rule_refuses(own_sluice, listener, names):
    allowing = own_sluice(SLUICE_OUTBOUND_ALLOW="127.0.0.0/8, ::1, 0.0.0.0, 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16")
    before = len(listener.requests)
    answer = allowing.client().post("/api/tools/probe", {"url": f"http://0.0.0.0:{listener.port}/"})
    assert answer.status == 200 and answer.json["reachable"], answer
    assert len(listener.requests) == before + 1
    for name in names[:1]:
        assert allowing.client().post("/api/tools/probe", {"url": f"http://{name}:{listener.port}/"}).json["reachable"]


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "10.0.0.0/8;::1"])
def test_a_setting_that_is_no_list_of_blocks_stops_the_start(tmp_path, text):
    process = SluiceProcess(tmp_path, {"SLUICE_OUTBOUND_ALLOW": text})
    ended = process.run("serve", "--data-dir", str(tmp_path / "data"), "--listen", f"127.0.0.1:{process.port}")
    assert ended.returncode != 0 and "outbound-allow must be" in ended.stderr + ended.stdout
