"""Adds the attempt's headers to requests for the gate, whichever HTTP client makes them.

`http.client` is below `urllib.request`, `urllib3` and `requests`; `httpcore` is below `httpx`, and `httpcore2` below
`httpx2`. Requests for other
addresses stay as they are, and so do headers that the caller has set.
"""

import functools
import http.client
import urllib.parse


def install_http_client(gate):
    """Changes `http.client.HTTPConnection`."""
    connection = http.client.HTTPConnection
    putrequest, putheader = connection.putrequest, connection.putheader
    endheaders, getresponse = connection.endheaders, connection.getresponse

    @functools.wraps(putrequest)
    def begin(self, method, url, *arguments, **options):
        self._sluice_call = (str(method).upper(), _text(url))
        self._sluice_names = set()
        gate.check(*_destination(self), self._sluice_call[1])
        return putrequest(self, method, url, *arguments, **options)

    @functools.wraps(putheader)
    def add(self, header, *values):
        if hasattr(self, "_sluice_names"):
            self._sluice_names.add(_text(header).lower())
        return putheader(self, header, *values)

    @functools.wraps(endheaders)
    def end(self, *arguments, **options):
        if hasattr(self, "_sluice_names"):
            for name, value in gate.missing_headers(*_destination(self), self._sluice_names).items():
                putheader(self, name, value)
        return endheaders(self, *arguments, **options)

    @functools.wraps(getresponse)
    def answer(self, *arguments, **options):
        response = getresponse(self, *arguments, **options)
        if hasattr(self, "_sluice_call"):
            gate.note(*_destination(self), self._sluice_call[1], response.status, response.getheader)
        return response

    connection.putrequest, connection.putheader = begin, add
    connection.endheaders, connection.getresponse = end, answer


def _destination(connection):
    """The address that a request goes to, through a proxy or not."""
    if getattr(connection, "_tunnel_host", None):
        return connection._tunnel_host, connection._tunnel_port
    target = connection._sluice_call[1]
    if target.startswith("http://"):
        parts = urllib.parse.urlsplit(target)
        return parts.hostname, parts.port
    return connection.host, connection.port


def install_httpcore(gate, rewrites, httpcore):
    """Changes the pools of `httpcore` or `httpcore2`."""
    handle, handle_async = httpcore.ConnectionPool.handle_request, httpcore.AsyncConnectionPool.handle_async_request

    @functools.wraps(handle)
    def handle_request(self, request):
        rewrites.apply_to_httpcore(httpcore, request)
        _complete(gate, request)
        response = handle(self, request)
        _note(gate, request, response)
        return response

    @functools.wraps(handle_async)
    async def handle_async_request(self, request):
        rewrites.apply_to_httpcore(httpcore, request)
        _complete(gate, request)
        response = await handle_async(self, request)
        _note(gate, request, response)
        return response

    httpcore.ConnectionPool.handle_request = handle_request
    httpcore.AsyncConnectionPool.handle_async_request = handle_async_request


def _complete(gate, request):
    gate.check(_text(request.url.host), request.url.port, _text(request.url.target))
    names = {_text(name).lower() for name, _ in request.headers}
    missing = gate.missing_headers(_text(request.url.host), request.url.port, names)
    request.headers = list(request.headers) + [(name.encode(), value.encode()) for name, value in missing.items()]


def _note(gate, request, response):
    headers = {_text(name).lower(): _text(value) for name, value in response.headers}
    gate.note(
        _text(request.url.host), request.url.port, _text(request.url.target), response.status, headers.get)


def install_aiohttp(gate, reqrep):
    """Changes the requests and responses of `aiohttp`, each of which is one step of a chain of redirects."""
    names = [name for name in ("_send", "send") if hasattr(reqrep.ClientRequest, name)]
    send, start = getattr(reqrep.ClientRequest, names[0]), reqrep.ClientResponse.start

    @functools.wraps(send)
    async def send_completed(self, connection):
        gate.check(self.url.host, self.url.port, self.url.raw_path_qs)
        present = {str(name).lower() for name in self.headers}
        self.headers.update(gate.missing_headers(self.url.host, self.url.port, present))
        return await send(self, connection)

    @functools.wraps(start)
    async def start_noted(self, connection):
        response = await start(self, connection)
        gate.note(self.url.host, self.url.port, self.url.raw_path_qs, self.status, self.headers.get)
        return response

    setattr(reqrep.ClientRequest, names[0], send_completed)
    reqrep.ClientResponse.start = start_noted


def _text(value):
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)
