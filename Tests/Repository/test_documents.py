"""What the documents promise about the repository is so."""

import re
from collections.abc import Iterator
from pathlib import Path

from repository import ROOT, files, relative, report, swift_files

DECISIONS = ROOT / "docs" / "decisions"
_ENUM = re.compile(r"enum (\w*ErrorCode)\b[^{]*\{(.*?)^\}", re.DOTALL | re.MULTILINE)
_CASE = re.compile(r'case \w+ = "([a-z_]+)"')
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(#[^)\s]*)?\)")
_ENVIRONMENT = re.compile(r"`(SLUICE_[A-Z_]+)`")


def error_codes() -> dict[str, str]:
    """Every stable code in Sources, with the type it is defined in."""
    return {
        code: name
        for path in swift_files("Sources")
        for name, body in _ENUM.findall(path.read_text())
        for code in _CASE.findall(body)
    }


def documents() -> Iterator[Path]:
    return (path for path in files() if path.suffix == ".md")


def test_every_error_code_is_documented() -> None:
    codes = error_codes()
    assert "payload_hash_mismatch" in codes, "the reader of error codes does not see them"
    documented = (ROOT / "docs" / "errors.md").read_text()
    missing = [f"{code} ({name})" for code, name in sorted(codes.items()) if f"`{code}`" not in documented]
    assert not missing, "docs/errors.md has no line for" + report(missing)


def test_no_documented_error_code_is_gone() -> None:
    documented = set(re.findall(r"^\|\s*`([a-z_]+)`", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE))
    gone = sorted(documented - error_codes().keys())
    assert documented and not gone, "docs/errors.md explains codes that nothing throws" + report(gone)


def test_every_decision_is_in_the_index() -> None:
    index = set(re.findall(r"\]\(([^)]+\.md)\)", (DECISIONS / "README.md").read_text()))
    records = {path.name for path in DECISIONS.glob("*.md")} - {"README.md"}
    assert records == index, report(sorted(records ^ index))


def test_decisions_are_numbered_once_and_say_what_they_decide() -> None:
    numbers = []
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        number, title = path.name[:4], path.read_text().splitlines()[0]
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name), path.name
        assert title.startswith(f"# {number}"), f"{path.name} begins with {title!r}"
        numbers.append(int(number))
    assert numbers == sorted(set(numbers)), f"numbers are used twice: {numbers}"


def test_the_readme_shows_both_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme and "make test" in readme


def test_continuous_integration_runs_the_same_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, ".ci/run is not executable"
    assert "exec make test" in script.read_text()


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in documents():
        for target, _ in _LINK.findall(path.read_text()):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                broken.append(f"{relative(path)}: {target}")
    assert not broken, report(broken)


def test_every_setting_in_the_readme_is_one_of_the_daemon() -> None:
    sources = "".join(path.read_text() for room in ("Daemon", "sluice") for path in swift_files(f"Sources/{room}"))
    known = re.sub(r"[^a-z0-9]", "", sources.lower())
    settings = _ENVIRONMENT.findall((ROOT / "README.md").read_text())
    unknown = [name for name in settings if name.removeprefix("SLUICE_").replace("_", "").lower() not in known]
    assert settings and not unknown, report(unknown)


def test_every_setting_of_the_daemon_is_in_the_readme() -> None:
    source = (ROOT / "Sources" / "Daemon" / "Configuration" / "SettingKey.swift").read_text()
    cases = re.findall(r'^    case (\w+)(?: = "([a-z-]+)")?$', source, re.MULTILINE)
    names = {"SLUICE_" + (text or case).upper().replace("-", "_") for case, text in cases}
    assert "SLUICE_HEARTBEAT" in names and "SLUICE_LISTEN" in names, "the reader of settings does not see them"
    missing = sorted(names - set(_ENVIRONMENT.findall((ROOT / "README.md").read_text())))
    assert not missing, "README has no line for" + report(missing)


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    mentioned = {name for path in documents() for name in re.findall(r"`make ([a-z-]+)`", path.read_text())}
    explained = set(re.findall(r"^([a-z-]+):[^#\n]*## ", makefile, re.MULTILINE))
    assert not mentioned - explained, report(sorted(mentioned - explained))


def test_every_promise_of_the_security_page_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    promises = page.partition("\n## Promises")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", promises, re.MULTILINE)
    named = [(promise, re.findall(r"`([^`]+)`", tests)) for promise, tests in rows if promise != "promise"]
    untested = [promise for promise, tests in named if not tests]
    assert len(named) > 40 and not untested, report(untested)
    gone = unknown_tests({test for _, tests in named for test in tests})
    assert not gone, "docs/security.md names tests that do not exist" + report(gone)


def unknown_tests(names: set[str]) -> list[str]:
    """Those of the names, `FILE` or `FILE::TEST`, that no file of tests has."""
    sources = {path.name: path.read_text() for path in (ROOT / "Tests").rglob("*Tests.swift")}
    sources |= {path.name: path.read_text() for path in (ROOT / "Tests" / "Conformance").rglob("test_*.py")}

    def exists(test: str) -> bool:
        file, _, name = test.partition("::")
        return file in sources and (not name or re.search(rf"\b(def|func) {name}\b", sources[file]) is not None)

    return sorted(test for test in names if not exists(test))


def test_every_fault_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "faults.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.endswith("| test |")]
    tests = {row: re.findall(r"`([\w.]+::\w+)`", row.rpartition(" | ")[2]) for row in rows}
    untested = [row for row, named in tests.items() if not named]
    assert len(rows) > 40 and not untested, report(untested)
    gone = unknown_tests({test for named in tests.values() for test in named})
    assert not gone, "docs/faults.md names tests that do not exist" + report(gone)


def test_the_table_of_frameworks_has_a_row_for_each_that_is_tested() -> None:
    folder = ROOT / "Tests/Conformance/frameworks"
    tested = dict(re.findall(r'Framework\("([^"]+)", "(\w+)"', (folder / "framework_agents.py").read_text()))
    assert set(tested.values()) == {path.stem for path in (folder / "agents").glob("*.py")}
    document = (ROOT / "docs/agents.md").read_text()
    table = document.split("<!-- frameworks: begin -->")[1].split("<!-- frameworks: end -->")[0]
    missing = [title for title in tested if f"| {title} | " not in table]
    assert not missing, "`make frameworks` writes the table:" + report(missing)
