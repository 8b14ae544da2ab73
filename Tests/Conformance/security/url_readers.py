"""Other readers of URLs: host, port, path and query as each of them finds them, in one normal form."""

import json
import re
import shutil
import subprocess
import urllib.parse

import httpx
import yarl

UNRESERVED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
KEPT = UNRESERVED | set("/:@!$&'()*+,;=?")
PORTS = {"http": 80, "https": 443}


def normal_escapes(text):
    """RFC 3986, 6.2.2: unreserved characters plain, others escaped, escapes in capitals."""
    def one(match):
        if match[1]:
            character = chr(int(match[1], 16))
            return character if character in UNRESERVED else "%" + match[1].upper()
        return "".join(f"%{byte:02X}" for byte in match[0].encode())
    return re.sub(r"%([0-9A-Fa-f]{2})|[^" + re.escape("".join(KEPT)) + "%]", one, text)


def without_dots(path):
    """RFC 3986, 5.2.4."""
    kept = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        is_last = index == len(segments) - 1
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if is_last and segment in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept)


def found(scheme, host, port, path, query):
    # The URL Standard escapes apostrophes in queries, which mean the same either way.
    query = normal_escapes(query or "").replace("%27", "'")
    host = host.lower().rstrip(".").strip("[]")
    return host, port or PORTS[scheme], without_dots(normal_escapes(path or "/")), query


def split(url):
    """A URL in our own normal form, taken apart by nothing but its punctuation."""
    scheme, rest = url.split("://", 1)
    authority, slash, rest = rest.partition("/")
    path, _, query = (slash + rest).partition("?")
    host, port = re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::(\d+))?", authority).groups()
    return found(scheme, host, int(port) if port else None, path, query)


def by_urllib(urls):
    def read(url):
        try:
            parts = urllib.parse.urlsplit(url)
            return found(parts.scheme, parts.hostname, parts.port, parts.path, parts.query)
        except ValueError:
            return None
    return [read(url) for url in urls]


def by_httpx(urls):
    def read(url):
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL:
            return None
        path, _, query = parts.raw_path.decode().partition("?")
        return found(parts.scheme, parts.raw_host.decode(), parts.port, path, query)
    return [read(url) for url in urls]


def by_yarl(urls):
    def read(url):
        try:
            parts = yarl.URL(url)
        except ValueError:
            return None
        return found(parts.scheme, parts.raw_host, parts.port, parts.raw_path, parts.raw_query_string)
    return [read(url) for url in urls]


NODE = """
const urls = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(urls.map(text => {
  try {
    const url = new URL(text);
    return [url.protocol.slice(0, -1), url.hostname, url.port ? Number(url.port) : null, url.pathname, url.search];
  } catch { return null; }
})));
"""


def by_node(urls):
    node = shutil.which("node")
    assert node, "node is missing: install Debian's nodejs"
    read = subprocess.run([node, "-e", NODE], input=json.dumps(urls), capture_output=True, text=True, check=True)
    return [
        None if each is None else found(*each[:4], each[4].removeprefix("?")) for each in json.loads(read.stdout)]


def without_escaped_delimiters(parts):
    """yarl decodes those that may stand where they are: for the path and for the query they mean the same to it."""
    def plain(text, kept):
        return re.sub(r"%([0-9A-F]{2})", lambda found: (
            chr(int(found[1], 16)) if chr(int(found[1], 16)) in kept else found[0]), text)
    host, port, path, query = parts
    return host, port, plain(path, ":@!$&'()*+,;="), plain(query, ":@!$'()*,/?")


def without_last_slash(parts):
    """httpx drops the slash that a dot segment at the end leaves."""
    host, port, path, query = parts
    return host, port, path.rstrip("/"), query


LENIENCE = {"yarl": without_escaped_delimiters}


def differences(name, urls, expected):
    """The URLs that a reader reads otherwise; and how many it refuses to read."""
    found, refused = [], 0
    for url, ours, reading in zip(urls, expected, READERS[name](urls), strict=True):
        alike = LENIENCE.get(name, tuple)
        if name == "httpx" and re.search(r"/(\.|%2[eE]){1,2}(\?|$)", url):
            alike = without_last_slash
        if reading is None:
            refused += 1
        elif alike(reading) != alike(ours):
            found.append((name, url, ours, reading))
    return found, refused


READERS = {"urllib": by_urllib, "httpx": by_httpx, "yarl": by_yarl, "node": by_node}
