"""Where the repository is, and which files belong to it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def git(*arguments: str) -> list[str]:
    """The NUL-separated answer of a git command."""
    answer = subprocess.run(["git", *arguments, "-z"], cwd=ROOT, capture_output=True, check=True)
    return [name for name in answer.stdout.decode().split("\0") if name]


@cache
def tracked() -> list[str]:
    """Files that git tracks, by path from the root."""
    return git("ls-files")


@cache
def files() -> list[Path]:
    """Files that are tracked, or would be with the next `git add`: what a reader of the repository gets."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard")
    return [path for path in (ROOT / name for name in dict.fromkeys(names)) if path.is_file()]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str | None:
    """What is in a text file; nothing for a binary one."""
    data = path.read_bytes()
    return None if b"\0" in data[:8192] else data.decode("utf-8", errors="replace")


@cache
def swift_files(folder: str) -> list[Path]:
    """The Swift files under `folder` that people write."""
    return [
        path
        for path in files()
        if path.suffix == ".swift" and relative(path).startswith(folder + "/") and not path.name.endswith(".pb.swift")
    ]


def report(problems: list[str]) -> str:
    """The message of a failed check: one problem a line."""
    return "\n" + "\n".join(problems)
