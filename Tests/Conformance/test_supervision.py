"""What the daemon does about its own parts: a listener that ends, and memory that is free."""

import contextlib
import os
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from event_stream import EventStream
from sluice_process import SluiceProcess
from waiting import eventually, until_true

SERVICE_ENDED = 70
BODY_BYTES = 900_000


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


def metric(sluice, name):
    found = re.search(rf"^{name} (\S+)$", sluice.client().get("/metrics").content.decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps memory that has to be trimmed")
def test_memory_that_is_free_is_given_back(own_sluice):
    sluice = own_sluice(SLUICE_MEMORY_TRIM_INTERVAL="1s")
    before = metric(sluice, "sluice_memory_returned_bytes_total")

    def post(number):
        api = sluice.client()
        run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
        message = f"{number:06}" * (BODY_BYTES // 6)
        assert api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": message}}).status == 201

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(post, range(64)))
    returned = until_true(lambda: metric(sluice, "sluice_memory_returned_bytes_total") > before)
    assert returned and metric(sluice, "sluice_memory_trim_seconds_count") > 0
    # It goes on with work, and looks again.
    post(64)
    assert eventually(lambda: sluice.client().get("/readyz").status, lambda status: status == 200) == 200


@pytest.mark.parametrize("interval, is_taken", [
    ("1s", True), ("5m", True), ("never", True), ("500ms", False), ("0s", False), ("off", False), ("", False)],
    ids=["1s", "5m", "never", "500ms", "0s", "off", "empty"])
def test_the_interval_of_trims_is_a_duration_or_never(tmp_path, interval, is_taken):
    sluice = SluiceProcess(tmp_path)
    ended = sluice.run(
        "serve", "--print-config", "--data-dir", sluice.data, "--set", f"memory-trim-interval={interval}")
    assert ended.returncode == (0 if is_taken else 78), ended
    assert is_taken or "memory-trim-interval must be never, or a duration of at least 1s" in ended.stderr
