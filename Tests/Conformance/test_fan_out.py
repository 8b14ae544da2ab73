"""Many clients of one stream get the same bytes, made once; each of them misses nothing and sees nothing twice."""

import http.client
import json
import random
import socket
import threading

from event_stream import EventStream
from sluice_process import ADMIN_KEY

CLIENTS = 40
EVENTS = 400


class Poster:
    """Adds events to a run over one connection."""

    def __init__(self, api, run):
        self.connection = http.client.HTTPConnection(api.host, api.port, timeout=30)
        self.path = f"/runs/{run}/events"

    def post(self, message):
        self.connection.request(
            "POST", self.path, json.dumps({"type": "AGENT_MESSAGE", "data": {"message": message}}),
            {"Authorization": f"Bearer {ADMIN_KEY}"})
        response = self.connection.getresponse()
        assert response.status == 201, response.read()
        return json.loads(response.read())["seq"]


def in_parallel(works):
    failures = []

    def guarded(work):
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told of by the test itself
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def new_run(api):
    return api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]


def test_clients_that_come_at_any_time_see_every_event_once_and_in_order(sluice, api):
    run = new_run(api)
    posted = [threading.Event() for _ in range(EVENTS)]
    dice = random.Random(7)

    def client(join_at, after, reconnects):
        def follow():
            assert posted[join_at].wait(60)
            seen, last, since_connected = [], None, 0
            stream = EventStream(sluice.client(), f"/runs/{run}/events/stream?after_seq={after}")
            while True:
                event = next(stream)
                if event.type == "end":
                    break
                assert last is None or event.id > last
                last = event.id
                seen.append(event.data["seq"])
                since_connected += 1
                if reconnects and since_connected == reconnects:
                    since_connected = 0
                    stream.close()
                    stream = EventStream(
                        sluice.client(), f"/runs/{run}/events/stream", {"Last-Event-ID": str(last)})
            assert seen == list(range(after + 1, EVENTS + 1)), (join_at, after, reconnects)

        return follow

    def post():
        poster = Poster(api, run)
        for number in range(EVENTS):
            assert poster.post("x" * (number % 50)) == number + 1
            posted[number].set()
        api.patch(f"/runs/{run}", {"status": "COMPLETED"})

    clients = [
        client(dice.randrange(EVENTS - 50), dice.choice([0, 0, 10, 300, EVENTS - 1]), dice.choice([0, 0, 7, 100]))
        for _ in range(CLIENTS)]
    in_parallel([post, *clients])


def test_a_client_that_falls_behind_the_others_still_gets_everything(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    run = new_run(api)
    # Each of them with a small window, so that what it does not read stays with the server.
    slow = []
    for _ in range(3):
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        each.connect((api.host, api.port))
        each.sendall(
            f"GET /runs/{run}/events/stream HTTP/1.1\r\nHost: sluice\r\n"
            f"Authorization: Bearer {ADMIN_KEY}\r\n\r\n".encode())
        slow.append(each)
    quick = EventStream(api, f"/runs/{run}/events/stream")
    poster = Poster(api, run)
    count = 400
    for number in range(count):
        poster.post(f"{number} " + "x" * 20_000)
        assert next(quick).data["seq"] == number + 1
    api.patch(f"/runs/{run}", {"status": "COMPLETED"})
    assert next(quick).type == "end"
    for each in slow:
        response = http.client.HTTPResponse(each)
        response.begin()
        seen = [
            json.loads(line.removeprefix(b"data: "))["seq"]
            for line in response.read().splitlines() if line.startswith(b'data: {"event_id"')]
        assert seen == list(range(1, count + 1))


def test_a_client_may_wait_for_what_comes_after_an_event_that_is_not_there_yet(sluice, api):
    run = new_run(api)
    early = EventStream(api, f"/runs/{run}/events/stream?after_seq=5")
    others = EventStream(api, f"/runs/{run}/events/stream")
    poster = Poster(api, run)
    for number in range(10):
        poster.post(str(number))
    assert [each.data["seq"] for each in early.take(5)] == [6, 7, 8, 9, 10]
    assert [each.data["seq"] for each in others.take(10)] == list(range(1, 11))


def test_a_stop_ends_every_stream_at_once_and_in_order(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    run = new_run(api)
    streams = [EventStream(api, f"/runs/{run}/events/stream") for _ in range(20)]
    streams += [EventStream(api, "/events/stream?after_seq=0") for _ in range(5)]
    Poster(api, run).post("last")
    for stream in streams[:20]:
        assert next(stream).data["seq"] == 1
    assert sluice.stop() == 0
    for stream in streams:
        # Whole: with the last chunk, not broken off.
        stream.response.read()
