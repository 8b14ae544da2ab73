"""The read models are checked when there is a doubt, and made again from the log when they are damaged."""

import http.client
import os
import random
import shutil
import sqlite3
import threading

import pytest

from backups import answers
from sluice_process import SluiceProcess
from waiting import eventually

PAGE = 4096
MADE_AGAIN, VERIFIED = "read models made again", "read models verified"
DAMAGED, UNTRUSTED = "read models damaged; making them again", "read models untrusted; making them again"


def work(sluice, count=40, label="a"):
    """Runs of several states, and resources of each kind that a list has."""
    api = sluice.client()
    assert api.post("/api/v1/tools", {"name": f"bank-{label}", "base_url": "https://bank.test"}).status == 201
    for number in range(count):
        run = api.post("/runs", {"agent_id": label, "user_id": f"u{number}", "initial_message": "m" * 400})
        assert run.status == 201, run
        if number % 3 == 0:
            assert api.patch(f"/runs/{run.json['id']}", {"status": "COMPLETED"}).status == 200
        if number % 3 == 1:
            assert api.post(f"/runs/{run.json['id']}/actions", {"tool_id": "t"}).status == 201


def model(sluice):
    return sluice.data / "read-model.sqlite"


def logged(sluice, *lines):
    return eventually(sluice.output.read_text, lambda text: any(line in text for line in lines))


def noise(seed, size=PAGE):
    return random.Random(seed).randbytes(size)


def garble(file, pages):
    """Other bytes in the place of pages, as a disk or another process would put them: the file stays the same one."""
    with open(file, "r+b") as opened:
        for page in pages:
            opened.seek(page * PAGE)
            opened.write(noise(page))


def test_a_file_that_was_closed_in_order_is_trusted(own_sluice):
    sluice = own_sluice()
    work(sluice)
    before = answers(sluice)
    mark = sluice.data / "read-model.state"
    assert mark.read_text().startswith("open ")
    assert sluice.stop() == 0
    assert mark.read_text().startswith("closed ") and mark.stat().st_mode & 0o777 == 0o600
    sluice.start()
    assert mark.read_text().startswith("open ")
    assert answers(sluice) == before
    assert sluice.stop() == 0
    said = sluice.output.read_text()
    assert "checking read models" not in said and UNTRUSTED not in said and "not closed in order" not in said


def test_a_file_that_was_not_closed_is_checked_beside_the_work(own_sluice):
    sluice = own_sluice()
    work(sluice)
    before = answers(sluice)
    sluice.restart()
    assert answers(sluice) == before
    logged(sluice, VERIFIED)
    assert MADE_AGAIN not in sluice.output.read_text()


