"""Turns an interrupt of a graph into an action of the run, which a person decides."""

import hashlib
import json
import os
import urllib.error
import urllib.request

from sluice_agent import attempts

TOOL = "interrupt"


class Pending(Exception):
    """The graph waits: its interrupts are actions that are not decided."""


class Decisions:
    """The interrupts of one run by their value; the n-th of a value is the n-th action of it."""

    def __init__(self):
        self._attempt = attempts.inherited()
        self._actions = None
        self._taken = {}
        self._is_pending = False

    def answer(self, value):
        """The value to resume with; `None` while the interrupt waits."""
        digest = hashlib.sha256(_json(value).encode()).hexdigest()
        if self._actions is None:
            self._actions = [each for each in self._request() if each.get("tool_id") == TOOL]
        number = self._taken[digest] = self._taken.get(digest, -1) + 1
        same = [each for each in self._actions if each.get("payload_hash") == f"sha256:{digest}"]
        action = same[number] if number < len(same) else self._ask(value, digest)
        if action is not None and action["status"] != "BLOCKED":
            return _approval(value)
        self._is_pending = True
        if action is not None:
            self._attempt.note(403, "APPROVAL_REQUIRED", action["action_id"], TOOL)
        return None

    def raise_if_pending(self):
        if self._is_pending:
            raise Pending("the graph is interrupted")

    def _ask(self, value, digest):
        """The new action; `None` while the run waits for another one, after which the graph comes here again."""
        try:
            return self._request({
                "tool_id": TOOL, "capability": _json(value)[:500], "payload_hash": f"sha256:{digest}"})
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
            return None

    def _request(self, body=None):
        if self._attempt is None:
            raise RuntimeError("a graph with interrupts needs a run: start it through POST /runs")
        request = urllib.request.Request(
            f"{os.environ['GOVERNANCE_URL']}/runs/{self._attempt.run_id}/actions",
            None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())


def _approval(value):
    """What an approved interrupt returns: true, or the decision in the form that LangChain's middleware asks for."""
    if isinstance(value, dict) and "action_requests" in value:
        return {"decisions": [{"type": "approve"} for _ in value["action_requests"]]}
    if isinstance(value, list) and value and isinstance(value[0], dict) and "action_request" in value[0]:
        return [{"type": "accept", "args": None} for _ in value]
    return True


def _json(value):
    return json.dumps(value, sort_keys=True, default=str)

