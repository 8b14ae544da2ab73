"""Lines of the table: a figure, what was measured beside it, and whether the target is met."""

from dataclasses import dataclass

from rounds import Pair


@dataclass(frozen=True)
class Target:
    """A bound: for a line's ratio, or for its figure where nothing stands beside it."""

    limit: float
    is_least: bool
    unit: str = ""

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.limit:,}{self.unit}"


def at_least(limit: float, unit: str = "") -> Target:
    return Target(limit, True, unit)


def at_most(limit: float, unit: str = "") -> Target:
    return Target(limit, False, unit)


@dataclass(frozen=True)
class Figure:
    """What was measured, as it is shown; `value` is what the target is held against, and missing without a figure."""

    shown: str
    value: float | None = None
    beside: str = ""
    ratio: str = ""

    @staticmethod
    def of(pair: Pair, peer: str, unit: str = "/s") -> "Figure":
        ratio = f"{pair.ratio:.2f} ({pair.ratios[0]:.2f} to {pair.ratios[-1]:.2f})"
        return Figure(f"{pair.median:,.0f}{unit}", pair.ratio, f"{peer} {pair.median_beside:,.0f}{unit}", ratio)


@dataclass(frozen=True)
class Line:
    row: int
    what: str
    target: Target
    figure: Figure

    @property
    def cells(self) -> list[str]:
        value = self.figure.value
        verdict = "not measured" if value is None else "met" if self.target.is_met(value) else "missed"
        figure = self.figure
        return [str(self.row), self.what, figure.shown, figure.beside, figure.ratio, str(self.target), verdict]


def markdown(headings: list[str], rows: list[list[str]]) -> str:
    """A table whose first two columns are text and whose others are figures."""
    rule = "|--:|---|" + "--:|" * (len(headings) - 2)
    return "\n".join([f"| {' | '.join(headings)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)])


def of_lines(lines: list[Line]) -> str:
    return markdown(["row", "what", "Sluice", "beside", "ratio", "target", ""], [line.cells for line in lines])
