"""Copies of the package that hold some of its targets alone, so that a changed line is built and tested in seconds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mutations import ROOT, Mutation

sys.path.insert(0, str(ROOT / "Tests" / "Repository"))
import package_manifest  # noqa: E402

# Suites by slice, the ones that are built fastest first. The last slice has the daemon too.
SLICES = {
    "domain": ("DomainTests",),
    "rules": ("GovernanceTests", "AuthenticationTests", "SecretsTests"),
    "outbound": ("OutboundTests",),
    "daemon": ("GatewaysTests", "ExecutionTests"),
}
DAEMON = "daemon"
_PRODUCT = re.compile(r'product\(name: "([^"]+)", package: "([^"]+)"\)')
BUILD_SECONDS_MAX = 3600
SUITE_SECONDS_MAX = 600
CONFORMANCE_SECONDS_MAX = 1800


class BuildFailed(Exception):
    """The compiler refuses the mutated file."""


class Slice:
    """A copy of the files in a directory of its own: the working copy is never changed."""

    def __init__(self, directory: Path, name: str):
        self.directory = directory / name
        self.name = name
        self.suites = SLICES[name]
        self.has_daemon = name == DAEMON
        self.targets = closure([*self.suites, "sluice"] if self.has_daemon else [*self.suites])

    def prepare(self) -> None:
        """Copies what has changed since the last time, and nothing else: unchanged files are not compiled again."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
            check=True).stdout.decode()
        names = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
        for name in names:
            write(self.directory / name, self.content(name))
        for path in list((self.directory / "Sources").rglob("*")) + list((self.directory / "Tests").rglob("*")):
            if path.is_file() and path.relative_to(self.directory).as_posix() not in names:
                path.unlink()
        resolved = ROOT / "Package.resolved"
        if resolved.exists() and not (self.directory / resolved.name).exists():
            shutil.copy(resolved, self.directory)

    def content(self, name: str) -> bytes:
        content = (ROOT / name).read_bytes()
        return content + self.filter().encode() if name == "Package.swift" else content

    def filter(self) -> str:
        """What is left out of Package.swift: other targets, and the packages that they alone need."""
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
            raise BuildFailed("" if built is None else built.stdout[-3000:])

    def passes(self, suite: str) -> bool:
        tested = run(
            ["swift", "test", "--skip-build", "--filter", f"^{suite}\\."], self.directory, SUITE_SECONDS_MAX)
        return tested is not None and tested.returncode == 0

    def conforms(self, files: tuple[str, ...]) -> bool:
        binary = self.directory / ".build" / "debug" / "sluice"
        tested = run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
             *(str(ROOT / "Tests" / "Conformance" / file) for file in files)],
            ROOT, CONFORMANCE_SECONDS_MAX, SLUICE_BINARY=str(binary))
        return tested is not None and tested.returncode == 0


def slices(directory: Path) -> list[Slice]:
    return [Slice(directory, name) for name in SLICES]


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


def run(command: list[str], directory: Path, seconds: float, **environment: str):
    """The finished command; `None` when it did not finish in time."""
    process = subprocess.Popen(
        command, cwd=directory, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True, errors="replace")
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None
    return subprocess.CompletedProcess(command, process.returncode, output)
