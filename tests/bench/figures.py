"""What a row measured in each round, and whether it counts (targets.md)."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

TOLERANCE = 0.20  # a round may be this much worse than what must hold; the median may not


@dataclass(frozen=True)
class Target:
    """What must hold and what we want; a figure is better when it is larger, or when it is `smaller`."""

    must: float
    goal: float | None = None
    smaller: bool = False

    def met(self, value: float, wanted: float) -> bool:
        """True when `value` is at least as good as `wanted`."""
        return value <= wanted if self.smaller else value >= wanted


def at_least(must: float, goal: float | None = None) -> Target:
    """A figure that is better when it is larger."""
    return Target(must, goal)


def at_most(must: float, goal: float | None = None) -> Target:
    """A figure that is better when it is smaller."""
    return Target(must, goal, smaller=True)


@dataclass
class Figure:
    """One figure of a row; without a target it is only told."""

    row: str
    name: str
    target: Target | None = None
    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def worst(self) -> float:
        """The round that is furthest on the wrong side."""
        return max(self.rounds) if self.target and self.target.smaller else min(self.rounds)

    @property
    def passes(self) -> bool | None:
        """True when the median does and no round is more than 20 % worse; None without a target."""
        if not self.target:
            return None
        slack = 1 + TOLERANCE if self.target.smaller else 1 - TOLERANCE
        target = self.target
        return target.met(self.median, target.must) and target.met(self.worst, target.must * slack)

    @property
    def verdict(self) -> str:
        """In one word."""
        if not self.target:
            return ""
        if not self.passes:
            return "FAIL"
        goal = self.target.goal
        return "goal" if goal is not None and self.target.met(self.median, goal) else "pass"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        told: dict[str, Any] = {"name": self.name, "median": self.median, "rounds": self.rounds}
        if self.target:
            told |= {"must": self.target.must, "goal": self.target.goal, "verdict": self.verdict}
        return told


def table(figures: list[Figure]) -> str:
    """A plain table, a line for each figure."""
    lines = [("row", "figure", "median", "must", "goal", "verdict", "rounds")]
    for figure in figures:
        rounds = " ".join(f"{value:.4g}" for value in figure.rounds)
        wanted = _wanted(figure.target, "must"), _wanted(figure.target, "goal")
        lines.append((figure.row, figure.name, f"{figure.median:.4g}", *wanted, figure.verdict, rounds))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _wanted(target: Target | None, which: str) -> str:
    value = getattr(target, which, None)
    return "" if target is None or value is None else f"{'≤' if target.smaller else '≥'} {value:g}"
