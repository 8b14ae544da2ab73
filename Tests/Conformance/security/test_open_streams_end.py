"""Everything that a principal has open ends with its access: run and log streams, followed output, `tail`, `logs -f`."""

import http.client
import secrets
import subprocess
import time

import pytest

from deployed_agents import DeployedAgents
from event_stream import EventStream
from identity_server import IdentityServer
from sluice_process import BINARY, SluiceProcess
from test_tail import Tail
from waiting import eventually

KEYS = "/api/v1/auth/api-keys"
PERSON = "ada@corp.test"
# Long enough for all streams to open on a busy machine.
TOKEN_SECONDS = 15
TALKER = """
def handler(request, context=None):
    print("said", request["message"], flush=True)
    return "well"
"""


@pytest.fixture(scope="module")
def provider():
    server = IdentityServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory, provider):
    process = SluiceProcess(tmp_path_factory.mktemp("open-streams")).start()
    agents = DeployedAgents(process)
    agents.deploy("talker", TALKER)
    agents.ask("talker", "one")
    yield process
    assert process.stop() == 0


@pytest.fixture
def people(sluice, provider):
    """Makes tokens of a person who is a viewer, by an identity provider that is stored for one test."""
    body = {"name": "corp", "spec": provider.spec(role="viewer")}
    assert sluice.client().post("/api/v1/identity-providers", body).status in (200, 201)
    yield provider
    sluice.client().delete("/api/v1/identity-providers/corp")


class Opened:
    """One of each kind of stream, opened with one token, of which each has sent something."""

    def __init__(self, sluice, token):
        self.sluice, api = sluice, sluice.client()
        self.later = f"later-{secrets.token_hex(8)}"
        self.run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
        self.say("before")
        client = sluice.client(token)
        self.events = [EventStream(client, path, timeout=60) for path in (
            f"/runs/{self.run}/events/stream", "/events/stream?after_seq=0",
            f"/api/v1/runs/{self.run}/events/stream?format=cloudevents")]
        for stream in self.events:
            next(stream)
        self.output = http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=60)
        self.output.request("GET", "/api/v1/agents/talker/logs?follow=true", headers=client.headers)
        self.lines = self.output.getresponse()
        assert self.lines.status == 200 and self.lines.readline()
        self.tail = Tail(sluice, "--since", 0, SLUICE_API_KEY=token)
        assert self.tail.line()
        self.logs = subprocess.Popen(
            [BINARY, "agents", "logs", "talker", "-f", "--url", sluice.url], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=sluice.environment() | {"SLUICE_API_KEY": token})
        assert self.logs.stdout.readline()

    def say(self, text):
        assert self.sluice.client().post(
            f"/runs/{self.run}/events", {"type": "AGENT_MESSAGE", "data": {"message": text}}).status == 201

    def await_end(self):
        """Nothing that is written after the end of the access reaches any of them."""
        self.await_end_of_streams()
        for process in (self.tail.process, self.logs):
            text, error = process.communicate(timeout=60)
            assert self.later.encode() not in text and process.returncode == 77, (process.args, process.returncode, error)

    def await_end_of_streams(self):
        for stream in self.events:
            last = list(stream)[-1]
            assert last.type == "revoked" and "no longer valid" in last.data["error"], last
        self.say(self.later)
        DeployedAgents(self.sluice).ask("talker", self.later)
        try:
            rest = self.lines.read()
        except (http.client.IncompleteRead, ConnectionError) as broken:
            rest = getattr(broken, "partial", b"")
        assert self.later.encode() not in rest

    def close(self):
        for stream in self.events:
            stream.close()
        self.output.close()
        for process in (self.tail.process, self.logs):
            process.kill()
            process.wait()


@pytest.fixture
def opened(sluice):
    made = []

    def make(token):
        made.append(Opened(sluice, token))
        return made[-1]

    yield make
    for each in made:
        each.close()


def revoke(api, key):
    assert api.delete(f"{KEYS}/{key}").status in (200, 204)


def rotate(api, key):
    assert api.post(f"{KEYS}/{key}/rotate").status == 200


def rotate_with_grace(api, key):
    assert api.post(f"{KEYS}/{key}/rotate", {"grace": "1s"}).status == 200


@pytest.mark.parametrize("end", [revoke, rotate, rotate_with_grace], ids=lambda end: end.__name__)
def test_all_that_a_key_has_open_ends_with_the_key(sluice, opened, end):
    made = sluice.client().post(KEYS, {"name": "one", "role": "viewer"}).json
    streams = opened(made["token"])
    end(sluice.client(), made["key"]["id"])
    streams.await_end()


def test_all_that_a_token_has_open_ends_when_it_expires(sluice, people, opened):
    expiry = int(time.time()) + TOKEN_SECONDS
    streams = opened(people.token(PERSON, exp=expiry))
    assert time.time() < expiry, "the streams were open before the end"
    streams.await_end()
    assert time.time() >= expiry


def erase(sluice):
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": PERSON}).json["id"]
    assert api.patch(f"/runs/{run}", {"status": "COMPLETED"}).status == 200
    asked = api.post("/erasures", {"user_id": PERSON})
    assert asked.status == 202, asked
    eventually(lambda: api.get(f"/erasures/{asked.json['id']}").json["status"], lambda status: status == "ERASED")


def delete_provider(sluice):
    assert sluice.client().delete("/api/v1/identity-providers/corp").status in (200, 204)


def test_all_that_a_person_has_open_ends_when_the_provider_is_deleted(sluice, people, opened):
    streams = opened(people.token(PERSON))
    delete_provider(sluice)
    streams.await_end()


def test_all_that_an_erased_person_has_open_ends_and_that_of_others_goes_on(sluice, people, opened):
    erased, other = opened(people.token(PERSON)), EventStream(
        sluice.client(people.token("bob@corp.test")), "/events/stream")
    erase(sluice)
    erased.await_end_of_streams()
    assert next(event for event in other if erased.later in str(event.data))
    other.close()
