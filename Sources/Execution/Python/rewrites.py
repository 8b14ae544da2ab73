"""Sends requests for a tool's own address to the gate, from clients that the published runtime leaves alone.

The runtime does so itself for `requests` and `urllib`.
"""

import functools
import json
import os


class Rewrites:
    """Addresses of tools, each with the gate's address that stands for it."""

    def __init__(self, environment=os.environ):
        addresses = json.loads(environment.get("TOOL_URL_REWRITES_JSON") or "{}")
        # The longest first: it is the most specific.
        self._addresses = sorted(addresses.items(), key=lambda each: len(each[0]), reverse=True)

    def apply(self, url):
        """The address to use; the same text when it is no tool's."""
        for tool, gate in self._addresses:
            tool = tool.rstrip("/")
            rest = url[len(tool):]
            if url.startswith(tool) and rest[:1] in ("", "/", "?", "#"):
                return gate.rstrip("/") + rest
        return url

    def apply_to_httpcore(self, httpcore, request):
        url = request.url
        port = f":{url.port}" if url.port else ""
        text = f"{url.scheme.decode()}://{url.host.decode()}{port}{url.target.decode('latin-1')}"
        rewritten = self.apply(text)
        if rewritten == text:
            return
        request.url = httpcore.URL(rewritten)
        host = request.url.host + (b":%d" % request.url.port if request.url.port else b"")
        request.headers = [(name, host if name.lower() == b"host" else value) for name, value in request.headers]


def install_aiohttp(rewrites, client):
    """Changes the sessions of `aiohttp`."""
    request = client.ClientSession._request

    @functools.wraps(request)
    async def request_rewritten(self, method, url, **options):
        text = str(self._build_url(url))
        rewritten = rewrites.apply(text)
        return await request(self, method, url if rewritten == text else rewritten, **options)

    client.ClientSession._request = request_rewritten
