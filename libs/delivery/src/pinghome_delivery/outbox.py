"""The outbox: notifications, written in the transaction of what there is to tell, and what became of each."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID, uuid5

from prometheus_client import Counter, Histogram

from pinghome_common.clock import micros
from pinghome_common.db import Connection
from pinghome_common.event_log import EVENTS
from pinghome_common.events.notification import Attempt, Notification, State
from pinghome_common.store import Actor, Row, Store, no_wait
from pinghome_delivery.dependencies import ParentState
from pinghome_delivery.message import DeliveryError, Message, PartlyDelivered, Refusal, Sender
from pinghome_delivery.throttling import GIVE_UP, backoff

OUTBOX, DISPATCHER = Actor("outbox"), Actor("dispatcher")

LISTED = 100
"""Most lines that a digest's text has; its notifications are complete."""

OUTAGES = ("down", "up")
"""What a status page outside is told; channels are told everything."""

DELIVERIES = Counter("pinghome_deliveries_total", "attempts to deliver notifications", ["kind", "outcome"])
LAG = Histogram(
    "pinghome_delivery_seconds",
    "from what happened to its delivery",
    ["kind"],
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400),
)

Outcome = DeliveryError | PartlyDelivered | None
"""What went wrong, if anything did."""

LONGEST = 900.0
"""Seconds that a receiver may ask to be left alone."""


@dataclass(slots=True, kw_only=True)
class Notice:
    """Something to tell the channels of a monitor.

    `noun` is `resource`, `heartbeat` or `server_resource`; `version` is the aggregate's version of the event that says
    it; `what` is `down`, `up`, `unknown`, `ssl-reminder`, `tld-reminder`, of servers also `threshold-broken`,
    `threshold-cleared`, `rebooted`; `title` is one line, `text` sentences.
    """

    organisation: UUID
    noun: str
    about: UUID
    version: int
    what: str
    at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the notifications of one channel go; without a `kind` they wait or fail, `problem` says why."""

    kind: Sender | None
    problem: str = ""
    waits: bool = False
    follows: bool = False
    """It follows the state of monitors, so that it is told every change by itself."""


class Audience(Protocol):
    """Whom the outbox of a service tells, and what must be known of that."""

    store: type["Notifications"]
    """The outbox as the service's own."""
    gone: str
    """In SQL: whether what notification `n` is about was deleted."""
    dependents: tuple[str, ...]
    """The nouns that may have a parent."""

    async def prepare(self) -> None:
        """Called before the first delivery."""

    async def target(self, tx: Connection, channel: UUID) -> Target | None:
        """Where the notifications of a channel go; None when it was deleted."""

    async def parents(self, tx: Connection, abouts: set[UUID]) -> dict[UUID, ParentState]:
        """Those of some monitors that depend on another one."""

    def retry(self, it: Notification) -> timedelta | None:
        """After how long one that could not be delivered again is tried the next time; None: it has failed."""


class Notifications(Store[Notification]):
    """Deliveries, waiting and done."""

    noun, type = "notification", Notification
    columns: ClassVar = {"leader": "uuid", "planned": "timestamptz", "open": "boolean"}

    def _values(self, it: Notification) -> list[Any]:
        leader = (it.digest or it.id) if it.planned else None
        return [leader, it.planned, it.state in (State.waiting, State.held)]

    async def add_many(self, states: Sequence[Notification]) -> None:
        """Adds new ones in this order, each due at once; one that is there already stays as it is."""
        events = [self._event(it, 1, "created") for it in states]
        rows = [(it.id, it.organisation, self._json(it), it.channel, it.about) for it in states]
        if rows:
            await self._tx.execute(_ADD, *map(list, zip(*events, strict=True)), *map(list, zip(*rows, strict=True)))


_ADD = f"""
WITH made AS (
    INSERT INTO notification (id, organisation, version, state, channel, about, due, open)
    SELECT id, organisation, 1, state, channel, about, now(), true
    FROM unnest($6::uuid[], $7::uuid[], $8::jsonb[], $9::uuid[], $10::uuid[])
        WITH ORDINALITY AS n (id, organisation, state, channel, about, nth) ORDER BY nth
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO {EVENTS}
SELECT event_id, aggregate, version, address, body
FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bytea[])
    WITH ORDINALITY AS e (event_id, aggregate, version, address, body, nth)
JOIN made ON made.id = aggregate ORDER BY nth
"""  # noqa: S608  # our own name


