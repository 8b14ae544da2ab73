"""A step of the wall clock expires and destroys nothing until an admin confirms it."""

import datetime
import pathlib
import time

import pytest

from event_stream import EventStream
from identity_server import IdentityServer
from sluice_process import SluiceProcess
from waiting import eventually

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
DAYS_40 = "+40d"
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="needs faketime, which `make test` installs")


class SteppedSluice:
    """A daemon whose wall clock the test sets; the time since the machine's start stays the machine's."""

    def __init__(self, directory, settings=None):
        self.offset = directory / "offset"
        self.set("+0")
        self.sluice = SluiceProcess(directory, {
            "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.offset), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"} | (settings or {}))
        # faketime moves the environment of the first process; Swift looks for its arguments beside that.
        self.sluice.command_prefix = ["/usr/bin/env"]
        self.sluice.start()
        self.api = self.sluice.client()

    def set(self, offset):
        # Renamed into place: the daemon may read it at any moment.
        draft = self.offset.with_suffix(".new")
        draft.write_text(offset + "\n")
        draft.rename(self.offset)

    @property
    def clock(self):
        answer = self.api.get("/api/v1/clock")
        assert answer.status == 200, answer
        return answer.json

    def await_following(self, follows):
        eventually(lambda: self.clock, lambda clock: clock["follows_wall_clock"] == follows)

    def days_ahead(self, member):
        return (parsed(self.clock[member]) - datetime.datetime.now(datetime.UTC)).total_seconds() / 86_400

    def run_of(self, agent="a"):
        answer = self.api.post("/runs", {"agent_id": agent, "user_id": "u"})
        assert answer.status == 201, answer
        return answer.json["id"]

    def block(self, run):
        answer = self.api.post(f"/runs/{run}/actions", {
            "tool_id": "pay", "payload_hash": "sha256:" + "ab" * 32, "tool_method": "POST",
            "tool_url": "https://pay.example/x"})
        assert answer.status == 201, answer

    def command(self, *arguments):
        return self.sluice.run(*arguments, "--url", self.sluice.url, LD_PRELOAD="")

    def created_at(self, run):
        return parsed(self.api.get(f"/runs/{run}").json["created_at"])

    def status(self, run):
        return self.api.get(f"/runs/{run}").json["status"]


@pytest.fixture
def provider():
    server = IdentityServer()
    yield server
    server.close()


