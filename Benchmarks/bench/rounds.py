"""Rounds that alternate between ours and the peer, so that both see the machine in the same moods."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """What the rounds measured, ours and beside it."""

    ours: list[float]
    beside: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.ours)

    @property
    def median_beside(self) -> float:
        return statistics.median(self.beside)

    @property
    def ratio(self) -> float:
        return self.median / self.median_beside

    @property
    def ratios(self) -> list[float]:
        """Those of the single rounds, smallest first."""
        return sorted(our / other for our, other in zip(self.ours, self.beside))


def alternate(rounds: int, ours: Callable[[], float], beside: Callable[[], float]) -> Pair:
    pair = Pair([], [])
    for _ in range(rounds):
        pair.ours.append(ours())
        pair.beside.append(beside())
    return pair
