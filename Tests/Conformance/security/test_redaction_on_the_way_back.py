"""An injected credential is redacted in what its tool says: headers, bodies in any chunks, records, and failures."""

import base64
import gzip
import itertools
import json
import re
import secrets
import socket
import threading
import urllib.parse

import pytest

from consent_world import World as Mail, consent
from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

# Each byte has another form in every encoding.
KEY = "planted/k+y&\"q'=%~ " + secrets.token_urlsafe(12)
names = itertools.count()


def in_base64(text, url=False):
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return encode(text.encode()).decode()


def lower_escapes(text):
    return re.sub("%[0-9A-F]{2}", lambda match: match.group().lower(), text)


SPELLINGS = {
    "raw": KEY,
    "percent-encoded": urllib.parse.quote(KEY, safe=""),
    "percent-encoded in lower case": lower_escapes(urllib.parse.quote(KEY, safe="")),
    "percent-encoded but for slashes": urllib.parse.quote(KEY),
    "percent-encoded twice": urllib.parse.quote(urllib.parse.quote(KEY, safe=""), safe=""),
    "a form's": urllib.parse.quote_plus(KEY),
    "base64": in_base64(KEY),
    "base64 for URLs": in_base64(KEY, url=True),
    "base64 without padding": in_base64(KEY).rstrip("="),
    "a Basic pair": "Basic " + in_base64("user:" + KEY),
    "base64 of a text around it": in_base64('{"token": "' + KEY + '"}'),
    "JSON": json.dumps(KEY)[1:-1],
    "JSON with escaped slashes": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "JSON in JSON": json.dumps(json.dumps(KEY))[1:-1],
    "JSON in code points": "".join(f"\\u{ord(each):04x}" for each in KEY),
    "HTML": KEY.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#39;"),
}


def has_key(text):
    """True when a reader of the text could get the key, or most of it, out of it."""
    core = KEY.split(" ")[1][:-1]
    parts = [core] + [in_base64("x" * offset + KEY)[6:-6] for offset in range(3)]
    decoded = text
    for _ in range(4):
        decoded = urllib.parse.unquote(decoded.replace("\\\\", "\\"))
        if any(part in decoded or part.replace("+", "-").replace("/", "_") in decoded for part in parts):
            return True
    coded = "".join(f"\\u{ord(each):04x}" for each in core)
    return coded in text


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("redaction"), {"SLUICE_LOG_LEVEL": "trace"}).start()
    yield process
    assert process.stop() == 0
    assert KEY not in process.output.read_text()


@pytest.fixture
def tool():
    tool = ScriptedTool()
    yield tool
    tool.close()


class World:
    def __init__(self, sluice, tool, key=KEY, place=None, url=None):
        self.sluice, self.name = sluice, f"bank-{next(names)}"
        store_tool(sluice, self.name, url or tool.url, {"authentication": {
            "type": "APIKey", "apiKeyConfig": place or {"in": "Header", "name": "X-Key"}}},
            credentials={"api_key": key})
        self.agent = GovernedAgent(sluice, f"agent-of-{self.name}", [
            ("allow", ["GET", "POST", "HEAD"], (url or tool.url) + "/*")])
        self.run = self.agent.start()

    def call(self, target="/", method="GET", body=None, headers=()):
        return self.agent.call(self.run, method, self.name, target, body, headers)

    def everything_kept(self):
        """What readers are shown of the run, and its records as they are exported."""
        paths = [f"/runs/{self.run}/events", f"/runs/{self.run}", "/api/v1/tools"]
        return "".join(self.agent.api.get(path).content.decode() for path in paths) + self.sluice.run(
            "log", "cat", "--data-dir", self.sluice.data).stdout


@pytest.mark.parametrize("name", ["Location", "Link", "Refresh", "Content-Location", "X-Echo", "Set-Cookie",
                                  "WWW-Authenticate", "ETag", "Content-Disposition"])
@pytest.mark.parametrize("spelling", ["raw", "percent-encoded", "percent-encoded in lower case", "base64",
                                      "base64 for URLs", "a Basic pair"])
