"""What STYLE asks of Swift code and can be checked without compiling it."""

import shutil
import subprocess
from pathlib import Path

import exceptions
import pytest
import style_rules
from repository import ROOT, files, relative, report, swift_files

SOURCE_LINES_MAX = 400
BANNED_FOLDERS = {"Utils", "Util", "Utilities", "Helpers", "Common", "Managers", "Misc"}


def findings() -> dict[str, list[str]]:
    """Everything that breaks a rule, by its "path: rule"."""
    found: dict[str, list[str]] = {}

    def add(path: Path, line: int, rule: str, advice: str) -> None:
        found.setdefault(f"{relative(path)}: {rule}", []).append(f"{relative(path)}:{line}: {rule}: {advice}")

    for folder, rules in (
        ("Sources", style_rules.EVERYWHERE + style_rules.SOURCES),
        ("Sources/Domain", style_rules.DOMAIN),
        ("Tests", style_rules.EVERYWHERE + style_rules.TESTS),
    ):
        for path in swift_files(folder):
            for line, rule in style_rules.violations(path.read_text(), rules):
                add(path, line, rule.name, rule.instead)
    for path in swift_files("Sources") + swift_files("Tests"):
        for line in style_rules.unexplained_promises(path.read_text()):
            add(path, line, "unchecked promise", "say why it holds in a // SAFETY: comment right above")
    for path in swift_files("Sources"):
        lines = len(path.read_text().splitlines())
        if lines > SOURCE_LINES_MAX:
            add(path, lines, "file size", f"more than {SOURCE_LINES_MAX} lines hold two ideas; part them")
    return found


def test_swift_keeps_the_rules_of_style() -> None:
    assert swift_files("Sources"), "there are no sources to check"
    new = [line for key, lines in findings().items() if key not in exceptions.ALLOWED for line in lines]
    assert not new, report(new)


def test_exceptions_only_shrink() -> None:
    stale = sorted(exceptions.ALLOWED - findings().keys())
    assert not stale, "not needed any more, so remove:" + report(stale)
    assert len(exceptions.ALLOWED) == exceptions.COUNT, "lower the count with each exception that goes"


def test_folders_are_nouns_of_the_field() -> None:
    wrong = sorted({relative(path) for path in swift_files("Sources") if BANNED_FOLDERS & set(path.parts)})
    assert not wrong, report(wrong)


def test_text_ends_with_a_newline_and_has_no_trailing_blanks() -> None:
    wrong = []
    for path in files():
        if path.suffix not in {".swift", ".md", ".py", ".proto", ".txt"} and path.name != "Makefile":
            continue
        if path.name.endswith(".pb.swift"):
            continue
        content = path.read_text()
        if content and not content.endswith("\n"):
            wrong.append(f"{relative(path)}: no newline at the end")
        for number, line in enumerate(content.split("\n"), start=1):
            if line != line.rstrip():
                wrong.append(f"{relative(path)}:{number}: trailing blanks")
    assert not wrong, report(wrong)


@pytest.mark.skipif(shutil.which("swift") is None, reason="no Swift toolchain here")
def test_swift_is_formatted() -> None:
    paths = [str(path) for path in files() if path.suffix == ".swift"]
    lint = subprocess.run(
        ["swift", "format", "lint", "--strict", "--parallel", *paths], cwd=ROOT, capture_output=True, text=True
    )
    assert lint.returncode == 0, "`make format` may help:" + report(
        [line.removeprefix(f"{ROOT}/") for line in lint.stderr.splitlines()]
    )
