"""Dependencies: what is said of a monitor that cannot be reached without another one; pure rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

GONE = ("down", "unknown")
"""States of a parent in which its children say nothing."""
LASTING = ("down", "unknown", "maintenance")
"""States of a child in which its outage is not over."""


class ParentDecision(Enum):
    """Whether a child's outage is told, waits for its parent, or need not be told at all."""

    told = "told"
    waits = "waits"
    needless = "needless"


@dataclass(slots=True, kw_only=True)
class ParentState:
    """A monitor and its parent; `checked` are the times of their latest results, None before the first."""

    status: str
    checked: datetime | None
    parent: UUID
    parent_name: str
    parent_status: str
    parent_since: datetime
    parent_checked: datetime | None
    patience: timedelta
    """How long a result may take to come: two intervals of the slower one, and ten seconds."""


def light(it: ParentState, down_at: datetime, now: datetime, *, shaded: bool) -> ParentDecision:
    """Whether a child's `down` is told.

    A parent is to blame only when it went about when the child did, not for what fell long before it. Only a parent
    that was looked at after the child fell can be called well; and after the parent has come back, the child gets its
    own next look. Both are waited for as long as a result may take.

    Args:
        it: the two monitors.
        down_at: when the child went down.
        now: the present.
        shaded: it waited for its parent already.
    """
    if shaded and it.status not in LASTING:
        return ParentDecision.needless
    if it.parent_status in GONE:
        return ParentDecision.waits if shaded or down_at >= it.parent_since - it.patience else ParentDecision.told
    if it.parent_status != "up" or it.status != "down":
        return ParentDecision.told
    seen = _after(it.parent_checked, down_at) or now > down_at + it.patience
    back = it.parent_since <= down_at or _after(it.checked, it.parent_since) or now > it.parent_since + it.patience
    return ParentDecision.told if seen and back else ParentDecision.waits


def _after(checked: datetime | None, at: datetime) -> bool:
    return checked is not None and checked > at
