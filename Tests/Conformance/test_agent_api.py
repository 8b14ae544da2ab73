"""What is asked of one agent over the API: an invoke and its answer, logs, and the secrets that it gets."""

import base64
import json
import os
import socket
import subprocess
import threading

import pytest

from deployed_agents import DeployedAgents
from scripted_agent import ScriptedAgent
from sluice_process import ADMIN_KEY, BINARY, SluiceProcess

FOLLOW_SECONDS_MAX = 60

ECHO = """
def handler(request, context=None):
    print("heard", request["message"], flush=True)
    return {"response": "heard " + request["message"], "user": request["user_id"]}
"""
VARIABLES = """
import os

def handler(request, context=None):
    print("a line with", os.environ.get("BANK_TOKEN"), flush=True)
    return {"variables": dict(os.environ)}
"""


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("agent-api"),
        {"SLUICE_INVOKE_ATTEMPTS_MAX": "2", "SLUICE_INVOKE_BACKOFF_MIN": "100ms", "SLUICE_IDLE_TIMEOUT": "1s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def echo(module_sluice):
    """An agent that is there."""
    agents = DeployedAgents(module_sluice)
    agents.deploy("echo", ECHO)
    agents.await_phase("echo", "Running")
    return agents


@pytest.fixture
def agents(echo):
    return echo


@pytest.fixture
def scripted(agents):
    """An agent that runs elsewhere, deployed with its address."""
    agent = ScriptedAgent()
    answer = agents.api.post(
        "/api/v1/deploy", {"agent_name": "elsewhere", "image": "i", "invoke_url": agent.url + "/invoke"})
    assert answer.status == 201
    yield agent
    agent.close()


INVOKES = ["/api/v1/agents/{}/invoke", "/api/v1/workspaces/default/agents/{}/invoke", "/api/agents/default/{}/invoke"]


@pytest.mark.parametrize("path", INVOKES)
def test_an_invoke_answers_what_the_agent_does_and_names_its_run(agents, path):
    answer = agents.api.post(path.format("echo"), {"message": "m", "user_id": "ada", "conversation_id": "c"})
    assert answer.status == 200 and answer.json["response"] == "heard m" and answer.json["user"] == "ada", answer
    run = agents.finished(answer.headers["x-run-id"])
    assert run["status"] == "COMPLETED" and run["agent_id"] == "echo" and run["conversation_id"] == "c"


def test_an_agent_gets_what_its_caller_sent_but_not_what_only_the_platform_says(agents, scripted):
    scripted.answers["/invoke"] = lambda body: (200, {"response": "done"})
    history = [{"role": "user", "content": "earlier"}]
    agents.api.post("/api/v1/agents/elsewhere/invoke", {
        "message": "m", "user_id": "ada", "history": history, "locale": {"lang": "de"}, "run_id": "forged",
        "approved": True, "action_id": "forged"})
    _, headers, body = scripted.next_call()
    run = headers["x-run-id"]
    assert body == {
        "run_id": run, "user_id": "ada", "message": "m", "history": history, "locale": {"lang": "de"}}


def test_an_invoke_without_a_user_is_the_keys(agents):
    client = agents.sluice.client(agents.sluice.key("operator"))
    run = client.post("/api/v1/agents/echo/invoke", {"message": "m"}).headers["x-run-id"]
    assert client.get(f"/runs/{run}").json["user_id"] == "a operator"


@pytest.mark.parametrize("path, missing", [
    ("/api/v1/agents/nobody/invoke", "agent nobody not found"),
    ("/api/agents/default/nobody/invoke", "agent default/nobody not found"),
    ("/api/agents/elsewhere/echo/invoke", "agent elsewhere/echo not found")])
def test_an_invoke_of_nobody_is_404(agents, path, missing):
    answer = agents.api.post(path, {"message": "m"})
    assert answer.status == 404 and answer.error == missing


def test_an_agent_that_cannot_be_called_is_409_and_says_what_to_do(agents):
    agents.api.post("/api/v1/deploy", {"agent_name": "image", "image": "i"})
    before = agents.api.get("/runs?agent_id=image").json
    for answer in (agents.api.post("/api/v1/agents/image/invoke", {"message": "m"}),
                   agents.api.post("/runs", {"agent_id": "image", "user_id": "u", "invoke": True})):
        assert answer.status == 409 and "source_files" in answer.error and "invoke_url" in answer.error
    assert agents.api.post("/runs", {"agent_id": "nobody", "user_id": "u", "invoke": True}).status == 404
    assert agents.api.get("/runs?agent_id=image").json == before == []


def test_an_invoke_needs_a_message_and_a_role(agents):
    assert "message" in agents.api.post("/api/v1/agents/echo/invoke", {}).error
    viewer = agents.sluice.client(agents.sluice.key("viewer"))
    assert viewer.post("/api/v1/agents/echo/invoke", {"message": "m"}).status == 403


def test_an_invoke_outlasts_the_idle_timeout_of_its_connection(agents):
    agents.deploy("slow", "import time\ndef handler(request, context=None):\n    time.sleep(3)\n    return 'late'\n")
    answer = agents.api.post("/api/v1/agents/slow/invoke", {"message": "m"})
    assert answer.status == 200 and answer.json["response"] == "late"


def test_a_run_goes_on_when_whoever_invoked_it_leaves(agents, scripted):
    release = threading.Event()
    scripted.answers["/invoke"] = lambda body: (release.wait(30), (200, {"response": "done"}))[1]
    content = json.dumps({"message": "m"})
    with socket.create_connection(("127.0.0.1", agents.sluice.port)) as connection:
        connection.sendall((
            "POST /api/v1/agents/elsewhere/invoke HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {ADMIN_KEY}\r\nContent-Length: {len(content)}\r\n\r\n{content}").encode())
        _, headers, _ = scripted.next_call()
    release.set()
    assert agents.finished(headers["x-run-id"])["status"] == "COMPLETED"


def test_an_agents_own_error_keeps_its_status_and_no_answer_is_502(agents, scripted):
    scripted.answers["/invoke"] = lambda body: (422, {"detail": "not like this"})
    refused = agents.api.post("/api/v1/agents/elsewhere/invoke", {"message": "m"})
    assert refused.status == 422 and "not like this" in refused.error
    assert refused.headers["sluice-error-code"] == "agent_failed"
    agents.api.post(
        "/api/v1/deploy", {"agent_name": "unreached", "image": "i", "invoke_url": "http://127.0.0.1:1/invoke"})
    unreached = agents.api.post("/api/v1/agents/unreached/invoke", {"message": "m"})
    assert unreached.status == 502 and unreached.error.startswith("failed to reach agent: ")
    assert agents.api.get("/runs/" + unreached.headers["x-run-id"]).json["status"] == "FAILED"


def test_a_failed_attempt_is_tried_again_before_the_invoke_answers(agents, scripted):
    attempts = []

    def answer(body):
        attempts.append(body)
        return (503, {}) if len(attempts) == 1 else (200, {"response": "second"})

    scripted.answers["/invoke"] = answer
    assert agents.api.post("/api/v1/agents/elsewhere/invoke", {"message": "m"}).json["response"] == "second"


def test_an_agent_that_takes_too_long_is_502_and_its_run_goes_on(own_sluice):
    agents = DeployedAgents(own_sluice(SLUICE_INVOKE_TIMEOUT="1s", SLUICE_INVOKE_BACKOFF_MIN="1h",
                                       SLUICE_INVOKE_BACKOFF_MAX="1h"))
    agents.deploy("hanging", "import time\ndef handler(request, context=None):\n    time.sleep(3600)\n")
    agents.await_phase("hanging", "Running")
    answer = agents.api.post("/api/v1/agents/hanging/invoke", {"message": "m"})
    assert answer.status == 502 and "continues" in answer.error and answer.headers["x-run-id"] in answer.error
    assert agents.api.get("/runs/" + answer.headers["x-run-id"]).json["status"] == "RUNNING"


def blocking(agents, answer):
    """An agent's turn in which an action is blocked."""
    def turn(body):
        action = agents.api.post(f"/runs/{body['run_id']}/actions", {"tool_id": "bank"})
        assert action.status == 201
        return answer()
    return turn


def test_an_agent_that_waits_for_an_approval_says_so_itself(agents, scripted):
    scripted.answers["/invoke"] = blocking(agents, lambda: (200, {"approval_required": True, "tool": "bank"}))
    answer = agents.api.post("/api/v1/agents/elsewhere/invoke", {"message": "m"})
    assert answer.status == 200 and answer.json == {"approval_required": True, "tool": "bank"}
    assert agents.api.get("/runs/" + answer.headers["x-run-id"]).json["status"] == "PAUSED_APPROVAL"


def test_a_paused_run_whose_agent_says_nothing_is_told_by_its_status(agents, scripted):
    release = threading.Event()
    scripted.answers["/invoke"] = blocking(agents, lambda: (release.wait(30), (200, {"approval_required": True}))[1])
    answer = agents.api.post("/api/v1/agents/elsewhere/invoke", {"message": "m"})
    release.set()
    assert answer.status == 202
    assert answer.json == {"run_id": answer.headers["x-run-id"], "status": "PAUSED_APPROVAL"}


def test_a_repeated_invoke_is_one_run(agents):
    headers = {"Idempotency-Key": "one-invoke"}
    first, second = (
        agents.api.post("/api/v1/agents/echo/invoke", {"message": "once", "user_id": "repeating"}, headers)
        for _ in range(2))
    assert first.json == second.json and second.headers["idempotency-replayed"] == "true"
    assert len(agents.api.get("/runs?user_id=repeating").json) == 1


@pytest.mark.parametrize("base", ["/api/v1/agents/writing", "/api/agents/default/writing"])
def test_logs_are_read_in_parts_and_followed(agents, base):
    agents.deploy("writing", ECHO)
    agents.ask("writing", "one")
    page = agents.api.get(base + "/logs").json
    assert "heard one\n" in page["text"]
    assert agents.api.get(f"{base}/logs?after={page['next']}").json == {"text": "", "next": page["next"]}
    following = subprocess.Popen(
        ["curl", "-sN", "--max-time", str(FOLLOW_SECONDS_MAX), "-H", f"Authorization: Bearer {ADMIN_KEY}",
         f"{agents.sluice.url}{base}/logs?follow=true&after={page['next']}"], stdout=subprocess.PIPE, text=True)
    agents.ask("writing", "two")
    seen = []
    for line in following.stdout:
        seen.append(line)
        if line == "heard two\n":
            assert agents.api.delete("/api/v1/agents/writing").status == 200
    assert "heard two\n" in seen and "heard one\n" not in seen
    assert following.wait(FOLLOW_SECONDS_MAX) == 0, "a deleted agent's stream ends"


@pytest.mark.parametrize("base", ["/api/v1/agents/tailed", "/api/agents/default/tailed"])
def test_logs_begin_with_their_last_lines(agents, base):
    agents.deploy("tailed", ECHO)
    for word in ("one", "two", "three"):
        agents.ask("tailed", word)
    whole = agents.api.get(base + "/logs").json
    lines = whole["text"].splitlines(keepends=True)
    for count in (1, 2, len(lines), len(lines) + 1, 2**63 - 1):
        assert agents.api.get(f"{base}/logs?tail={count}").json == {
            "text": "".join(lines[-count:]), "next": whole["next"]}
    assert agents.api.get(base + "/logs?tail=0").json == {"text": "", "next": whole["next"]}
    following = subprocess.Popen(
        ["curl", "-sN", "--max-time", str(FOLLOW_SECONDS_MAX), "-H", f"Authorization: Bearer {ADMIN_KEY}",
         f"{agents.sluice.url}{base}/logs?follow=true&tail=1"], stdout=subprocess.PIPE, text=True)
    assert following.stdout.readline() == lines[-1]
    assert agents.api.delete("/api/v1/agents/tailed").status == 200
    assert following.wait(FOLLOW_SECONDS_MAX) == 0


@pytest.mark.parametrize("query", ["tail=x", "tail=-1", "tail=1.5", "tail=9223372036854775808", "tail=1&after=0"])
def test_a_wrong_number_of_last_lines_is_refused(agents, query):
    answer = agents.api.get("/api/v1/agents/echo/logs?" + query)
    assert answer.status == 400 and "tail" in answer.error, answer


def test_a_reader_that_leaves_gives_its_place_back(own_sluice):
    agents = DeployedAgents(own_sluice(SLUICE_STREAMS_MAX="1"))
    agents.deploy("silent", "def handler(request, context=None):\n    print('a line', flush=True)\n    return 1\n")
    agents.ask("silent")

    def follow():
        connection = socket.create_connection(("127.0.0.1", agents.sluice.port), timeout=30)
        connection.sendall(
            f"GET /api/v1/agents/silent/logs?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}"
            "\r\n\r\n".encode())
        return connection, connection.recv(65_536)

    first, begin = follow()
    assert b" 200 " in begin.splitlines()[0]
    # Whoever has read everything leaves with nothing but the end of its own side.
    while b"a line" not in begin:
        begin += first.recv(65_536)
    refused, answer = follow()
    assert b" 429 " in answer.splitlines()[0]
    refused.close()
    first.close()

    def again():
        connection, answer = follow()
        connection.close()
        return answer

    agents.eventually(again, lambda answer: b" 200 " in answer.splitlines()[0])


def test_a_build_log_says_what_was_installed_or_what_is_wrong(agents):
    for path in ("/api/v1/agents/echo/build-log", "/api/agents/default/echo/build-log"):
        assert "Successfully installed runagents" in agents.api.get(path).json["text"]
    agents.deploy("wrong", ECHO, requirements="-r other.txt")
    agents.await_phase("wrong", "Failed")
    assert "nothing was built" in agents.api.get("/api/v1/agents/wrong/build-log").json["text"]


def test_only_agents_that_sluice_runs_have_logs(agents, scripted):
    for part in ("logs", "logs?follow=true", "build-log"):
        assert agents.api.get(f"/api/v1/agents/nobody/{part}").status == 404
        answer = agents.api.get(f"/api/v1/agents/elsewhere/{part}")
        assert answer.status == 409 and "source_files" in answer.error
    assert agents.api.get("/api/v1/agents/echo/logs?after=x").status == 400
    assert agents.api.get("/api/v1/agents/echo/logs?follow=maybe").status == 400


def test_the_command_line_shows_agents_and_what_they_write(agents):
    run = lambda *words: agents.sluice.run("agents", *words, "--url", agents.sluice.url)  # noqa: E731
    agents.deploy("shown", ECHO)
    agents.ask("shown", "one")
    assert "shown  Running  ready" in [line.split(";")[0] for line in run("list").stdout.splitlines()]
    assert {json.loads(line)["name"] for line in run("list", "--json").stdout.splitlines()} >= {"echo", "shown"}
    assert "heard one\n" in run("logs", "shown").stdout
    assert "Successfully installed" in run("build-log", "shown").stdout
    assert run("logs", "nobody").returncode == 66
    following = subprocess.Popen(
        ["timeout", str(FOLLOW_SECONDS_MAX), BINARY, "agents", "logs", "shown", "-f", "--url", agents.sluice.url],
        env=agents.sluice.environment(), stdout=subprocess.PIPE, text=True)
    lines = iter(following.stdout.readline, "")
    assert "heard one\n" in lines
    agents.ask("shown", "two")
    assert "heard two\n" in lines
    following.terminate()
    following.wait(FOLLOW_SECONDS_MAX)
    assert run("logs", "nobody", "-f").returncode == 66


def test_sealed_variables_reach_the_agent_and_are_masked_in_its_output(agents):
    token, pem = "tk-" + "7" * 20, "-----BEGIN KEY-----\nfirst-line-of-it\n-----END KEY-----"
    env = [{"name": "BANK_TOKEN", "value": token}, {"name": "PRIVATE_KEY", "value": pem},
           {"name": "PORT", "value": "1", "secret": True}, {"name": "PLAIN", "value": "shown"},
           {"name": "GOVERNANCE_URL=http://x", "value": "y"}]
    agents.deploy("trusted", VARIABLES + "\n# deployed\n", env=env)
    variables = agents.ask("trusted")["variables"]
    assert (variables["BANK_TOKEN"], variables["PRIVATE_KEY"], variables["PLAIN"]) == (token, pem, "shown")
    assert variables["PORT"] == "8080", "what the platform says stays"
    assert variables["GOVERNANCE_URL"].startswith("http://127.0.0.1:8081/as/")
    output = agents.api.get("/api/v1/agents/trusted/logs").json["text"]
    assert "a line with ***\n" in output and token not in output


def test_a_secret_that_is_set_later_is_had_by_the_next_call(agents):
    agents.deploy("later", VARIABLES)
    assert "BANK_TOKEN" not in agents.ask("later")["variables"]
    body = {"owner_kind": "agent", "owner": "later", "name": "BANK_TOKEN", "value": "set-later"}
    assert agents.api.post("/api/v1/secrets", body).status == 201
    agents.eventually(
        lambda: agents.ask("later")["variables"].get("BANK_TOKEN"), lambda value: value == "set-later")
    agents.await_phase("later", "Running")
    assert agents.api.delete("/api/v1/secrets/agent/later/BANK_TOKEN").status == 200
    agents.eventually(lambda: "BANK_TOKEN" in agents.ask("later")["variables"], lambda has: not has)


@pytest.mark.parametrize("sandbox", ["required", "none"])
def test_neither_agents_nor_builds_get_the_daemons_keys(own_sluice, tmp_path, sandbox):
    seen = tmp_path / "seen"
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\nenv >> {seen} 2>/dev/null\nexec /usr/bin/env -- {os.path.realpath('/usr/bin/python3')} \"$@\"\n")
    python.chmod(0o755)
    sluice = own_sluice(
        SLUICE_AGENT_SANDBOX=sandbox, SLUICE_AGENT_PYTHON=str(python), SLUICE_NEW_MASTER_KEY="a-new-master-key",
        SLUICE_MASTER_KEY=base64.b64encode(os.urandom(32)).decode(), ANOTHER="of the daemon's own")
    agents = DeployedAgents(sluice)
    agents.deploy("curious", VARIABLES)
    variables = agents.ask("curious")["variables"]
    assert "PATH=" in seen.read_text(), "the interpreter was asked"
    for name in ("SLUICE_MASTER_KEY", "SLUICE_NEW_MASTER_KEY", "SLUICE_API_KEY", "ANOTHER"):
        assert name not in variables and name not in seen.read_text()
    assert ADMIN_KEY not in json.dumps(variables) and ADMIN_KEY not in seen.read_text()