def test_no_response_header_carries_the_credential(module_sluice, tool, name, spelling):
    world = World(module_sluice, tool)
    value = f"https://x.test/?key={SPELLINGS[spelling]}&next=1"
    tool.answer = lambda call: (200, [(name, value)], b"done")
    answer = world.call()
    assert tool.calls[0].header("x-key") == [KEY], "and the tool got it"
    given, = answer.header(name.lower())
    assert not has_key(given) and "REDACTED" in given, given
    assert given.startswith("https://x.test/?key=") and given.endswith("&next=1")


def test_a_key_in_the_query_comes_back_in_no_redirect(module_sluice, tool):
    world = World(module_sluice, tool, place={"in": "Query", "name": "key"})
    tool.answer = lambda call: (301, [("Location", tool.url + call.target)], call.target.encode())
    answer = world.call("/a?b=1")
    assert answer.status == 301 and not has_key(answer.header("location")[0]), answer
    assert not has_key(answer.content.decode()) and urllib.parse.quote(KEY, safe="") in tool.calls[0].target


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_body_carries_the_credential(module_sluice, tool, spelling):
    world = World(module_sluice, tool)
    tool.answer = lambda call: (200, [("Content-Type", "text/plain")], f"before {SPELLINGS[spelling]} after".encode())
    answer = world.call()
    text = answer.content.decode()
    assert text.startswith("before ") and text.endswith(" after") and "REDACTED" in text and not has_key(text), text
    assert answer.header("content-length") == [str(len(answer.content))]
    assert world.call("/", "HEAD").status == 200


def test_a_status_that_says_no_is_searched_like_any_other(module_sluice, tool):
    world = World(module_sluice, tool)
    tool.answer = lambda call: (401, [("X-Echo", KEY)], f"the key {KEY} is not known".encode())
    answer = world.call()
    assert answer.status == 401 and answer.content == b"the key REDACTED is not known"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/octet-stream"])
def test_no_chunking_of_a_stream_lets_the_credential_through(module_sluice, tool, size, kind):
    world = World(module_sluice, tool)
    whole = b"".join(f"data: {spelling}\n\n".encode() for spelling in SPELLINGS.values())
    if kind != "text/event-stream":
        whole = b"\0" * 300_000 + whole
    parts = [whole[:300_000]] * (kind != "text/event-stream") + [
        whole[index:index + size] for index in range(300_000 if kind != "text/event-stream" else 0, len(whole), size)]
    tool.answer = lambda call: (200, [("Content-Type", kind)], iter(parts))
    text = world.call().content.decode()
    assert not has_key(text) and text.count("REDACTED") >= len(SPELLINGS), text[-3000:]


def test_an_event_is_not_held_back_for_the_next(module_sluice, tool):
    """What cannot become the credential goes on at once."""
    world = World(module_sluice, tool)
    read = threading.Event()

    def events():
        yield b"data: one\n\n"
        assert read.wait(60)
        yield b"data: two\n\n"

    tool.answer = lambda call: (200, [("Content-Type", "text/event-stream")], events())
    response, connection = world.agent.open(world.run, "GET", world.name, "/")
    assert response.read1(100) == b"data: one\n\n"
    read.set()
    assert response.read() == b"data: two\n\n"
    connection.close()


def test_what_the_journal_keeps_is_redacted(module_sluice, tool):
    """A replayed answer is the one that was given, and the records hold the credential nowhere."""
    world = World(module_sluice, tool)
    tool.answer = lambda call: (200, [("X-Echo", KEY)], json.dumps({"echo": KEY}).encode())
    turn = [("X-Tool-Turn", "1")]
    first = world.call("/", "POST", b"{}", turn)
    assert first.json == {"echo": "REDACTED"} and first.header("x-echo") == ["REDACTED"]
    assert not has_key(world.everything_kept())


def test_an_encoded_body_is_not_asked_for_and_passes_as_it_is(module_sluice, tool):
    world = World(module_sluice, tool)
    body = gzip.compress(b"plain")
    tool.answer = lambda call: (200, [("Content-Encoding", "gzip"), ("X-Echo", KEY)], body)
    answer = world.call("/", headers=[("Accept-Encoding", "gzip")])
    assert tool.calls[0].header("accept-encoding") == []
    assert answer.content == body and answer.header("x-echo") == ["REDACTED"]


