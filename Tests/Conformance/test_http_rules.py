"""The rules of RFC 9110 and RFC 9112 for messages, as a table: on raw sockets, at each kind of listener."""

import dataclasses
import json
import os
import re
import socket

import pytest

from sluice_process import ADMIN_KEY, SluiceProcess

KEY = f"Authorization: Bearer {ADMIN_KEY}\r\n".encode()
BODY = b'{"agent_id":"a","user_id":"u"}'
BOM = b"\xef\xbb\xbf"
AGAIN = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"


@dataclasses.dataclass
class Rule:
    name: str
    request: bytes
    status: int
    says: str = ""
    """A part of the error's message."""
    closes: bool = False
    """The connection ends after the response; otherwise the next request on it is answered."""
    fields: dict = dataclasses.field(default_factory=dict)
    """Fields of the response; `None` for one that must not be there."""


def asked(*lines, target="/healthz", method="GET", version="1.1", host=b"Host: x", body=b""):
    head = [f"{method} {target} HTTP/{version}".encode(), *([host] if host else []), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def created(*lines, body=BODY, length=True, version="1.1", host=b"Host: x", **more):
    """A request with a body that creates a run, unless a rule refuses it."""
    lengths = [b"Content-Length: %d" % len(body)] if length else []
    return asked(*lines, KEY.rstrip(), *lengths, target=more.pop("target", "/runs"), method="POST", version=version,
                 host=host, body=body, **more)


def chunked(*chunks, trailers=b"", end=b"0\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end + trailers + b"\r\n"


# What needs neither a key nor a body: it holds at every listener.
RULES = [
    # Host, RFC 9112, section 3.2
    Rule("host", asked(), 200),
    Rule("host with a port", asked(host=b"Host: sluice.example:8092"), 200),
    Rule("host with an empty port", asked(host=b"Host: sluice.example:"), 200),
    Rule("host that is an IPv6 address", asked(host=b"Host: [::1]:8092"), 200),
    Rule("host with an underscore", asked(host=b"Host: my_agent.internal"), 200),
    Rule("host is missing", asked(host=None), 400, "Host is required"),
    Rule("host comes twice", asked(b"Host: x"), 400, "Host must come once"),
    Rule("host comes twice with two values", asked(b"HOST: y"), 400, "Host must come once"),
    Rule("host is empty", asked(host=b"Host:"), 400, "Host must be a host"),
    Rule("host is a port alone", asked(host=b"Host: :80"), 400, "Host must be a host"),
    Rule("host has a blank", asked(host=b"Host: a b"), 400, "Host must be a host"),
    Rule("host has a path", asked(host=b"Host: a/b"), 400, "Host must be a host"),
    Rule("host has a user", asked(host=b"Host: u@a"), 400, "Host must be a host"),
    Rule("host has a port that is no number", asked(host=b"Host: a:b"), 400, "Host must be a host"),
    Rule("host has a port that is too large", asked(host=b"Host: a:65536"), 400, "Host must be a host"),
    Rule("host has an open bracket", asked(host=b"Host: [::1"), 400, "Host must be a host"),
    Rule("host has a name in brackets", asked(host=b"Host: [name]"), 400, "Host must be a host"),
    Rule("host is missing in HTTP/1.0", asked(host=None, version="1.0"), 200, closes=True),
    Rule("host comes twice in HTTP/1.0", asked(b"Host: y", version="1.0"), 400, "Host must come once", closes=True),
    # The request line, RFC 9112, sections 2.3 and 3
    Rule("an empty line before it", b"\r\n" + asked(), 200),
    Rule("HTTP/1.2", asked(version="1.2"), 400, "no HTTP/1.1 request", closes=True),
    Rule("HTTP/2.0", asked(version="2.0"), 400, "no HTTP/1.1 request", closes=True),
    Rule("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "no HTTP/1.1 request", closes=True),
    Rule("HTTP/0.9", b"GET /healthz\r\n\r\n", 400, "no HTTP/1.1 request", closes=True),
    Rule("a handshake of TLS", bytes.fromhex("16030100a5010000a10303") + b"\r\n\r\n", 405, closes=True),
    Rule("a blank after the version", b"GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n", 400, closes=True),
    Rule("tabs in place of blanks", b"GET\t/healthz\tHTTP/1.1\r\nHost: x\r\n\r\n", 405, closes=True),
    Rule("lines that end in LF alone", asked().replace(b"\r\n", b"\n"), 400, closes=True),
    # The target, RFC 9112, section 3.2
    Rule("absolute form", asked(target="http://x/healthz"), 200),
    Rule("absolute form in upper case", asked(target="HTTP://x/healthz"), 200),
    Rule("absolute form of another host", asked(target="http://sluice.example:8092/healthz?a=b"), 200),
    Rule("absolute form of https, behind a proxy", asked(target="https://x/healthz"), 200),
    Rule("absolute form does not make up for a missing Host", asked(target="http://x/healthz", host=None), 400, "Host"),
    Rule("absolute form with a user", asked(target="http://u:p@x/healthz"), 400, "Host must be a host"),
    Rule("absolute form of another scheme", asked(target="ftp://x/healthz"), 400, "target must be a path"),
    Rule("asterisk form of GET", asked(target="*"), 400, "target must be a path"),
    Rule("asterisk form of OPTIONS", asked(target="*", method="OPTIONS"), 204, fields={
        "allow": METHODS, "content-length": None, "transfer-encoding": None}),
    Rule("authority form of GET", asked(target="x:80"), 400, closes=True),
    Rule("no slash", asked(target="healthz"), 400, closes=True),
    Rule("escapes that are none in a query", asked(target="/healthz?a=%zz"), 200),
    # Methods, RFC 9110, section 9
    Rule("HEAD", asked(method="HEAD"), 200),
    Rule("a method that the path does not have", asked(method="DELETE"), 405, "use GET, HEAD", fields={"allow": "GET, HEAD"}),
    Rule("OPTIONS of a path", asked(method="OPTIONS"), 405, fields={"allow": "GET, HEAD"}),
    Rule("TRACE", asked(method="TRACE"), 405, fields={"allow": "GET, HEAD"}),
    Rule("a method of another protocol", asked(method="PROPFIND"), 405, fields={"allow": METHODS}),
    Rule("a method that nobody has", asked(method="BREW"), 405, "use one of", closes=True, fields={"allow": METHODS}),
    Rule("a method in lower case", asked(method="get"), 405, closes=True, fields={"allow": METHODS}),
    # Fields, RFC 9112, section 5
    Rule("blanks around a value", asked(b"X-A: \t a \t "), 200),
    Rule("a value of bytes above 127", asked(b"X-A: \xe4"), 200),
    Rule("an empty value", asked(b"X-A:"), 200),
    Rule("a folded value", asked(b"X-A: a", b" b"), 400, closes=True),
    Rule("a blank before the first field", asked(host=b" Host: x"), 400, closes=True),
    Rule("a blank before a colon", asked(b"X-A : a"), 400, closes=True),
    Rule("no colon", asked(b"X-A"), 400, closes=True),
    Rule("no name", asked(b": a"), 400, closes=True),
    Rule("a name that is no token", asked(b"X(A: a"), 400, closes=True),
    Rule("a name of bytes above 127", asked(b"X-\xc3\xa4: a"), 400, closes=True),
    Rule("NUL in a value", asked(b"X-A: a\0b"), 400, closes=True),
    Rule("CR in a value", asked(b"X-A: a\rb"), 400, closes=True),
    Rule("100 fields", asked(*[b"X-%d: a" % number for number in range(99)]), 200),
    Rule("101 fields", asked(*[b"X-%d: a" % number for number in range(100)]), 431, "100 header fields", closes=True),
    Rule("a field of 32 KiB", asked(b"X-A: " + b"a" * (32 * 1024 + 1)), 431, "32 KiB", closes=True),
    Rule("fields of 64 KiB", asked(*[b"X-%d: " % number + b"a" * 16 * 1024 for number in range(5)]), 431, closes=True),
    Rule("a target of 32 KiB", asked(target="/" + "a" * 32 * 1024), 431, "the target", closes=True),
    # Connections, RFC 9112, section 9
    Rule("Connection: close", asked(b"Connection: close"), 200, closes=True, fields={"connection": "close"}),
    Rule("Connection: close among others", asked(b"Connection: x, Close"), 200, closes=True, fields={"connection": "close"}),
    Rule("HTTP/1.0 with keep-alive", asked(b"Connection: keep-alive", version="1.0"), 200, closes=True),
    Rule("an upgrade to HTTP/2 is ignored", asked(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), 200,
        closes=True, fields={"upgrade": None, "connection": "close"}),
    Rule("an upgrade to WebSocket is ignored", asked(
        b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 200, closes=True, fields={"upgrade": None}),
    Rule("an upgrade that the connection does not name", asked(b"Upgrade: h2c"), 200),
    Rule("a tunnel", b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 405, closes=True, fields={"allow": METHODS}),
    # Expectations, RFC 9110, section 10.1.1
    Rule("100-continue without a body", asked(b"Expect: 100-continue"), 200),
    Rule("another expectation", asked(b"Expect: 200-maybe"), 417, "100-continue alone"),
    Rule("another expectation beside 100-continue", asked(b"Expect: 100-continue, x=y"), 417),
    Rule("an expectation that begins like it", asked(b"Expect: 100-continues"), 417),
    Rule("an empty expectation", asked(b"Expect:"), 200),
    # Negotiation, conditions and ranges, RFC 9110, sections 12 to 14: resources have one form, no tag and no date
    Rule("Accept of another type is ignored", asked(b"Accept: application/xml"), 200, fields={"content-type": "application/json"}),
    Rule("Accept that cannot be read is ignored", asked(b"Accept: ;;,"), 200),
    Rule("Accept-Encoding is ignored", asked(b"Accept-Encoding: gzip, br"), 200, fields={"content-encoding": None}),
    Rule("Range is ignored", asked(b"Range: bytes=0-3"), 200, fields={"content-range": None}),
    Rule("Range that cannot be read is ignored", asked(b"Range: bytes=9-1,x"), 200, fields={"content-range": None}),
    Rule("If-Range is ignored", asked(b"Range: bytes=0-3", b'If-Range: "x"'), 200, fields={"content-range": None}),
    Rule("If-None-Match of a tag is met", asked(b'If-None-Match: "x"'), 200, fields={"etag": None}),
    Rule("If-Modified-Since is ignored", asked(b"If-Modified-Since: Sat, 29 Oct 2094 19:43:31 GMT"), 200),
    Rule("If-Match of anything is met", asked(b"If-Match: *"), 200),
    Rule("If-Match of a tag is not met", asked(b'If-Match: "x"'), 412, "entity tag"),
]

# Bodies: at the API's own listeners.
BODIES = [
    Rule("a length", created(), 201),
    Rule("a length with a zero before it", created(b"Content-Length: 0%d" % len(BODY), length=False), 201),
    Rule("no length is no body", created(body=b"", length=False), 400, "agent_id is required"),
    *[Rule(f"a length of {value.decode() or 'nothing'}", created(b"Content-Length: " + value, length=False), 400, closes=True)
      for value in (b"+30", b"-1", b"0x1e", b"3 0", b"30, 30", b"1e1", b"99999999999999999999", b"")],
    Rule("two lengths", created(b"Content-Length: 3"), 400, closes=True),
    Rule("the same length twice", created(b"Content-Length: %d" % len(BODY)), 400, closes=True),
    Rule("a blank before the colon of a length", created(b"Content-Length : %d" % len(BODY), length=False), 400, closes=True),
    Rule("chunks", created(b"Transfer-Encoding: chunked", body=chunked(BODY[:7], BODY[7:]), length=False), 201),
    Rule("Chunked", created(b"Transfer-Encoding: Chunked", body=chunked(BODY), length=False), 201),
    Rule("chunks with extensions", created(
        b"Transfer-Encoding: chunked", body=chunked(BODY).replace(b"1e\r\n", b"1E;name=\"value\";other\r\n", 1), length=False), 201),
    Rule("trailers are not fields", created(
        b"Transfer-Encoding: chunked", body=chunked(BODY, trailers=b"X-RunAgents-API-Key: another\r\n"), length=False), 201),
    Rule("chunks and a length", created(b"Transfer-Encoding: chunked"), 400, closes=True),
    Rule("chunks twice", created(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=chunked(BODY), length=False),
         400, closes=True),
    *[Rule(f"the coding {coding.decode()}", created(b"Transfer-Encoding: " + coding, body=chunked(BODY), length=False), 400,
           closes=True) for coding in (b"gzip", b"gzip, chunked", b"chunked, gzip", b"identity", b"xchunked", b"chunked;a=b")],
    Rule("a blank before the colon of Transfer-Encoding", created(b"Transfer-Encoding : chunked"), 400, closes=True),
    *[Rule(f"a chunk of {size.decode()}", created(
        b"Transfer-Encoding: chunked", body=size + b"\r\n" + BODY + b"\r\n0\r\n\r\n", length=False), 400, closes=True)
      for size in (b"zz", b"0x1e", b"-1", b"ffffffffffffffffff")],
    Rule("chunks that end in LF alone", created(
        b"Transfer-Encoding: chunked", body=chunked(BODY).replace(b"\r\n", b"\n"), length=False), 400, closes=True),
    Rule("a chunk that is longer than it says", created(
        b"Transfer-Encoding: chunked", body=b"1e\r\n" + BODY + b"XX0\r\n\r\n", length=False), 400, closes=True),
    Rule("a body of GET is read over", asked(b"Content-Length: 4", body=b"GET "), 200),
    Rule("a body of HEAD is read over", asked(b"Content-Length: 4", body=b"GET ", method="HEAD"), 200),
    # Content codings, RFC 9110, section 8.4
    *[Rule(f"{coding.decode()}", created(b"Content-Encoding: " + coding), 415, "leave out Content-Encoding",
           fields={"accept-encoding": "identity"}) for coding in (b"gzip", b"GZIP", b"br", b"gzip, identity", b"rot13")],
    *[Rule(f"Content-Encoding of {coding.decode() or 'nothing'}", created(b"Content-Encoding: " + coding), 201)
      for coding in (b"identity", b"Identity", b"")],
    Rule("gzip of a model's call", created(b"Content-Encoding: gzip", target="/v1/chat/completions"), 415),
    Rule("gzip of lines", created(
        b"Content-Encoding: gzip", b"Content-Type: application/x-ndjson", target="/api/v1/policies"), 415),
    # JSON, RFC 8259, section 8.1
    Rule("a byte order mark", created(body=BOM + BODY), 201),
    Rule("a byte order mark before a model's call", created(body=BOM + b'{"model": "none"}', target="/v1/chat/completions"),
         404, "no provider found"),
    Rule("a byte order mark alone", created(body=BOM), 400, "agent_id is required"),
    Rule("two byte order marks", created(body=BOM + BOM + BODY), 400, "invalid JSON"),
    Rule("a byte order mark inside", created(body=b"{" + BOM + BODY[1:]), 400, "invalid JSON"),
    Rule("UTF-16", created(body=BODY.decode().encode("utf-16")), 400, "UTF-8"),
    Rule("UTF-16 without a mark", created(body=BODY.decode().encode("utf-16-le")), 400, "invalid JSON"),
    # Preconditions
    Rule("If-Match of a tag changes nothing", created(b'If-Match: "x"'), 412, fields={"sluice-error-code": "precondition_failed"}),
    Rule("If-Unmodified-Since is ignored", created(b"If-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT"), 201),
    # Continuing
    Rule("another expectation with a body", created(b"Expect: 200-maybe"), 417),
    Rule("chunks in HTTP/1.0", created(
        b"Transfer-Encoding: chunked", body=chunked(BODY), length=False, version="1.0", host=None), 201, closes=True),
    Rule("an upgrade with a body", created(b"Connection: Upgrade", b"Upgrade: h2c"), 201, closes=True),
    Rule("a body in HTTP/1.0", created(version="1.0", host=None), 201, closes=True),
    Rule("absolute form with a body", created(target="http://x/runs"), 201),
    Rule("Connection: close with a body", created(b"Connection: close"), 201, closes=True),
]


def ids(rules):
    names = [re.sub(r"[^A-Za-z0-9.+-]+", "-", rule.name) for rule in rules]
    assert len(set(names)) == len(names)
    return names


class Listener:
    def __init__(self, connect):
        self.connect = connect

    def open(self):
        connection = self.connect()
        connection.settimeout(30)
        return connection


@pytest.fixture(scope="module")
def listeners(sluice, tmp_path_factory):
    """How to connect to each kind of listener: TCP over IPv4 and IPv6, and the Unix socket of agents."""
    started = []

    def over_ipv6():
        if not started:
            process = SluiceProcess(tmp_path_factory.mktemp("ipv6"))
            process.listen_host = "::1"
            started.append(process.start())
        return socket.create_connection(("::1", started[0].port))

    def over_unix():
        connection = socket.socket(socket.AF_UNIX)
        # The path may be longer than an address.
        directory = os.open(sluice.data / "run", os.O_PATH)
        try:
            connection.connect(f"/proc/self/fd/{directory}/gate.sock")
        finally:
            os.close(directory)
        return connection

    yield {"ipv4": lambda: socket.create_connection(("127.0.0.1", sluice.port)), "ipv6": over_ipv6, "unix": over_unix}
    for process in started:
        assert process.stop() == 0


@pytest.fixture(params=["ipv4", "ipv6", "unix"])
def listener(request, listeners):
    if request.param == "ipv6":
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6):
                pass
        except OSError:
            pytest.skip("needs IPv6")
    return Listener(listeners[request.param])


@dataclasses.dataclass
class Response:
    status: int
    fields: dict
    body: bytes


def read_response(stream, is_head=False):
    """The next response that is final."""
    line = stream.readline()
    assert line, "the connection ended without a response"
    status = int(line.split()[1])
    fields = {}
    while (field := stream.readline()) not in (b"\r\n", b""):
        name, value = field.split(b":", 1)
        assert name.decode().lower() not in fields or name.lower() == b"vary", f"{name} comes twice"
        fields[name.decode().lower()] = value.strip().decode()
    if 100 <= status < 200:
        return read_response(stream, is_head)
    body = b""
    if not is_head and status != 204:
        body = stream.read(int(fields["content-length"])) if "content-length" in fields else read_chunks(stream)
    return Response(status, fields, body)


def read_chunks(stream):
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def check(listener, rule):
    with listener.open() as connection:
        connection.sendall(rule.request)
        stream = connection.makefile("rb")
        is_head = rule.request.startswith(b"HEAD ")
        response = read_response(stream, is_head)
        assert response.status == rule.status, response
        for name, value in rule.fields.items():
            assert response.fields.get(name) == value, response
        assert "date" in response.fields or rule.closes, response
        if response.status == 401:
            assert response.fields["www-authenticate"].startswith("Bearer")
        if response.status >= 400 and not is_head:
            error = json.loads(response.body)["error"]
            assert rule.says in (error["message"] if isinstance(error, dict) else error), response
            assert response.fields["content-type"] == "application/json"
            assert {"sluice-error-code", "sluice-code"} & set(response.fields)
        if rule.closes:
            assert stream.read() == b""
        else:
            connection.sendall(AGAIN)
            assert read_response(stream).status == 200, "the next request is answered"


@pytest.mark.parametrize("rule", RULES, ids=ids(RULES))
def test_a_message_is_taken_as_the_rfcs_say(listener, rule):
    check(listener, rule)


@pytest.mark.parametrize("rule", BODIES, ids=ids(BODIES))
def test_a_body_is_taken_as_the_rfcs_say(listeners, rule):
    check(Listener(listeners["ipv4"]), rule)


def test_refused_requests_do_nothing(api, listeners):
    """The same run is not created by a request that was refused: what a proxy reads otherwise has no effect."""
    agent = "refused-by-rules"
    body = json.dumps({"agent_id": agent, "user_id": "u"}).encode()
    for refused in (
            created(host=None, body=body), created(b"Host: y", body=body), created(b"Content-Encoding: gzip", body=body),
            created(b'If-Match: "x"', body=body), created(b"Expect: x", body=body), created(b"Content-Length: 3", body=body),
            created(b"Transfer-Encoding: gzip, chunked", body=chunked(body), length=False),
            created(target="ftp://x/runs", body=body)):
        with Listener(listeners["ipv4"]).open() as connection:
            connection.sendall(refused)
            assert read_response(connection.makefile("rb")).status // 100 == 4
    assert api.get(f"/runs?agent_id={agent}").json == []


def test_a_request_after_a_refused_one_is_read_from_its_own_beginning(sluice, listeners):
    with Listener(listeners["ipv4"]).open() as connection:
        connection.sendall(created(b"Content-Encoding: gzip") + created(b'If-Match: "x"') + asked() + created() + AGAIN)
        stream = connection.makefile("rb")
        assert [read_response(stream).status for _ in range(5)] == [415, 412, 200, 201, 200]


@pytest.mark.parametrize("target", ["/runs", "http://x/runs", "https://sluice.example/runs"])
def test_rules_hold_before_the_key_is_looked_at(listeners, target):
    with Listener(listeners["ipv4"]).open() as connection:
        connection.sendall(asked(target=target) + asked(target=target, host=None))
        stream = connection.makefile("rb")
        assert [read_response(stream).status for _ in range(2)] == [401, 400]


def test_absolute_form_is_served_below_a_base_path(own_sluice):
    sluice = own_sluice(SLUICE_BASE_PATH="/sluice")
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
        connection.sendall(asked(target="http://x/sluice/healthz") + asked(target="http://x/sluice") + AGAIN)
        stream = connection.makefile("rb")
        assert [read_response(stream).status for _ in range(3)] == [200, 401, 200]


def test_the_key_in_an_address_of_absolute_form_is_redacted(api, listeners):
    """An agent's own address is one, whichever form its client sends it in."""
    key = api.post("/api/v1/auth/api-keys", {"name": "absolute", "role": "agent", "agent": "absolute"}).json["token"]
    run = api.post("/runs", {"agent_id": "absolute", "user_id": "u"}).json["id"]
    body = json.dumps({"type": "AGENT_MESSAGE", "data": {"message": f"I am at http://x/as/{key}/"}}).encode()
    with Listener(listeners["ipv4"]).open() as connection:
        connection.sendall(asked(
            b"Content-Length: %d" % len(body), target=f"http://x/as/{key}/runs/{run}/events", method="POST", body=body))
        response = read_response(connection.makefile("rb"))
    assert response.status == 201, response
    assert key.encode() not in response.body and key.encode() not in api.get(f"/runs/{run}/events").content


HEADS = ["/healthz", "/readyz", "/openapi.json", "/docs", "/runs", "/runs?limit=1", "/nowhere", "/runs/none", "/api/v1/tools",
         "/api/v1/routes", "/metrics", "/api/v1/catalog"]


@pytest.mark.parametrize("path", HEADS)
def test_head_has_the_fields_of_get(listeners, path):
    """RFC 9110, section 9.3.2: the same fields, but for those that are of the moment."""
    with Listener(listeners["ipv4"]).open() as connection:
        stream = connection.makefile("rb")
        connection.sendall(asked(KEY.rstrip(), target=path))
        get = read_response(stream)
        connection.sendall(asked(KEY.rstrip(), target=path, method="HEAD") + AGAIN)
        head = read_response(stream, is_head=True)
        assert read_response(stream).status == 200
    of_the_moment = ("date", "x-request-id")
    if path == "/metrics":
        of_the_moment += ("content-length",)
    assert head.status == get.status
    assert {name: value for name, value in head.fields.items() if name not in of_the_moment} == {
        name: value for name, value in get.fields.items() if name not in of_the_moment}


@pytest.mark.parametrize("more", [b"X-A: " + b"a" * 8 * 1024 * 1024, b"X(A: a\r\n" + b"a" * 8 * 1024 * 1024])
def test_the_refusal_of_a_head_reaches_a_client_that_sends_all_of_it(listener, more):
    """Closing a connection with unread bytes resets it, and the response would be lost."""
    with listener.open() as connection:
        connection.sendall(asked(more))
        stream = connection.makefile("rb")
        assert read_response(stream).status in (400, 431)
        assert stream.read() == b""


def test_bytes_that_are_no_request_are_not_read_for_ever(own_sluice):
    sluice = own_sluice(SLUICE_HEAD_TIMEOUT="1s")
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
        with pytest.raises(OSError):
            while True:
                connection.sendall(b"no request\r\n" * 4096)


def test_a_large_response_reaches_a_client_that_closes(api, sluice):
    for number in range(40):
        api.post("/api/v1/policies", {"name": f"large-{number}", "spec": {"policies": [
            {"permission": "allow", "resource": f"https://large.test/{'a' * 900}/{each}"} for each in range(20)]}})
    whole = api.get("/api/v1/policies").content
    assert len(whole) > 512 * 1024
    for version in ("1.1", "1.0"):
        with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
            connection.sendall(asked(KEY.rstrip(), b"Connection: close", target="/api/v1/policies", version=version))
            stream = connection.makefile("rb")
            if version == "1.1":
                response = read_response(stream)
                assert response.body == whole and stream.read() == b""
            else:
                assert stream.read().split(b"\r\n\r\n", 1)[1] == whole
