"""A heartbeat: a job that must report in time, and the rules of its status that commands and queries share."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pinghome_common.events.ping import Kind

MICRO = 1_000_000


class Status(StrEnum):
    """The stored status; what is shown also knows `running` (see `shown`)."""

    new = "new"
    up = "up"
    down = "down"
    paused = "paused"


@dataclass(slots=True, kw_only=True)
class Vitals:
    """What pings and deadlines make of a heartbeat. All times are UNIX microseconds.

    `position` is that of the last ping counted in (`ping.position`): applying a ping twice changes nothing.
    `last_ping` is the last success or fail, `last_event` the last ping of any kind.
    """

    status: Status = Status.new
    changed_at: int = 0
    reason: str = ""
    last_ping: int | None = None
    last_event: int | None = None
    last_start: int | None = None
    last_duration: float | None = None
    n_pings: int = 0
    position: int = 0


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """One heartbeat monitor; `period` and `grace` are in seconds.

    `manual_resume`: only a command ends a pause; else the next ping does.
    `previous` is the status before `vitals.status`, `changed_version` the aggregate's version of that change.
    `channels` are told what happens: None means those of its service. `down_since` is the begin of an outage that was
    told and is not over.
    """

    id: UUID
    organisation: UUID
    service_id: UUID
    name: str
    period: int
    grace: int = 0
    methods: list[str]
    manual_resume: bool = True
    vitals: Vitals = field(default_factory=Vitals)
    previous: Status | None = None
    changed_version: int = 1
    channels: list[UUID] | None = None
    down_since: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def run_limit(self) -> int:
        """Seconds a run may take: the grace time, or the period where there is none (contract A.4, B.4)."""
        return self.grace or self.period


def take(heartbeat: Heartbeat, vitals: Vitals, kind: int, at: int, position: int) -> Vitals:
    """The vitals after one ping received at `at`; a ping already counted in changes nothing.

    A ping that arrives after a later one (a spool that was replayed) is counted but does not speak for the present.
    """
    if position <= vitals.position:
        return vitals
    after = replace(vitals, position=position, n_pings=vitals.n_pings + 1)
    if vitals.last_event is not None and at < vitals.last_event:
        return after
    after.last_event = at
    if kind in (Kind.log, Kind.ign) or (vitals.status is Status.paused and heartbeat.manual_resume):
        return after
    if kind == Kind.run:
        after.last_start = at
        return after
    after.last_ping = at
    after.last_duration = None if vitals.last_start is None else (at - vitals.last_start) / MICRO
    after.last_start = None
    status = Status.down if kind == Kind.fail else Status.up
    if status is not vitals.status:
        after.status, after.changed_at = status, at
        after.reason = "the job reported a failure" if status is Status.down else ""
    return after


def alert_after(heartbeat: Heartbeat, vitals: Vitals) -> int | None:
    """When the heartbeat goes down unless it reports, in UNIX microseconds; None when nothing is awaited."""
    deadlines = []
    if vitals.status is Status.up and vitals.last_ping is not None:
        deadlines.append(vitals.last_ping + (heartbeat.period + heartbeat.grace) * MICRO)
    if vitals.last_start is not None and vitals.status not in (Status.down, Status.paused):
        deadlines.append(vitals.last_start + heartbeat.run_limit * MICRO)
    return min(deadlines, default=None)


def miss(vitals: Vitals, deadline: int) -> Vitals:
    """The vitals once `deadline` has passed in silence."""
    reason = "no check-in arrived in time" if vitals.last_start is None else "the run did not finish in time"
    return replace(vitals, status=Status.down, changed_at=deadline, reason=reason)


def shown(heartbeat: Heartbeat, vitals: Vitals, now: int) -> str:
    """PingHome's state at `now`: pending, running, up, down or paused (contract A.4, F)."""
    if vitals.status is Status.paused:
        return "paused"
    if vitals.last_start is not None:
        return "running" if now < vitals.last_start + heartbeat.run_limit * MICRO else "down"
    return "pending" if vitals.status is Status.new else vitals.status.value
