"""Rooms know only what Package.swift says they may know, and the table itself goes one way."""

import re

import package_manifest
import swift_source
from package_manifest import TOOLCHAIN, Target
from repository import ROOT, files, relative, report, swift_files

TARGETS = package_manifest.targets()
ROOMS = {name: target for name, target in TARGETS.items() if target.is_room}


def used_modules(target: Target) -> set[str]:
    """What the files of a target import, generated ones too."""
    paths = [path for path in files() if path.suffix == ".swift" and relative(path).startswith(target.path + "/")]
    return set().union(*(package_manifest.imports(path.read_text()) for path in paths))


def test_the_table_is_read_whole() -> None:
    assert {"CLZ4", "Domain", "EventLog", "HTTPAPI", "Daemon", "sluice"} <= ROOMS.keys()
    assert ROOMS["EventStore"].targets == {"Domain", "EventLog"}
    assert "GRDB" in ROOMS["Projections"].products
    assert ROOMS["Domain"].modules == set()
    assert TARGETS["DomainTests"].path == "Tests/DomainTests"
    assert TARGETS["DomainTests"].targets >= {"Domain"}


def test_every_folder_is_a_target_of_the_package() -> None:
    declared = {target.path for target in TARGETS.values()}
    rooms = {f"Sources/{path.name}" for path in (ROOT / "Sources").iterdir() if path.is_dir()}
    suites = {"/".join(relative(path).split("/")[:2]) for path in swift_files("Tests")}
    missing = sorted((rooms | suites) - declared)
    assert not missing, "Package.swift has no target for" + report(missing)
    gone = sorted(path for path in declared if not (ROOT / path).is_dir())
    assert not gone, "Package.swift has a target for what is not there" + report(gone)


def test_a_room_depends_on_lower_rooms_alone() -> None:
    wrong = [
        f"{room.name} (level {room.level}) may not depend on {name}"
        for room in ROOMS.values()
        for name in room.targets
        if name not in ROOMS or ROOMS[name].level >= room.level
    ]
    assert not wrong, report(wrong)


def test_imports_are_edges_of_the_table() -> None:
    wrong = [
        f"{target.path}: may not import {module}"
        for target in TARGETS.values()
        for module in used_modules(target) - TOOLCHAIN - target.modules
    ]
    assert not wrong, report(sorted(wrong))


def test_only_outbound_has_an_http_client() -> None:
    client = re.compile(r"\bimport\s+AsyncHTTPClient\b|\bHTTPClient\s*[(.]|\bURLSession\b|\bClientBootstrap\b")
    wrong = [
        f"{relative(path)}:{number}"
        for path in swift_files("Sources")
        if not relative(path).startswith("Sources/Outbound/")
        for number, line in enumerate(swift_source.code(path.read_text()).split("\n"), start=1)
        if client.search(line)
    ]
    assert not wrong, "requests leave the daemon through Outbound alone:" + report(wrong)
    assert [name for name, room in ROOMS.items() if "AsyncHTTPClient" in room.modules] == ["Outbound"]


def test_a_room_uses_every_edge_that_it_has() -> None:
    wrong = [
        f"{room.name} has {module} in Package.swift and never imports it"
        for room in ROOMS.values()
        for module in room.modules - used_modules(room)
    ]
    assert not wrong, report(sorted(wrong))


def test_the_reader_of_imports_knows_every_form() -> None:
    source = """
    // import Comment
    import A
    package import B
    @preconcurrency import C
    internal import struct D.Inner
    @_spi(Testing) package import E
    let text = "import F"
    """
    assert package_manifest.imports(source) == {"A", "B", "C", "D", "E"}


def test_the_reader_of_the_manifest_knows_every_form() -> None:
    found = package_manifest.parse(
        """
extension Target.Dependency {
    static let metrics = product(name: "Metrics", package: "swift-metrics")
}
let package = Package(
    targets: [
        // Level 1
        .systemLibrary(name: "CX", path: "Sources/CX", providers: [.apt(["x-dev"])]),
        // Level 4
        room(
            "A",
            ["CX", .metrics]),
        .executableTarget(name: "tool", dependencies: ["A"], path: "Benchmarks/tool"),
        suite("A", ["A", "Support"]),
        .target(name: "Support", dependencies: ["A"], path: "Tests/Support", swiftSettings: strict),
    ]
)
"""
    )
    assert found == {
        "CX": Target("CX", "Sources/CX", 1),
        "A": Target("A", "Sources/A", 4, {"CX"}, {"Metrics"}),
        "tool": Target("tool", "Benchmarks/tool", 4, {"A"}),
        "ATests": Target("ATests", "Tests/ATests", 4, {"A", "Support"}),
        "Support": Target("Support", "Tests/Support", 4, {"A"}),
    }


def test_make_builds_every_benchmark() -> None:
    makefile = (ROOT / "Makefile").read_text()
    built = set(re.search(r"^BENCHMARKS := (.+)$", makefile, re.MULTILINE)[1].split())
    assert built == {name for name, target in TARGETS.items() if target.path.startswith("Benchmarks/")}
