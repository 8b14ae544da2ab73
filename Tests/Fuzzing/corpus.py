"""Makes a target's corpus anew from itself and what the fuzzer has found: few inputs that together reach the most.

Inputs with a name of their own stay: they broke a promise once, or show something to a reader.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

FILES_MAX = 100
CORPUS = pathlib.Path(__file__).parent / "Corpus"
_NAME_OF_CONTENTS = re.compile(r"[0-9a-f]{40}")


def features(fuzz: str, target: str, directories: list[pathlib.Path]) -> dict[pathlib.Path, set[str]]:
    """What libFuzzer sees each input of the directories reach, as it notes that down when it merges them."""
    with tempfile.TemporaryDirectory() as scratch:
        notes, merged = pathlib.Path(scratch, "notes"), pathlib.Path(scratch, "merged")
        merged.mkdir()
        command = [fuzz, "-set_cover_merge=1", "-use_counters=0", "-max_len=4096", f"-merge_control_file={notes}", merged]
        environment = os.environ | {"FUZZ_TARGET": target, "SWIFT_BACKTRACE": "enable=no"}
        subprocess.run([*command, *directories], env=environment, check=True, capture_output=True)
        # Two numbers, the files one a line, then lines such as "FT 3 17 18 99": the third file, and what it reaches.
        lines = notes.read_text().splitlines()
    count = int(lines[0])
    inputs = [pathlib.Path(line) for line in lines[2 : 2 + count]]
    found: dict[pathlib.Path, set[str]] = {}
    for kind, number, *reached in (line.split() for line in lines[2 + count :]):
        if kind == "FT":
            found[inputs[int(number)]] = set(reached)
    return found


def choose(found: dict[pathlib.Path, set[str]]) -> list[pathlib.Path]:
    """The named inputs, then always the one that adds the most, of equals the smallest."""
    chosen = [path for path in found if not _NAME_OF_CONTENTS.fullmatch(path.name)]
    reached = set().union(*(found[path] for path in chosen))
    while len(chosen) < FILES_MAX:
        best = max(found, key=lambda path: (len(found[path] - reached), -path.stat().st_size, path.name))
        if found[best] <= reached:
            break
        chosen.append(best)
        reached |= found[best]
    return chosen


def main(fuzz: str, scratch: str, *targets: str) -> None:
    for target in targets:
        corpus = CORPUS / target
        found = features(fuzz, target, [corpus, pathlib.Path(scratch, target)])
        kept = {path.name: path.read_bytes() for path in choose(found)}
        for path in corpus.iterdir():
            path.unlink()
        for name, data in kept.items():
            (corpus / name).write_bytes(data)
        print(f"{target}: {len(kept)} inputs of {len(found)}, {sum(map(len, kept.values()))} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
