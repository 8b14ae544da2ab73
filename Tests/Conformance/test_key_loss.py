"""No key is lost in silence: a damaged keyring is mended or refused, and no backup gives up what it has."""

import json
import os
import shutil

import pytest

from backups import answers, contents, data, position
from governed_agent import GovernedAgent, store_tool
from sluice_process import SluiceProcess
from waiting import eventually

CONFIGURATION = 78
FILES = ["keyring", "keyring.second", "keyring.id"]


def work(sluice, people=3):
    """Runs of some people, one of them finished, and a secret."""
    api = sluice.client()
    for number in range(people):
        run = api.post("/runs", {"agent_id": "a", "user_id": f"person-{number}", "initial_message": f"I am {number}"})
        assert run.status == 201
        if number == 1:
            assert api.request("PATCH", f"/runs/{run.json['id']}", {"status": "COMPLETED"}).status == 200
    assert api.post("/api/v1/tools", {
        "name": "bank", "base_url": "https://bank.test", "credentials": {"api_key": "s3cr3t"}}).status == 201
    return api


def refusal(sluice, *flags):
    ended = sluice.run("serve", "--data-dir", sluice.data, "--listen", sluice.listen, *flags)
    assert ended.returncode == CONFIGURATION, ended
    return ended.stderr


def accept_loss(sluice):
    """One start with the flag, and later ones without."""
    sluice.command_prefix = ["/bin/sh", "-c", 'exec "$0" "$@" --accept-key-loss']
    sluice.start()
    sluice.command_prefix = []


def flip(file, offset):
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)


