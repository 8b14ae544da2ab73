"""A tool on a raw socket: it keeps the bytes of every request as they arrived, and reads nothing into them."""

import dataclasses
import socket
import threading

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@dataclasses.dataclass
class RawRequest:
    line: bytes
    """Names and values as they came, in their order."""
    headers: list
    body: bytes

    def values(self, name):
        return [value for each, value in self.headers if each.lower() == name]

    @property
    def request_id(self):
        return (self.values("x-request-id") or [None])[0]


class RawTool:
    """Answers every request with 200 on a connection that stays open."""

    def __init__(self):
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        received = b""
        try:
            while True:
                while b"\r\n\r\n" not in received:
                    part = connection.recv(65536)
                    if not part:
                        return
                    received += part
                head, received = received.split(b"\r\n\r\n", 1)
                line, *lines = head.split(b"\r\n")
                pairs = [each.split(b":", 1) for each in lines]
                headers = [(name.decode("latin-1"), value.strip(b" \t").decode("latin-1")) for name, value in pairs]
                request = RawRequest(line, headers, b"")
                length = int((request.values("content-length") or ["0"])[0])
                while len(received) < length:
                    received += connection.recv(65536)
                request.body, received = received[:length], received[length:]
                self.requests.append(request)
                connection.sendall(HEAD + (b"" if line.startswith(b"HEAD ") else b"ok"))
        except OSError:
            return

    def close(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()
