"""Applies each mutation of the list by itself and expects a suite to fail: `make mutate`.

A mutation that every suite concerned passes with survives: a test is missing. Those that mean the same as the original
say so in the list.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import mutations
from mutations import ROOT, Mutation
from slices import DAEMON, SLICES, BuildFailed, Slice, slices, write

FAST = {suite for name, suites in SLICES.items() if name != DAEMON for suite in suites}
KILLED, SURVIVED, INVALID = "killed", "survived", "does not compile"


class Results:
    """Outcomes by mutation, kept in a file after each, so that an interrupted run resumes."""

    def __init__(self, file: Path):
        self.file = file
        self.known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def note(self, mutation: Mutation, outcome: str) -> None:
        self.known[self.key(mutation)] = outcome
        write(self.file, json.dumps(self.known, indent=1).encode())

    def outcome(self, mutation: Mutation) -> str | None:
        return self.known.get(self.key(mutation))

    @staticmethod
    def key(mutation: Mutation) -> str:
        parts = "\0".join([mutation.path, mutation.old, mutation.new])
        return f"{mutation.title} {hashlib.sha256(parts.encode()).hexdigest()[:12]}"


class Trial:
    """Tries mutations in the slices of the package."""

    def __init__(self, directory: Path):
        self.slices = slices(directory)
        self.prepared: set[str] = set()

    def outcome(self, mutation: Mutation) -> str:
        """Tries the suites that are built fastest first."""
        try:
            killed = any(self.fails(place, mutation) for place in self.slices)
        except BuildFailed as error:
            print(error, flush=True)
            return INVALID
        return KILLED if killed else SURVIVED

    def fails(self, place: Slice, mutation: Mutation) -> bool:
        suites = self.suites(place, [mutation])
        conformance = mutation.conformance if place.has_daemon else ()
        if not suites and not conformance:
            return False
        self.prepare(place)
        file = place.directory / mutation.path
        original = file.read_bytes()
        try:
            file.write_text(mutation.mutated(original.decode()))
            if suites:
                place.build("sluicePackageTests")
                if not all(place.passes(suite) for suite in suites):
                    return True
            if conformance:
                place.build("sluice")
                return not place.conforms(conformance)
            return False
        finally:
            file.write_bytes(original)

    def prepare(self, place: Slice) -> None:
        if place.name not in self.prepared:
            place.prepare()
            self.prepared.add(place.name)

    def suites(self, place: Slice, of: list[Mutation]) -> list[str]:
        named = {suite for mutation in of for suite in mutation.suites}
        return sorted(named.intersection(place.suites))

    def check_that_tests_pass(self, chosen: list[Mutation]) -> None:
        """Suites that fail without a mutation would kill all of them."""
        files = tuple(sorted({file for mutation in chosen for file in mutation.conformance}))
        for place in self.slices:
            suites, conforming = self.suites(place, chosen), files if place.has_daemon else ()
            if not suites and not conforming:
                continue
            print(f"building the slice {place.name} without mutations", flush=True)
            self.prepare(place)
            if suites:
                place.build("sluicePackageTests")
            for suite in suites:
                if not place.passes(suite):
                    sys.exit(f"{suite} fails without a mutation")
            if conforming:
                place.build("sluice")
                if not place.conforms(conforming):
                    sys.exit(f"a test of {', '.join(conforming)} fails without a mutation")


def chosen(arguments: argparse.Namespace, results: Results) -> list[Mutation]:
    number, count = map(int, arguments.shard.split("/"))
    only = arguments.only.lower()
    found = [mutation for mutation in mutations.read() if only in f"{mutation.title} {mutation.path}".lower()]
    # Whole files, so that each shard compiles few.
    paths = sorted({mutation.path for mutation in found})
    found = [mutation for mutation in found if paths.index(mutation.path) % count == number - 1]
    if arguments.resume:
        found = [mutation for mutation in found if results.outcome(mutation) != KILLED]

    def order(each: Mutation) -> tuple:
        """New ones first, then those that are built fastest, those of a file together."""
        known = arguments.resume and results.outcome(each) is not None
        return known, bool(each.conformance), not FAST.issuperset(each.suites), each.path

    return sorted(found, key=order)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutations whose topic, name or path contains this text")
    parser.add_argument("--shard", default="1/1", help="the I-th of N parts, as I/N")
    parser.add_argument("--resume", action="store_true", help="skip those killed before, begin with new ones")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no mutation after so many minutes")
    parser.add_argument("--list", action="store_true", help="print the mutations and try none")
    arguments = parser.parse_args()
    directory = ROOT / ".build-mutation" / arguments.shard.replace("/", "-of-")
    directory.mkdir(parents=True, exist_ok=True)
    results = Results(directory / "results.json")
    found = chosen(arguments, results)
    if arguments.list:
        print("\n".join(f"{mutation.path}: {mutation.title}" for mutation in found))
        return 0
    problems = [problem for problem in (mutation.problem() for mutation in found) if problem]
    if problems:
        sys.exit("\n".join(problems))
    end = time.monotonic() + 60 * arguments.minutes
    trial = Trial(directory)
    trial.check_that_tests_pass(found)
    for number, mutation in enumerate(found, start=1):
        begin = time.monotonic()
        if begin > end:
            print(f"{len(found) - number + 1} mutations are left for another run: --resume")
            return 1
        outcome = trial.outcome(mutation)
        results.note(mutation, outcome)
        print(f"{number}/{len(found)} {outcome} ({time.monotonic() - begin:.0f} s) {mutation.title}", flush=True)
    return report(found, results)


def report(found: list[Mutation], results: Results) -> int:
    left = [mutation for mutation in found if results.outcome(mutation) != KILLED]
    wrong = [mutation for mutation in left if not mutation.equivalent]
    for mutation in left:
        argued = f" (equivalent: {mutation.equivalent})" if mutation.equivalent else ""
        print(f"{results.outcome(mutation)}: {mutation.path}: {mutation.title}{argued}")
    killed, equivalent = len(found) - len(left), len(left) - len(wrong)
    print(f"{len(found)} mutations: {killed} killed, {equivalent} equivalent, {len(wrong)} left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
