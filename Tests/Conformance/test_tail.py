"""`sluice tail`: events as they are recorded, through restarts, readable and harmless on a terminal."""

import json
import os
import pty
import signal
import subprocess

import pytest

from sluice_process import ADMIN_KEY, BINARY

READY_SECONDS_MAX = 60


class Tail:
    """A running `sluice tail`, whose lines are read as they come."""

    def __init__(self, sluice, *arguments, terminal=False, **environment):
        self.terminal = None
        output = subprocess.PIPE
        if terminal:
            self.terminal, output = pty.openpty()
        self.process = subprocess.Popen(
            [BINARY, "tail", "--url", sluice.url, *map(str, arguments)], stdout=output, stderr=subprocess.PIPE,
            env=sluice.environment() | environment)
        if terminal:
            os.close(output)
            self.lines = os.fdopen(self.terminal, "rb")
        else:
            self.lines = self.process.stdout

    def line(self):
        return self.lines.readline().decode().rstrip("\r\n")

    def event(self):
        return json.loads(self.line())

    def end(self, signal_number=signal.SIGINT):
        self.process.send_signal(signal_number)
        self.process.stdout and self.process.stdout.read()
        return self.process.wait(timeout=READY_SECONDS_MAX)


@pytest.fixture
def tail():
    """Starts tails that are killed at the test's end."""
    made = []

    def start(*arguments, **more):
        made.append(Tail(*arguments, **more))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.wait()


def create(api, agent="a"):
    return api.post("/runs", {"agent_id": agent, "user_id": "u"}).json["id"]


def test_each_event_is_a_line_from_the_position_on(own_sluice, tail):
    sluice = own_sluice()
    api = sluice.client()
    run = create(api)
    position = api.get("/readyz").json["position"]
    shown = tail(sluice, "--since", position - 1)
    line = shown.line()
    assert f"#{position}" in line and "run.created" in line and run in line and "agent_id=a" in line
    api.patch(f"/runs/{run}", {"status": "COMPLETED"})
    assert "run.status_changed" in shown.line()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(own_sluice, tail, signal_number):
    sluice = own_sluice()
    create(sluice.client())
    shown = tail(sluice, "--since", 0, "--json")
    assert shown.event()["position"] == 1
    assert shown.end(signal_number) == 0


def test_a_reader_that_goes_away_ends_it(own_sluice, tail):
    sluice = own_sluice()
    api = sluice.client()
    create(api)
    shown = tail(sluice, "--since", 0)
    shown.line()
    shown.process.stdout.close()
    while shown.process.poll() is None:
        create(api)
    assert shown.process.returncode == 0 and shown.process.stderr.read() == b""


def test_it_goes_on_through_a_restart_with_no_event_lost_or_twice(own_sluice, tail):
    sluice = own_sluice()
    first = create(sluice.client())
    start = sluice.client().get("/readyz").json["position"]
    shown = tail(sluice, "--json", "--type", "run.created", "--since", start - 1)
    assert shown.event()["run_id"] == first
    sluice.kill()
    sluice.start()
    expected = [create(sluice.client()) for _ in range(20)]
    assert [shown.event()["run_id"] for _ in expected] == expected
    assert "connection is lost" in shown.process.stderr.readline().decode()


def test_it_shows_only_what_is_asked_for(own_sluice, tail):
    sluice = own_sluice()
    api = sluice.client()
    api.post("/api/v1/auth/api-keys", {"name": "k", "role": "viewer", "workspace": "other"})
    other = sluice.client(**{"X-Workspace-Namespace": "other"})
    there = create(other)
    run, second = create(api, "first"), create(api, "second")
    for mine in (run, second):
        api.patch(f"/runs/{mine}", {"status": "COMPLETED"})
    assert tail(sluice, "--json", "--since", 0, "--run", second).event()["run_id"] == second
    assert tail(sluice, "--json", "--since", 0, "--agent", "second").event()["run_id"] == second
    assert tail(sluice, "--json", "--since", 0, "--workspace", "other", "--type", "run.created").event()[
        "run_id"] == there
    shown = tail(sluice, "--json", "--since", 0, "--type", "run.status_changed", "--type", "api_key.created")
    assert {shown.event()["type"] for _ in range(3)} == {"run.status_changed", "api_key.created"}


def test_what_clients_wrote_cannot_work_on_the_terminal(own_sluice, tail):
    sluice = own_sluice()
    api = sluice.client()
    evil = "evil\x1b]0;title\x07\x1b[2J\u202e\u009b31m\nline"
    answer = api.post("/runs", {"agent_id": "a", "user_id": "u", "initial_message": evil})
    assert answer.status == 201, answer
    line = tail(sluice, "--since", 0, "--type", "run.created", terminal=True, NO_COLOR="1").line()
    assert "run.created" in line and "evil" in line and "line" in line
    assert not [character for character in line if ord(character) < 0x20 or 0x7f <= ord(character) < 0xa0]
    assert "\u202e" not in line


def test_colours_are_for_terminals_that_want_them(own_sluice, tail):
    sluice = own_sluice()
    create(sluice.client())
    plain = tail(sluice, "--since", 0).line()
    assert "\x1b" not in plain
    assert "\x1b[" in tail(sluice, "--since", 0, terminal=True, TERM="xterm", NO_COLOR="").line()
    for more in ({"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb", "NO_COLOR": ""}):
        assert tail(sluice, "--since", 0, terminal=True, **more).line() == plain


@pytest.mark.parametrize("arguments, code", [
    (["--run", "nonsense"], 64), (["--type", "a,b"], 64), (["--type", "a&run=x"], 64), (["--since", "soon"], 64),
    (["--workspace", "Not A Name"], 64), (["--url", "http://127.0.0.1:9"], 69)])
def test_wrong_usage_and_no_daemon_are_told(sluice, arguments, code):
    ended = sluice.run("tail", "--url", sluice.url, *arguments)
    assert ended.returncode == code and ended.stderr


def test_a_key_that_may_not_is_refused(sluice):
    ended = sluice.run("tail", "--url", sluice.url, SLUICE_API_KEY="x" * 32)
    assert ended.returncode == 77 and ADMIN_KEY not in ended.stderr
