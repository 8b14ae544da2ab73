"""Grants and approvals are for the tool that their approvers were shown: attackers are operators who store another one."""

import itertools

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

numbers = itertools.count()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("bound")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def servers():
    """The tool's own server, and one at another port of the same host."""
    both = ScriptedTool(), ScriptedTool()
    yield both
    for each in both:
        each.close()


class Shop:
    """An agent whose calls need an approval wherever its tool is."""

    def __init__(self, gate, servers):
        self.gate, self.number = gate, next(numbers)
        self.home, self.elsewhere = servers
        for each in servers:
            each.calls.clear()
            each.answer = lambda call: (200, [], b"done")
        self.tool = f"shop-{self.number}"
        self.store(self.home.url)
        self.agent = GovernedAgent(gate, f"buyer-{self.number}", [("approval_required", ["*"], "*")])

    def store(self, url, **connection):
        store_tool(self.gate, self.tool, url, connection)

    def recreate(self, url):
        assert self.agent.api.delete(f"/api/v1/tools/{self.tool}").status == 200
        self.store(url)

    def call(self, run, body=b"{}"):
        return self.agent.call(run, "POST", self.tool, "/buy", body)

    def is_covered(self, run, body):
        """Whether a call that was not made before goes out without another approval."""
        before = len(self.home.calls) + len(self.elsewhere.calls)
        answer = self.call(run, body)
        assert answer.status == 200 or answer.code == "APPROVAL_REQUIRED", answer
        sent = len(self.home.calls) + len(self.elsewhere.calls) - before
        assert sent == (answer.status == 200)
        return answer.status == 200

    def grant(self, run, scope):
        answer = self.call(run, b"first")
        assert answer.code == "APPROVAL_REQUIRED", answer
        granted = self.agent.approve_request(run, scope=scope, duration="1h")
        assert self.call(run, b"first").status == 200
        return granted


@pytest.fixture
def shop(gate, servers):
    return Shop(gate, servers)


MOVES = {
    "same": (lambda shop: shop.store(shop.home.url), True),
    "other description": (lambda shop: shop.store(shop.home.url, timeout="20s"), True),
    "path": (lambda shop: shop.store(shop.home.url + "/v2"), True),
    "port": (lambda shop: shop.store(shop.elsewhere.url), False),
    "scheme": (lambda shop: shop.store(shop.home.url.replace("http:", "https:")), False),
    "host": (lambda shop: shop.store(shop.home.url.replace("127.0.0.1", "localhost")), False),
    "recreated": (lambda shop: shop.recreate(shop.home.url), False),
    "recreated elsewhere": (lambda shop: shop.recreate(shop.elsewhere.url), False),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_grant_for_the_user_covers_the_same_tool_at_its_origin(shop, move):
    run = shop.agent.start()
    granted = shop.grant(run, "agent_user_ttl")
    assert granted["tool_origin"] == shop.home.url
    change, is_covered = MOVES[move]
    change(shop)
    assert shop.is_covered(shop.agent.start(), b"second") == is_covered
    assert not shop.elsewhere.calls


@pytest.mark.parametrize("move", ["same", "port", "scheme", "recreated"])
def test_a_grant_for_the_run_covers_the_same_tool_at_its_origin(shop, move):
    run = shop.agent.start()
    shop.grant(run, "run")
    change, is_covered = MOVES[move]
    change(shop)
    assert shop.is_covered(run, b"second") == is_covered
    assert not shop.elsewhere.calls


@pytest.mark.parametrize("move", MOVES)
def test_a_grant_on_a_clients_request_covers_the_tool_of_that_time(shop, move):
    run = shop.agent.start()
    asked = shop.agent.api.post("/governance/requests", {
        "subject": "ada", "tool_id": shop.tool, "agent_id": shop.agent.name, "tool_method": "POST",
        "tool_url": shop.home.url + "/buy"})
    assert (asked.status, asked.json["tool_origin"]) == (201, shop.home.url), asked
    change, is_covered = MOVES[move]
    change(shop)
    approved = shop.agent.approver.post(
        f"/governance/requests/{asked.json['id']}/approve", {"scope": "agent_user_ttl", "duration": "1h"})
    assert approved.status == 200, approved
    # The address is what the client stated and the approver was shown.
    assert shop.is_covered(run, b"any") == (is_covered and move != "path")
    assert not shop.elsewhere.calls


def test_a_tool_that_returns_is_covered_again(shop):
    shop.grant(shop.agent.start(), "agent_user_ttl")
    shop.store(shop.elsewhere.url)
    assert not shop.is_covered(shop.agent.start(), b"away")
    shop.store(shop.home.url)
    assert shop.is_covered(shop.agent.start(), b"back")


def test_a_request_before_the_tool_existed_grants_nothing(shop):
    late = f"late-{shop.number}"
    asked = shop.agent.api.post("/governance/requests", {
        "subject": "ada", "tool_id": late, "agent_id": shop.agent.name})
    assert asked.status == 201 and asked.json.get("tool_origin") is None
    assert shop.agent.approver.post(
        f"/governance/requests/{asked.json['id']}/approve", {"scope": "agent_user_ttl", "duration": "1h"}).status == 200
    shop.tool = late
    shop.store(shop.home.url)
    assert not shop.is_covered(shop.agent.start(), b"any")


def test_a_request_for_a_tool_that_moved_is_another_request(shop):
    body = {"subject": "ada", "tool_id": shop.tool, "agent_id": shop.agent.name}
    first = shop.agent.api.post("/governance/requests", body)
    assert shop.agent.api.post("/governance/requests", body).json["id"] == first.json["id"]
    shop.store(shop.elsewhere.url)
    second = shop.agent.api.post("/governance/requests", body)
    assert second.status == 201 and second.json["id"] != first.json["id"]
    assert [first.json["tool_origin"], second.json["tool_origin"]] == [shop.home.url, shop.elsewhere.url]


@pytest.mark.parametrize("move", ["port", "recreated", "recreated elsewhere"])
def test_the_approval_of_one_call_is_for_the_tool_that_was_shown(shop, move):
    """The operator changes the tool while the call waits, or after its approval and before the agent comes back."""
    for is_early in (True, False):
        shop.store(shop.home.url)
        run = shop.agent.start()
        action = shop.agent.blocked(run, "POST", shop.tool, "/buy", b"{}")
        if is_early:
            MOVES[move][0](shop)
        shop.agent.approve(action)
        if not is_early:
            MOVES[move][0](shop)
        other = shop.agent.blocked(run, "POST", shop.tool, "/buy", b"{}")
        assert other["action_id"] != action["action_id"]
        assert not shop.home.calls and not shop.elsewhere.calls
