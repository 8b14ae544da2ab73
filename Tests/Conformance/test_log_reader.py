"""docs/LOG_FORMAT.md is exact: a reader written from it alone, in 60 lines, reads what the binary wrote."""

import json
import os
import pathlib
import subprocess
import sys

READER = pathlib.Path(__file__).with_name("read_log.py")


def read(sluice):
    ended = subprocess.run([sys.executable, READER, sluice.data / "log"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_reader_is_at_most_60_lines_of_code():
    lines = [line for line in READER.read_text().splitlines() if line.strip() and not line.startswith('"""')]
    assert len(lines) <= 60


def test_an_independent_reader_finds_every_event_of_every_segment(own_sluice):
    sluice = own_sluice(SLUICE_SEGMENT_BYTES_MAX="65536")
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    for number in range(200):
        api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": os.urandom(300).hex()}})
    records = read(sluice)
    assert len(list((sluice.data / "log").glob("*.seg"))) > 1
    assert [each["position"] for each in records] == list(range(1, 203))
    shown = sluice.run("log", "cat", "--data-dir", sluice.data)
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [each["id"].replace("-", "") for each in events] == [each["id"] for each in records]
    assert [each["stream_sequence"] for each in events] == [each["stream_sequence"] for each in records]


def test_the_reader_notices_a_flipped_bit(own_sluice):
    sluice = own_sluice()
    sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"})
    sluice.stop()
    [segment] = (sluice.data / "log").glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[-5] ^= 1
    segment.write_bytes(content)
    ended = subprocess.run([sys.executable, READER, sluice.data / "log"], capture_output=True, text=True)
    assert ended.returncode != 0 and "damage" in ended.stderr
