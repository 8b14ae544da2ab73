"""An injected credential is redacted in what its tool says: headers, bodies in any chunks, records, and failures."""

import base64
import gzip
import html
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


def mime(text):
    """Base64 in lines of 76 digits, of a text in which the key is on both sides of a line's end."""
    return base64.encodebytes(("?" * 40 + text + "!").encode()).decode()


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
    "JSON in upper-case code points": "".join(f"\\u{ord(each):04X}" for each in KEY),
    "JSON in some code points": "".join(f"\\u{ord(each):04x}" if count % 3 == 0 else json.dumps(each)[1:-1]
                                        for count, each in enumerate(KEY)),
    "percent-encoded in part": "".join(f"%{ord(each):02x}" if count % 2 or not each.isalnum() else each
                                       for count, each in enumerate(KEY)),
    "percent-encoded JSON": urllib.parse.quote(json.dumps(KEY)[1:-1], safe=""),
    "hexadecimal": KEY.encode().hex(),
    "hexadecimal in upper case": KEY.encode().hex().upper(),
    "hexadecimal in pairs": KEY.encode().hex(":"),
    "base64 twice": in_base64(in_base64(KEY)),
    "base64 twice of a text around it": in_base64("?" + in_base64("??" + KEY + "?") + "?"),
    "base64 of hexadecimal": in_base64(KEY.encode().hex()),
    "base64 of a URL": in_base64("/?key=" + urllib.parse.quote(KEY, safe="")),
    "base64 in lines": mime(KEY).strip(),
    "base64 in lines within JSON": json.dumps(mime(KEY))[1:-1],
    "HTML in numbers": "".join(f"&#x{ord(each):X};" if count % 2 else f"&#{ord(each)};" for count, each in enumerate(KEY)),
    "HTML": KEY.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#39;"),
}


def has_key(text):
    """True when a reader of the text could get the key, or most of it, out of it."""
    core = KEY.split(" ")[1][:-1]
    parts = [core] + [in_base64("x" * offset + KEY)[6:-6] for offset in range(3)]
    parts += [in_base64("x" * offset + part)[6:-6] for part in [*parts, KEY.encode().hex()] for offset in range(3)]
    if core.encode().hex() in text.lower().replace(":", ""):
        return True
    decoded = text.replace("\r", "").replace("\n", "")
    for _ in range(4):
        decoded = urllib.parse.unquote(decoded.replace("\\\\", "\\"))
        if any(part in decoded or part.replace("+", "-").replace("/", "_") in decoded for part in parts):
            return True
    coded = "".join(f"\\u{ord(each):04x}" for each in core)
    return coded in text.lower() or core in html.unescape(text)


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


@pytest.mark.parametrize("form", [
    "raw", "percent-encoded", "code points", "code points in upper case", "code points of UTF-8", "entities", "base64"])
def test_a_credential_beyond_ascii_is_found_too(module_sluice, tool, form):
    key = "schlüssel/€/" + secrets.token_hex(6)
    forms = {
        "raw": key, "percent-encoded": lower_escapes(urllib.parse.quote(key, safe="")), "code points": json.dumps(key)[1:-1],
        "code points in upper case": re.sub("u[0-9a-f]{4}", lambda found: "u" + found.group()[1:].upper(), json.dumps(key)),
        "code points of UTF-8": json.dumps(key.encode().decode("latin-1")),
        "entities": key.replace("ü", "&uuml;").replace("€", "&#8364;"), "base64": in_base64("?" + key)}
    world = World(module_sluice, tool, key=key, place={"in": "Query", "name": "key"})
    tool.answer = lambda call: (200, [], f"before {forms[form]} after".encode())
    text = world.call().content.decode()
    assert "REDACTED" in text and key[-12:] not in text and "schl" not in text, text


@pytest.mark.parametrize("coding", ["gzip", "br", "x-own", "identity, gzip"])
def test_an_encoded_body_is_not_asked_for_and_refused_when_it_comes(module_sluice, tool, coding):
    world = World(module_sluice, tool)
    tool.answer = lambda call: (200, [("Content-Encoding", coding), ("X-Echo", KEY)], gzip.compress(KEY.encode()))
    answer = world.call("/", headers=[("Accept-Encoding", "gzip")])
    assert tool.calls[0].header("accept-encoding") == ["identity"]
    assert (answer.status, answer.code) == (502, "TOOL_BROKE_OFF") and "content coding" in answer.json["error"], answer
    assert not has_key(json.dumps(answer.headers) + world.everything_kept())


