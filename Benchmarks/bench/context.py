"""What every measurement is given: the binaries, a directory on the disk in question, and how long to measure."""

import itertools
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

# Where the sources of the load programs are.
LOADS = Path(__file__).resolve().parent.parent


class NotMeasured(Exception):
    """Why a row has no figure; the bench goes on with the next one."""


def reason(error: Exception) -> str:
    """An error as a cell of the table has it; one that nobody foresaw is shown whole beside the table."""
    if not isinstance(error, NotMeasured):
        traceback.print_exception(error)
    text = " ".join(str(error).replace("|", "/").split())
    return text if isinstance(error, NotMeasured) else f"{type(error).__name__}: {text}"


@dataclass(eq=False)
class Bench:
    products: Path
    directory: Path
    is_quick: bool
    notes: list[str] = field(default_factory=list)
    _numbers: itertools.count = field(default_factory=itertools.count)

    @property
    def rounds(self) -> int:
        return 2 if self.is_quick else 5

    @property
    def long_rounds(self) -> int:
        """For what takes minutes."""
        return 1 if self.is_quick else 3

    @property
    def seconds(self) -> float:
        """How long a round lasts."""
        return 2 if self.is_quick else 5

    def path(self, name: str) -> Path:
        """A path in the bench's directory that nobody had before."""
        return self.directory / f"{next(self._numbers)}-{name}"

    def product(self, name: str) -> Path:
        binary = self.products / name
        if not binary.exists():
            raise NotMeasured(f"{name} is not built")
        return binary

    def note(self, text: str) -> None:
        """Keeps a sentence to be printed beneath the table."""
        if text not in self.notes:
            self.notes.append(text)

    def taken_notes(self) -> list[str]:
        """What was noted since this was last asked."""
        taken, self.notes = self.notes, []
        return taken

    def progress(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
