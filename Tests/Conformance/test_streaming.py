"""Following runs and the log live: nothing lost, nothing twice, across restarts."""

import threading

import pytest

from event_stream import EventStream


def say(api, run_id, message):
    answer = api.post(f"/runs/{run_id}/events", {"type": "USER_MESSAGE", "data": {"message": message}})
    assert answer.status == 201
    return answer.json


@pytest.mark.parametrize("path, headers", [
    ("/runs/{}/events/stream", {}), ("/api/v1/runs/{}/events/stream", {}),
    ("/runs/{}/events", {"Accept": "text/event-stream"})])
def test_a_run_is_followed_from_its_first_event_to_its_end(api, run, path, headers):
    say(api, run["id"], "before")
    stream = EventStream(api, path.format(run["id"]), headers)
    assert next(stream).data["data"] == {"message": "before"}
    for number in range(3):
        said = say(api, run["id"], f"live {number}")
        event = next(stream)
        assert event.data == (api.get(f"{path.split('/runs')[0]}/runs/{run['id']}/events").json[-1])
        assert event.data["event_id"] == said["event_id"] and event.type == "USER_MESSAGE"
    api.patch(f"/runs/{run['id']}", {"status": "COMPLETED"})
    assert next(stream).type == "end"
    assert list(stream) == []


def test_a_finished_run_streams_what_it_was_and_ends(api, run):
    say(api, run["id"], "one")
    api.patch(f"/runs/{run['id']}", {"status": "FAILED"})
    assert [each.type for each in EventStream(api, f"/runs/{run['id']}/events/stream")] == ["USER_MESSAGE", "end"]


def test_a_client_that_reconnects_after_a_kill_misses_nothing_and_sees_nothing_twice(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    seen, last, sent = [], 0, 0
    for round_number in range(5):
        stream = EventStream(api, f"/runs/{run}/events/stream", {"Last-Event-ID": str(last)} if last else {})
        for _ in range(10):
            say(api, run, str(sent))
            sent += 1
        # Some of what was sent is read before the kill, the rest only after it.
        for event in stream.take(3 + 2 * round_number):
            seen.append(event.data["seq"])
            last = event.id
        sluice.restart()
    api.patch(f"/runs/{run}", {"status": "COMPLETED"})
    for event in EventStream(api, f"/runs/{run}/events/stream", {"Last-Event-ID": str(last)}):
        if event.type != "end":
            seen.append(event.data["seq"])
    assert seen == list(range(1, sent + 1))


def test_after_seq_begins_where_it_says(api, run):
    for number in range(5):
        say(api, run["id"], str(number))
    api.patch(f"/runs/{run['id']}", {"status": "COMPLETED"})
    stream = EventStream(api, f"/runs/{run['id']}/events/stream?after_seq=3")
    assert [each.data.get("seq") for each in stream] == [4, 5, None]


def test_the_log_stream_is_dense_in_order_and_resumable_by_position(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    stream = EventStream(api, "/events/stream?after_seq=0")
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    for number in range(20):
        say(api, run, str(number))
    events = stream.take(22)
    assert [each.id for each in events] == list(range(1, 23))
    assert [each.data["position"] for each in events] == list(range(1, 23))
    assert [each.type for each in events[:3]] == ["api_key.created", "run.created", "run.event_added"]
    sluice.restart()
    resumed = EventStream(api, "/events/stream", {"Last-Event-ID": "10"})
    assert [(each.id, each.data) for each in resumed.take(12)] == [(each.id, each.data) for each in events[10:]]


def test_filters_choose_by_run_agent_and_type(api):
    first = api.post("/runs", {"agent_id": "filter-a", "user_id": "u"}).json["id"]
    second = api.post("/runs", {"agent_id": "filter-b", "user_id": "u"}).json["id"]
    start = int(api.get("/readyz").json["position"])
    for run in (first, second):
        say(api, run, run)
        api.post(f"/runs/{run}/actions", {"tool_id": "t"})
        api.patch(f"/runs/{run}", {"status": "FAILED"})

    def types(query):
        stream = EventStream(api, f"/events/stream?after_seq={start}&{query}", timeout=2)
        events = []
        try:
            for event in stream:
                if event.type != "end":
                    events.append((event.data["run_id"], event.type))
        except TimeoutError:
            pass
        return events

    of_first = types(f"run={first}")
    assert {run for run, _ in of_first} == {first} and len(of_first) >= 4
    assert {run for run, _ in types("agent=filter-b")} == {second}
    assert types("agent=filter-a&type=USER_MESSAGE") == [(first, "run.event_added")]
    assert types("type=action.blocked") == [(first, "action.blocked"), (second, "action.blocked")]


def test_a_silent_stream_sends_heartbeats(own_sluice):
    sluice = own_sluice(SLUICE_HEARTBEAT="100ms")
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    stream = EventStream(api, f"/runs/{run}/events/stream", timeout=10)
    lines = [stream.response.readline() for _ in range(8)]
    assert lines.count(b": heartbeat\n") >= 3


def test_cloudevents_wrap_each_event(api, run):
    said = say(api, run["id"], "hello")
    stream = EventStream(api, f"/runs/{run['id']}/events/stream?format=cloudevents")
    event = next(stream)
    assert {name: event.data[name] for name in ("specversion", "id", "type", "subject", "datacontenttype")} == {
        "specversion": "1.0", "id": said["event_id"], "type": "dev.sluice.run.event_added", "subject": run["id"],
        "datacontenttype": "application/json"}
    assert event.data["data"]["event_id"] == said["event_id"] and event.data["time"] == said["timestamp"]
    assert event.data["source"].startswith("/workspaces/default/")


def test_a_stream_shows_only_what_a_read_shows(api, run):
    stream = EventStream(api, f"/runs/{run['id']}/events/stream")
    stopped = threading.Event()

    def write():
        while not stopped.is_set():
            say(api, run["id"], "x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for event in stream.take(100):
            read = api.get(f"/runs/{run['id']}/events?after_seq={event.data['seq'] - 1}&limit=1").json
            assert read == [event.data]
    finally:
        stopped.set()
        writer.join()


def test_streams_beyond_the_limit_are_refused_and_closed_ones_make_room(own_sluice):
    sluice = own_sluice(SLUICE_STREAMS_MAX="3", SLUICE_PRINCIPAL_SHARE="100", SLUICE_HEARTBEAT="50ms")
    api = sluice.client()
    for _ in range(5):
        assert api.request("HEAD", "/events/stream").status == 200
    streams = [EventStream(api, "/events/stream") for _ in range(3)]
    refused = api.get("/events/stream")
    assert refused.status == 429 and int(refused.headers["retry-after"]) > 0
    for stream in streams:
        stream.close()
    while (answer := api.request("HEAD", "/events/stream")).status == 429:
        pass
    assert answer.status == 200


def test_the_stream_of_another_workspace_is_silent_about_this_one(sluice, api):
    other = sluice.client(sluice.key("viewer", workspace="stream-b"))
    stream = EventStream(other, "/events/stream?after_seq=0", timeout=10)
    assert next(stream).data["workspace"] == "stream-b"
    run = api.post("/api/v1/workspaces/stream-b/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    assert next(stream).data["run_id"] == run
