"""A heartbeat: a job that must report in time, and the status rules shared by commands and queries."""

import hashlib
import re
import unicodedata
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros, micros
from pinghome_common.cron import next_run
from pinghome_common.events.ping import Kind, Ping

MICRO = 1_000_000


class Status(StrEnum):
    """The stored status; the displayed one may also be `running` (see `shown`)."""

    new = "new"
    up = "up"
    down = "down"
    paused = "paused"


class RuntimeState(msgspec.Struct, kw_only=True, gc=False):
    """The part of a heartbeat that pings and deadlines change. All times are UNIX microseconds.

    `position` is that of the last counted ping (`ping.position`): applying a ping twice changes nothing.
    `last_ping` is the last success or fail, `last_event` the last ping of any kind, `run_id` that of the last start.
    """

    status: Status = Status.new
    changed_at: int = 0
    reason: str = ""
    last_ping: int | None = None
    last_event: int | None = None
    last_start: int | None = None
    run_id: UUID | None = None
    last_duration: float | None = None
    n_pings: int = 0
    position: int = 0


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """One heartbeat monitor; `period` and `grace` are in seconds.

    With a `schedule`, a cron or OnCalendar expression in the time zone `tz`, the `period` is ignored.
    `tags` is a list separated by spaces. `subject` and `subject_fail` are comma-separated keywords that make a
    mail a success or a failure. `manual_resume`: only a command ends a pause; else the next ping does.
    `previous` is the status before `vitals.status`, `changed_version` the aggregate's version of that change.
    `channels` are notified: None means those of its service. `down_since` is the start of a current outage that was
    announced. `vitals` is the runtime state; the name is in published events.
    """

    id: UUID
    organisation: UUID
    service_id: UUID
    name: str
    slug: str = ""
    tags: str = ""
    desc: str = ""
    period: int
    grace: int = 0
    schedule: str = ""
    tz: str = "UTC"
    methods: list[str]
    subject: str = ""
    subject_fail: str = ""
    manual_resume: bool = True
    vitals: RuntimeState = field(default_factory=RuntimeState)
    previous: Status | None = None
    changed_version: int = 1
    channels: list[UUID] | None = None
    down_since: datetime | None = None
    created_at: datetime
    updated_at: datetime

    def with_runtime(self, state: RuntimeState, version: int) -> "Heartbeat":
        """The heartbeat with another runtime state; `version` is that of the event of this change."""
        if state.status is self.vitals.status:
            return replace(self, vitals=state)
        return replace(self, vitals=state, previous=self.vitals.status, changed_version=version)


class Timed(msgspec.Struct, gc=False):
    """What of a heartbeat its pings need: `take` and `alert_after` read nothing else of it."""

    id: UUID
    period: int
    grace: int
    schedule: str
    tz: str
    manual_resume: bool
    vitals: RuntimeState


def run_limit(heartbeat: Heartbeat | Timed) -> int:
    """Seconds a run may take: the grace time, or the period if that is 0 (contract A.4, B.4)."""
    return heartbeat.grace or heartbeat.period


def unique_key(id_: UUID) -> str:
    """The id shown to read-only keys: SHA-1 of the first 16 hex digits of the real one (contract B.2)."""
    return hashlib.sha1(id_.hex[:16].encode(), usedforsecurity=False).hexdigest()


def take(heartbeat: Heartbeat | Timed, state: RuntimeState, ping: Ping, position: int) -> RuntimeState:
    """The runtime state after a ping; one that is already counted changes nothing (contract A.4, B.4).

    A ping older than the newest one (from a spool) is counted but does not change the status.
    """
    if position <= state.position:
        return state
    at, kind = ping.at, ping.kind
    after = copy(state)
    after.position, after.n_pings = position, state.n_pings + 1
    if state.last_event is not None and at < state.last_event:
        return after
    after.last_event = at
    if kind in (Kind.log, Kind.ign) or (state.status is Status.paused and heartbeat.manual_resume):
        return after
    run_id = UUID(bytes=ping.run_id) if ping.run_id else None
    if kind == Kind.run:
        after.last_start, after.run_id = at, run_id
        return after
    after.last_ping = at
    same = run_id == state.run_id
    after.last_duration = (at - state.last_start) / MICRO if same and state.last_start is not None else None
    if same or run_id is None or kind == Kind.fail:  # the success of another run does not end this one
        after.last_start = after.run_id = None
    status = Status.down if kind == Kind.fail else Status.up
    if status is not state.status:
        after.status, after.changed_at = status, at
        after.reason = "the job reported a failure" if status is Status.down else ""
    return after


def due(heartbeat: Heartbeat | Timed, state: RuntimeState) -> int | None:
    """When the next success is expected, in UNIX microseconds; None unless the heartbeat is up."""
    if state.status is not Status.up or state.last_ping is None:
        return None
    if not heartbeat.schedule:
        return state.last_ping + heartbeat.period * MICRO
    next_time = next_run(heartbeat.schedule, heartbeat.tz, from_micros(state.last_ping))
    return None if next_time is None else micros(next_time)


def alert_after(heartbeat: Heartbeat | Timed, state: RuntimeState) -> int | None:
    """When the heartbeat goes down unless it reports, in UNIX microseconds; None if nothing is expected."""
    deadlines = []
    if (expected := due(heartbeat, state)) is not None:
        deadlines.append(expected + heartbeat.grace * MICRO)
    if state.last_start is not None and state.status is not Status.down:
        deadlines.append(state.last_start + run_limit(heartbeat) * MICRO)
    return min(deadlines, default=None)


def shown(heartbeat: Heartbeat, state: RuntimeState, now: int) -> str:
    """The displayed state at `now`: pending, running, up, down or paused (contract A.4, F)."""
    if state.status is Status.paused:
        return "paused"
    if state.last_start is not None:
        return "running" if now < state.last_start + run_limit(heartbeat) * MICRO else "down"
    return "pending" if state.status is Status.new else state.status.value


def slug_of(name: str) -> str:
    """The slug of a name: `Cron é Ü x_y` becomes `cron-e-u-x_y` (contract B.2)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-_")
