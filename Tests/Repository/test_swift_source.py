"""The instruments of the style checks see what they are made for, and nothing else."""

import pytest
import style_rules
import swift_source

EVERYTHING = style_rules.EVERYWHERE + style_rules.SOURCES

FORBIDDEN = [
    ("let x = try! f()", "try!"),
    ("let x = y as! Z", "as!"),
    ("let x = y!", "force unwrap"),
    ("let x = y!.z", "force unwrap"),
    ("f(x[0]!)", "force unwrap"),
    ("f()! + 1", "force unwrap"),
    ("if x! == 1 {}", "force unwrap"),
    ("x!==y", "force unwrap"),
    ("var x: Int!", "force unwrap"),
    ("var x: [Int]!", "force unwrap"),
    ('let x = "\\(y!)"', "force unwrap"),
    ('URL(string: "a")!', "force unwrap"),
    ("let now = Date()", "Date()"),
    ("let now = Date.now", "Date()"),
    ("Task.detached { await f() }", "Task.detached"),
    ("Task { await f() }", "Task {"),
    ("_ = Task(priority: .high) {", "Task {"),
    ("let t = Task<Void, Never> {", "Task {"),
    ("fatalError()", "fatalError"),
    ('print("a")', "print("),
    ('debugPrint("a")', "print("),
    ("public struct A {}", "public"),
    ("@testable import Domain", "@testable"),
    ("do { try f() } catch {}", "empty catch"),
    ("do { try f() } catch let error as E { }", "empty catch"),
    ("do { try f() } catch {\n}", "empty catch"),
    ("let lock = NSLock()", "NSLock"),
    ("@_exported import Domain", "@_exported"),
    ("let id = UUID()", "UUID()"),
]

ALLOWED = [
    "if !x { return !y }",
    "let isDone = try !f()",
    "do { try f() } catch {\n// It was removed already.\n}",
    "if x != y && !(a) {}",
    "if x!=y {}",
    "guard !x else { return }",
    "// try! is not for us, nor is print()",
    "/* a /* nested */ Date() */ let x = 1",
    'let x = "Task { print(y!) }"',
    'let x = #"a \\(y!) "quoted" fatalError("# + z',
    'let x = """\n  Date() as! \\"""\n  """',
    "group.addTask { await f() }",
    "struct BackgroundTask { let a: Int }",
    "Date(timeIntervalSince1970: 1)",
    "output.print(text)",
    "func blueprint(a: Int) {}",
    'preconditionFailure("positions are dense")',
    "do { try f() } catch { throw E(error) }",
    "@Test func publicationIsOrdered() {}",
    "#if !os(Linux)\n#endif",
    "UUID(uuid: bytes)",
]


@pytest.mark.parametrize(("source", "name"), FORBIDDEN)
def test_a_forbidden_word_is_found(source: str, name: str) -> None:
    assert name in [rule.name for _, rule in style_rules.violations(source, EVERYTHING)]


@pytest.mark.parametrize("source", ALLOWED)
def test_good_code_is_left_alone(source: str) -> None:
    assert style_rules.violations(source, EVERYTHING) == []


def test_the_line_of_a_finding_is_its_line_in_the_file() -> None:
    source = "/* a\n b */\nlet x = 1\nlet y = x!\n"
    assert [line for line, _ in style_rules.violations(source, EVERYTHING)] == [4]


def test_code_keeps_its_shape() -> None:
    source = 'let a = "b\\(c + "d\\(e)")" // f\nlet g = 1\n'
    assert swift_source.code(source) == 'let a = "   c + "   e)")"     \nlet g = 1\n'


def test_an_unchecked_promise_needs_its_reason() -> None:
    bare = "final class A: @unchecked Sendable {}"
    assert style_rules.unexplained_promises(bare) == [1]
    assert style_rules.unexplained_promises("// SAFETY: read only\n\n" + bare) == [3]
    assert style_rules.unexplained_promises("// SAFETY: read only\n" + bare) == []
    assert style_rules.unexplained_promises(bare + "  // SAFETY: read only") == []
    assert style_rules.unexplained_promises("// SAFETY: guarded by\n// its queue\n@frozen\n" + bare) == []
    assert style_rules.unexplained_promises("nonisolated(unsafe) var a = 1") == [1]


def test_the_domain_imports_nothing_but_the_standard_library() -> None:
    names = [rule.name for _, rule in style_rules.violations("package import Foundation\n", style_rules.DOMAIN)]
    assert names == ["import"]
    assert style_rules.violations("import Synchronization\n", style_rules.DOMAIN) == []
