"""Consumes TELEMETRY: pings and samples move runtime states, results are judged, ticks move the watermark."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from pinghome_common.clock import micros, now
from pinghome_common.db import Connection
from pinghome_common.events.certificate import replaces
from pinghome_common.events.heartbeat import MICRO, RuntimeState, Timed, take
from pinghome_common.events.metric import Sample
from pinghome_common.events.ping import Ping, Tick
from pinghome_common.events.probe import ProberSign, Result, Verdict
from pinghome_common.items import Item, by_heartbeat, by_type
from pinghome_common.runtime_state import read_timed, write_runtime
from pinghome_common.store import Actor, no_wait
from resource_cmd.evaluation import prober_watch, samples
from resource_cmd.evaluation.quorum import RegionObservation, decide, failing_regions
from resource_cmd.evaluation.status_changes import StatusChanges
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources

ACTOR = Actor("evaluation")

KINDS = ("ping", "result", "metric", "tick", "prober")

GAP = 5 * MICRO
"""Microseconds between two ticks of a gateway from which on it was away."""


class TelemetryConsumer:
    """Applies messages of TELEMETRY inside the projection's transaction.

    Args:
        unit: seconds in one unit of grace and recovery periods.
        server_grace: seconds, beyond two intervals, for which a server may be silent.
    """

    def __init__(self, unit: int, server_grace: int) -> None:
        self._unit, self._server_grace = unit, server_grace

    async def apply(self, tx: Connection, items: list[Item]) -> None:
        """Applies a batch, ticks last, so that a tick never runs ahead of what was heard before it."""
        found = by_type(items)
        if signs := found[ProberSign]:  # before the results: who sent one of these is not silent
            await prober_watch.hear(tx, signs)
        if pings := found[Ping]:
            for part in by_heartbeat(pings):
                await count(tx, part)
        if results := [item for item in found[Result] if not item.value.late(item.at)]:
            await self._results(tx, results)
        if heard := found[Sample]:
            await samples.hear(tx, heard, self._server_grace)
        if ticks := found[Tick]:
            await tick(tx, ticks)

    async def _results(self, tx: Connection, items: list[Item]) -> None:
        """Each region's nth result in the batch makes the nth round: a batch after an outage is judged in its order."""
        rounds: list[dict[tuple[UUID, str], Item]] = []
        for item in items:
            key = item.value.resource, item.sender
            place = next((each for each in rounds if key not in each), None)
            if place is None:
                rounds.append(place := {})
            place[key] = item
        # Commands lock a monitor before its observations; the other way round, each would wait for the other.
        monitors = {resource for each in rounds for resource, _ in each}
        await tx.execute("SELECT FROM resource WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE", monitors)
        for each in rounds:
            news = {row["resource"]: row["at"] for row in await tx.fetch(_OBSERVE, *_columns(each))}
            ids = [row["id"] for row in await tx.fetch(_TO_JUDGE, list(news))]
            if ids:
                await judge(tx, ids, news, self._unit)
        seen = [(it.value, region) for each in rounds for (_, region), it in each.items() if it.value.certificate]
        if seen:
            await keep_certificates(tx, seen)