@pytest.mark.parametrize("name", ["Range", "range", "If-Range", "X-MS-Range"])
def test_no_piece_of_an_answer_is_asked_for(module_sluice, tool, name):
    world = World(module_sluice, tool)
    tool.answer = lambda call: (200, [("Accept-Ranges", "bytes")], f"{KEY}".encode())
    answer = world.call("/", headers=[(name, "bytes=0-3"), ("Accept", "a/b")])
    assert answer.content == b"REDACTED" and tool.calls[0].header(name.lower()) == []
    assert tool.calls[0].header("accept") == ["a/b"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_piece_that_comes_anyway_fails_its_call(module_sluice, tool, method):
    world = World(module_sluice, tool)
    tool.answer = lambda call: (206, [("Content-Range", "bytes 0-3/99")], KEY[:4].encode())
    answer = world.call("/", method, b"{}" if method == "POST" else None, [("Range", "bytes=0-3")])
    assert (answer.status, answer.code) == (502, "TOOL_BROKE_OFF") and "206" in answer.json["error"], answer
    assert KEY[:4].encode() not in answer.content


def test_a_tool_without_credentials_answers_with_pieces_and_codings(module_sluice, tool):
    name = f"open-{next(names)}"
    store_tool(module_sluice, name, tool.url)
    agent = GovernedAgent(module_sluice, f"agent-of-{name}", [("allow", ["*"], tool.url + "/*")])
    body = gzip.compress(b"plain")
    tool.answer = lambda call: (206, [("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-1/2")], body)
    answer = agent.call(agent.start(), "GET", name, "/", headers=[("Range", "bytes=0-1")])
    assert tool.calls[0].header("range") == ["bytes=0-1"] and tool.calls[0].header("accept-encoding") == []
    assert (answer.status, answer.content) == (206, body)


@pytest.mark.parametrize("guess", [KEY[:-1], KEY[:12] + "#", in_base64(KEY)[:20], "something else"],
                         ids=["all but one byte", "the beginning", "base64", "nothing"])
def test_the_pieces_of_a_stream_do_not_tell_how_much_of_a_guess_is_right(module_sluice, tool, guess):
    """The end of a line is sent on, and the beginning of the next waits, right or wrong."""
    world, read = World(module_sluice, tool), threading.Event()

    def events():
        yield b"data: one\n\ndata: " + guess.encode()
        assert read.wait(60)
        yield b"\n\n"

    tool.answer = lambda call: (200, [("Content-Type", "text/event-stream")], events())
    response, connection = world.agent.open(world.run, "GET", world.name, "/")
    assert response.read1(1000) == b"data: one\n\n"
    read.set()
    assert response.read() == f"data: {guess}\n\n".encode()
    connection.close()


class Raw:
    """Answers one request with the bytes it is given."""

    def __init__(self, response):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, args=[response], daemon=True).start()

    def serve(self, response):
        connection, _ = self.listener.accept()
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            connection.sendall(response)

    def close(self):
        self.listener.close()


def test_no_reason_name_of_a_header_or_trailer_carries_the_credential(module_sluice):
    token = "Planted-" + secrets.token_hex(8)
    raw = Raw((
        f"HTTP/1.1 200 {token}\r\nX-{token}: a\r\nx-{token.upper()}-1: b\r\nX-Fine: c\r\nTrailer: X-Echo, X-{token}\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n2;ext={token}\r\nok\r\n0\r\nX-Echo: {token}\r\nX-{token}: d\r\n\r\n").encode())
    world = World(module_sluice, None, key=token, url=raw.url)
    with socket.create_connection(("127.0.0.1", module_sluice.port), timeout=60) as connection:
        connection.sendall(
            f"GET /as/{world.agent.token}/egress/{world.name}/ HTTP/1.1\r\nHost: x\r\nX-Run-ID: {world.run}\r\n"
            "Connection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    raw.close()
    assert answer.startswith(b"HTTP/1.1 200 ") and b"ok" in answer and b"fine: c" in answer.lower(), answer
    assert token.encode().lower() not in answer.lower(), answer
    assert token not in world.everything_kept()


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


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
def test_a_model_providers_encoded_answer_is_decoded_and_redacted_or_fails_its_call(module_sluice, tool, coding):
    name, key = f"model-{next(names)}", "sk-" + secrets.token_hex(16)
    assert module_sluice.client().post("/api/v1/model-providers", {
        "name": name, "credentials": {"api_key": key},
        "spec": {"provider": "openai", "endpoint": tool.url + "/v1", "models": [name], "auth": {"type": "APIKey"}}},
    ).status == 201
    tool.answer = lambda call: (200, [("Content-Encoding", coding)], gzip.compress(key.encode()))
    agent = module_sluice.client(module_sluice.key("agent"))
    answer = agent.post("/v1/chat/completions", {"model": name, "messages": [{"role": "user", "content": "say it"}]})
    assert tool.calls[0].header("accept-encoding") == ["identity"]
    if coding == "gzip":
        assert answer.status == 200 and answer.content == b"REDACTED", answer
    else:
        assert answer.status == 502 and "content coding" in str(answer.json), answer


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
