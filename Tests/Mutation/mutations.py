"""Reads the list of mutations: wrong lines of the rules that this product stands on, and the suites that notice."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutations")
CONFORMANCE = ROOT / "Tests" / "Conformance"


@dataclass(frozen=True)
class Mutation:
    """A single replacement of text in one file."""

    topic: str
    path: str
    name: str
    old: str
    new: str
    # Swift test targets, then files below Tests/Conformance; one that fails is enough.
    suites: tuple[str, ...]
    conformance: tuple[str, ...]
    # Why no test can notice it; `None` for all but a few.
    equivalent: str | None = None

    @property
    def title(self) -> str:
        return f"{self.topic}: {self.name}"

    def mutated(self, text: str) -> str:
        """The text of the file with the mutation.

        Raises ValueError unless the old text stands there exactly once.
        """
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.title}: the old text stands {count} times in {self.path}")
        return text.replace(self.old, self.new)

    def problem(self) -> str | None:
        """The reason why the mutation cannot be applied; `None` when it can."""
        file = ROOT / self.path
        if not file.is_file():
            return f"{self.title}: {self.path} does not exist"
        if self.old == self.new:
            return f"{self.title}: it changes nothing"
        if not self.suites and not self.conformance:
            return f"{self.title}: it names no suite"
        missing = [name for name in self.suites if not (ROOT / "Tests" / name).is_dir()]
        missing += [name for name in self.conformance if not (CONFORMANCE / name).is_file()]
        if missing:
            return f"{self.title}: {', '.join(missing)} does not exist"
        try:
            self.mutated(file.read_text())
        except ValueError as error:
            return str(error)
        return None


def read() -> list[Mutation]:
    """All mutations, those of one file after each other."""
    found = []
    for topic in sorted(LIST.glob("*.toml")):
        for file in tomllib.loads(topic.read_text())["file"]:
            for each in file["mutation"]:
                found.append(
                    Mutation(
                        topic.stem, file["path"], each["name"], each["old"].strip("\n"), each["new"].strip("\n"),
                        tuple(each.get("suites", file.get("suites", []))),
                        tuple(each.get("conformance", file.get("conformance", []))), each.get("equivalent")))
    return found
