"""One run and one key take a bounded part of the log and of the read models of the past (case G19 and its kind)."""

import random

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from waiting import eventually

# Longer responses of tools are not recorded.
LIMIT, SIZE = 2 << 20, 250_000


@pytest.fixture
def tool():
    tool = ScriptedTool()
    yield tool
    tool.close()


def test_one_run_fills_the_log_no_further_than_its_limit(own_sluice, tool):
    """By any addition of its agent or client, and after a restart; the run ends, and others go on."""
    sluice = own_sluice(SLUICE_RUN_BYTES_MAX=str(LIMIT))
    store_tool(sluice, "bank", tool.url)
    agent = GovernedAgent(sluice, "filler", [("allow", ["*"], tool.url + "/*")])
    # Recorded answers are compressed.
    tool.answer = lambda call: (200, [], random.randbytes(SIZE))
    key, text = sluice.client(agent.token), "x" * SIZE
    additions = {
        "event": lambda run, number: key.post(f"/runs/{run}/events", {"type": "NOTE", "data": {"text": text}}),
        "client's event": lambda run, number: sluice.client().post(
            f"/runs/{run}/events", {"type": "NOTE", "data": {"text": text}}),
        "checkpoint": lambda run, number: key.post(
            f"/runs/{run}/checkpoint", {"action_id": f"a-{number}", "state": text}),
        "result": lambda run, number: key.post(f"/runs/{run}/tool-result", {"tool_id": "bank", "result": text}),
        "call": lambda run, number: agent.call(run, "POST", "bank", f"/{number}", b"{}")}
    full = {}
    for kind, add in additions.items():
        run, statuses = agent.start(), []
        while not statuses or statuses[-1] < 400:
            assert len(statuses) <= LIMIT // SIZE + 1, kind
            statuses.append(add(run, len(statuses)).status)
        full[run] = add
        assert statuses[-1] == 409 and len(statuses) > 1, (kind, statuses)
    sluice.restart()
    for run in full:
        for kind, add in additions.items():
            refused = add(run, 1000)
            assert refused.status == 409 and b"is full" in refused.content, (kind, refused)
        assert sluice.client().patch(f"/runs/{run}", {"status": "COMPLETED"}).status == 200
    assert agent.call(agent.start(), "POST", "bank", "/other", b"{}").status == 200


def test_one_keys_answers_about_the_past_leave_room_for_others(own_sluice):
    """Few read models of the past are kept, and each stays while a response is read from it."""
    sluice = own_sluice()
    api, run = sluice.client(), sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    positions = []
    for _ in range(30):
        added = api.post(f"/runs/{run}/events", {"type": "NOTE", "data": {"text": "x" * 900_000}})
        positions.append(added.headers["sluice-position"])
    viewer, responses = sluice.client(sluice.key("viewer")), []
    for position in positions[-12:]:
        connection = viewer.connection()
        connection.request("GET", f"/runs/{run}/events?as_of={position}", headers=viewer.headers)
        # The head alone is read: more follows than buffers hold.
        responses.append((connection, connection.getresponse()))
    statuses = [response.status for _, response in responses]
    assert set(statuses) == {200, 429} and statuses[0] == 200, statuses
    for _, response in responses:
        if response.status == 429:
            assert int(response.getheader("Retry-After")) > 0 and b"share" in response.read()
    answer = api.get(f"/runs/{run}?as_of={positions[0]}")
    assert answer.status == 200, answer
    for connection, _ in responses:
        connection.close()
    eventually(
        lambda: viewer.get(f"/runs/{run}?as_of={positions[1]}").status, lambda status: status == 200)
