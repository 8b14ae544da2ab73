"""The texts that hold many mutations at once: each version is whole, and the original stays the last one."""

import sys

import pytest
from repository import ROOT

sys.path.insert(0, str(ROOT / "Tests" / "Mutation"))
import schemata  # noqa: E402
from mutations import Mutation  # noqa: E402


def schema(source: str, *changes: tuple[str, str]) -> schemata.Schema:
    numbered = {
        number: Mutation("topic", "Some.swift", f"name {number}", old, new, ("DomainTests",), ())
        for number, (old, new) in enumerate(changes, start=1)
    }
    return schemata.schema(source, numbered)


def wrapped(source: str, *changes: tuple[str, str]) -> str:
    """The text, with all white space as single spaces."""
    found = schema(source, *changes)
    assert found.numbers == set(range(1, len(changes) + 1))
    return " ".join(found.text.split())


def test_a_body_is_repeated_for_each_mutation_and_the_original_comes_last() -> None:
    source = "func isNew(_ a: Int, _ b: Int) -> Bool { a < b }\n"
    assert wrapped(source, ("a < b", "a > b"), ("a < b", "true")) == (
        "func isNew(_ a: Int, _ b: Int) -> Bool { "
        "if mutationIsActive(1) { a > b } else if mutationIsActive(2) { true } else { a < b } }")


def test_a_file_without_mutations_stays_as_it_is() -> None:
    source = "struct Some {\n    let a = 1\n}\n"
    assert schema(source).text == source


def test_braces_in_strings_and_comments_end_no_body() -> None:
    source = 'func text() -> String {\n    // }\n    let a = "}" /* } */\n    return a + "b"\n}\nlet after = 1\n'
    assert wrapped(source, ('+ "b"', '+ "c"')).endswith('return a + "b" } } let after = 1')


def test_strings_of_several_lines_and_interpolations_keep_their_text() -> None:
    source = 'var text: String {\n    let a = """\n        { \\(list.map { "\\($0)}" })\n        """\n    return a\n}\n'
    found = schema(source, ("return a", 'return ""'))
    assert found.text.count('        { \\(list.map { "\\($0)}" })\n        """\n') == 2


def test_the_function_around_a_nested_closure_is_what_is_repeated() -> None:
    source = "extension Some {\n    func any() -> Bool {\n        list.contains { each in each.parts.contains { $0 == 1 } }\n    }\n}\n"
    assert wrapped(source, ("$0 == 1", "$0 != 1")) == (
        "extension Some { func any() -> Bool { "
        "if mutationIsActive(1) { list.contains { each in each.parts.contains { $0 != 1 } } } "
        "else { list.contains { each in each.parts.contains { $0 == 1 } } } } }")


def test_a_case_of_a_switch_is_repeated_with_its_whole_function() -> None:
    source = "enum Some {\n    case a, b\n    var width: Int {\n        switch self {\n        case .a: 0\n        case .b: 1\n        }\n    }\n}\n"
    assert wrapped(source, ("case .b: 1", "case .b: 0")) == (
        "enum Some { case a, b var width: Int { "
        "if mutationIsActive(1) { switch self { case .a: 0 case .b: 0 } } "
        "else { switch self { case .a: 0 case .b: 1 } } } }")


def test_an_accessor_is_repeated_and_not_the_property() -> None:
    source = "struct Some {\n    var a: Int {\n        get { b }\n        set { b = newValue }\n    }\n}\n"
    assert wrapped(source, ("b = newValue", "b = 0")) == (
        "struct Some { var a: Int { get { b } set { "
        "if mutationIsActive(1) { b = 0 } else { b = newValue } } } }")


def test_versions_with_and_without_return_all_say_return() -> None:
    source = "func a() -> Int { b }\n"
    assert wrapped(source, ("{ b }", "{\n    guard c else { return 1 }\n    return b\n}")) == (
        "func a() -> Int { if mutationIsActive(1) { guard c else { return 1 } return b } else { return b } }")


def test_a_body_that_returns_nothing_gets_no_return() -> None:
    source = "func a() throws(Failure) {\n    b()\n}\n"
    assert "return b()" not in wrapped(source, ("b()", "if c { return }\n    b()"))


def test_the_initial_value_of_a_property_is_chosen_as_a_whole() -> None:
    source = "struct Some {\n    static let names: Set<String> = [\n        \"a\", \"}\",\n    ]\n    let after = 1\n}\n"
    assert wrapped(source, ('"a", ', "")) == (
        'struct Some { static let names: Set<String> = mutationIsActive(1) ? ( [ "}", ] ) : ( [ "a", "}", ] ) '
        "let after = 1 }")


def test_an_initial_value_that_closures_compute_is_chosen_as_a_whole() -> None:
    source = "let names = list\n    .filter { $0 > 1 }\n    .map { $0 }\nlet after = 1\n"
    assert wrapped(source, ("> 1", "> 2")) == (
        "let names = mutationIsActive(1) ? ( list .filter { $0 > 2 } .map { $0 } ) : "
        "( list .filter { $0 > 1 } .map { $0 } ) let after = 1")


@pytest.mark.parametrize(
    "change",
    [("a: Int = 1", "a: Int = 2"), ("case one", "case two"), ("Some: Hashable", "Some: Equatable")])
def test_a_declaration_is_left_for_a_build_of_its_own(change: tuple[str, str]) -> None:
    source = "enum Some: Hashable {\n    case one\n    func b(a: Int = 1) -> Int { a }\n}\n"
    assert schema(source, change).numbers == set()


def test_a_mutation_that_opens_another_body_is_left_for_a_build_of_its_own() -> None:
    source = "func a() { b() }\n"
    assert schema(source, ("b()", "b() }\nfunc c() { d()")).numbers == set()
