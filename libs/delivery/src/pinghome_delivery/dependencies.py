"""Dependencies: whether people are notified of a monitor that cannot be reached without another one; pure rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

GONE = ("down", "unknown")
"""States of a parent in which its children are silent."""
LASTING = ("down", "unknown", "maintenance")
"""States of a child in which its outage is not over."""


class Decision(Enum):
    """Whether people are notified of a child's outage, or it waits for its parent, or nobody need hear of it."""

    notify = "notify"
    wait = "wait"
    suppress = "suppress"


@dataclass(slots=True, kw_only=True)
class ParentState:
    """A monitor or server and its parent; `checked` is when each was last heard of, None before the first time."""

    status: str
    checked: datetime | None
    parent: UUID
    parent_name: str
    parent_status: str
    parent_since: datetime
    parent_checked: datetime | None
    patience: timedelta
    """How long a word of either may take to come: two intervals of the slower one, its grace, and ten seconds."""


def decide(it: ParentState, down_at: datetime, now: datetime, *, waited: bool) -> Decision:
    """What to do about a child's `down`.

    A parent is to blame only when it went down at about the same time as the child, not for what failed long before.
    Only a result that is newer than the outage shows that the parent is up; and after the parent has recovered, the
    child gets a probe of its own. Both are waited for as long as a result may take.

    Args:
        it: the two monitors.
        down_at: when the child went down.
        now: the present.
        waited: it has waited for its parent before.
    """
    if waited and it.status not in LASTING:
        return Decision.suppress
    if it.parent_status in GONE:
        return Decision.wait if waited or down_at >= it.parent_since - it.patience else Decision.notify
    if it.parent_status != "up" or it.status != "down":
        return Decision.notify
    seen = _after(it.parent_checked, down_at) or now > down_at + it.patience
    back = it.parent_since <= down_at or _after(it.checked, it.parent_since) or now > it.parent_since + it.patience
    return Decision.notify if seen and back else Decision.wait


def _after(checked: datetime | None, at: datetime) -> bool:
    return checked is not None and checked > at