def parsed(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def stepped(tmp_path):
    world = SteppedSluice(tmp_path)
    yield world
    assert world.sluice.stop() == 0


def test_a_run_times_out_when_its_time_is_up_and_not_by_a_step(tmp_path):
    stepped = SteppedSluice(tmp_path, {"SLUICE_RUN_TIMEOUT": "6s"})
    run = stepped.run_of()
    stepped.set(DAYS_40)
    ended = eventually(lambda: stepped.api.get(f"/runs/{run}").json, lambda run: run["status"] == "FAILED")
    assert 6 <= (parsed(ended["updated_at"]) - parsed(ended["created_at"])).total_seconds() < 3600
    assert stepped.sluice.stop() == 0


def test_a_step_ahead_expires_no_run_and_no_request(stepped):
    run = stepped.run_of()
    stepped.block(run)
    stepped.set(DAYS_40)
    stepped.await_following(False)
    assert 39 < stepped.days_ahead("wall_time") < 41 and abs(stepped.days_ahead("event_time")) < 1
    eventually(lambda: stepped.api.get("/metrics").content.decode(), lambda text: "sluice_clock_step_seconds 34" in text)
    other = stepped.run_of()
    assert [stepped.status(run), stepped.status(other)] == ["PAUSED_APPROVAL", "RUNNING"]
    created = parsed(stepped.api.get(f"/runs/{other}").json["created_at"])
    assert abs((created - datetime.datetime.now(datetime.UTC)).total_seconds()) < 3600
    ready = stepped.api.get("/readyz")
    assert ready.status == 200 and "sluice clock confirm" in ready.json["warning"]
    assert "wall clock stepped" in stepped.sluice.output.read_text()
    stepped.set("+0")
    stepped.await_following(True)
    assert stepped.status(run) == "PAUSED_APPROVAL" and "warning" not in stepped.api.get("/readyz").json


def test_a_step_is_known_to_the_next_process(stepped):
    run = stepped.run_of()
    stepped.set(DAYS_40)
    stepped.await_following(False)
    stepped.sluice.restart()
    assert not stepped.clock["follows_wall_clock"] and stepped.status(run) == "RUNNING"
    assert stepped.sluice.stop() == 0
    stepped.sluice.start()
    assert not stepped.clock["follows_wall_clock"] and stepped.status(run) == "RUNNING"


def test_a_confirmed_step_expires_what_is_due(stepped):
    run = stepped.run_of()
    stepped.set(DAYS_40)
    stepped.await_following(False)
    shown = stepped.command("clock")
    assert shown.returncode == 0 and "do not follow" in shown.stderr, shown
    asked = stepped.command("clock", "confirm")
    assert asked.returncode == 0 and "--yes" in asked.stderr and not stepped.clock["follows_wall_clock"], asked
    done = stepped.command("clock", "confirm", "--yes")
    assert done.returncode == 0 and stepped.clock["follows_wall_clock"], done
    eventually(lambda: stepped.status(run), lambda status: status == "FAILED")
    assert "wall clock step confirmed" in stepped.sluice.output.read_text()
    # Events do not go back: the wall clock may, and they continue.
    stepped.set("+0")
    stepped.await_following(False)
    assert stepped.created_at(stepped.run_of()) < stepped.created_at(stepped.run_of())


def test_the_true_time_is_confirmed_although_events_are_ahead_of_it(stepped):
    stepped.set(DAYS_40)
    stepped.await_following(False)
    assert stepped.command("clock", "confirm", "--yes").returncode == 0
    ahead = stepped.created_at(stepped.run_of())
    stepped.set("+0")
    stepped.await_following(False)
    asked = stepped.command("clock", "confirm")
    assert "once it is confirmed, they keep the time" in asked.stderr and "--yes" in asked.stderr, asked
    newest = stepped.created_at(stepped.run_of())
    done = stepped.command("clock", "confirm", "--yes")
    assert done.returncode == 0 and "events keep the time" in done.stderr, done
    for restart in (lambda: None, stepped.sluice.restart, lambda: (stepped.sluice.stop(), stepped.sluice.start())):
        restart()
        clock = stepped.clock
        assert clock["follows_wall_clock"] and "until the wall clock passes it" in clock["warning"], clock
        assert abs(stepped.days_ahead("wall_time")) < 1 and 39 < stepped.days_ahead("event_time") < 41
        assert "events keep the time" in stepped.api.get("/readyz").json["warning"]
        assert stepped.created_at(stepped.run_of()) == parsed(clock["event_time"])
    assert parsed(stepped.clock["event_time"]) >= newest > ahead
    metrics = stepped.api.get("/metrics").content.decode()
    assert "sluice_clock_step_seconds 0" in metrics and "sluice_clock_behind_events_seconds 34" in metrics
    assert "wall clock is behind the newest event" in stepped.sluice.output.read_text()


@pytest.mark.parametrize("body, status", [
    ({}, 400), ({"wall_time": 5}, 400), ({"wall_time": "tomorrow"}, 400), ({"wall_time": "2001-01-01T00:00:00Z"}, 409)])
def test_a_confirmation_names_the_time_that_was_seen(stepped, body, status):
    stepped.set(DAYS_40)
    stepped.await_following(False)
    answer = stepped.api.post("/api/v1/clock/confirm", body)
    assert answer.status == status, answer
    assert not stepped.clock["follows_wall_clock"]


def test_only_an_admin_of_the_whole_daemon_confirms(stepped):
    wall = stepped.clock["wall_time"]
    for key in (stepped.sluice.key("operator"), stepped.sluice.key("admin", workspace="other")):
        answer = stepped.sluice.client(key).post("/api/v1/clock/confirm", {"wall_time": wall})
        assert answer.status == 403, answer
    assert stepped.api.post("/api/v1/clock/confirm", {"wall_time": wall}).status == 200


def test_what_is_open_ends_by_the_clock_that_its_access_is_judged_by(tmp_path, provider):
    # Without heartbeats a stream that does not end is an error.
    stepped = SteppedSluice(tmp_path, {"SLUICE_HEARTBEAT": "1h"})
    api, now = stepped.api, int(time.time())
    assert api.post("/api/v1/identity-providers", {"name": "corp", "spec": provider.spec(role="viewer")}).status == 201
    key = api.post("/api/v1/auth/api-keys", {"name": "k", "role": "viewer", "expiresInDays": 1}).json["token"]
    token = provider.token("ada@corp.test", exp=now + 3600)
    clients = [stepped.sluice.client(each) for each in (key, token)]
    of_key, of_token = [EventStream(client, "/events/stream", timeout=30) for client in clients]
    asked = provider.requests
    stepped.set(DAYS_40)
    stepped.await_following(False)
    assert list(of_token)[-1].type == "revoked"
    assert [client.get("/runs").status for client in clients] == [200, 401]
    run = stepped.run_of()
    assert run in str(next(event for event in of_key if event.type != "revoked").data)
    # A token that is valid then signs in, by keys that are as old as before.
    later = provider.token("ada@corp.test", exp=now + 41 * 86_400)
    assert stepped.sluice.client(later).get("/runs").status == 200 and provider.requests == asked
    of_key.close()
    of_token.close()
    assert stepped.sluice.stop() == 0
