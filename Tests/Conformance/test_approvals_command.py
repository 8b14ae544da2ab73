"""Deciding at the command line: what `sluice approvals`, `approve` and `reject` show, and what they ask."""

import json
import os
import pty
import subprocess
import time

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from sluice_process import BINARY, SluiceProcess


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("approvals")).start()
    yield process
    process.stop()


@pytest.fixture
def payer(daemon):
    """An agent whose payments need an approval of finance or of risk."""
    tool, name = ScriptedTool(), f"payer-{time.monotonic_ns()}"
    store_tool(daemon, name, tool.url)
    agent = GovernedAgent(
        daemon, name, [("approval_required", ["POST"], tool.url + "/*")],
        [{"name": "payments", "toolIds": [name], "approvers": {"groups": ["risk", "finance"]}}])
    agent.url = tool.url
    agent.clerk = daemon.client().post("/api/v1/auth/api-keys", {
        "name": f"clerk of {name}", "role": "approver", "groups": ["finance"]}).json["token"]
    yield agent
    tool.close()


@pytest.fixture
def remote():
    agent = ScriptedAgent()
    yield agent
    agent.close()


def blocked(agent, body):
    return agent.blocked(agent.start("ada"), "POST", agent.name, "/pay", body)


def command(agent, *arguments, stdin=subprocess.DEVNULL, **options):
    return subprocess.run(
        [BINARY, *arguments, "--url", agent.sluice.url], stdin=stdin, capture_output=True, text=True, timeout=120,
        env={"PATH": "/usr/bin:/bin", "SLUICE_API_KEY": agent.clerk}, **options)


def answered(agent, answer, *arguments):
    """The command at a terminal at which its question is answered."""
    asking, terminal = pty.openpty()
    try:
        os.write(asking, answer.encode() + b"\n")
        return command(agent, *arguments, stdin=terminal)
    finally:
        os.close(asking)
        os.close(terminal)


def of(action):
    return ["--run", action["run_id"], "--action", action["action_id"]]


def test_two_actions_of_one_run_are_listed_with_all_that_a_decision_depends_on(payer, remote):
    first, second = payer.blocked_together(
        remote, payer.name, "/pay", [b'{"to": "ada", "amount": 7}', b'{"to": "ben", "amount": 9000}'],
        [("Prefer", "wait=5")])
    requests = {each["action_id"]: each["id"] for each in payer.requests(first["run_id"])}
    listed = command(payer, "approvals")
    assert listed.returncode == 0, listed
    parts = {part.split("\n")[0]: part for part in listed.stdout.split("\n\n") if part.strip()}
    for action, body in ((first, '{"to": "ada", "amount": 7}'), (second, '{"to": "ben", "amount": 9000}')):
        part = parts[requests[action["action_id"]]]
        for shown in (payer.name, "ada", f"POST {payer.url}/pay", body, "prefer: wait=5", "one of finance, risk",
                      "approval_required POST"):
            assert shown in part, (shown, part)
    lines = [json.loads(line) for line in command(payer, "approvals", "--json").stdout.splitlines()]
    assert {line["action_id"] for line in lines} >= {first["action_id"], second["action_id"]}
    assert all("payload" in line for line in lines)
    done = command(payer, "approve", "--request", requests[second["action_id"]])
    assert (done.returncode, done.stdout) == (0, "APPROVED\n") and '"amount": 9000' in done.stderr, done
    left = command(payer, "approvals").stdout
    assert requests[first["action_id"]] in left and requests[second["action_id"]] not in left


def test_a_terminal_is_asked_before_a_decision_is_sent(payer):
    action = blocked(payer, b'{"amount": 7}')
    for verb in ("approve", "reject"):
        for answer in ("n", "", "yep"):
            refused = answered(payer, answer, verb, *of(action))
            assert refused.returncode == 78 and "nothing was sent" in refused.stderr, refused
            assert '{"amount": 7}' in refused.stderr and "[y/N]" in refused.stderr
    assert payer.action(action["run_id"], action["action_id"])["status"] == "BLOCKED"
    done = answered(payer, "y", "approve", *of(action))
    assert (done.returncode, done.stdout) == (0, "APPROVED\n"), done
    other = blocked(payer, b"8")
    unasked = answered(payer, "n", "reject", *of(other), "--yes")
    assert (unasked.returncode, unasked.stdout) == (0, "REJECTED\n"), unasked


def test_a_body_does_nothing_to_the_terminal_that_shows_it(payer):
    action = blocked(payer, "pay \u202e7\x1b[2J\r\nstatus: APPROVED\x07".encode())
    shown = command(payer, "approvals").stdout
    decided = command(payer, "reject", *of(action))
    assert decided.returncode == 0, decided
    for text in (shown, decided.stderr):
        assert "pay [U+202E]7[U+1B][2J[U+D]" in text and not set(text) & set("\x1b\x07\r\u202e")
        line, = [line for line in text.split("\n") if "status: APPROVED" in line]
        assert line.startswith(" " * 12), "a line of the body does not look like one of the command's own"


def test_an_empty_list_says_so_and_a_wrong_limit_is_wrong_usage(payer, own_sluice):
    payer.sluice, shared = own_sluice(), payer.sluice
    payer.clerk = payer.sluice.key("viewer")
    empty = command(payer, "approvals")
    assert (empty.returncode, empty.stdout) == (0, "") and "no request waits" in empty.stderr
    assert command(payer, "approvals", "--limit", "0").returncode == 64
    payer.sluice = shared
