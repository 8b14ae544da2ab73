"""What the daemon does about its own parts: a listener that ends."""

import contextlib
import os
import socket

import pytest

from event_stream import EventStream

SERVICE_ENDED = 70


def connect_to_api(sluice):
    with socket.create_connection((sluice.listen_host, sluice.port), timeout=10):
        pass


def connect_to_gate(sluice):
    # The path is longer than the address of a socket may be.
    directory = os.open(sluice.data / "run", os.O_PATH | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"/proc/self/fd/{directory}/gate.sock")
    finally:
        os.close(directory)


@pytest.mark.parametrize("family, connect, listener", [
    (socket.AF_INET, connect_to_api, "the API"), (socket.AF_UNIX, connect_to_gate, "agents")],
    ids=["the API", "agents"])
def test_a_listener_that_ends_is_reported_and_ends_the_daemon_whatever_is_open(faulty, family, connect, listener):
    sluice = faulty()
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    stream = EventStream(api, f"/runs/{run}/events/stream")
    (sluice.faults / "accept").write_text(str(int(family)))
    # The listener may be closed before the connection is made.
    with contextlib.suppress(ConnectionError):
        connect(sluice)
    # The stream has no end of its own, and would be waited for.
    assert sluice.process.wait(timeout=60) == SERVICE_ENDED, sluice.output.read_text()
    said = sluice.output.read_text()
    assert f"sluice: stopped listening for {listener} unexpectedly" in said, said
    stream.close()
    verified = sluice.run("log", "verify", "--data-dir", sluice.data)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    (sluice.faults / "accept").unlink()
    sluice.start()
    assert sluice.client().get(f"/runs/{run}").json["id"] == run
    assert sluice.stop() == 0
