"""A copy of the package that holds the targets concerned alone: the working copy is never changed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import schemata
from mutations import ROOT

sys.path.insert(0, str(ROOT / "Tests" / "Repository"))
import package_manifest  # noqa: E402

_PRODUCT = re.compile(r'product\(name: "([^"]+)", package: "([^"]+)"\)')
BUILD_SECONDS_MAX = 3600
# Worlds that SimulationTests tries: enough for the rules, which the first seconds reach.
SIMULATION_SECONDS = "5"
FIRST_FAILURE = re.compile("✘ .*recorded an issue")


class BuildFailed(Exception):
    """The compiler refuses a file. The message ends with its output."""


class PackageCopy:
    """The sources, suites and daemon that mutations are tried in."""

    def __init__(self, directory: Path, suites: set[str], has_daemon: bool):
        self.directory = directory
        self.suites = suites
        self.has_daemon = has_daemon
        self.targets = closure([*suites, "sluice"] if has_daemon else [*suites])

    def prepare(self, changed: dict[str, str]) -> None:
        """Copies the files, some with another content, and writes those alone that differ: the rest is not recompiled."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
            check=True).stdout.decode()
        names = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
        for name in names | changed.keys():
            write(self.directory / name, changed[name].encode() if name in changed else self.content(name))
        for path in [*(self.directory / "Sources").rglob("*"), *(self.directory / "Tests").rglob("*")]:
            if path.is_file() and path.relative_to(self.directory).as_posix() not in names | changed.keys():
                path.unlink()
        resolved = ROOT / "Package.resolved"
        if resolved.exists() and not (self.directory / resolved.name).exists():
            shutil.copy(resolved, self.directory)

    def content(self, name: str) -> bytes:
        content = (ROOT / name).read_bytes()
        return content + self.filter().encode() if name == "Package.swift" else content

    def filter(self) -> str:
        """The end of Package.swift, which removes other targets and the packages that they alone need."""
        manifest = (ROOT / "Package.swift").read_text()
        products = set().union(*(package_manifest.targets()[name].products for name in self.targets))
        packages = {package for product, package in _PRODUCT.findall(manifest) if product in products}
        lines = [
            f"let kept: Set<String> = [{quoted(self.targets)}]",
            "package.targets.removeAll { !kept.contains($0.name) }",
            f"let packages: [String] = [{quoted(packages)}]",
            "package.dependencies.removeAll { dependency in",
            "    guard case .sourceControl(_, let location, _) = dependency.kind else { return false }",
            '    return !packages.contains { location.hasSuffix("/\\($0).git") }',
            "}",
        ]
        return "\n" + "\n".join(lines if self.has_daemon else [*lines, "package.products.removeAll()"]) + "\n"

    def build(self, product: str) -> None:
        built = run(["swift", "build", "--product", product], self.directory, BUILD_SECONDS_MAX)
        if built is None or built.returncode != 0:
            raise BuildFailed("" if built is None else built.stdout)

    def build_all(self) -> None:
        if self.suites:
            self.build("sluicePackageTests")
        if self.has_daemon:
            self.build("sluice")

    def test(self, suite: str, number: int, seconds: float, *options: str):
        """Runs a Swift suite up to its first failure; `None` when it did not finish in time."""
        chosen = options if "--filter" in options else ("--filter", f"^{suite}\\.", *options)
        return run(
            [str(self.built("sluicePackageTests.xctest")), "--testing-library", "swift-testing", *chosen],
            self.directory, seconds, FIRST_FAILURE, **environment(number))

    def conform(self, files: tuple[str, ...], number: int, seconds: float):
        """Runs files of Tests/Conformance with the daemon; `None` when they did not finish in time."""
        return run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
             *(str(ROOT / "Tests" / "Conformance" / file) for file in files)],
            ROOT, seconds, SLUICE_BINARY=str(self.built("sluice")), **environment(number))

    def built(self, product: str) -> Path:
        return self.directory / ".build" / "debug" / product


def environment(number: int) -> dict[str, str]:
    return {
        schemata.VARIABLE: str(number), "SIMULATION_SECONDS": SIMULATION_SECONDS, "SWIFT_BACKTRACE": "enable=no",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def quoted(names: set[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))


def closure(roots: list[str]) -> set[str]:
    targets, found, open_names = package_manifest.targets(), set(), list(roots)
    while open_names:
        name = open_names.pop()
        if name in targets and name not in found:
            found.add(name)
            open_names += targets[name].targets
    return found


def write(path: Path, content: bytes) -> None:
    """Writes a file whose content differs."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def run(command: list[str], directory: Path, seconds: float, until: re.Pattern[str] | None = None, **environment: str):
    """The finished command; `None` when it did not finish in time.

    A line of output that `until` finds ends the command, which then counts as failed.
    """
    process = subprocess.Popen(
        command, cwd=directory, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True, errors="replace")
    late = threading.Event()
    timer = threading.Timer(seconds, lambda: (late.set(), kill(process)))
    timer.start()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if until and until.search(line):
            kill(process)
            break
    process.stdout.close()
    process.wait()
    timer.cancel()
    return None if late.is_set() else subprocess.CompletedProcess(command, process.returncode, "".join(lines))


def kill(process: subprocess.Popen) -> None:
    """Ends the command with the processes that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
