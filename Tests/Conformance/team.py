"""A workspace of a test's own in a daemon that others use too."""

import itertools
import json

_numbers = itertools.count()


class Team:
    """Keys of every role in one new workspace; the requests of its operator."""

    def __init__(self, sluice, base="/api/v1"):
        self.sluice, self.base = sluice, base
        self.workspace = f"team-{sluice.port}-{next(_numbers)}"
        self.admin, self.operator, self.viewer = map(self.client, ("admin", "operator", "viewer"))

    def client(self, role):
        return self.sluice.client(self.sluice.key(role, self.workspace))

    def get(self, path):
        return self.operator.get(self.base + path)

    def post(self, path, body=None, headers=None):
        return self.operator.post(self.base + path, body, headers)

    def log(self):
        """The types of the workspace's events, in their order."""
        # Not `splitlines`: others' texts may hold what Unicode calls the end of a line.
        lines = self.sluice.run("log", "cat", "--data-dir", self.sluice.data).stdout.split("\n")
        events = map(json.loads, filter(None, lines))
        return [event["type"] for event in events if event.get("workspace", "default") == self.workspace]
