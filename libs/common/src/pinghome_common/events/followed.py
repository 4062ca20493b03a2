"""What components of status pages may follow, and what its states mean for them (contract H)."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.events.statuspage import ComponentStatus

NOUNS = ("resource", "heartbeat", "server_resource")

_STATUSES = {
    "up": ComponentStatus.operational,
    "running": ComponentStatus.operational,
    "late": ComponentStatus.operational,
    "down": ComponentStatus.major_outage,
    "maintenance": ComponentStatus.maintenance,
}


@dataclass(frozen=True, slots=True)
class FollowedChange:
    """What the last change of status of something that is followed means, when it was, and in which version.

    `failing`: it is up, but some of its regions fail, in which case it shows degraded.
    """

    status: ComponentStatus
    at: datetime
    version: int
    failing: bool = False

    @property
    def shown(self) -> ComponentStatus:
        """What a component that follows it shows now."""
        return ComponentStatus.degraded if self.failing else self.status


class _Vitals(msgspec.Struct):
    status: str
    changed_at: int = 0


class _Change(msgspec.Struct):
    status: str
    at: datetime
    version: int


class _Monitor(msgspec.Struct):
    """The state of a monitor or server, or of a heartbeat, whose `changed_version` is that of its last change."""

    created_at: datetime
    change: _Change | None = None
    vitals: _Vitals | None = None
    changed_version: int = 0
    failing_regions: list[str] = []


def last_change(state: bytes | msgspec.Raw) -> FollowedChange:
    """The last change of status in the state of a monitor, heartbeat or server."""
    it = msgspec.json.decode(state, type=_Monitor)
    if it.change:
        failing = it.change.status == "up" and bool(it.failing_regions)
        return FollowedChange(meaning(it.change.status), it.change.at, it.change.version, failing)
    assert it.vitals  # noqa: S101  # one or the other
    at = from_micros(it.vitals.changed_at) if it.vitals.changed_at else it.created_at
    return FollowedChange(meaning(it.vitals.status), at, it.changed_version)


def meaning(status: str) -> ComponentStatus:
    """What a status of a monitor, heartbeat or server is for a component that follows it."""
    return _STATUSES.get(status, ComponentStatus.unknown)
