"""A dry run: a monitor that is not saved is probed once in a region, on request (`probe.<region>`)."""

from dataclasses import dataclass, field

from pinghome_common.events.condition import Condition
from pinghome_common.events.probe import Result


@dataclass(slots=True, kw_only=True)
class Judged:
    """One condition's outcome: whether it holds (None without an answer to evaluate), and what was found."""

    condition: Condition
    holds: bool | None = None
    found: str = ""


@dataclass(slots=True, kw_only=True)
class DryRun:
    """A prober's answer to a dry run, whose request is a `Job`; `busy` if it has no capacity."""

    result: Result | None = None
    conditions: list[Judged] = field(default_factory=list)
    busy: bool = False