def test_answers_say_how_an_agent_and_a_policy_are(agents, scripted):
    status = agents.api.get("/api/v1/agents/elsewhere").json["status"]
    assert status == {"phase": "Pending", "message": "stored; called at its invoke_url"}
    agents.api.post("/api/v1/policies", {"name": "p", "spec": {"policies": []}})
    assert agents.api.get("/api/v1/policies/p").json["status"] == {"ready": True, "message": "enforced at the gate"}
    answer = agents.api.post("/api/v1/deploy", {"agent_name": "x", "image": "i", "invoke_url": "ftp://x"})
    assert answer.status == 400 and "invoke_url" in answer.error


def test_a_stop_tells_who_waits_for_an_agent_and_the_run_goes_on(own_sluice):
    sluice, agent, release, answers = own_sluice(), ScriptedAgent(), threading.Event(), []
    agent.answers["/invoke"] = lambda body: (release.wait(30), (200, {"response": "done"}))[1]
    agents = DeployedAgents(sluice)
    agents.api.post("/api/v1/deploy", {"agent_name": "a", "image": "i", "invoke_url": agent.url + "/invoke"})
    waiting = threading.Thread(
        target=lambda: answers.append(agents.api.post("/api/v1/agents/a/invoke", {"message": "m"})))
    waiting.start()
    agent.next_call()
    assert sluice.stop() == 0
    waiting.join(30)
    release.set()
    assert answers[0].status == 503 and "continues" in answers[0].error
    sluice.start()
    assert agents.finished(answers[0].headers["x-run-id"])["status"] == "COMPLETED"
    agent.close()