DAMAGE = {
    "truncated": lambda file: os.truncate(file, file.stat().st_size // PAGE // 2 * PAGE),
    "cut within a page": lambda file: os.truncate(file, file.stat().st_size - 100),
    "emptied": lambda file: os.truncate(file, 0),
    "no database": lambda file: file.write_bytes(noise(1)),
    "header": lambda file: garble(file, [0]),
    "every page": lambda file: garble(file, range(1, file.stat().st_size // PAGE)),
    "some pages": lambda file: garble(file, range(3, file.stat().st_size // PAGE, 3)),
    "one bit": lambda file: flip(file, file.stat().st_size // 2),
}


def flip(file, offset):
    with open(file, "r+b") as opened:
        opened.seek(offset)
        [byte] = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_after_a_stop_in_order_changes_no_answer(own_sluice, damage):
    sluice = own_sluice()
    work(sluice)
    before = answers(sluice)
    assert sluice.stop() == 0
    DAMAGE[damage](model(sluice))
    sluice.start()
    assert answers(sluice) == before
    assert UNTRUSTED in sluice.output.read_text()


@pytest.mark.parametrize("damage", [name for name in DAMAGE if name != "one bit"])
def test_damage_after_a_kill_is_found_and_made_good(own_sluice, damage):
    sluice = own_sluice()
    work(sluice)
    before = answers(sluice)
    # All of it is in the file itself.
    assert sluice.stop() == 0
    sluice.start()
    sluice.kill()
    DAMAGE[damage](model(sluice))
    sluice.start()
    logged(sluice, MADE_AGAIN, DAMAGED, VERIFIED)
    assert sluice.process.poll() is None
    eventually(lambda: answers(sluice), lambda found: found == before)
    work(sluice, 3, "later")


def test_a_file_of_flipped_bits_ends_no_process(own_sluice):
    """A bit within a text is part of no structure; the others are found."""
    sluice = own_sluice()
    work(sluice)
    assert sluice.stop() == 0
    whole = model(sluice).read_bytes()
    for seed in range(2):
        chance = random.Random(seed)
        content = bytearray(whole)
        for _ in range(50):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        sluice.start()
        sluice.kill()
        for side in sluice.data.glob("read-model.sqlite-*"):
            side.unlink()
        # The same file, for the mark: as if its blocks had changed under it.
        model(sluice).write_bytes(content)
        sluice.start()
        logged(sluice, VERIFIED, MADE_AGAIN, DAMAGED)
        for path in ("/runs?limit=200", "/api/v1/tools", "/runs"):
            eventually(lambda: sluice.client().get(path).status, lambda status: status == 200)
        assert sluice.process.poll() is None
        assert sluice.stop() == 0


def test_a_lost_write_ahead_log_changes_no_answer(own_sluice):
    sluice = own_sluice()
    work(sluice)
    before = answers(sluice)
    sluice.kill()
    (sluice.data / "read-model.sqlite-wal").unlink()
    sluice.start()
    eventually(lambda: answers(sluice), lambda found: found == before)


@pytest.mark.parametrize("stop, put", [
    ("stop", shutil.copyfile), ("stop", shutil.copy2), ("stop", os.replace), ("kill", os.replace)])
def test_the_file_of_another_directory_is_not_believed(own_sluice, stop, put):
    sluice, other = own_sluice(), own_sluice()
    work(sluice)
    work(other, 5, "foreign")
    before = answers(sluice)
    assert other.stop() == 0
    getattr(sluice, stop)()
    if stop == "kill":
        (sluice.data / "read-model.sqlite-wal").unlink()
    put(model(other), model(sluice))
    sluice.start()
    assert answers(sluice) == before
    assert UNTRUSTED in sluice.output.read_text()


def test_a_copy_of_a_directory_under_load_answers_as_its_log_says(own_sluice, tmp_path):
    sluice = own_sluice()
    work(sluice)
    ended = threading.Event()

    def load():
        while not ended.is_set():
            work(sluice, 6, "load" + os.urandom(3).hex())

    writers = [threading.Thread(target=load) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        for number in range(3):
            copy = SluiceProcess(tmp_path / f"copy-{number}", sluice.settings)
            copy.directory.mkdir()
            # The log last: what the copied read models show, it has.
            shutil.copytree(sluice.data, copy.data, ignore=lambda _, names: [
                name for name in names if name in ("LOCK", "run", "log", "keyring", "keyring.second", "keyring.id")])
            for name in ("log", ):
                shutil.copytree(sluice.data / name, copy.data / name)
            for name in ("keyring", "keyring.second", "keyring.id"):
                shutil.copy(sluice.data / name, copy.data / name)
            copy.data.chmod(0o700)
            copy.start()
            try:
                found = answers(copy)
                assert UNTRUSTED in copy.output.read_text()
            finally:
                assert copy.stop() == 0
            assert copy.run("projections", "rebuild", "--data-dir", copy.data).returncode == 0
            copy.start()
            try:
                assert answers(copy) == found
            finally:
                assert copy.stop() == 0
    finally:
        ended.set()
        for writer in writers:
            writer.join()


@pytest.mark.parametrize("first", [0, 1])
def test_damage_while_running_is_an_error_of_the_read_and_made_good(own_sluice, first):
    sluice = own_sluice()
    work(sluice, 120)
    before = answers(sluice)
    # All of it is in the file itself, and nothing of it in the memory of a reader.
    assert sluice.stop() == 0
    sluice.start()
    garble(model(sluice), range(first, model(sluice).stat().st_size // PAGE))
    statuses = set()

    def recovered():
        for path in before:
            answer = sluice.client().get(path)
            statuses.add(answer.status)
            if answer.status == 503:
                assert int(answer.headers["retry-after"]) > 0 and answer.error, answer
        return answers(sluice)

    eventually(recovered, lambda found: found == before)
    assert statuses <= {200, 503}
    assert sluice.process.poll() is None
    said = sluice.output.read_text()
    assert DAMAGED in said and MADE_AGAIN in said
    metrics = sluice.client().get("/metrics").content.decode()
    assert "sluice_read_model_damages_total 1" in metrics and "sluice_read_model_rebuilds_total 1" in metrics
    work(sluice, 3, "later")
    assert sluice.stop() == 0
    with sqlite3.connect(model(sluice)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_commands_are_recorded_while_the_read_models_are_damaged(own_sluice):
    sluice = own_sluice()
    work(sluice, 60)
    assert sluice.stop() == 0
    sluice.start()
    garble(model(sluice), range(0, model(sluice).stat().st_size // PAGE))
    api, acknowledged = sluice.client(), []
    for number in range(60):
        answer = api.post("/runs", {"agent_id": "during", "user_id": f"u{number}"})
        assert answer.status in (201, 503), answer
        if answer.status == 201:
            acknowledged.append(answer.json["id"])
    logged(sluice, MADE_AGAIN)
    listed = eventually(lambda: api.get("/runs?agent_id=during&limit=200"), lambda answer: answer.status == 200).json
    assert set(acknowledged) <= {run["id"] for run in listed}


def test_a_list_that_meets_damage_in_the_middle_does_not_end_as_if_it_were_whole(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    for number in range(250):
        message = os.urandom(25000).hex()
        assert api.post("/runs", {"agent_id": "a", "user_id": f"u{number}", "initial_message": message}).status == 201
    assert sluice.stop() == 0
    sluice.start()
    connection = api.connection()
    connection.request("GET", "/runs", headers=api.headers)
    response = connection.getresponse()
    assert response.status == 200 and response.read(1000).startswith(b"[{")
    garble(model(sluice), range(1, model(sluice).stat().st_size // PAGE))
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    assert "response broken off" in logged(sluice, "response broken off")
    logged(sluice, MADE_AGAIN)
    assert len(eventually(lambda: api.get("/runs"), lambda answer: answer.status == 200).json) == 250
