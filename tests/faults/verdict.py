"""What a scenario found, and whether that passes."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Check:
    """One figure; `passed` is None for one that is only told."""

    scenario: str
    name: str
    value: Any
    wanted: str = ""
    passed: bool | None = None


class Verdict:
    """The checks of one scenario, in the order in which they were made."""

    def __init__(self, scenario: str) -> None:
        self.scenario = scenario
        self.checks: list[Check] = []

    @property
    def failed(self) -> bool:
        """True when anything did not pass."""
        return any(check.passed is False for check in self.checks)

    def told(self, name: str, value: object) -> None:
        """A figure without a goal."""
        self.checks.append(Check(self.scenario, name, value))

    def none(self, name: str, found: object) -> None:
        """Must be 0 or empty; of a collection the first three are shown."""
        if isinstance(found, int):
            count, shown = found, ""
        else:
            items = list(found)  # type: ignore[call-overload]
            count, shown = len(items), ", ".join(map(str, items[:3]))
        self.checks.append(Check(self.scenario, name, f"{count} ({shown[:300]})" if shown else count, "0", count == 0))

    def at_most(self, name: str, value: float, limit: float) -> None:
        """Must not be larger."""
        self.checks.append(Check(self.scenario, name, round(value, 4), f"≤ {limit}", value <= limit))

    def at_least(self, name: str, value: float, limit: float) -> None:
        """Must not be smaller."""
        self.checks.append(Check(self.scenario, name, round(value, 4), f"≥ {limit}", value >= limit))

    def true(self, name: str, value: object, *, passed: bool, wanted: str = "yes") -> None:
        """Must hold."""
        self.checks.append(Check(self.scenario, name, value, wanted, passed))


def table(checks: list[Check]) -> str:
    """All checks as lines of text."""
    rows = [(it.scenario, it.name, str(it.value), it.wanted, _word(it)) for it in checks]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join((*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4])).rstrip()
        for row in rows
    )


def documents(checks: list[Check]) -> list[dict[str, Any]]:
    """All checks for a machine."""
    return [asdict(it) | {"value": str(it.value)} for it in checks]


def _word(it: Check) -> str:
    return "" if it.passed is None else "pass" if it.passed else "FAIL"
