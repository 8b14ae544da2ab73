"""Tries mutations: as many as possible in one build, the others by a build each."""

import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import schemata
from mutations import ROOT, Mutation
from package_copy import BuildFailed, PackageCopy

KILLED, SURVIVED, INVALID = "killed", "survived", "does not compile"
_ERROR = re.compile(r"^(?P<path>/[^\n:]+\.swift):(?P<line>\d+):\d+: error: ", re.MULTILINE)
_FAILED = re.compile(r"^\S* *✘ .*?(?:Test|Suite) (.+?)(?: recorded an issue| failed after| with)", re.MULTILINE)
_FAILED_FILE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_PASSED = re.compile(r"✔ Test (\w+)\(.* passed after ([0-9.]+) seconds")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Each round removes the mutations that the compiler refused in the round before.
ROUNDS_MAX = 20
# An endless loop counts as noticed after this many times the time that the suite needs, and a minute.
SECONDS_FACTOR = 10
CONFORMANCE_SECONDS_MAX = 1800
# Tests that need longer run after the others of their suite: most mutations are noticed before.
QUICK_SECONDS_MAX = 0.3


class Trial:
    """The mutations of a run, by number, and the copy of the package that they are tried in."""

    def __init__(self, copy: PackageCopy, numbered: dict[int, Mutation], end: float):
        self.copy = copy
        self.numbered = numbered
        self.end = end
        self.alone: set[int] = set()
        self.seconds: dict[str, float] = {}
        # The tests of each suite that take long, as a pattern.
        self.slow: dict[str, str] = {}
        self.lock = threading.Lock()

    def build(self) -> None:
        """Builds all mutations at once, without those that the compiler refuses."""
        for number in range(1, ROUNDS_MAX + 1):
            schemas = self.schemas()
            compiled = set().union(*(each.numbers for each in schemas.values()))
            self.alone = self.numbered.keys() - compiled
            print(f"building {len(compiled)} mutations at once, {len(self.alone)} are left for builds of their own",
                  flush=True)
            self.copy.prepare({name: each.text for name, each in schemas.items()} | switches(schemas))
            try:
                return self.copy.build_all()
            except BuildFailed as error:
                refused = self.refused(str(error), schemas)
                if not refused:
                    sys.exit(f"{str(error)[-5000:]}\nthe package does not compile")
                self.alone |= refused
        sys.exit(f"the compiler refused mutations {ROUNDS_MAX} times: choose fewer by --only")

    def schemas(self) -> dict[str, schemata.Schema]:
        files: dict[str, dict[int, Mutation]] = {}
        for number, mutation in self.numbered.items():
            if number not in self.alone:
                files.setdefault(mutation.path, {})[number] = mutation
        found = {path: schemata.schema((ROOT / path).read_text(), each) for path, each in files.items()}
        return {path: each for path, each in found.items() if each.numbers}

    def refused(self, output: str, schemas: dict[str, schemata.Schema]) -> set[int]:
        found = set()
        for error in _ERROR.finditer(output):
            path = PurePosixPath(error["path"])
            if path.is_relative_to(self.copy.directory):
                name = path.relative_to(self.copy.directory).as_posix()
                if name in schemas:
                    found |= schemas[name].concerned(int(error["line"]))
        return found

    def check_that_tests_pass(self) -> None:
        """Suites that fail without a mutation would kill all of them."""
        suites = sorted({suite for each in self.numbered.values() for suite in each.suites})
        files = tuple(sorted({file for each in self.numbered.values() for file in each.conformance}))
        for suite in suites:
            begin = time.monotonic()
            tested = self.copy.test(suite, 0, CONFORMANCE_SECONDS_MAX, "--no-parallel")
            self.slow[suite] = slow(tested.stdout if tested else "")
            self.seconds[suite] = 60 + SECONDS_FACTOR * (time.monotonic() - begin)
            if tested is None or tested.returncode != 0:
                sys.exit(f"{suite} fails without a mutation{'' if tested is None else tested.stdout[-3000:]}")
        if files:
            tested = self.copy.conform(files, 0, CONFORMANCE_SECONDS_MAX)
            if tested is None or tested.returncode != 0:
                sys.exit(f"a file fails without a mutation{'' if tested is None else tested.stdout[-3000:]}")

    def run(self, note, jobs: int) -> int:
        """Tries every mutation and notes each outcome; returns the count of those that time did not suffice for."""
        together = [number for number in self.numbered if number not in self.alone]
        with ThreadPoolExecutor(jobs) as pool:
            left = sum(pool.map(lambda number: self.attempt(number, self.outcome, note), together))
        if self.alone:
            self.copy.prepare({})
        return left + sum(self.attempt(number, self.outcome_alone, note) for number in sorted(self.alone))

    def attempt(self, number: int, outcome, note) -> int:
        begin = time.monotonic()
        if begin > self.end:
            return 1
        found = outcome(number)
        with self.lock:
            note(self.numbered[number], found, time.monotonic() - begin)
        return 0

    def outcome(self, number: int) -> str:
        """Runs the suites of a mutation that is built, until one fails."""
        mutation = self.numbered[number]
        for suite in mutation.suites:
            for options in passes(suite, self.slow[suite]):
                tested = self.copy.test(suite, number, self.seconds[suite], *options)
                if tested is None or tested.returncode != 0:
                    return f"{KILLED}: {reason(tested, _FAILED, suite)}"
        if mutation.conformance:
            tested = self.copy.conform(mutation.conformance, number, CONFORMANCE_SECONDS_MAX)
            if tested is None or tested.returncode != 0:
                return f"{KILLED}: {reason(tested, _FAILED_FILE, ', '.join(mutation.conformance))}"
        return SURVIVED

    def outcome_alone(self, number: int) -> str:
        mutation = self.numbered[number]
        file = self.copy.directory / mutation.path
        original = file.read_text()
        try:
            file.write_text(mutation.mutated(original))
            if mutation.suites:
                self.copy.build("sluicePackageTests")
            if mutation.conformance:
                self.copy.build("sluice")
            return self.outcome(number)
        except BuildFailed as error:
            print("\n".join(str(error).splitlines()[-20:]), flush=True)
            return INVALID
        finally:
            file.write_text(original)


def switches(names) -> dict[str, str]:
    """The file that reads the number of the active mutation, for each module that has mutations."""
    rooms = {PurePosixPath(name).parts[1] for name in names}
    return {f"Sources/{room}/MutationSwitch.swift": schemata.SWITCH for room in rooms}


def slow(output: str) -> str:
    """A pattern of the tests that took long; empty when all were quick, or none."""
    tests = _PASSED.findall(_COLOURS.sub("", output))
    found = [name for name, seconds in tests if float(seconds) > QUICK_SECONDS_MAX]
    return "|".join(found) if len(found) < len(tests) else ""


def passes(suite: str, slow: str) -> list[tuple[str, ...]]:
    """The options of the runs that a suite is divided into: the quick tests, then the slow ones."""
    return [("--skip", f"/({slow})\\("), ("--filter", f"^{suite}\\..*/({slow})\\(")] if slow else [()]


def reason(tested, pattern: re.Pattern[str], where: str) -> str:
    """The test that noticed."""
    if tested is None:
        return f"{where} does not end"
    failed = pattern.search(_COLOURS.sub("", tested.stdout))
    return failed[1] if failed else f"{where} ended with {tested.returncode}"
