"""The list of mutations fits the sources that it is about, so that `make mutate` can be trusted at any time."""

import sys
from collections import Counter

from repository import ROOT, report

sys.path.insert(0, str(ROOT / "Tests" / "Mutation"))
import mutations  # noqa: E402

MUTATIONS = mutations.read()
COUNT_MIN = 150


def test_each_mutation_applies_to_exactly_one_place() -> None:
    problems = [problem for problem in (mutation.problem() for mutation in MUTATIONS) if problem]
    assert not problems, report(problems)


def test_mutations_are_named_once_and_differ() -> None:
    names = Counter(mutation.title for mutation in MUTATIONS)
    changes = Counter((mutation.path, mutation.old, mutation.new) for mutation in MUTATIONS)
    twice = [name for name, count in names.items() if count > 1]
    twice += [f"{path}: {new}" for (path, _, new), count in changes.items() if count > 1]
    assert not twice, report(twice)


def test_every_rule_that_the_product_stands_on_is_mutated() -> None:
    topics = {mutation.topic for mutation in MUTATIONS}
    rules = {
        "addresses", "approvals", "credentials", "gate", "grants", "headers", "journal", "outbound", "payload",
        "policy", "redaction", "roles", "shares", "signatures", "tokens", "urls",
    }
    assert rules <= topics, report(sorted(rules - topics))
    assert len(MUTATIONS) >= COUNT_MIN


def test_a_mutation_whose_text_is_gone_is_reported() -> None:
    some = MUTATIONS[0]
    gone = mutations.Mutation(some.topic, some.path, "gone", "no such text", "x", some.suites, some.conformance)
    assert "stands 0 times" in (gone.problem() or "")


def test_the_sources_hold_no_switch_of_mutations() -> None:
    found = [str(file) for file in (ROOT / "Sources").rglob("*.swift") if "mutationIsActive" in file.read_text()]
    assert not found, report(found)
