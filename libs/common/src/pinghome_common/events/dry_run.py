"""A dry run: a monitor that is not saved, probed once by a region on request (`probe.<region>`)."""

from dataclasses import dataclass, field

from pinghome_common.events.condition import Condition
from pinghome_common.events.probe import Result


@dataclass(slots=True, kw_only=True)
class Judged:
    """One condition's own verdict: whether it holds and what was found; None when there was no answer to evaluate."""

    condition: Condition
    holds: bool | None = None
    found: str = ""


@dataclass(slots=True, kw_only=True)
class DryRun:
    """A prober's answer to a `Job` that is a dry run; `busy` when it has no capacity."""

    result: Result | None = None
    conditions: list[Judged] = field(default_factory=list)
    busy: bool = False