DAMAGE = {
    "cut": lambda file: os.truncate(file, 300),
    "emptied": lambda file: os.truncate(file, 0),
    "deleted": lambda file: file.unlink(),
    "flipped": lambda file: flip(file, 400),
    "header": lambda file: flip(file, 20),
    "zeroed": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", FILES[:2])
def test_damage_of_one_file_is_mended_and_said(own_sluice, name, damage):
    sluice = own_sluice()
    work(sluice)
    before = answers(sluice)
    assert sluice.stop() == 0
    whole = (sluice.data / name).read_bytes()
    DAMAGE[damage](sluice.data / name)
    sluice.start()
    assert answers(sluice) == before
    assert (sluice.data / name).read_bytes() == whole
    assert "keyring mended from its other copy" in sluice.output.read_text()


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_of_both_files_refuses_the_start_with_numbers(own_sluice, damage):
    sluice = own_sluice()
    work(sluice)
    assert sluice.stop() == 0
    for name in FILES[:2]:
        DAMAGE[damage](sluice.data / name)
    before = contents(sluice.data)
    message = refusal(sluice)
    assert "--accept-key-loss" in message and "backup" in message, message
    if damage == "flipped":
        assert "1 keys are lost" in message, message
    after = contents(sluice.data)
    assert {name: after.get(name) for name in FILES} == {name: before.get(name) for name in FILES}


def test_a_keyring_that_lacks_what_the_log_needs_refuses_the_start(own_sluice):
    sluice = own_sluice()
    work(sluice, people=2)
    assert sluice.stop() == 0
    old = {name: (sluice.data / name).read_bytes() for name in FILES}
    sluice.start()
    api = sluice.client()
    for number in range(5):
        assert api.post("/runs", {"agent_id": "a", "user_id": f"later-{number}"}).status == 201
    assert api.post("/api/v1/tools", {
        "name": "later", "base_url": "https://x.test", "credentials": {"api_key": "s"}}).status == 201
    shown = answers(sluice)
    assert sluice.stop() == 0
    new = {name: (sluice.data / name).read_bytes() for name in FILES}
    # All of an older keyring, whole: only the log can tell.
    for name, content in old.items():
        (sluice.data / name).write_bytes(content)
    message = refusal(sluice)
    assert "5 people" in message and "1 secrets" in message and "--accept-key-loss" in message, message
    for name, content in new.items():
        (sluice.data / name).write_bytes(content)
    sluice.start()
    assert answers(sluice) == shown, "a refused start changes nothing"


def test_an_accepted_loss_is_recorded_once_and_for_all(own_sluice):
    sluice = own_sluice()
    work(sluice)
    assert sluice.stop() == 0
    for name in FILES:
        (sluice.data / name).unlink()
    assert "the keyring" in refusal(sluice) and not (sluice.data / "keyring").exists()
    accept_loss(sluice)
    api = sluice.client()
    events = [json.loads(line) for line in sluice.run("log", "cat", "--data-dir", sluice.data).stdout.splitlines()]
    [loss] = [event for event in events if event["type"] == "key_loss.accepted"]
    assert loss["data"] == {"people": 3, "secrets": 1, "payload_days": 0}
    assert api.get("/api/v1/secrets").json == [], "a secret that cannot be opened is deleted"
    runs = api.get("/runs?agent_id=a&limit=200").json
    assert len(runs) == 3 and all(run["user_id"].startswith("erased-") for run in runs)
    shown = answers(sluice)
    assert api.post("/runs", {"agent_id": "a", "user_id": "person-0"}).status == 201
    assert sluice.stop() == 0
    shutil.rmtree(sluice.data / "snapshots")
    sluice.start()
    assert {path: answer for path, answer in answers(sluice).items() if path.startswith("/runs/") and path in shown} == {
        path: answer for path, answer in shown.items() if path.startswith("/runs/")}


def test_an_erased_person_does_not_return_with_an_older_keyring(own_sluice):
    sluice = own_sluice()
    api = work(sluice)
    assert sluice.stop() == 0
    old = {name: (sluice.data / name).read_bytes() for name in FILES}
    sluice.start()
    asked = sluice.client().post("/erasures", {"user_id": "person-1"})
    eventually(lambda: sluice.client().get(f"/erasures/{asked.json['id']}").json, lambda each: each["status"] == "ERASED")
    assert sluice.stop() == 0
    for name, content in old.items():
        (sluice.data / name).write_bytes(content)
    sluice.start()
    users = {run["user_id"] for run in sluice.client().get("/runs?agent_id=a&limit=200").json}
    assert "person-1" not in users and {"person-0", "person-2"} < users
    assert (sluice.data / "keyring").read_bytes() != old["keyring"]


def backup(sluice, place):
    return sluice.run("backup", place, "--data-dir", sluice.data)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_keyring_never_takes_the_place_of_a_good_one(own_sluice, tmp_path, damage):
    sluice, place = own_sluice(), tmp_path / "backup"
    work(sluice)
    assert backup(sluice, place).returncode == 0
    before = contents(place)
    assert sluice.stop() == 0
    DAMAGE[damage](sluice.data / "keyring")
    assert backup(sluice, place).returncode == 0
    kept = {name: content for name, content in contents(place).items() if name.startswith("keyring")}
    assert kept == {name: content for name, content in before.items() if name.startswith("keyring")}
    DAMAGE[damage](sluice.data / "keyring.second")
    before = contents(place)
    refused = backup(sluice, place)
    assert refused.returncode == CONFIGURATION and "backup" in refused.stderr, refused
    assert contents(place) == before


def test_a_backup_keeps_its_keys_after_an_accepted_loss(own_sluice, tmp_path):
    sluice, place = own_sluice(), tmp_path / "backup"
    api = work(sluice, people=4)
    # An erasure before the backup explains no key that it has.
    [run] = api.get("/runs?user_id=person-3").json
    assert api.request("PATCH", f"/runs/{run['id']}", {"status": "COMPLETED"}).status == 200
    asked = api.post("/erasures", {"user_id": "person-3"})
    eventually(lambda: api.get(f"/erasures/{asked.json['id']}").json, lambda each: each["status"] == "ERASED")
    assert backup(sluice, place).returncode == 0
    assert sluice.stop() == 0
    for name in FILES:
        (sluice.data / name).unlink()
    accept_loss(sluice)
    before = contents(place)
    refused = backup(sluice, place)
    assert refused.returncode == CONFIGURATION and "3 of people" in refused.stderr, refused
    # A segment that its manifest does not name may be there, until the next backup.
    assert before.items() <= contents(place).items()
    assert backup(sluice, tmp_path / "other").returncode == 0


def test_a_lost_keyring_is_put_back_from_a_backup(own_sluice, tmp_path):
    sluice, place = own_sluice(), tmp_path / "backup"
    work(sluice)
    before = answers(sluice)
    assert backup(sluice, place).returncode == 0
    assert sluice.stop() == 0
    for name in FILES:
        (sluice.data / name).unlink()
    [copy] = place.glob("keyring-*")
    shutil.copy(copy, sluice.data / "keyring")
    sluice.start()
    assert answers(sluice) == before


def test_a_kept_master_key_is_proved_to_fit(own_sluice, tmp_path):
    sluice, place = own_sluice(), tmp_path / "backup"
    work(sluice)
    key = tmp_path / "kept.key"
    shutil.copy(sluice.data / "master.key", key)
    key.chmod(0o600)
    assert backup(sluice, place).returncode == 0
    other = own_sluice()
    wrong = other.data / "master.key"

    def check(file):
        return sluice.run("secrets", "check-master-key", file, "--data-dir", sluice.data)

    def verify(file):
        return sluice.run("backup", "verify", place, "--master-key", file)

    for command in (check, verify):
        fits, does_not = command(key), command(wrong)
        assert fits.returncode == 0 and "opens all" in fits.stdout, fits
        assert does_not.returncode == 1 and "PROBLEM" in does_not.stdout and "is not the master key" in does_not.stdout
        assert command(tmp_path / "none").returncode == CONFIGURATION
        for ended in (fits, does_not):
            assert key.read_text().strip() not in ended.stdout + ended.stderr
    key.write_text("no key")
    assert check(key).returncode == CONFIGURATION
    shutil.copy(sluice.data / "master.key", key)
    assert sluice.run("secrets", "check-master-key", key, "--data-dir", tmp_path).returncode == 66
    [copy] = place.glob("keyring-*")
    assert json.loads(sluice.run("backup", "verify", place, "--master-key", key, "--json").stdout)["opened_keys"] > 4
    assert sluice.stop() == 0 and check(key).returncode == 0


def test_the_advice_after_a_lost_master_key_names_the_whole_consequence(own_sluice):
    sluice = own_sluice()
    work(sluice)
    assert sluice.stop() == 0
    (sluice.data / "master.key").unlink()
    message = refusal(sluice)
    assert "every person" in message and "for good" in message and "check-master-key" in message
    assert not (sluice.data / "master.key").exists()


def events(sluice, kind):
    lines = sluice.run("log", "cat", "--data-dir", sluice.data).stdout.splitlines()
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def test_a_lost_key_of_a_payload_that_did_not_expire_refuses_the_start(own_sluice, server):
    sluice = own_sluice()
    work(sluice)
    store_tool(sluice, "shop", server.url)
    agent = GovernedAgent(sluice, "payer", [
        ("approval_required", ["POST"], server.url + "/*")])
    run = agent.start("person-0")
    assert sluice.stop() == 0
    # Of before the day's first payload: retention has looked at it, and destroyed nothing.
    old = {name: (sluice.data / name).read_bytes() for name in FILES}
    sluice.start()
    agent.blocked(run, "POST", "shop", "/pay", b"a private matter")
    assert sluice.stop() == 0
    new = {name: (sluice.data / name).read_bytes() for name in FILES}
    assert len(new["keyring"]) == len(old["keyring"]) + 256, "the key of the payload, and no other"
    for name, content in old.items():
        (sluice.data / name).write_bytes(content)
    message = refusal(sluice)
    assert "0 people" in message and "1 days of payloads" in message, message
    accept_loss(sluice)
    assert [loss["data"]["payload_days"] for loss in events(sluice, "key_loss.accepted")] == [1]


def test_a_restore_to_an_earlier_point_records_what_was_destroyed_since(own_sluice, tmp_path):
    sluice, place = own_sluice(), tmp_path / "backup"
    api = work(sluice)
    then = position(sluice)
    assert api.delete("/api/v1/secrets/tool/bank/api_key").status < 300
    asked = api.post("/erasures", {"user_id": "person-1"})
    eventually(lambda: api.get(f"/erasures/{asked.json['id']}").json, lambda each: each["status"] == "ERASED")
    assert backup(sluice, place).returncode == 0
    (tmp_path / "other").mkdir()
    other = SluiceProcess(tmp_path / "other", sluice.settings)
    data(sluice.run("restore", place, "--data-dir", other.data, "--json", "--until", then))
    shutil.copy(sluice.data / "master.key", other.data / "master.key")
    point = other.data / "restore.point"
    assert point.exists()
    assert other.run("projections", "rebuild", "--data-dir", other.data).returncode == 0 and point.exists()
    try:
        other.start()
        assert not point.exists()
        [loss] = events(other, "key_loss.accepted")
        assert loss["data"] == {"people": 1, "secrets": 1, "payload_days": 0}
        users = {run["user_id"] for run in other.client().get("/runs?agent_id=a&limit=200").json}
        assert len(users) == 3 and "person-1" not in users and {"person-0", "person-2"} < users
        assert other.client().get("/api/v1/secrets").json == []
        # Afterwards it is a directory like any other.
        assert other.stop() == 0
        other.start()
        assert len(events(other, "key_loss.accepted")) == 1
        assert other.stop() == 0
        for name in FILES:
            (other.data / name).unlink()
        refusal(other)
    finally:
        other.stop()


def test_a_restore_of_everything_has_no_earlier_point(own_sluice, tmp_path):
    sluice, place = own_sluice(), tmp_path / "backup"
    work(sluice)
    assert backup(sluice, place).returncode == 0
    data(sluice.run("restore", place, "--data-dir", tmp_path / "other", "--json"))
    assert not (tmp_path / "other" / "restore.point").exists()


def test_a_backup_that_is_killed_at_any_write_leaves_a_whole_one(own_sluice, shim, tmp_path):
    sluice, place, faults = own_sluice(SLUICE_SEGMENT_BYTES_MAX="65536"), tmp_path / "backup", tmp_path / "faults"
    faults.mkdir()
    api = work(sluice)
    assert backup(sluice, place).returncode == 0
    first = data(sluice.run("backup", "verify", place, "--json"))["position"]
    api.delete("/api/v1/secrets/tool/bank/api_key")
    assert api.post("/runs", {"agent_id": "a", "user_id": "later"}).status == 201 and sluice.stop() == 0
    kept = tmp_path / "kept"
    shutil.copytree(place, kept)
    positions, number = [], 0
    while True:
        number += 1
        (faults / "kill").write_text(str(number))
        ended = sluice.run("backup", place, "--data-dir", sluice.data, LD_PRELOAD=str(shim), FAULTS=str(faults))
        report = data(sluice.run("backup", "verify", place, "--master-key", sluice.data / "master.key", "--json"))
        assert report["problems"] == [], number
        positions.append(report["position"])
        if ended.returncode == 0:
            break
        assert ended.returncode == -9, ended
        if number % 5 == 0:
            assert backup(sluice, place).returncode == 0
            assert len(list(place.glob("keyring-*"))) == 1 and not (place / "incoming").exists()
            shutil.rmtree(place)
            shutil.copytree(kept, place)
    assert number > 10 and positions[0] == first < positions[-1]
