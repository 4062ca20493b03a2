"""Samples of servers: each is a sign of life, may tell of a reboot, and is held against the thresholds."""

from collections import defaultdict
from dataclasses import replace
from uuid import UUID

from pinghome_common.clock import from_micros, micros, now
from pinghome_common.db import Connection
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.metric import Sample
from pinghome_common.events.server_resource import Change, ServerResource, Status
from pinghome_common.items import Item
from pinghome_common.store import Actor, Row, no_wait
from resource_cmd.evaluation.status_changes import StatusChanges
from resource_cmd.evaluation.thresholds import judge
from resource_cmd.servers.runtime_state import RuntimeState, lock_runtime, write_runtime
from resource_cmd.servers.store import Servers

ACTOR = Actor("evaluation")

NOISE = 60.0
"""Seconds that a boot time may move without a reboot."""

AWAITED = (Status.up, Status.unknown)
"""In which silence means something."""


async def hear(tx: Connection, items: list[Item], grace: int) -> None:
    """Moves the runtime state of every server that was heard; what has changed becomes events.

    Args:
        tx: the projection's transaction.
        items: samples in the order of their arrival.
        grace: seconds beyond two intervals for which a server may be silent.
    """
    samples: dict[UUID, list[Sample]] = defaultdict(list)
    for item in items:
        samples[UUID(bytes=item.value.server)].append(item.value)
    states = await lock_runtime(tx, list(samples))
    store, changes = Servers(tx, ACTOR, no_wait, now()), StatusChanges(tx)
    rows = await store.edit_many(list(states))
    for row in rows:
        for sample in sorted(samples[row.state.id], key=lambda it: (it.received_at, it.at)):
            before = states[row.state.id]
            states[row.state.id] = after = heard(row.state, before, sample, grace)
            if row.state.change.status is not Status.paused:
                await _judge(store, row, changes, sample, before, after)
    if rows:
        await write_runtime(tx, states)
    await changes.announce()


def heard(it: ServerResource, runtime: RuntimeState, sample: Sample, grace: int) -> RuntimeState:
    """The runtime state after a sample; its interval counts, if it has one."""
    after = replace(runtime)
    if runtime.seen_at is None or runtime.seen_at <= sample.received_at:
        after.seen_at = sample.received_at
        after.patience = 2 * (sample.interval or it.interval) + grace
        after.alert_after = sample.received_at + round(after.patience * MICRO)
        if sample.agent:
            after.clock_skew = sample.agent.clock_skew_seconds
            if 0 < sample.agent.boot_time - after.clock_skew <= sample.received_at / MICRO + NOISE:
                after.boot_time = sample.agent.boot_time
    return after


def rebooted(before: RuntimeState, after: RuntimeState) -> bool:
    """Whether the server was booted in between.

    Setting its clock moves its boot time, too, or the difference to our clock, but never both in the same direction.
    """
    moved = after.boot_time - before.boot_time
    return before.boot_time > 0 and min(moved, moved - after.clock_skew + before.clock_skew) > NOISE


async def _judge(
    store: Servers,
    row: Row[ServerResource],
    changes: StatusChanges,
    sample: Sample,
    before: RuntimeState,
    after: RuntimeState,
) -> None:
    it, at = row.state, from_micros(sample.received_at)
    booted = from_micros(round((after.boot_time - after.clock_skew) * MICRO)) if rebooted(before, after) else None
    if booted or (it.change.status is not Status.up and sample.received_at > micros(it.change.at)):
        reason = f"rebooted at {booted:%Y-%m-%d %H:%M:%S} UTC" if booted else ""
        change = Change(
            status=Status.up, previous=it.change.status, at=max(at, it.change.at), version=row.version + 1,
            reason=reason,
        )  # fmt: skip
        await changes.server(store, row, change, booted)
    # Its own clock may be wrong, but nothing was measured after it was received.
    point = min(sample.at - round(after.clock_skew * MICRO), sample.received_at)
    fresh = sample.received_at - point <= after.patience * MICRO
    after.judged, crossings = judge(row.state, before.judged, sample, point, after.patience, fresh=fresh)
    for crossing in crossings:
        await changes.threshold(store, row, crossing)


def silent(it: ServerResource, runtime: RuntimeState, version: int) -> Change:
    """The change of a server whose time to be heard has passed."""
    assert runtime.alert_after is not None and runtime.seen_at is not None  # noqa: S101, PT018  # it was awaited
    reason = f"nothing was received since {from_micros(runtime.seen_at):%Y-%m-%d %H:%M:%S} UTC"
    return _silence(it, Status.down, runtime.alert_after, version, reason)


async def silence_all(tx: Connection, ids: list[UUID], at: int) -> None:
    """Marks those of some servers down that were not heard in time."""
    store, changes = Servers(tx, ACTOR, no_wait, now()), StatusChanges(tx)
    states = await lock_runtime(tx, ids)
    for row in await store.edit_many(ids):
        runtime = states[row.state.id]
        if runtime.alert_after is not None and runtime.alert_after <= at and row.state.change.status in AWAITED:
            await changes.server(store, row, silent(row.state, runtime, row.version + 1))
    await changes.announce()


async def excuse(tx: Connection, begin: int, end: int) -> None:
    """A time in which we did not listen says nothing of the servers whose time passed in it: they get a new one."""
    ids = [row["id"] for row in await tx.fetch(_UNHEARD, begin, end)]
    states = await lock_runtime(tx, ids)
    store, changes = Servers(tx, ACTOR, no_wait, now()), StatusChanges(tx)
    for row in await store.edit_many(ids):
        runtime = states[row.state.id]
        if row.state.change.status is Status.up and runtime.alert_after is not None:
            reason = "nothing could be received for a time"
            change = _silence(row.state, Status.unknown, runtime.alert_after, row.version + 1, reason)
            await changes.server(store, row, change)
        runtime.alert_after = end + round(runtime.patience * MICRO)
    if states:
        await write_runtime(tx, states)


def _silence(it: ServerResource, status: Status, at: int, version: int, reason: str) -> Change:
    return Change(
        status=status, previous=it.change.status, at=max(from_micros(at), it.change.at), version=version, reason=reason
    )


SILENT = """
FROM server_runtime m JOIN server_resource s ON s.id = m.server
WHERE m.alert_after {which} AND s.status IN ('up', 'unknown')
"""
"""In SQL: servers `s` whose time to be heard passed."""

_UNHEARD = f"SELECT s.id {SILENT.format(which='> $1 AND m.alert_after <= $2')}"  # our own words
