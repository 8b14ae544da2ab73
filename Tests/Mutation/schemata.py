"""Mutant schemata (Untch, Offutt and Harrold, 1993): one text that holds many mutations, chosen when a process starts.

The body of a function that mutations change, and the initial value of a property, is repeated once for each mutation:
`if mutationIsActive(17) { … } else { … }`. A mutation anywhere else needs a build of its own.
"""

import os
import re
import sys
from dataclasses import dataclass, field

from mutations import ROOT, Mutation

sys.path.insert(0, str(ROOT / "Tests" / "Repository"))
import swift_source  # noqa: E402

# Not a setting of Sluice: the tests of the daemon clear those.
VARIABLE = "MUTATION_OF_SLUICE"
SWITCH = f"""#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private let activeMutation = getenv("{VARIABLE}").flatMap {{ Int(String(cString: $0)) }} ?? 0

func mutationIsActive(_ number: Int) -> Bool {{ number == activeMutation }}
"""

_TYPE = re.compile(r"(?<![.\w])(struct|class|enum|actor|extension|protocol)\s+[A-Z][^={}]*$")
_FUNCTION = re.compile(r"(?<![.\w])((func|init|subscript|deinit)\b[^{}]*|(get|set|didSet|willSet|var)\b[^={}]*)$")
_VOID = re.compile(r"(?<![.\w])((init|deinit|set|didSet|willSet)\b[^{}]*|func\b(?:(?!->)[^{}])*)$")
_ACCESSORS = re.compile(r"\s*(@\w+\s+)*((non)?mutating\s+)?(get|set|didSet|willSet)\b\s*(\{|\(|async\b|throws\b)")
_CLOSURE_HEAD = re.compile(r"\s*(?!for\b)[^{}\n]*?\bin\b(?=\s)")
_VALUE = re.compile(r"(?<![.\w])(?:let|var)\s+\w+\s*(?::[^={}]*)?=\s*$")
_CONTINUED = re.compile(r"\s*(\.|\?|:|[-+*/&|<>=!]+\s)")
_STATEMENT = re.compile(r"\s*(let|var|guard|for|while|do|defer|throw|return|fatalError|preconditionFailure)\b")
_RETURN = re.compile(r"(?<![.\w])return\b")


@dataclass(frozen=True)
class Region:
    """The part of a file that is repeated: the statements of a body, or the expression of an initial value."""

    start: int
    end: int
    is_value: bool = False
    returns_nothing: bool = False


@dataclass
class Schema:
    """The text of one file that holds mutations by number, and the lines of each."""

    text: str
    numbers: set[int] = field(default_factory=set)
    # First line, last line, and the mutations that an error there condemns.
    lines: list[tuple[int, int, set[int]]] = field(default_factory=list)

    def concerned(self, line: int) -> set[int]:
        """The mutations that an error of the compiler in a line is about: the narrowest part that holds the line."""
        around = [(last - first, numbers) for first, last, numbers in self.lines if first <= line <= last]
        return min(around, key=lambda each: each[0])[1] if around else self.numbers


def schema(source: str, mutations: dict[int, Mutation]) -> Schema:
    """Leaves out the mutations that no region holds."""
    regions: dict[Region, dict[int, str]] = {}
    for number, mutation in mutations.items():
        mutated = mutation.mutated(source)
        region = region_of(source, *changed(source, mutated))
        text = mutated[region.start : len(mutated) - (len(source) - region.end)] if region else ""
        if region and is_balanced(text):
            regions.setdefault(region, {})[number] = text
    found, at = Schema(""), 0
    for region in sorted(regions, key=lambda region: region.start):
        found.text += source[at : region.start]
        add(found, region, source[region.start : region.end], regions[region])
        found.numbers |= regions[region].keys()
        at = region.end
    found.text += source[at:]
    return found


def add(found: Schema, region: Region, original: str, versions: dict[int, str]) -> None:
    first = line_of(found)
    mixed = not region.is_value and not region.returns_nothing and any(map(returns, [original, *versions.values()]))
    for number, version in versions.items():
        found.text += f" mutationIsActive({number}) ? (\n" if region.is_value else f"\nif mutationIsActive({number}) {{"
        begin = line_of(found)
        found.text += f"{explicit(version) if mixed else version}\n"
        found.lines.append((begin, line_of(found), {number}))
        found.text += ") :" if region.is_value else "} else"
    found.text += " (\n" if region.is_value else " {"
    found.text += f"{explicit(original) if mixed else original}\n"
    found.text += ")" if region.is_value else "}\n"
    found.lines.append((first, line_of(found), set(versions)))


def line_of(found: Schema) -> int:
    return found.text.count("\n") + 1


def returns(body: str) -> bool:
    return _RETURN.search(swift_source.code(body)) is not None


def explicit(body: str) -> str:
    """A body that is a single expression, with the `return` that it may omit only where every version does."""
    code = swift_source.code(body)
    if _RETURN.search(code) or _STATEMENT.match(code) or not code.strip():
        return body
    at = len(code) - len(code.lstrip())
    return f"{body[:at]}return {body[at:]}"


def changed(source: str, mutated: str) -> tuple[int, int]:
    """The range of the source that differs."""
    start = len(os.path.commonprefix([source, mutated]))
    tail = len(os.path.commonprefix([source[start:][::-1], mutated[start:][::-1]]))
    return start, len(source) - tail


def is_balanced(text: str) -> bool:
    depth = 0
    for character in swift_source.code(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def region_of(source: str, start: int, end: int) -> Region | None:
    """The outermost body or initial value around a range; `None` where the range belongs to a declaration."""
    code = swift_source.code(source)
    for opening, closing, head in pairs_around(code, start, end):
        value = value_around(code, opening, head, closing)
        if value:
            return value
        if _TYPE.search(head) or _ACCESSORS.match(code, opening + 1):
            continue
        if _FUNCTION.search(head):
            return Region(opening + 1, closing, returns_nothing=_VOID.search(head) is not None)
        closure = _CLOSURE_HEAD.match(code, opening + 1)
        inside = closure.end() if closure else opening + 1
        return Region(inside, closing) if inside <= start else None
    return value_of(code, start, end)


def pairs_around(code: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """The braces around a range from the outside in, each with the code before it: its opening, closing and head."""
    open_pairs, found, after = [], [], 0
    for at, character in enumerate(code):
        if character == "{":
            open_pairs.append((at, code[after:at]))
        elif character == "}" and open_pairs:
            opening, head = open_pairs.pop()
            if opening < start and end <= at:
                found.append((opening, at, head))
        if character in "{}":
            after = at + 1
    return found[::-1]


def value_around(code: str, opening: int, head: str, closing: int) -> Region | None:
    """The initial value that a brace belongs to: the whole of it is repeated."""
    return None if _TYPE.search(head) or _FUNCTION.search(head) else value_of(code, opening, closing)


def value_of(code: str, start: int, end: int) -> Region | None:
    """The initial value of a property that begins before a range and ends after it."""
    for match in reversed(list(re.finditer(r"=(?!=)", code[: start + 1]))):
        if _VALUE.search(code[max(0, match.start() - 400) : match.end()]):
            closing = end_of_expression(code, match.end())
            return Region(match.end(), closing, is_value=True) if match.end() <= start and end <= closing else None
    return None


def end_of_expression(code: str, at: int) -> int:
    """The end of the line on which every bracket is closed and that the next line does not continue."""
    depth = 0
    while at < len(code):
        character = code[at]
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if depth < 0:
            return at
        if character == "\n" and depth == 0 and not _CONTINUED.match(code, at):
            return at
        at += 1
    return at