def _columns(results: dict[tuple[UUID, str], Item]) -> list[list[object]]:
    """The results as columns; only `up` and `target_fail` say something of the target.

    When a region spoke is when its probe was due, whatever its own clock says.
    """
    rows = [
        (
            resource, region, it.slot, it.slot,
            {Verdict.up: True, Verdict.target_fail: False}.get(it.verdict), it.status_code, it.error[:500],
        )
        for (resource, region), it in sorted((key, item.value) for key, item in results.items())
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


_OBSERVE = """
INSERT INTO region_observation AS old (resource, region, slot, checked_at, up, since, status_code, error)
SELECT n.resource, n.region, slot, checked_at, up, slot, status_code, error
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::int[], $7::text[])
    n (resource, region, slot, checked_at, up, status_code, error)
JOIN resource r ON r.id = n.resource
ON CONFLICT (resource, region) DO UPDATE SET
    slot = excluded.slot, checked_at = excluded.checked_at, up = excluded.up,
    since = CASE WHEN old.up IS NOT DISTINCT FROM excluded.up THEN old.since ELSE excluded.slot END,
    status_code = excluded.status_code, error = excluded.error
WHERE old.slot < excluded.slot
RETURNING resource, checked_at AS at
"""

_OBSERVATIONS = """
SELECT v.*, h.heard_at FROM region_observation v LEFT JOIN region_heard h ON h.region = v.region
WHERE v.resource = ANY($1::uuid[])
"""

# A monitor that is up, and for which no region says or has said anything else, need not be looked at.
_TO_JUDGE = """
SELECT id FROM resource r WHERE id = ANY($1::uuid[]) AND status <> 'paused' AND (
    status <> 'up' OR windowed OR degraded OR judge_at IS NOT NULL
    OR EXISTS (SELECT FROM region_observation v WHERE v.resource = r.id AND v.up IS NOT TRUE)
)
"""


async def keep_certificates(tx: Connection, seen: list[tuple[Result, str]]) -> None:
    """Keeps each monitor's newest certificate; most results carry none, for probers tell what is news."""
    store = Resources(tx, ACTOR, no_wait, now())
    rows = {row.state.id: row for row in await store.edit_many([result.resource for result, _ in seen])}
    changed = set()
    for result, region in seen:
        row, it = rows.get(result.resource), result.certificate
        if row and it and replaces(it, row.state.certificate):
            it.region = region
            row.state.certificate = it
            changed.add(result.resource)
    for id_ in changed:
        await store.save(rows[id_], "certificate-changed")


async def judge(tx: Connection, ids: Iterable[UUID], at: dict[UUID, int], unit: int, *, confirm: bool = False) -> int:
    """Decides on some monitors at their times and writes what changed; returns how many did.

    Time never goes back: a region that reports late is judged by what the others have reported since, and what it says
    of the time before the last change is for the history only.

    `confirm`: where only the word of a probe after `judge_at` is missing, probes are sent at once.
    """
    store, decided = Resources(tx, ACTOR, no_wait, now()), 0
    rows = await store.edit_many(list(ids))
    observations: dict[UUID, list[RegionObservation]] = defaultdict(list)
    for observation in await tx.fetch(_OBSERVATIONS, [row.state.id for row in rows]):
        values = dict(observation)
        observations[values.pop("resource")].append(RegionObservation(**values))
    unsure = []
    changes = StatusChanges(tx)
    for row in rows:
        it = row.state
        latest = max(at[it.id], *(observation.checked_at for observation in observations[it.id]), 0)
        if latest < micros(it.change.at):
            continue
        decision = decide(it, observations[it.id], latest, row.version + 1, unit)
        status = decision.change.status if decision.change else it.change.status
        failing = failing_regions(it, status, observations[it.id], latest, unit)
        if failing != it.failing_regions:
            it.failing_regions = failing
            decided += 1
            if not decision.change:
                await store.save(row, "regions-changed")
        if decision.change:
            await changes.monitor(store, row, decision.change)
            decided += 1
        judge_at = decision.judge_at
        if confirm and judge_at is not None and judge_at <= latest:
            unsure.append(it.id)
            judge_at = None
        await tx.execute(
            "UPDATE resource SET judge_at = $2 WHERE id = $1 AND judge_at IS DISTINCT FROM $2", it.id, judge_at
        )
    if unsure:
        await store.reschedule(unsure)  # which also makes jobs at once
    await changes.announce()
    return decided


async def count(tx: Connection, pings: dict[UUID, list[tuple[Ping, int]]]) -> None:
    """Moves the runtime state of every heartbeat that was pinged; a change of status becomes an event."""
    quiet: list[Timed] = []
    changed: dict[UUID, list[tuple[RuntimeState, Ping]]] = {}
    for it in await read_timed(tx, pings, lock=True):
        steps: list[tuple[RuntimeState, Ping]] = []
        for ping, place in pings[it.id]:
            before, it.vitals = it.vitals, take(it, it.vitals, ping, place)
            if it.vitals.status is not before.status:
                steps.append((it.vitals, ping))
        if steps:
            changed[it.id] = [*steps[:-1], (it.vitals, steps[-1][1])]
        else:
            quiet.append(it)
    if quiet:
        await write_runtime(tx, quiet)
    if changed:
        await _change(tx, changed)


async def _change(tx: Connection, changed: dict[UUID, list[tuple[RuntimeState, Ping]]]) -> None:
    """Each change of status is an event of its own: a job that fails and recovers within a batch did both."""
    store, changes = Heartbeats(tx, ACTOR, no_wait, now()), StatusChanges(tx)
    for row in await store.edit_many(list(changed)):
        for runtime, ping in changed[row.state.id]:
            await changes.heartbeat(store, row, runtime, ping)
    await changes.announce()


async def tick(tx: Connection, items: list[Item]) -> None:
    """Moves each gateway's watermark; a time in which it did not listen pushes the deadlines that fell into it.

    The jobs could not report then: they get until the end of the gap and their grace time more, one to five minutes.
    Servers are unknown until they are heard. A gateway that is new, as after a restore, takes over from the last one.
    """
    for item in items:
        it, gateway = item.value, item.sender
        if it.gone:
            await tx.execute(_FORGET, it.gateway, it.at - GAP)
            continue
        if await tx.fetchval(_TICK, gateway, it.at, it.since, GAP):  # as ever
            continue
        before = await tx.fetchval("SELECT ticked_at FROM gateway WHERE name = $1", gateway)
        if before is not None and it.at <= before:
            continue
        away = before is not None and it.at - before > GAP
        if before is None:
            before = await tx.fetchval("SELECT max(ticked_at) FROM gateway")
        await tx.execute(
            "INSERT INTO gateway AS old VALUES ($1, $2, $2) ON CONFLICT (name) DO UPDATE SET ticked_at = $2,"
            " resumed_at = CASE WHEN $3 THEN $2 ELSE old.resumed_at END",
            gateway, it.at, away,
        )  # fmt: skip
        if before is not None and it.since - before > GAP:
            await tx.execute(_EXCUSE, before, it.since)
            await samples.excuse(tx, before, it.since)


_TICK = """
UPDATE gateway SET ticked_at = $2 WHERE name = $1 AND ticked_at < $2 AND greatest($2, $3) - ticked_at <= $4
RETURNING true
"""

_FORGET = """
DELETE FROM gateway g WHERE name = $1 AND EXISTS (SELECT FROM gateway o WHERE o.name <> g.name AND o.ticked_at > $2)
"""
"""Whom others have replaced is not waited for; the last one is, as nobody listens while it is away."""

_EXCUSE = """
UPDATE runtime_state v SET alert_after = $2 + least(greatest((h.state->>'grace')::bigint, 60), 300) * 1000000
FROM heartbeat h WHERE h.id = v.heartbeat AND v.alert_after > $1 AND v.alert_after <= $2
"""
