"""The raw requests of the tests: one connection each, nothing interpreted."""

import dataclasses
import http.client
import json

TIMEOUT_SECONDS = 30


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    content: bytes

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def error(self):
        """The message, in the form of Sluice's own API or in that of OpenAI's."""
        error = self.json["error"]
        return error["message"] if isinstance(error, dict) else error


class HTTPClient:
    """`check` is called with each answer: method, target, status, headers, content."""

    def __init__(self, host, port, key, headers=None, check=None):
        self.host, self.port, self.check = host, port, check
        self.headers = dict(headers or {})
        if key is not None:
            self.headers["Authorization"] = f"Bearer {key}"

    def request(self, method, path, body=None, headers=None, content=None):
        if body is not None:
            content = json.dumps(body).encode()
        sent = self.headers | (headers or {})
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = self.connection()
        try:
            connection.request(method, path, content, sent)
            response = connection.getresponse()
            answer = Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()
        if self.check:
            self.check(method, path, answer.status, answer.headers, answer.content)
        return answer

    def connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None, headers=None, content=None):
        return self.request("POST", path, body, headers, content)

    def patch(self, path, body=None, headers=None):
        return self.request("PATCH", path, body, headers)

    def put(self, path, body=None, headers=None):
        return self.request("PUT", path, body, headers)

    def delete(self, path, headers=None):
        return self.request("DELETE", path, headers=headers)
