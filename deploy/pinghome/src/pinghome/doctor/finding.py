"""What the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line: what part, what it means, and what to do about it."""

    part: str
    level: Level
    says: str
    do: str = ""


def ok(part: str, says: str) -> Finding:
    """All is well with a part."""
    return Finding(part, Level.OK, says)


def warning(part: str, says: str, do: str) -> Finding:
    """It works, and will not for long, or not as it should."""
    return Finding(part, Level.WARNING, says, do)


def problem(part: str, says: str, do: str) -> Finding:
    """It does not work."""
    return Finding(part, Level.PROBLEM, says, do)
