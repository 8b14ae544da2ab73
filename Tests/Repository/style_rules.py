"""The words that STYLE keeps out of Swift code, and how each is recognised in code without comments and strings."""

import re
from dataclasses import dataclass

import swift_source


@dataclass(frozen=True)
class Rule:
    name: str
    pattern: re.Pattern[str]
    instead: str


def _rule(name: str, pattern: str, instead: str) -> Rule:
    return Rule(name, re.compile(pattern), instead)


EVERYWHERE = [
    _rule("try!", r"\btry!", "handle the error, or let it through"),
    _rule("as!", r"\bas!", "use as? or a type that needs no cast"),
    _rule("force unwrap", r"(?<!\btry)(?<!\bas)(?<=[\w)\]}\">?])!(?!=(?!=))", "use guard let, or #require in a test"),
    _rule("Date()", r"\bDate\s*(\(\s*\)|\.now\b)", "ask the injected WallClock"),
    _rule("Task.detached", r"\bTask\s*(<[^>]*>)?\s*\.\s*detached\b", "use a task group"),
    _rule("fatalError", r"\bfatalError\s*\(", "use preconditionFailure with the broken rule as its message"),
    _rule("@testable", r"@testable\b", "give what the test needs package access"),
    _rule("empty catch", r"\bcatch\b[^{}\n]*\{\s*\}", "handle it, or say in a comment why there is nothing to do"),
]

SOURCES = [
    _rule("Task {", r"(?<!\w)Task\s*(<[^>]*>)?\s*(\.init\s*)?(\([^)]*\))?\s*\{", "use a task group or a Service"),
    _rule("print(", r"(?<![\w.])(?:debugP|p)rint\s*\(", "log, or write to the command's output"),
    _rule("public", r"\bpublic\b(?!\()", "use package across rooms"),
    _rule("NSLock", r"\b(NSLock|NSRecursiveLock|DispatchSemaphore|os_unfair_lock)\b", "use an actor or a Mutex"),
    _rule("@_exported", r"@_exported\b", "import where it is used"),
    _rule("UUID()", r"\bUUID\s*\(\s*\)", "ask the injected identifier source"),
    _rule("sleep", r"(?<![\w.])u?sleep\s*\(|\bThread\s*\.\s*sleep\b", "await the clock or a fact"),
]

TESTS = [
    _rule("XCTest", r"\bXCT\w+", "use Swift Testing"),
    _rule("sleep", r"\bsleep\s*\(|\bTask\s*\.\s*sleep\b", "await a fact"),
]

DOMAIN = [
    _rule("import", r"(?m)^[^\n]*\bimport\s+(?!Synchronization\b)\w+", "the Domain knows the standard library alone"),
    _rule("Codable", r"\b(Codable|Encodable|Decodable)\b", "map in a room's edge"),
    _rule("async", r"\b(async|await)\b", "rules are pure functions"),
    _rule("random", r"\.\s*random\s*\(|\bSystemRandomNumberGenerator\b", "randomness is in the command's context"),
]

# Says of a promise that the compiler cannot check why it holds.
_UNCHECKED = re.compile(r"@unchecked\s+Sendable\b|\bnonisolated\s*\(\s*unsafe\s*\)")


def violations(source: str, rules: list[Rule]) -> list[tuple[int, Rule]]:
    """The line and the rule of everything in `source` that `rules` forbid."""
    found = []
    code = swift_source.code(source)
    for rule in rules:
        for match in rule.pattern.finditer(code):
            if rule.name == "empty catch" and "//" in source[match.start() : match.end()]:
                continue
            found.append((code.count("\n", 0, match.start()) + 1, rule))
    return sorted(found, key=lambda one: (one[0], one[1].name))


def unexplained_promises(source: str) -> list[int]:
    """Lines that promise safety to the compiler with no `// SAFETY:` on them or in the comment right above."""
    lines = source.split("\n")
    code = swift_source.code(source).split("\n")
    return [index + 1 for index, line in enumerate(code) if _UNCHECKED.search(line) and not _explained(lines, index)]


def _explained(lines: list[str], index: int) -> bool:
    if "// SAFETY:" in lines[index]:
        return True
    while index > 0 and lines[index - 1].lstrip().startswith(("//", "@")):
        index -= 1
        if "// SAFETY:" in lines[index]:
            return True
    return False
