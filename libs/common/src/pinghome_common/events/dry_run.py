"""A dry run: a monitor that is not saved, probed once by a region that is asked directly (`probe.<region>`)."""

from dataclasses import dataclass, field

from pinghome_common.events.condition import Condition
from pinghome_common.events.probe import Result


@dataclass(slots=True, kw_only=True)
class Judged:
    """One condition's own verdict: whether it holds and what was found; None when there was no answer to judge."""

    condition: Condition
    holds: bool | None = None
    found: str = ""


@dataclass(slots=True, kw_only=True)
class DryRun:
    """What a prober answers to a `Job` that it is asked to try; `busy` when it has no hand free."""

    result: Result | None = None
    conditions: list[Judged] = field(default_factory=list)
    busy: bool = False
