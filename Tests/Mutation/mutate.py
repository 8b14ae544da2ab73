"""Applies each mutation of the list by itself and expects a suite to fail: `make mutate`.

A mutation that every suite concerned passes with survives: a test is missing. Those that mean the same as the original
say so in the list. Nearly all are compiled at once (see schemata.py); an environment variable chooses one of them.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import mutations
from mutations import ROOT, Mutation
from package_copy import PackageCopy, write
from trial import KILLED, Trial


class Results:
    """Outcomes by mutation, kept in a file after each, so that an interrupted run resumes."""

    def __init__(self, file: Path):
        self.file = file
        self.known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def note(self, mutation: Mutation, outcome: str) -> None:
        self.known[self.key(mutation)] = outcome
        write(self.file, json.dumps(self.known, indent=1, ensure_ascii=False).encode())

    def outcome(self, mutation: Mutation) -> str | None:
        return self.known.get(self.key(mutation))

    def is_killed(self, mutation: Mutation) -> bool:
        return (self.outcome(mutation) or "").startswith(KILLED)

    @staticmethod
    def key(mutation: Mutation) -> str:
        parts = "\0".join([mutation.path, mutation.old, mutation.new])
        return f"{mutation.title} {hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def chosen(arguments: argparse.Namespace, results: Results) -> list[Mutation]:
    number, count = map(int, arguments.shard.split("/"))
    only = arguments.only.lower()
    found = [mutation for mutation in mutations.read() if only in f"{mutation.title} {mutation.path}".lower()]
    # Whole files, so that each shard compiles few.
    paths = sorted({mutation.path for mutation in found})
    found = [mutation for mutation in found if paths.index(mutation.path) % count == number - 1]
    if arguments.resume:
        found = [mutation for mutation in found if not results.is_killed(mutation)]

    def order(each: Mutation) -> tuple:
        """New ones first, then those that need no daemon."""
        return arguments.resume and results.outcome(each) is not None, bool(each.conformance), each.path

    return sorted(found, key=order)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutations whose topic, name or path contains this text")
    parser.add_argument("--shard", default="1/1", help="the I-th of N parts, as I/N")
    parser.add_argument("--resume", action="store_true", help="skip those killed before, begin with new ones")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no mutation after so many minutes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="suites that run at the same time")
    parser.add_argument("--list", action="store_true", help="print the mutations and try none")
    return parser.parse_args()


def main() -> int:
    arguments = options()
    directory = ROOT / ".build-mutation" / arguments.shard.replace("/", "-of-")
    directory.mkdir(parents=True, exist_ok=True)
    results = Results(directory / "results.json")
    found = chosen(arguments, results)
    if arguments.list or not found:
        print("\n".join(f"{mutation.path}: {mutation.title}" for mutation in found))
        return 0
    problems = [problem for problem in (mutation.problem() for mutation in found) if problem]
    if problems:
        sys.exit("\n".join(problems))
    left = run(found, results, directory, arguments)
    if left:
        print(f"{left} mutations are left for another run: --resume")
        return 1
    return report(found, results)


def run(found: list[Mutation], results: Results, directory: Path, arguments: argparse.Namespace) -> int:
    """Tries the mutations; returns the count of those that time did not suffice for."""
    begin, done = time.monotonic(), 0

    def note(mutation: Mutation, outcome: str, seconds: float) -> None:
        nonlocal done
        done += 1
        results.note(mutation, outcome)
        print(f"{done}/{len(found)} {mutation.title}: {outcome} ({seconds:.0f} s)", flush=True)

    suites = {suite for mutation in found for suite in mutation.suites}
    copy = PackageCopy(directory / "package", suites, any(mutation.conformance for mutation in found))
    trial = Trial(copy, dict(enumerate(found, start=1)), begin + 60 * arguments.minutes)
    trial.build()
    trial.check_that_tests_pass()
    return trial.run(note, arguments.jobs)


def report(found: list[Mutation], results: Results) -> int:
    left = [mutation for mutation in found if not results.is_killed(mutation)]
    wrong = [mutation for mutation in left if not mutation.equivalent]
    for mutation in left:
        argued = f" (equivalent: {mutation.equivalent})" if mutation.equivalent else ""
        print(f"{results.outcome(mutation)}: {mutation.path}: {mutation.title}{argued}")
    killed, equivalent = len(found) - len(left), len(left) - len(wrong)
    print(f"{len(found)} mutations: {killed} killed, {equivalent} equivalent, {len(wrong)} left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
