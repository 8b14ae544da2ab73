"""A backup that is not as it was made is found by `backup verify`, and nothing is restored from it."""

import json
import os
import shutil

import pytest

from sluice_process import SluiceProcess
from test_backup import DATA, SMALL, backup, work

PROBLEMS_FOUND = 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Backups of two daemons, each of several segments."""
    places = []
    for name in ("own", "foreign"):
        directory = tmp_path_factory.mktemp(name)
        sluice = SluiceProcess(directory, SMALL).start()
        work(sluice, 8, name)
        places.append(directory / "backup")
        assert backup(sluice, places[-1]).returncode == 0
        assert sluice.stop() == 0
    return sluice, *places


def segment(place, index):
    return sorted((place / "log").iterdir())[index]


FILES = {
    "the first segment": lambda place: segment(place, 0), "a segment": lambda place: segment(place, 1),
    "the newest segment": lambda place: segment(place, -1), "the keyring": lambda place: next(place.glob("keyring-*")),
    "the manifest": lambda place: place / "manifest.json"}


def flip(file, _):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def another(file, foreign):
    """The other backup's file of the same kind, under this one's name."""
    folder = foreign / "log" if file.parent.name == "log" else foreign
    pattern = {"seg": "*.seg", "keyring": "keyring-*", "manifest": "manifest.json"}
    kind = next(kind for kind in pattern if kind in file.name)
    shutil.copyfile(sorted(folder.glob(pattern[kind]))[0], file)


def swap(file, _):
    """Two segments have each other's contents."""
    other = next(each for each in sorted(file.parent.iterdir()) if each != file)
    first, second = file.read_bytes(), other.read_bytes()
    file.write_bytes(second)
    other.write_bytes(first)


DAMAGE = {
    "a flipped bit": flip, "cut": lambda file, _: os.truncate(file, file.stat().st_size // 2),
    "cut by a byte": lambda file, _: os.truncate(file, file.stat().st_size - 1),
    "emptied": lambda file, _: os.truncate(file, 0), "missing": lambda file, _: file.unlink(), "of another backup": another,
    "swapped with another": swap}
CASES = [
    (file, damage) for file in FILES for damage in DAMAGE
    if (damage != "swapped with another" or "segment" in file)
    # Without a manifest there is no backup, which `test_backup.py` has; another backup's is whole, and its files are not here.
    and (file, damage) != ("the manifest", "missing")]


@pytest.mark.parametrize("file, damage", CASES)
def test_damage_of_a_backup_is_found_and_stops_a_restore(made, tmp_path, file, damage):
    sluice, own, foreign = made
    place = shutil.copytree(own, tmp_path / "backup")
    DAMAGE[damage](FILES[file](place), foreign)
    verified = sluice.run("backup", "verify", place)
    assert verified.returncode in (PROBLEMS_FOUND, DATA), verified
    assert (verified.stdout + verified.stderr).strip()
    restored = sluice.run("restore", place, "--data-dir", tmp_path / "restored")
    assert restored.returncode == DATA and restored.stderr.startswith("sluice: "), restored
    assert not (tmp_path / "restored").exists(), "nothing was written"


def test_every_flipped_bit_of_a_manifest_is_found(made, tmp_path):
    """As many as there is time for; the names of members, the optional ones above all, are among them."""
    sluice, own, _ = made
    place = shutil.copytree(own, tmp_path / "backup")
    manifest = place / "manifest.json"
    whole = manifest.read_bytes()
    names = [whole.index(b'"keyring"') + 1, whole.index(b'"crc32c"') + 1, whole.index(b'"sealed"') + 1]
    for offset in [*names, *range(0, len(whole), len(whole) // 40)]:
        content = bytearray(whole)
        content[offset] ^= 1 << offset % 8
        manifest.write_bytes(content)
        verified = sluice.run("backup", "verify", place)
        assert verified.returncode in (PROBLEMS_FOUND, DATA), (offset, bytes(content[offset - 9:offset + 9]))


def test_a_backup_of_before_manifests_had_a_checksum_is_read(made, tmp_path):
    sluice, own, _ = made
    place = shutil.copytree(own, tmp_path / "backup")
    manifest = json.loads((place / "manifest.json").read_text())
    del manifest["crc32c"]
    (place / "manifest.json").write_text(json.dumps(manifest))
    assert sluice.run("backup", "verify", place).returncode == 0
    assert sluice.run("restore", place, "--data-dir", tmp_path / "restored").returncode == 0


def test_a_backup_that_is_not_damaged_is_verified_and_restored(made, tmp_path):
    sluice, own, _ = made
    assert sluice.run("backup", "verify", own).returncode == 0
    assert sluice.run("restore", own, "--data-dir", tmp_path / "restored").returncode == 0
