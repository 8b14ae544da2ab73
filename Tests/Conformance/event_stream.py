"""A reader of Server-Sent Events, strict enough to notice a broken frame."""

import dataclasses
import http.client
import json

import described_messages


@dataclasses.dataclass
class StreamEvent:
    id: int | None
    type: str
    data: dict


class EventStream:
    """Yields events; comments are counted. A silence of `timeout` seconds ends it with an error."""

    def __init__(self, client, path, headers=None, timeout=20):
        self.path, self.check = path, described_messages.check_stream if client.check else None
        self.connection = http.client.HTTPConnection(client.host, client.port, timeout=timeout)
        self.connection.request("GET", path, headers=client.headers | (headers or {}))
        self.response = self.connection.getresponse()
        self.comments = []
        assert self.response.status == 200, self.response.read()
        assert self.response.getheader("Content-Type") == "text/event-stream"

    def __iter__(self):
        return self

    def __next__(self):
        fields = {}
        while True:
            try:
                line = self.response.readline().decode()
            except (ConnectionResetError, http.client.IncompleteRead):
                raise StopIteration
            if not line:
                assert not fields, "the stream ended within an event"
                raise StopIteration
            line = line.removesuffix("\n")
            if line.startswith(":"):
                self.comments.append(line)
            elif line:
                name, _, value = line.partition(": ")
                assert name in ("id", "event", "data") and name not in fields, line
                fields[name] = value
            elif fields:
                position = int(fields["id"]) if "id" in fields else None
                event = StreamEvent(position, fields["event"], json.loads(fields["data"]))
                if self.check:
                    self.check(self.path, event)
                return event

    def take(self, count):
        return [next(self) for _ in range(count)]

    def close(self):
        self.connection.close()