def key(channel: UUID, notice: Notice) -> UUID:
    """A delivery's id and idempotency key: the same notice told twice to a channel is one delivery."""
    return uuid5(channel, f"{notice.about} {notice.version} {notice.what} {micros(notice.at)}")


def compose(notifications: Sequence[Notification]) -> Message:
    """The message of one notification, or the digest of some, the first of which is its leader."""
    first = notifications[0]
    if len(notifications) == 1:
        return Message(key=first.id, title=first.title, text=first.text, notifications=notifications)
    counts = Tally(it.what for it in notifications)
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    monitors = len({it.about for it in notifications})
    title = f"{len(notifications)} changes of {monitors} monitors: {summary}"
    if monitors == 1:
        title = f"{notifications[-1].title}, after {len(notifications)} changes: {summary}"
    lines = [f"{it.at:%Y-%m-%d %H:%M:%S} UTC  {_first_line(it.text)}" for it in notifications[:LISTED]]
    if more := len(notifications) - LISTED:
        lines += [f"and {more} more"] if more > 0 else []
    return Message(key=first.id, title=title, text="\n".join(lines), notifications=notifications)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


async def record(
    tx: Connection,
    audience: Audience,
    rows: list[Row[Notification]],
    error: Outcome,
    at: datetime,
    *,
    gone: bool,
) -> None:
    """Writes an attempt down; what the message covers ends with it, and what waited for it gets its turn."""
    leader = rows[0].state
    if leader.recipient:
        rows = rows[:1]
    store = audience.store(tx, DISPATCHER, no_wait, at)
    if isinstance(error, PartlyDelivered):
        await _part(tx, store, leader, error.refused, at)
        error = None
    leader.attempts.append(Attempt(at=at, error=str(error or "")))
    retry = audience.retry(leader)
    over = gone or retry is None or leader.planned is None or at - leader.planned >= GIVE_UP
    outcome = "sent" if error is None else "failed" if over else "retried"
    DELIVERIES.labels(leader.channel_kind, outcome).inc()
    if error is not None and retry is not None and not over:
        leader.state, leader.reason = State.waiting, ""
        await store.save(rows[0], outcome)
        wait = max(retry, timedelta(seconds=min(error.wait, LONGEST)))
        await tx.execute("UPDATE notification SET due = $2 WHERE id = $1", leader.id, at + wait)
        return
    for row in rows:
        row.state.state, row.state.reason = State(outcome), str(error or "")
        await store.save(row, outcome)
        if error is None:
            LAG.labels(leader.channel_kind).observe(max((at - row.state.at).total_seconds(), 0.0))
    await tx.execute("UPDATE notification SET due = NULL WHERE id = $1", leader.id)
    await tx.execute(
        "UPDATE notification SET due = $3 WHERE channel = $1 AND open AND planned IS NULL AND about = ANY($2::uuid[])",
        leader.channel, [row.state.about for row in rows], at,
    )  # fmt: skip


async def _part(
    tx: Connection, store: Notifications, leader: Notification, refused: Mapping[str, Refusal], at: datetime
) -> None:
    """Gives each recipient that was refused a row of its own, to be tried again alone or to fail alone."""
    for address, refusal in refused.items():
        alone = replace(
            leader,
            id=uuid5(leader.id, address),
            recipient=address,
            state=State.failed if refusal.final else State.waiting,
            reason=refusal.sentence if refusal.final else "",
            planned=at,
            attempts=[Attempt(at=at, error=refusal.sentence)],
        )
        await store.add_many([alone])
        due = None if refusal.final else at + backoff(1)
        await tx.execute(_ALONE, alone.id, at, due, not refusal.final)


_ALONE = "UPDATE notification SET leader = id, planned = $2, due = $3, open = $4 WHERE id = $1"


ENDED = (
    ", ended AS (UPDATE notification SET due = now() WHERE id IN (SELECT id FROM notification"
    " WHERE about = ANY($6::uuid[]) AND open AND (planned IS NULL OR leader = id) FOR UPDATE SKIP LOCKED))"
)
"""For `Store.on_deletion`: has the dispatcher end what was still to be told of what was deleted."""
