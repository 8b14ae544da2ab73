"""Approval connectors: what approvers are told, on which services, and how they decide from a message."""

import email.utils
import hashlib
import itertools
import json
import re
import threading
import time

import pytest

from approval_services import (
    BOT_TOKEN, JIRA_TOKEN, JIRA_USER, ROUTING_KEY, SECONDS_MAX, Services, is_signed, link_in)
from governed_agent import GovernedAgent, store_tool
from http_client import HTTPClient
from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from waiting import eventually

HASH = "sha256:" + "ab" * 32
HOOK_PATH = "/services/T0/B0/a1b2c3d4e5f6g7h8i9j0k1l2"
BASES = ["/api/v1/approval-connectors", "/api/settings/approval-connectors"]
numbers = itertools.count()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    """One of its own: what could not be delivered is tried again for long after its test."""
    process = SluiceProcess(tmp_path_factory.mktemp("connectors")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def services():
    made = Services()
    yield made
    made.close()


class Team:
    """A workspace of its own."""

    def __init__(self, sluice, services, base=BASES[0]):
        self.sluice, self.services, self.base = sluice, services, base
        self.workspace = f"approvals-{next(numbers)}"
        self.api = sluice.client(sluice.key("admin", self.workspace))

    def create(self, name="ops", endpoint="/hooks/ops", **more):
        answer = self.api.post(self.base, {"name": name, "endpoint": self.services.url + endpoint} | more)
        assert answer.status == 201, answer
        return answer.json

    def blocked(self, tool="bank", **more):
        """A run of a client's that waits; the action."""
        run = self.api.post("/runs", {"agent_id": "payer", "user_id": "ada"}).json["id"]
        answer = self.api.post(f"/runs/{run}/actions", {
            "tool_id": tool, "payload_hash": HASH, "tool_method": "POST", "tool_url": "https://bank.test/pay"} | more)
        assert answer.status == 201, answer
        return answer.json

    def action(self, action):
        return self.api.get(f"/runs/{action['run_id']}/actions/{action['action_id']}").json

    def approve(self, action):
        answer = self.api.post(
            f"/runs/{action['run_id']}/actions/{action['action_id']}/approve", {"payload_hash": HASH})
        assert answer.status == 200, answer

    def activity(self, *events):
        """The activity once its events, oldest first, are these."""
        return eventually(
            lambda: self.api.get(self.base + "/activity").json,
            lambda found: [each["event"] for each in reversed(found)] == list(events), SECONDS_MAX)


@pytest.fixture
def team(sluice, services):
    return Team(sluice, services)


def browser(sluice):
    """Somebody with a link and no key."""
    return HTTPClient("127.0.0.1", sluice.port, None)


def decide(sluice, link, decision="approve", payload_hash=HASH, **more):
    path = link.removeprefix(sluice.url)
    form = "&".join(f"{name}={value}" for name, value in (
        {"decision": decision} | ({"payload_hash": payload_hash} if payload_hash else {}) | more).items())
    return browser(sluice).post(
        path, content=form.encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


# How they are kept.


@pytest.mark.parametrize("base", BASES)
def test_connectors_are_kept_changed_and_deleted(sluice, services, base):
    team = Team(sluice, services, base)
    made = team.create(timeout_seconds=7)
    assert made["type"] == "webhook" and made["enabled"] is True and made["timeout_seconds"] == 7
    assert made["endpoint"] == services.url + "/hooks/ops" and made["signing_secret"].startswith("whsec_")
    shown = {name: value for name, value in made.items() if name != "signing_secret"}
    path = f"{base}/{made['id']}"
    assert team.api.get(path).json == shown and team.api.get(base).json == [shown]
    answer = team.api.patch(path, {"name": "night shift", "enabled": False})
    assert answer.status == 200 and "signing_secret" not in answer.json
    assert (answer.json["name"], answer.json["enabled"], answer.json["timeout_seconds"]) == ("night shift", False, 7)
    assert team.api.delete(path).json == {"status": "deleted"}
    for answer in (team.api.get(path), team.api.delete(path), team.api.patch(path, {"name": "x"})):
        assert answer.status == 404 and "not found" in answer.error
    assert team.api.get(base).json == []


def test_nothing_secret_is_shown_or_logged(sluice, services, team):
    token = "very-secret-header-value-1"
    slack = team.create(
        "slack", HOOK_PATH, type="slack", headers={"X-Team": token}, credentials={"bot_token": "xoxb-hidden-token-1"})
    assert slack["endpoint"] == services.url + "/…" and slack["headers"] == {"X-Team": "***"}
    hook = team.create("hook", "/hooks/Zm9vYmFyYmF6MTIzNDU2Nzg5MA?token=query-secret-value-1")
    assert hook["endpoint"] == services.url + "/hooks/…?…"
    secrets = [token, "xoxb-hidden-token-1", HOOK_PATH.split("/")[-1], "Zm9vYmFyYmF6MTIzNDU2Nzg5MA",
               "query-secret-value-1", hook["signing_secret"]]
    shown = team.api.get(team.base).content + team.api.get("/api/v1/secrets").content + team.api.get(
        team.base + "/activity").content
    files = b"".join(path.read_bytes() for path in sluice.data.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret.encode() not in shown + files + sluice.output.read_bytes(), secret


@pytest.mark.parametrize("body, words", [
    ({}, "name is required"),
    ({"name": "x"}, "endpoint is required"),
    ({"name": 5, "endpoint": "https://a.test/"}, "name must be a string"),
    ({"name": "x", "endpoint": "ftp://a.test/"}, "endpoint must be an http or https URL"),
    ({"name": "x", "endpoint": "https://u:p@a.test/"}, "endpoint must not carry"),
    ({"name": "x", "endpoint": "https://a.test/", "type": "fax"}, "type must be one of webhook, slack"),
    ({"name": "x", "endpoint": "https://a.test/", "timeout_seconds": 121}, "timeout_seconds must be a number"),
    ({"name": "x", "endpoint": "https://a.test/", "timeout_seconds": "9"}, "timeout_seconds must be a number"),
    ({"name": "x", "endpoint": "https://a.test/", "enabled": "yes"}, "enabled must be true or false"),
    ({"name": "x", "endpoint": "https://a.test/", "headers": []}, "headers must be an object"),
    ({"name": "x", "endpoint": "https://a.test/", "headers": {"X": 1}}, "headers.X must be a string"),
    ({"name": "x", "endpoint": "https://a.test/", "headers": {"X Y": "1"}}, "is no header of HTTP"),
    ({"name": "x", "endpoint": "https://a.test/", "headers": {"X": "a\r\nB: c"}}, "is no header of HTTP"),
    ({"name": "x", "endpoint": "https://a.test/", "headers": {"Host": "b"}}, "is set by Sluice"),
    ({"name": "x", "endpoint": "https://a.test/", "slack_security_mode": "lax"}, "slack_security_mode must be one of"),
    ({"name": "x", "endpoint": "https://a.test/", "credentials": {"pin": "1"}}, "credentials.pin is unknown"),
    ({"name": "x", "endpoint": "https://a.test/", "credentials": {"signing_secret": "short"}}, "whsec_"),
    ({"name": "x", "endpoint": "https://a.test/", "settings": {"channel": 5}}, "settings.channel must be a string"),
    ([], "object"),
])
def test_bad_connectors_are_refused_with_what_is_wrong(team, body, words):
    answer = team.api.post(team.base, body)
    assert answer.status == 400 and words in answer.error, answer


def test_a_connector_that_moves_takes_no_secret_along(team, services):
    made = team.create(headers={"X-Key": "secret-of-the-old-host"})
    path = f"{team.base}/{made['id']}"
    assert team.api.patch(path, {"endpoint": made["endpoint"], "headers": made["headers"]}).status == 200
    for body in ({"endpoint": "https://evil.test/"}, {"endpoint": "https://evil.test/", "headers": made["headers"]}):
        answer = team.api.patch(path, body)
        assert answer.status == 400 and "headers again" in answer.error
    assert team.api.patch(path, {"endpoint": services.url + "/hooks/other"}).status == 200


def test_roles(team, services):
    operator = team.sluice.client(team.sluice.key("operator", team.workspace))
    viewer = team.sluice.client(team.sluice.key("viewer", team.workspace))
    body = {"name": "theirs", "endpoint": services.url + "/hooks/theirs"}
    assert viewer.post(team.base, body).status == 403 and viewer.get(team.base).status == 200
    answer = operator.post(team.base, body | {"decision_links": True})
    assert answer.status == 403 and "admin" in answer.error
    assert operator.post(team.base, body).json["decision_links"] is False
    admins = team.create()
    assert admins["decision_links"] is True
    path = f"{team.base}/{admins['id']}"
    answer = operator.patch(path, {"endpoint": services.url + "/hooks/theirs"})
    assert answer.status == 403 and team.api.get(path).json == {
        name: value for name, value in admins.items() if name != "signing_secret"}
    assert operator.patch(path, {"enabled": False}).status == 200


@pytest.mark.parametrize("base", BASES)
def test_defaults(sluice, services, base):
    api = Team(sluice, services, base).api
    defaults = {
        "default_delivery_mode": "first_success", "default_fallback_to_ui": True, "default_timeout_seconds": 10,
        "min_timeout_seconds": 1, "max_timeout_seconds": 120, "default_connectors": []}
    assert api.get(base + "/defaults").json == defaults
    changed = {"default_delivery_mode": "all", "default_timeout_seconds": 30}
    assert api.put(base + "/defaults", changed).json == defaults | changed
    assert api.put(base + "/defaults", {"default_fallback_to_ui": False}).json["default_delivery_mode"] == "all"
    assert api.get(base).json == [] and api.get(base + "/defaults").json["default_timeout_seconds"] == 30
    for body, words in (({"default_delivery_mode": "some"}, "first_success"), ({"default_timeout_seconds": 0}, "1 to 120"),
                        ({"default_fallback_to_ui": 1}, "true or false"), ({"default_connectors": "x"}, "array")):
        answer = api.put(base + "/defaults", body)
        assert answer.status == 400 and words in answer.error, answer
    assert api.get(base + "/activity?limit=0").status == 400


# The services.


def connectors(team):
    """One of each kind; the id of the message in what each gets first and after the decision."""
    yield team.create("hook", "/hooks/ops"), "approval.requested", "approval.decided"
    yield team.create("slack", HOOK_PATH, type="slack"), "slack.hook", None
    yield team.create(
        "bot", "/api", type="slack", credentials={"bot_token": BOT_TOKEN},
        settings={"channel": "C0APPROVALS"}), "slack.post", "slack.update"
    yield team.create("teams", "/workflows/a1?sig=abc", type="teams"), "teams", None
    yield team.create(
        "pager", "", type="pagerduty", credentials={"routing_key": ROUTING_KEY}), "pagerduty.trigger", "pagerduty.resolve"
    yield team.create(
        "jira", "", type="jira", credentials={"username": JIRA_USER, "api_token": JIRA_TOKEN},
        settings={"project": "OPS"}), "jira.issue", "jira.comment"


def test_every_service_is_told_in_its_own_format_and_told_again_of_the_decision(team, services):
    made = list(connectors(team))
    team.api.put(team.base + "/defaults", {"default_delivery_mode": "all"})
    action = team.blocked(tool="bank <script>&*[x](http://evil.test)")
    links = {}
    for _ in made:
        kind, content, call = services.next()
        links[kind] = link_in(content)
        assert "payer" in json.dumps(content) and "bank.test/pay" in json.dumps(content, ensure_ascii=False)
        assert call.header("idempotency-key") and call.header("user-agent") == ["sluice"]
    assert links.keys() == {first for _, first, _ in made} and None not in links.values()
    assert len(set(links.values())) == len(made)
    team.approve(action)
    told = {services.next()[0] for _, _, then in made if then}
    assert told == {then for _, _, then in made if then}
    assert services.received.empty()


def test_a_webhook_is_signed_and_its_reader_can_tell_it_from_another(team, services):
    made = team.create()
    action = team.blocked()
    content, call = services.expect("approval.requested")
    assert is_signed(call, made["signing_secret"], time.time())
    call.body += b" "
    assert not is_signed(call, made["signing_secret"], time.time())
    data = content["data"]
    assert (data["action_id"], data["run_id"], data["payload_hash"]) == (action["action_id"], action["run_id"], HASH)
    assert (data["agent_id"], data["user_id"], data["tool_id"]) == ("payer", "ada", "bank")
    team.approve(action)
    content, after = services.expect("approval.decided")
    assert is_signed(after, made["signing_secret"], time.time()) and content["data"]["decision"] == "approved"
    assert after.header("webhook-id") != call.header("webhook-id")


def test_own_signing_secrets_are_kept(team, services):
    secret = "whsec_" + "QUJD" * 10
    made = team.create(credentials={"signing_secret": secret})
    assert "signing_secret" not in made and made["credentials_set"] == ["signing_secret"]
    team.blocked()
    assert is_signed(services.expect("approval.requested")[1], secret, time.time())


def test_what_an_agent_writes_cannot_format_a_message(team, services):
    team.create("slack", HOOK_PATH, type="slack")
    team.create("teams", "/workflows/a1?sig=abc", type="teams")
    team.api.put(team.base + "/defaults", {"default_delivery_mode": "all"})
    team.blocked(tool="<!channel> [x](http://evil.test)")
    found = {kind: content for kind, content, _ in (services.next(), services.next())}
    slack = found["slack.hook"]
    # Plain text has no mentions; everything else is mrkdwn.
    slack["blocks"] = [block for block in slack["blocks"] if block["type"] != "header"]
    assert "<!channel>" not in json.dumps(slack) and "&lt;!channel&gt;" in slack["text"]
    assert "[x](http" not in json.dumps(found["teams"])


# Delivery.


def test_requests_without_a_run_are_told_of_and_followed_up(team, services):
    team.create()
    answer = team.api.post("/approvals/requests", {"subject": "ada", "tool_id": "bank", "agent_id": "payer"})
    assert answer.status == 201
    content, _ = services.expect("approval.requested")
    assert content["data"]["request_id"] == answer.json["id"] and "run_id" not in content["data"]
    assert team.api.post(f"/approvals/requests/{answer.json['id']}/reject", {"reason": "no"}).status == 200
    content, _ = services.expect("approval.decided")
    assert (content["data"]["decision"], content["data"]["decision_reason"]) == ("rejected", "no")


def test_a_service_that_is_down_for_a_while_gets_the_message_once_under_one_key(team, services):
    services.refuse = [503, 429]
    team.create()
    team.blocked()
    calls = [services.next() for _ in range(3)]
    assert [kind for kind, _, _ in calls] == ["refused", "refused", "approval.requested"]
    keys = {(call.header("idempotency-key")[0], call.header("webhook-id")[0]) for _, _, call in calls}
    assert len(keys) == 1
    listed = team.activity(*["delivery.started", "delivery.failed"] * 2, "delivery.started", "delivery.made")
    assert [each.get("status_code") for each in listed] == [204, None, 429, None, 503, None]
    assert "next attempt at" in listed[2]["message"] and listed[0]["connector_name"] == "ops"
    assert len(team.api.get(team.base + "/activity?limit=2").json) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_says_when_is_not_asked_before(team, services, status):
    at = email.utils.formatdate(time.time() + 8, usegmt=True)
    services.refuse = [(status, [("Retry-After", "4")]), (status, [("Retry-After", at)])]
    team.create()
    team.blocked()
    times = []
    for _ in range(3):
        services.next()
        times.append(time.time())
    assert times[1] - times[0] >= 3.9 and times[2] >= email.utils.parsedate_to_datetime(at).timestamp() - 0.1


def test_first_success_goes_on_to_the_next_connector_when_one_gives_up(team, services):
    services.refuse = [410]
    first, second = team.create("first", "/hooks/first"), team.create("second", "/hooks/second")
    team.api.put(team.base + "/defaults", {"default_connectors": ["first", second["id"]]})
    team.blocked()
    assert services.next()[0] == "refused"
    _, call = services.expect("approval.requested")
    assert call.target == "/hooks/second"
    listed = team.activity("delivery.started", "delivery.failed", "delivery.started", "delivery.made")
    assert "given up" in listed[2]["message"] and listed[2]["connector_id"] == first["id"]
    assert services.received.empty()


def test_a_disabled_connector_is_not_used(team, services):
    team.create("off", "/hooks/off", enabled=False)
    team.create("on", "/hooks/on")
    team.blocked()
    assert services.expect("approval.requested")[1].target == "/hooks/on"


def test_without_the_fallback_what_nobody_could_be_told_of_is_rejected(team, services):
    services.refuse = [400]
    team.create()
    team.api.put(team.base + "/defaults", {"default_fallback_to_ui": False})
    action = team.blocked()
    rejected = eventually(lambda: team.action(action), lambda found: found["status"] != "BLOCKED", SECONDS_MAX)
    assert rejected["status"] == "REJECTED" and "fallbackToUI" in rejected["reason"]


def test_a_policy_names_who_is_told_and_how(sluice, services):
    tool = ScriptedTool()
    try:
        store_tool(sluice, "vault", tool.url)
        team = Team(sluice, services)
        team.api = sluice.client()
        for name in ("named-a", "named-b", "other"):
            team.create(name, f"/hooks/{name}")
        agent = GovernedAgent(
            sluice, "told", [("approval_required", ["POST"], tool.url + "/*")],
            [{"name": "large", "toolIds": ["vault"], "approvers": {"groups": ["finance"]},
              "delivery": {"connectors": ["named-b", "named-a"], "mode": "all", "fallbackToUI": True}}])
        agent.blocked(agent.start(), "POST", "vault", "/pay", b"{}")
        found = [services.expect("approval.requested") for _ in range(2)]
        assert {call.target for _, call in found} == {"/hooks/named-a", "/hooks/named-b"}
        for content, _ in found:
            assert content["data"]["approver_groups"] == ["finance"] and link_in(content) is None
        assert services.received.empty()
        run = agent.start()
        team.api.post(f"/runs/{run}/actions", {"tool_id": "vault", "payload_hash": HASH})
        found = [services.expect("approval.requested") for _ in range(2)]
        assert {call.target for _, call in found} == {"/hooks/named-a", "/hooks/named-b"}
        assert all(content["data"]["run_id"] == run and link_in(content) is None for content, _ in found)
    finally:
        tool.close()


def test_what_waits_when_a_connector_is_made_is_told_of_then_and_once(team, services):
    action = team.blocked()
    team.create("late", "/hooks/late")
    content, call = services.expect("approval.requested")
    assert call.target == "/hooks/late" and content["data"]["action_id"] == action["action_id"]
    team.activity("delivery.started", "delivery.made")
    # Another one, or a change, is no reason to tell of it again.
    team.create("later", "/hooks/later")
    second = team.blocked()
    content, _ = services.expect("approval.requested")
    assert content["data"]["action_id"] == second["action_id"] and services.received.empty()


@pytest.mark.parametrize("mode", ["slack", "FIRST_SUCCESS", "none"])
def test_an_unknown_way_to_deliver_is_refused(team, mode):
    answer = team.api.post("/api/v1/policies", {"name": "odd", "spec": {"policies": [], "approvals": [
        {"name": "a", "toolIds": ["bank"], "delivery": {"mode": mode}}]}})
    assert answer.status == 400 and "spec.approvals[0].delivery.mode must be one of first_success, all" in answer.error


# After a crash.


def test_what_was_on_its_way_when_sluice_died_is_sent_again_under_the_same_key(own_sluice, services):
    sluice = own_sluice()
    team = Team(sluice, services)
    team.create()
    services.hold = threading.Event()
    action = team.blocked()
    assert services.tool.arrived.acquire(timeout=SECONDS_MAX)
    sluice.restart()
    services.hold.set()
    calls = [services.expect("approval.requested") for _ in range(2)]
    assert len({call.header("webhook-id")[0] for _, call in calls}) == 1
    assert link_in(calls[0][0]) == link_in(calls[1][0])
    before = team.activity("delivery.started", "delivery.failed", "delivery.started", "delivery.made")
    assert "interrupted by a restart" in before[2]["message"]
    sluice.restart()
    assert decide(sluice, link_in(calls[0][0])).status == 200
    assert services.expect("approval.decided")[0]["data"]["decision"] == "approved"
    assert team.action(action)["status"] == "APPROVED"
    team.activity(
        "delivery.started", "delivery.failed", "delivery.started", "delivery.made", "decision_link.used",
        "delivery.started", "delivery.made")
    kept = [team.api.get(team.base + path).content for path in ("", "/activity", "/defaults")]
    sluice.stop()
    for path in sluice.data.glob("read*"):
        path.unlink()
    assert sluice.start()
    assert [team.api.get(team.base + path).content for path in ("", "/activity", "/defaults")] == kept


# Links.


@pytest.fixture
def asked(team, services):
    """Something that waits, and the link of its message."""
    team.create()
    action = team.blocked()
    link = link_in(services.expect("approval.requested")[0])
    team.activity("delivery.started", "delivery.made")
    return action, link


def test_looking_at_a_link_decides_nothing(sluice, team, asked):
    action, link = asked
    assert link.startswith(sluice.url)
    for _ in range(3):
        page = browser(sluice).get(link.removeprefix(sluice.url))
        assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    text = page.content.decode()
    for shown in ("payer", "ada", "bank", "POST https://bank.test/pay", HASH, "Approve", "Reject", "Expires"):
        assert shown in text
    assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert browser(sluice).request("HEAD", link.removeprefix(sluice.url)).status == 200
    assert team.action(action)["status"] == "BLOCKED"


@pytest.fixture
def gated(sluice, services):
    """An agent whose calls wait, and what a browser sees of one at its link."""
    tool, name = ScriptedTool(), f"gated-{time.monotonic_ns()}"
    store_tool(sluice, name, tool.url)
    team = Team(sluice, services)
    team.api = sluice.client()
    team.create(name, "/hooks/gated")
    agent = GovernedAgent(
        sluice, name, [("approval_required", ["POST"], tool.url + "/*")],
        [{"name": name, "toolIds": [name], "delivery": {"connectors": [name]}}])

    def ask(body):
        run = agent.start()
        agent.blocked(run, "POST", name, "/pay", body)
        link = link_in(services.expect("approval.requested")[0]).removeprefix(sluice.url)
        return run, link

    ask.agent = agent
    yield ask
    tool.close()


@pytest.mark.parametrize("body, shown, hidden", [
    (b'{"amount": 7, "to": "<script>alert(1)</script>"}', "&lt;script&gt;alert(1)&lt;/script&gt;", "<script>"),
    ("pay \u202eada\u200b now".encode(), "pay [U+202E]ada[U+200B] now", "\u202e"), (b"\xff\x00", "/wA=", "\x00"),
    (b"", "The body is empty", "<pre>"),
    (b"a" * 16_384 + b"END", "16387 bytes of text. Only the first 16384 characters", "END")])
def test_the_page_of_a_link_shows_the_body_that_waits(sluice, gated, body, shown, hidden):
    _, link = gated(body)
    page = browser(sluice).get(link).content.decode()
    assert shown in page and hidden not in page.split("</style>")[1], page
    assert "sha256:" + hashlib.sha256(body).hexdigest() in page
    decided = decide(sluice, sluice.url + link, payload_hash="sha256:" + hashlib.sha256(body).hexdigest())
    assert decided.status == 200 and "<pre>" not in decided.content.decode()
    assert "<pre>" not in browser(sluice).get(link).content.decode(), "it is shown for the decision alone"


def test_the_page_of_a_link_shows_all_that_a_decision_depends_on_before_its_buttons(sluice, gated):
    _, link = gated(b'{"amount": 7}')
    page = browser(sluice).get(link).content.decode()
    order = [page.index(part) for part in (
        "<th>Agent", "<th>Call", "<th>Reason", "{&quot;amount&quot;: 7}", "<form", "<th>Payload hash", "<th>Action")]
    assert order == sorted(order), page


def test_the_page_of_a_link_says_how_many_other_actions_of_the_run_wait(sluice, gated, services):
    remote = ScriptedAgent()
    try:
        gated.agent.blocked_together(remote, gated.agent.name, "/pay", [b"1", b"2", b"3"])
        messages = [services.expect("approval.requested")[0] for _ in range(3)]
        links = {each["data"]["payload_hash"]: link_in(each).removeprefix(sluice.url) for each in messages}
        first, second, third = (links["sha256:" + hashlib.sha256(body).hexdigest()] for body in (b"1", b"2", b"3"))

        def page(link):
            return browser(sluice).get(link).content.decode()

        for link in (first, second, third):
            assert "2 other actions of this run wait" in page(link)
        decided = decide(sluice, sluice.url + first, payload_hash="sha256:" + hashlib.sha256(b"1").hexdigest())
        assert decided.status == 200 and "other action" not in decided.content.decode()
        assert "One other action of this run waits" in page(second)
        decide(sluice, sluice.url + second, payload_hash="sha256:" + hashlib.sha256(b"2").hexdigest())
        assert "other action" not in page(third) and "<form" in page(third)
    finally:
        remote.close()


def test_whoever_asks_for_json_gets_the_body_too(sluice, gated):
    _, link = gated(b'{"amount": 7}')
    seen = browser(sluice).get(link, {"Accept": "application/json"}).json
    assert seen["payload"] == '{"amount": 7}' and "payload_truncated" not in seen
    _, link = gated(b"b" * 20_000)
    seen = browser(sluice).get(link, {"Accept": "application/json"}).json
    assert seen["payload"] == "b" * 16_384 and seen["payload_truncated"] is True


@pytest.mark.parametrize("decision, status", [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_a_link_decides_once(sluice, team, services, asked, decision, status):
    action, link = asked
    answer = decide(sluice, link, decision, reason="looks+right")
    assert answer.status == 200 and "is recorded" in answer.content.decode()
    decided = team.action(action)
    assert decided["status"] == status
    content, _ = services.expect("approval.decided")
    link_id = link.split("/")[-2]
    assert content["data"]["approver_id"] == f"connector ops, link {link_id}"
    assert content["data"]["decision_reason"] == "looks right"
    used = team.activity(
        "delivery.started", "delivery.made", "decision_link.used", "delivery.started", "delivery.made")[2]
    assert used["decision"] == {"approve": "approved", "reject": "rejected"}[decision]
    assert used["approver_id"] == content["data"]["approver_id"]
    for other in ("approve", "reject"):
        assert decide(sluice, link, other).status in (404, 409)
    page = browser(sluice).get(link.removeprefix(sluice.url)).content.decode()
    assert "nothing to decide any more" in page and "<form" not in page
    assert team.action(action) == decided


def test_a_link_is_of_no_use_when_it_was_decided_elsewhere(sluice, team, services, asked):
    action, link = asked
    team.approve(action)
    services.expect("approval.decided")
    answer = decide(sluice, link, "reject")
    assert answer.status in (404, 409)
    assert team.action(action)["status"] == "APPROVED"
    shown = browser(sluice).get(link.removeprefix(sluice.url), {"Accept": "application/json"})
    assert shown.status == 200 and shown.json["status"] == "approved"


@pytest.mark.parametrize("payload_hash", [None, "sha256:" + "cd" * 32, "x"])
def test_a_link_is_for_the_payload_that_was_shown(sluice, team, asked, payload_hash):
    action, link = asked
    answer = decide(sluice, link, payload_hash=payload_hash)
    assert answer.status == 409 and "payload_hash" in answer.content.decode()
    assert team.action(action)["status"] == "BLOCKED"


def test_no_other_link_is_taken(sluice, team, asked):
    action, link = asked
    start, secret = link.rsplit("/", 1)
    others = [start + "/" + "0" * 64, start + "/" + secret[:-1], start + "/" + secret.upper() + "0",
              re.sub(r"decisions/[0-9a-f-]{36}", "decisions/00000000-0000-7000-8000-000000000000", link),
              sluice.url + "/decisions/x/" + secret]
    for other in others:
        assert browser(sluice).get(other.removeprefix(sluice.url)).status == 404, other
        assert decide(sluice, other).status == 404, other
    assert team.action(action)["status"] == "BLOCKED"


@pytest.mark.parametrize("content, type", [
    (b"", "application/x-www-form-urlencoded"), (b"decision=maybe", "application/x-www-form-urlencoded"),
    (b"decision=%ff", "application/x-www-form-urlencoded"), (b"[]", "application/json"),
    (b'{"decision": 5}', "application/json"), (b"\x00", "text/plain")])
def test_bad_decisions_are_refused(sluice, team, asked, content, type):
    action, link = asked
    answer = browser(sluice).post(link.removeprefix(sluice.url), content=content, headers={"Content-Type": type})
    assert answer.status == 400
    assert team.action(action)["status"] == "BLOCKED"


def test_programs_decide_in_json(sluice, team, asked):
    action, link = asked
    shown = browser(sluice).get(link.removeprefix(sluice.url), {"Accept": "application/json"})
    assert shown.json["status"] == "pending" and shown.json["payload_hash"] == HASH
    answer = browser(sluice).post(
        link.removeprefix(sluice.url), {"decision": "approve", "payload_hash": shown.json["payload_hash"]})
    assert answer.status == 200 and answer.json["status"] == "approved"
    answer = browser(sluice).post(link.removeprefix(sluice.url), {"decision": "approve"})
    assert answer.status in (404, 409) and answer.error
    assert team.action(action)["status"] == "APPROVED"


def test_a_decision_in_json_is_read_as_json_whatever_type_its_client_states(sluice, team, asked):
    action, link = asked
    answer = browser(sluice).post(
        link.removeprefix(sluice.url), content=json.dumps({"decision": "approve", "payload_hash": HASH}).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200 and team.action(action)["status"] == "APPROVED", answer


def test_the_page_writes_no_ones_html(sluice, team, services):
    team.create()
    team.blocked(tool="<script>alert(1)</script>", capability="\"'><img src=x>", payload_hash='"><b>')
    link = link_in(services.expect("approval.requested")[0])
    page = browser(sluice).get(link.removeprefix(sluice.url)).content.decode()
    assert "<script" not in page and "<img" not in page and "<b>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("more", [{"decision_links": False}, {"type": "slack", "slack_security_mode": "strict"}])
def test_a_connector_whose_links_may_not_decide_sends_none(team, services, more):
    team.create("quiet", HOOK_PATH if "type" in more else "/hooks/quiet", **more)
    action = team.blocked()
    _, content, _ = services.next()
    assert link_in(content) is None and action["action_id"] in json.dumps(content)


def test_a_message_sent_again_by_a_connector_that_may_not_decide_any_more_has_no_link(team, services):
    services.refuse = [503, 503, 503]
    made = team.create()
    operator = team.sluice.client(team.sluice.key("operator", team.workspace))
    team.blocked()
    services.next()
    body = {"decision_links": False, "endpoint": services.url + "/hooks/elsewhere"}
    assert operator.patch(f"{team.base}/{made['id']}", body).status == 200
    taken = [services.next() for _ in range(3)][-1]
    assert taken[2].target == "/hooks/elsewhere" and link_in(taken[1]) is None


def test_the_links_of_a_deleted_connector_decide_nothing(sluice, team, asked):
    action, link = asked
    connector, = team.api.get(team.base).json
    assert team.api.delete(f"{team.base}/{connector['id']}").status == 200
    assert "<form" not in browser(sluice).get(link.removeprefix(sluice.url)).content.decode()
    assert decide(sluice, link).status == 404 and team.action(action)["status"] == "BLOCKED"


def test_a_group_that_stands_for_the_connector_lets_its_link_decide(sluice, services):
    tool = ScriptedTool()
    try:
        store_tool(sluice, "ledger", tool.url)
        team = Team(sluice, services)
        team.api = sluice.client()
        team.create("desk")
        agent = GovernedAgent(
            sluice, "bookkeeper", [("approval_required", ["POST"], tool.url + "/*")],
            [{"name": "both", "toolIds": ["ledger"],
              "approvers": {"groups": ["connector:desk", "finance"], "match": "all"},
              "delivery": {"connectors": ["desk"]}}])
        run = agent.start()
        action = agent.blocked(run, "POST", "ledger", "/book", b"{}")
        link = link_in(services.expect("approval.requested")[0])
        assert decide(sluice, link, payload_hash=action["payload_hash"]).status == 200
        assert agent.action(run, action["action_id"])["status"] == "BLOCKED"
        vote, = agent.events(run, "APPROVAL_VOTE")
        assert vote["data"]["groups"] == ["connector:desk"]
        again = decide(sluice, link, payload_hash=action["payload_hash"])
        assert again.status == 409 and "used before" in again.content.decode()
        page = browser(sluice).get(link.removeprefix(sluice.url)).content.decode()
        assert "was used" in page and "<form" not in page
    finally:
        tool.close()


# Tests of a connector.


@pytest.mark.parametrize("base", BASES)
def test_a_test_sends_a_message_and_says_what_the_service_answered(sluice, services, base):
    team = Team(sluice, services, base)
    body = {"type": "slack", "endpoint": services.url + HOOK_PATH}
    answer = team.api.post(base + "/test", body)
    assert answer.status == 200 and answer.json["status"] == "healthy" and answer.json["connector_type"] == "slack"
    assert [check["status"] for check in answer.json["checks"]] == ["passed", "passed"]
    content, _ = services.expect("slack.hook")
    assert "test of this connector" in content["text"] and link_in(content) is None
    assert HOOK_PATH not in answer.content.decode()
    services.refuse = [404]
    answer = team.api.post(base + "/test", body)
    assert answer.json["status"] == "unhealthy" and answer.json["checks"][-1]["message"] == "the service answered 404"
    assert team.api.get(base + "/activity").json == []


def test_a_stored_connector_is_tested_as_it_is_shown(team, services):
    made = team.create("slack", HOOK_PATH, type="slack", headers={"X-Key": "kept-secret"})
    services.tool.calls.clear()
    shown = {name: made[name] for name in ("type", "endpoint", "headers", "timeout_seconds", "slack_security_mode")}
    assert team.api.post(team.base + "/test", shown).json["status"] == "healthy"
    _, call = services.expect("slack.hook")
    assert call.target == HOOK_PATH and call.header("x-key") == ["kept-secret"]
    answer = team.api.post(team.base + "/test", shown | {"endpoint": "http://127.0.0.1:1/…"})
    assert answer.status == 400 and "masked" in answer.error


@pytest.mark.parametrize("endpoint, words", [
    ("http://localhost.localdomain.invalid/", "could not be reached"), ("http://127.0.0.1:1/x", "could not be reached")])
def test_a_service_that_is_not_there_fails_the_test(team, endpoint, words):
    answer = team.api.post(team.base + "/test", {"endpoint": endpoint, "timeout_seconds": 5})
    assert answer.status == 200 and answer.json["status"] == "unhealthy"
    assert words in answer.json["checks"][-1]["message"]


def test_a_connector_that_lacks_something_says_what(team):
    answer = team.api.post(team.base + "/test", {"type": "jira", "endpoint": "http://127.0.0.1:1/"})
    assert answer.json["status"] == "unhealthy" and "settings.project" in answer.json["checks"][0]["message"]
