"""What is in the repository belongs there, and says nothing of the machine it was written on."""

import re

from repository import files, relative, report, text, tracked

FILE_BYTES_MAX = 1024 * 1024

# Paths of somebody's machine; one in a URL follows a host's name, and is no such path.
_MACHINE_PATH = re.compile(r"(?<![\w./:*}-])/(?:work|opt|root|home|tmp)/\w")
_JUNK = re.compile(
    r"(^|/)(\.build[^/]*|\.venv[^/]*|\.swiftpm|__pycache__|\.pytest_cache|DerivedData|node_modules|sluice-data)/"
    r"|(^|/)(Package\.resolved|\.DS_Store|\.env|nohup\.out|core)$"
    r"|\.(pyc|o|so|orig|rej|swp|bak|tmp|log|sqlite(-wal|-shm)?)$|~$"
)


def test_nothing_that_is_made_is_tracked() -> None:
    junk = [name for name in tracked() if _JUNK.search(name)]
    assert not junk, report(junk)


def test_no_file_is_larger_than_a_person_would_read() -> None:
    large = [relative(path) for path in files() if path.stat().st_size > FILE_BYTES_MAX]
    assert not large, report(large)


def test_no_file_names_a_path_of_a_machine() -> None:
    named = []
    for path in files():
        for number, line in enumerate((text(path) or "").split("\n"), start=1):
            if _MACHINE_PATH.search(line):
                named.append(f"{relative(path)}:{number}: {line.strip()[:120]}")
    assert not named, report(named)


def test_a_machine_path_is_told_from_a_part_of_a_url() -> None:
    slash = "/"
    assert _MACHINE_PATH.search(f"cd {slash}work/main")
    assert _MACHINE_PATH.search(f'"{slash}home/somebody"')
    assert not _MACHINE_PATH.search(f"https:{slash}{slash}api.example.com{slash}work{slash}items")
    assert not _MACHINE_PATH.search(f"Sources{slash}work{slash}items")


def test_no_merge_was_left_half_done() -> None:
    marker = re.compile(r"^(<{7} |>{7} )", re.MULTILINE)
    left = [relative(path) for path in files() if marker.search(text(path) or "")]
    assert not left, report(left)
