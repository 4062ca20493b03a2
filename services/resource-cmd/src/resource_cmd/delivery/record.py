"""Writes down what became of a message: delivered, to be tried again, failed, or taken by some recipients only."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid5

from prometheus_client import Counter, Histogram

from pinghome_common.db import Connection
from pinghome_common.events.notification import Attempt, Notification, State
from pinghome_delivery.message import DeliveryError, PartlyDelivered, Refusal
from pinghome_delivery.throttling import GIVE_UP, backoff
from resource_cmd.delivery.channel_queue import NOTIFIER
from resource_cmd.delivery.outbox import Notifications
from resource_cmd.store import Row, no_wait

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


async def record(tx: Connection, rows: list[Row[Notification]], error: Outcome, at: datetime, *, gone: bool) -> None:
    """Writes an attempt down; what the message covers ends with it, and what waited for it gets its turn."""
    leader = rows[0].state
    if leader.recipient:
        rows = rows[:1]
    if isinstance(error, PartlyDelivered):
        await _part(tx, leader, error.refused, at)
        error = None
    leader.attempts.append(Attempt(at=at, error=str(error or "")))
    over = gone or leader.planned is None or at - leader.planned >= GIVE_UP
    outcome = "sent" if error is None else "failed" if over else "retried"
    DELIVERIES.labels(leader.channel_kind, outcome).inc()
    store = Notifications(tx, NOTIFIER, no_wait, at)
    if error is not None and outcome == "retried":
        leader.state, leader.reason = State.waiting, ""
        await store.save(rows[0], outcome)
        wait = max(backoff(len(leader.attempts)), timedelta(seconds=min(error.wait, LONGEST)))
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


async def _part(tx: Connection, told: Notification, refused: Mapping[str, Refusal], at: datetime) -> None:
    """Gives each recipient that was refused a row of its own, to be tried again alone or to fail alone."""
    store = Notifications(tx, NOTIFIER, no_wait, at)
    for address, refusal in refused.items():
        alone = replace(
            told,
            id=uuid5(told.id, address),
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
