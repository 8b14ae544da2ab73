"""Random calls of a tool, sent to the gate as raw bytes; and what the documents say of their headers, written again."""

import hashlib
import random
import socket
import struct

METHODS = ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

BOUND = {
    "accept", "accept-charset", "accept-language", "cache-control", "content-digest",
    "content-disposition", "content-encoding", "content-language", "content-md5", "content-range", "content-type",
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "prefer", "range",
    "repr-digest"}
UNBOUND = {
    "traceparent", "tracestate", "user-agent", "x-action-id", "x-request-id", "x-tool-call-id", "x-tool-function",
    "x-tool-name", "x-tool-turn"}
LISTS = {
    "accept", "accept-charset", "accept-language", "cache-control", "content-digest",
    "content-encoding", "content-language", "if-match", "if-none-match", "prefer", "repr-digest", "tracestate"}
THE_GATES_OWN = {"host", "content-length", "connection", "x-end-user-id", "x-run-id", "idempotency-key"}
"""Headers that no tool may ever get from an agent."""
NEVER = [
    "X-Original-URL", "X-Rewrite-URL", "X_End_User_ID", "X-End-User-ID", "X-End-User_ID", "X_Run_ID", "Forwarded",
    "X-Forwarded-For", "X-Forwarded-Host", "X_Forwarded_Host", "X-Forwarded-Prefix", "X-Real-IP", "Via",
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override", "True-Client-IP",
    "Accept-Encoding", "Authorization", "Cookie", "X-API-Key", "X-Amz-Security-Token", "Remote-User", "X-Remote-User",
    "X-Auth-Request-Email", "X-SSL-Client-Verify", "Idempotency-Key", "Proxy-Authorization", "X-Envoy-Original-Path",
    "X-Original-Host", "X-Original-Method", "X-Client-IP", "CF-Connecting-IP", "X-MS-Client-Principal"]
"""Names by which proxies and applications state an identity; a document may name them as `identityHeaders`."""
IDENTITIES = [
    "X-JWT-Assertion", "X-Pomerium-Claim-Email", "X-Vouch-User", "X-Userinfo", "X-Grafana-User", "X-Auth-User", "X-Login",
    "On-Behalf-Of", "Sudo", "X-Act-As", "X-Tenant-Id", "X-Subject", "X-Identity", "X-Principal", "X-Acme-Roles", "X-Org-Id"]

PIECES = [
    "a", "b", "items", "Pay", "%41", "%7e", "%2F", "%2f", "%5C", "%5c", "%25", "%252F", "%3F", "%3f", "%23", "%3B",
    "%20", "%C3%BC", "%E2%82%AC", "%F0%9F%92%A7", ".", "..", "%2e", "%2E%2e", ";", ";v=1", ":", "@", "!", "$", "&", "'",
    "(", ")", "*", "+", ",", "=", "~", "_", "-", "|", "^", "{", "}", "<", ">", '"', "`", "[", "]", "//", "/", "/", "/",
    "/", "%0A", "%0d", "%09", "%7F", "%26", "%3D", "%2B", "%40"]
"""Pieces that no reading survives: the whole path is refused."""
BROKEN = ["%FF", "%C0%AF", "%ED%A0%80", "%80", "%E2%82", "%00", "%", "%4", "%zz", "\\", "%25FF", "%2500"]
QUERY_PIECES = PIECES + ["?", "/", "?", "q=", "&x=", "%FF", "a", "1", "%E4"]
VALUES = ["a", "application/json", "text/plain; charset=utf-8", "*/*", "gzip, br", '"etag"', "bytes=0-1", "de;q=0.5", ""]


def digest(lines):
    """The digest of headers as docs/policy.md says it."""
    parts = [part.encode() for line in lines for part in line]
    return "sha256:" + hashlib.sha256(b"".join(struct.pack(">Q", len(part)) + part for part in parts)).hexdigest()


def canonical(headers, names):
    """The headers of these names in their one form; `None` when they are refused."""
    lines = []
    for name in sorted({name.lower() for name, _ in headers} & names):
        values = [value.strip(" \t") for each, value in headers if each.lower() == name]
        if len(values) > 1 and name not in LISTS:
            return None
        lines.append((name, values[0] if len(values) == 1 else ", ".join(filter(None, values))))
    return lines


def target(chance):
    path = "".join(chance.choice(PIECES) for _ in range(chance.randrange(12)))
    if chance.random() < 0.04:
        place = chance.randrange(len(path) + 1)
        path = path[:place] + chance.choice(BROKEN) + path[place:]
    path = "/" + path if path or chance.random() < 0.8 else ""
    if chance.random() < 0.4:
        path += "?" + "".join(chance.choice(QUERY_PIECES) for _ in range(chance.randrange(10)))
    return path


def cased(chance, name):
    return "".join(chance.choice([each.lower(), each.upper()]) for each in name)


def headers(chance, named):
    chosen = chance.choices(sorted(BOUND | named), k=chance.randrange(4)) + chance.choices(
        sorted(UNBOUND - {"x-request-id"}), k=chance.randrange(2))
    if chance.random() < 0.9:
        # Twice is an error for most of them, and has its share.
        chosen = list({name: None for name in chosen if name not in LISTS}) + [n for n in chosen if n in LISTS]
    made = [(cased(chance, name), chance.choice(VALUES)) for name in chosen]
    made += [(name, "forged") for name in chance.sample(NEVER, chance.randrange(3))]
    chance.shuffle(made)
    return made


def call(chance, request_id, named):
    """A random call: method, target, headers, body."""
    method = chance.choice(METHODS)
    body = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9))) if method in ("POST", "PUT") else b""
    return method, target(chance), headers(chance, named) + [("X-Request-Id", request_id)], body


class GateConnection:
    """A connection to the gate that stays open, on which requests are written as bytes."""

    def __init__(self, port, token, run):
        self.port, self.token, self.run = port, token, run
        self.socket, self.reader = None, None

    def call(self, tool, method, target, headers, body):
        """The answer's status; the connection is made anew when the gate has closed it."""
        lines = [f"{method} /as/{self.token}/egress/{tool}{target} HTTP/1.1", "Host: gate", f"X-Run-ID: {self.run}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        content = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.reader = self.socket.makefile("rb")
        self.socket.sendall(content)
        status = int(self.reader.readline().split(b" ")[1])
        length, closes = 0, False
        while (line := self.reader.readline().strip()):
            name, value = line.lower().split(b":", 1)
            length = int(value) if name == b"content-length" else length
            closes = closes or (name == b"connection" and value.strip() == b"close")
        if method != "HEAD":
            self.reader.read(length)
        if closes:
            self.close()
        return status

    def close(self):
        if self.socket is not None:
            self.reader.close()
            self.socket.close()
            self.socket = None


def seeded(number):
    return random.Random(f"judged is sent {number}")
