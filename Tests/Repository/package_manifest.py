"""Reads the table of targets in Package.swift: which may import what, where it is, and at which level it stands."""

import re
from dataclasses import dataclass, field

import swift_source
from repository import ROOT

_LEVEL = re.compile(r"^ *// Level (\d+)", re.MULTILINE)
# A target is a call that begins a line of the table, such as `room(`, `suite(` or `.executableTarget(`.
_TARGET = re.compile(r"^ {8}(\.?\w+)\(", re.MULTILINE)
_NAME = re.compile(r'(?:name:\s*)?"([^"]+)"')
_PATH = re.compile(r'\bpath:\s*"([^"]+)"')
_PRODUCT = re.compile(r'static let (\w+) = product\(name: "([^"]+)"')
_DEPENDENCIES = re.compile(r"\[([^\]]*)\]")
_IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)]*\))?[ \t]+)*(?:(?:package|internal|fileprivate|private|public)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?(\w+)",
    re.MULTILINE,
)

# Modules that come with the toolchain; `Domain` may not even use most of these (see style_rules.DOMAIN).
TOOLCHAIN = frozenset(
    "Dispatch Foundation FoundationEssentials Glibc Musl Darwin Observation Synchronization Testing".split()
)


@dataclass
class Target:
    name: str
    path: str
    level: int
    targets: set[str] = field(default_factory=set)
    products: set[str] = field(default_factory=set)

    @property
    def is_room(self) -> bool:
        """Whether it is part of what is shipped."""
        return self.path.startswith("Sources/")

    @property
    def modules(self) -> set[str]:
        return self.targets | self.products


def targets() -> dict[str, Target]:
    """The targets that Package.swift declares, in its own words."""
    return parse((ROOT / "Package.swift").read_text())


def parse(manifest: str) -> dict[str, Target]:
    products = dict(_PRODUCT.findall(manifest))
    table = manifest.partition("    targets: [\n")[2]
    found: dict[str, Target] = {}
    level = 0
    for mark in sorted([*_LEVEL.finditer(table), *_TARGET.finditer(table)], key=lambda mark: mark.start()):
        if mark.re is _LEVEL:
            level = int(mark[1])
        else:
            target = _target(mark[1], table[mark.end() : _end_of_call(table, mark.end())], level, products)
            found[target.name] = target
    return found


def _target(kind: str, call: str, level: int, products: dict[str, str]) -> Target:
    name_match, path_match = _NAME.search(call), _PATH.search(call)
    assert name_match, f"a target without a name: {kind}({call})"
    is_suite = kind in {"suite", ".testTarget"}
    name = name_match[1] + ("Tests" if kind == "suite" else "")
    path = path_match[1] if path_match else f"{'Tests' if is_suite else 'Sources'}/{name}"
    target = Target(name, path, level)
    dependencies = _DEPENDENCIES.search(call, name_match.end())
    if kind == ".systemLibrary" or not dependencies:
        return target
    target.targets = set(re.findall(r'"([^"]+)"', dependencies[1]))
    target.products = {products[token] for token in re.findall(r"(?<!\w)\.(\w+)", dependencies[1])}
    return target


def _end_of_call(text: str, start: int) -> int:
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    raise AssertionError("a call in Package.swift does not end")


def imports(source: str) -> set[str]:
    """The modules that a Swift file imports."""
    return set(_IMPORT.findall(swift_source.code(source)))
