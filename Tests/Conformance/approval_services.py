"""Slack, Teams, PagerDuty, Jira and a webhook's receiver, as far as messages to approvers go.

Each holds a request against what its service documents, keeps it, and answers as the service does; a request that the
service would refuse is refused here.
"""

import base64
import hashlib
import hmac
import json
import queue
import re
import threading

import described_messages
from scripted_tool import ScriptedTool

SECONDS_MAX = 30
BOT_TOKEN = "xoxb-1-conformance"
ROUTING_KEY = "R" * 32
JIRA_USER, JIRA_TOKEN = "bot@corp.test", "jira-api-token-0123456789"


class Services:
    """All of them behind one address; `refuse` says how to answer the next requests instead."""

    def __init__(self):
        self.tool = ScriptedTool()
        self.tool.answer = self.answer
        self.url = self.tool.url
        self.received = queue.Queue()
        self.problems = []
        self.refuse = []
        self.hold = None
        self.issues = 0

    def close(self):
        self.tool.close()
        assert not self.problems, self.problems

    def next(self):
        """The next message that was taken: (what it is, its content, the raw call)."""
        return self.received.get(timeout=SECONDS_MAX)

    def expect(self, what):
        kind, content, call = self.next()
        assert kind == what, (kind, content)
        return content, call

    def answer(self, call):
        if self.hold is not None:
            self.hold.wait(SECONDS_MAX)
        if self.refuse:
            refusal = self.refuse.pop(0)
            status, headers = refusal if isinstance(refusal, tuple) else (refusal, [])
            self.received.put(("refused", status, call))
            return status, headers, b"{}"
        try:
            content = json.loads(call.body)
            assert call.method == "POST" and call.header("content-type") == ["application/json"], call
            for path, take in self.PATHS:
                match = re.fullmatch(path, call.target)
                if match:
                    status, answer, what = take(self, content, call, *match.groups())
                    self.received.put((what, content, call))
                    return status, [("Content-Type", "application/json")], answer
            raise AssertionError(f"no service at {call.target}")
        except (AssertionError, KeyError, TypeError, ValueError) as problem:
            self.problems.append((repr(problem), call))
            return 400, [], b"invalid"

    def slack_hook(self, content, call):
        blocks(content)
        assert set(content) <= {"text", "blocks"}
        return 200, b"ok", "slack.hook"

    def slack_post(self, content, call):
        assert call.header("authorization") == [f"Bearer {BOT_TOKEN}"]
        assert content["channel"] == "C0APPROVALS"
        blocks(content)
        return 200, b'{"ok":true,"channel":"C0APPROVALS","ts":"1503435956.000247"}', "slack.post"

    def slack_update(self, content, call):
        assert call.header("authorization") == [f"Bearer {BOT_TOKEN}"]
        assert (content["channel"], content["ts"]) == ("C0APPROVALS", "1503435956.000247")
        blocks(content)
        return 200, b'{"ok":true,"channel":"C0APPROVALS","ts":"1503435956.000247"}', "slack.update"

    def teams(self, content, call):
        assert content["type"] == "message"
        attachment, = content["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert card["type"] == "AdaptiveCard" and card["version"] == "1.4" and len(call.body) < 28 * 1024
        assert all(part["type"] in ("TextBlock", "FactSet") for part in card["body"])
        assert all(action["type"] == "Action.OpenUrl" for action in card.get("actions", []))
        return 202, b"", "teams"

    def pagerduty(self, content, call):
        assert content["routing_key"] == ROUTING_KEY and 0 < len(content["dedup_key"]) <= 255
        assert content["event_action"] in ("trigger", "acknowledge", "resolve")
        if content["event_action"] == "trigger":
            payload = content["payload"]
            assert 0 < len(payload["summary"]) <= 1024 and payload["source"]
            assert payload["severity"] in ("critical", "error", "warning", "info")
            assert all(set(link) == {"href", "text"} for link in content.get("links", []))
        answer = {"status": "success", "message": "Event processed", "dedup_key": content["dedup_key"]}
        return 202, json.dumps(answer).encode(), "pagerduty." + content["event_action"]

    def jira_issue(self, content, call):
        self.jira_account(call)
        fields = content["fields"]
        assert fields["project"] == {"key": "OPS"} and fields["issuetype"] == {"name": "Task"}
        assert 0 < len(fields["summary"]) <= 255 and "\n" not in fields["summary"]
        assert all(" " not in label for label in fields["labels"])
        adf(fields["description"])
        self.issues += 1
        return 201, json.dumps({"id": "1", "key": f"OPS-{self.issues}", "self": self.url}).encode(), "jira.issue"

    def jira_comment(self, content, call, key):
        self.jira_account(call)
        assert set(content) == {"body"}
        adf(content["body"])
        return 201, b'{"id":"10"}', "jira.comment"

    def jira_account(self, call):
        pair = base64.b64encode(f"{JIRA_USER}:{JIRA_TOKEN}".encode()).decode()
        assert call.header("authorization") == [f"Basic {pair}"]

    def hook(self, content, call, name):
        described_messages.check_webhook(content, {name.lower(): value for name, value in call.headers})
        return 204, b"", content["type"]

    PATHS = [
        (r"/services/T0/B0/[A-Za-z0-9]+", slack_hook), (r"/api/chat\.postMessage", slack_post),
        (r"/api/chat\.update", slack_update), (r"/workflows/[a-z0-9]+\?.*sig=.*", teams),
        (r"/v2/enqueue", pagerduty), (r"/rest/api/3/issue", jira_issue),
        (r"/rest/api/3/issue/(OPS-\d+)/comment", jira_comment), (r"/hooks/([a-z-]+)", hook),
    ]


def blocks(content):
    """What Slack takes of a message."""
    assert 0 < len(content["text"]) <= 40_000 and 0 < len(content["blocks"]) <= 50
    for block in content["blocks"]:
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text" and len(block["text"]["text"]) <= 150
        elif block["type"] == "section":
            assert len(block.get("fields", [])) <= 10 and ("text" in block or block["fields"])
            for text in block.get("fields", []) + ([block["text"]] if "text" in block else []):
                assert text["type"] == "mrkdwn" and 0 < len(text["text"]) <= 2000
        else:
            assert block["type"] == "actions", block
            for button in block["elements"]:
                assert button["type"] == "button" and len(button["url"]) <= 3000 and len(button["text"]["text"]) <= 75


def adf(document):
    """What Jira takes of a text."""
    assert document["type"] == "doc" and document["version"] == 1
    for paragraph in document["content"]:
        assert paragraph["type"] == "paragraph"
        assert all(part["type"] == "text" and part["text"] for part in paragraph["content"])


def is_signed(call, secret, now):
    """Standard Webhooks 1.0, as its specification says, in words of its own."""
    (message,), (seconds,), (signatures,) = map(
        call.header, ("webhook-id", "webhook-timestamp", "webhook-signature"))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{message}.{seconds}.".encode() + call.body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(code).decode()
    return abs(now - int(seconds)) < 300 and any(
        hmac.compare_digest(expected, each) for each in signatures.split(" "))


def link_in(value):
    """The link that decides, wherever in a message it stands."""
    found = set(re.findall(r"http://[^\"\\ ]+/decisions/[0-9a-f-]{36}/[0-9a-f]{64}", json.dumps(value)))
    assert len(found) <= 1, found
    return found.pop() if found else None
