"""A decision link shows all of what it decides on, and decides for as long as its connector lets it."""

import json

import pytest

from approval_services import Services, link_in
from governed_agent import GovernedAgent, store_tool
from governed_bank import PAYMENT, digest
from http_client import HTTPClient


@pytest.fixture
def services():
    made = Services()
    yield made
    made.close()


@pytest.fixture
def asked(own_sluice, services):
    """A daemon, and a function that has a call wait: its action, the message and its link's path."""
    sluice = own_sluice()
    made = sluice.client().post("/api/v1/approval-connectors", {
        "name": "ops", "endpoint": services.url + "/hooks/ops"})
    assert made.status == 201, made
    store_tool(sluice, "bank", services.url)
    agent = GovernedAgent(sluice, "payer", [("approval_required", [], services.url + "/*")])

    def ask(target="/pay"):
        action = agent.blocked(agent.start(), "POST", "bank", target, PAYMENT)
        content, _ = services.expect("approval.requested")
        return action, content, link_in(content).removeprefix(sluice.url)

    ask.sluice, ask.agent, ask.connector = sluice, agent, made.json["id"]
    return ask


def browser(sluice):
    return HTTPClient("127.0.0.1", sluice.port, None)


def decide(sluice, path, decision="approve"):
    return browser(sluice).post(
        path, content=f"decision={decision}&payload_hash={digest(PAYMENT)}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"})


@pytest.mark.parametrize("length", [900, 1_100, 6_000])
def test_the_page_of_a_link_shows_the_whole_url(asked, length):
    """What stands at the end of a long URL is a part of what is approved."""
    target = "/pay?memo=" + "a" * length + "&amount=1000000"
    action, _, path = asked(target)
    assert action["tool_url"].endswith(target)
    page = browser(asked.sluice).get(path)
    assert page.status == 200 and target.replace("&", "&amp;") in page.content.decode()


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_links_that_were_sent_decide_nothing_once_their_connector_lets_none_decide(asked, decision):
    action, _, path = asked()
    assert "<form" in browser(asked.sluice).get(path).content.decode()
    change = asked.sluice.client().patch(
        f"/api/v1/approval-connectors/{asked.connector}", {"decision_links": False})
    assert change.status == 200, change
    assert "<form" not in browser(asked.sluice).get(path).content.decode()
    answer = decide(asked.sluice, path, decision)
    assert answer.status == 409 and "decide no longer" in answer.content.decode()
    assert asked.agent.action(action["run_id"], action["action_id"])["status"] == "BLOCKED"
    change = asked.sluice.client().patch(
        f"/api/v1/approval-connectors/{asked.connector}", {"decision_links": True})
    assert change.status == 200 and decide(asked.sluice, path, decision).status == 200


def test_a_message_says_when_it_shows_a_part_of_the_url(own_sluice, services):
    sluice = own_sluice()
    answer = sluice.client().post("/api/v1/approval-connectors", {
        "name": "chat", "type": "slack", "endpoint": services.url + "/services/T0/B0/a1b2c3d4e5f6g7h8i9j0k1l2"})
    assert answer.status == 201, answer
    store_tool(sluice, "bank", services.url)
    agent = GovernedAgent(sluice, "payer", [("approval_required", [], services.url + "/*")])
    agent.blocked(agent.start(), "POST", "bank", "/pay?memo=" + "a" * 500 + "&amount=1000000", PAYMENT)
    content, _ = services.expect("slack.hook")
    assert "amount=1000000" not in json.dumps(content) and "cut; the request shows all" in json.dumps(
        content, ensure_ascii=False)