def test_words_that_are_no_secret_stay(module_sluice, tool):
    """A client id and a user's name stand in answers for other reasons; so do the beginnings of a credential."""
    world = World(module_sluice, tool)
    text = f"{KEY[:-1]} planted %2 \\u00 &amp {in_base64(KEY)[:7]}"
    tool.answer = lambda call: (200, [], text.encode())
    assert world.call().content.decode() == text


def test_a_short_secret_is_none_to_search_for(module_sluice, tool):
    world = World(module_sluice, tool, key="abc")
    tool.answer = lambda call: (200, [], b"abcabc")
    assert world.call().content == b"abcabc"


def test_a_failure_names_no_credential(module_sluice, tool):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    world = World(module_sluice, tool, place={"in": "Query", "name": "key"}, url=url)
    answer = world.call("/a")
    assert answer.status == 502 and not has_key(answer.content.decode())
    assert not has_key(world.everything_kept())


def test_a_users_token_is_redacted_like_a_tools(tmp_path):
    mail = Mail(tmp_path)
    try:
        run = mail.agent.start("ada")
        consent(mail.asked(run)["authorization_url"])
        mail.tool.answer = lambda call: (
            200, [("X-Echo", call.header("authorization")[0])], json.dumps(call.header("authorization")).encode())
        answer = mail.agent.call(run, "GET", "mail", "/inbox")
        assert answer.status == 200 and b"planted-access" not in answer.content
        assert answer.header("x-echo") == ["Bearer REDACTED"] and answer.json == ["Bearer REDACTED"]
        kept = json.dumps(mail.agent.events(run)) + mail.sluice.run("log", "cat", "--data-dir", mail.sluice.data).stdout
        assert "planted-access" not in kept
    finally:
        mail.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_providers_key_is_redacted_like_a_tools(module_sluice, tool, stream):
    name = f"model-{next(names)}"
    key = "sk-" + secrets.token_hex(16)
    assert module_sluice.client().post("/api/v1/model-providers", {
        "name": name, "credentials": {"api_key": key},
        "spec": {"provider": "openai", "endpoint": tool.url + "/v1", "models": [name], "auth": {"type": "APIKey"}}},
    ).status == 201
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": f"the key is {key}"}}]}).encode()
    parts = [f"data: {key[:9]}".encode(), f"{key[9:]}\n\n".encode(), b"data: [DONE]\n\n"]
    tool.answer = lambda call: (200, [("Content-Type", "text/event-stream")], iter(parts)) if stream else (
        200, [("Content-Type", "application/json"), ("X-Request-Id", key)], body)
    agent = module_sluice.client(module_sluice.key("agent"))
    answer = agent.post("/v1/chat/completions", {
        "model": name, "stream": stream, "messages": [{"role": "user", "content": "say it"}]})
    assert answer.status == 200 and b"REDACTED" in answer.content and key.encode() not in answer.content, answer
    assert all(key not in value for value in answer.headers.values())
    assert tool.calls[0].header("authorization") == [f"Bearer {key}"]


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_model_providers_refusal_names_no_key(module_sluice, tool, status):
    name = f"model-{next(names)}"
    key = "sk-" + secrets.token_hex(16)
    assert module_sluice.client().post("/api/v1/model-providers", {
        "name": name, "credentials": {"api_key": key},
        "spec": {"provider": "openai", "endpoint": tool.url + "/v1", "models": [name], "auth": {"type": "APIKey"}}},
    ).status == 201
    body = json.dumps({"error": {"message": f"the key {key} is not known"}}).encode()
    tool.answer = lambda call: (status, [("Content-Type", "application/json")], body)
    agent = module_sluice.client(module_sluice.key("agent"))
    answer = agent.post("/v1/chat/completions", {"model": name, "messages": [{"role": "user", "content": "say it"}]})
    assert answer.status >= 400 and key.encode() not in answer.content, answer
    tested = module_sluice.client().post(f"/api/v1/model-providers/{name}/test")
    assert key.encode() not in tested.content
