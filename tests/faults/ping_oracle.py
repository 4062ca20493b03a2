"""Every acknowledged check-in exactly once, everywhere: ledger, stream and the tables of three services agree."""

from collections import Counter
from random import Random
from uuid import UUID

from ledger import Ledger, Outcome
from streams import admin, read
from under_test import Platform
from verdict import Verdict

from pinghome_common.events.ping import decode_batch

AGAIN = 200
_HOURS = "SELECT heartbeat, sum(tick + run + complete + fail)::bigint FROM ping_hour GROUP BY heartbeat"


async def send_again(platform: Platform, rng: Random) -> int:
    """Publish some batches of the stream once more, as a ghost or a spool that was sent by half would; how many."""
    async with admin(platform) as client:
        messages = await read(client, "TELEMETRY", "telemetry.ping.>")
        again = rng.choices(messages, k=AGAIN)
        for message in again:
            await client.jetstream().publish(message.subject, message.data)
    return len(again)


async def judge_pings(platform: Platform, ledger: Ledger, verdict: Verdict) -> None:
    """Compare the ledger with what the platform holds; call it when nothing is behind."""
    ours = set(ledger.heartbeats)
    async with platform.sql("statistic_query") as db:
        rows = [row for row in await db.fetch("SELECT id, heartbeat, message FROM ping") if row["heartbeat"] in ours]
        hours = dict(await db.fetch(_HOURS))
    counted = {}
    async with platform.sql("statistic_query") as db:
        numbers = dict(await db.fetch("SELECT heartbeat, n FROM ping_sequence"))
        last = dict(await db.fetch("SELECT heartbeat, max(n) FROM ping GROUP BY heartbeat"))
    for database in ("resource_cmd", "resource_query"):
        async with platform.sql(database) as db:
            counted[database] = dict(await db.fetch("SELECT heartbeat, n_pings FROM runtime_state"))
    stored = Counter((row["heartbeat"], row["message"]) for row in rows)
    wanted = [(ledger.of(number), ledger.message(number)) for number in range(len(ledger.outcomes))]
    acked = [key for key, outcome in zip(wanted, ledger.outcomes, strict=True) if outcome == Outcome.acked]
    verdict.told("check-ins acknowledged", len(acked))
    verdict.told("not acknowledged, of these stored", f"{len(wanted) - len(acked)}, {len(stored) - len(set(acked))}")
    verdict.none("acknowledged and lost", [key[1] for key in acked if key not in stored])
    verdict.none("stored twice", [key[1] for key, count in stored.items() if count > 1])
    verdict.none("stored and never sent", stored.keys() - set(wanted))

    streamed, told_twice = await _streamed(platform, ours, verdict)
    verdict.told("batches in the stream more than once", told_twice)
    verdict.none("in the stream and not in the table, or the reverse", streamed.keys() ^ {row["id"] for row in rows})
    per_row, per_stream = Counter(row["heartbeat"] for row in rows), Counter(streamed.values())
    for name, counts in (
        ("resource_cmd.vitals", counted["resource_cmd"]),
        ("resource_query.vitals", counted["resource_query"]),
        ("ping_hour", hours),
        ("tally", numbers),
        ("the number of the last ping", last),
        ("the stream", per_stream),
    ):
        wrong = [f"{it}: {per_row[it]} rows, {counts.get(it, 0)}" for it in ours if per_row[it] != counts.get(it, 0)]
        verdict.none(f"heartbeats counted otherwise in {name}", wrong)


async def _streamed(platform: Platform, ours: set[UUID], verdict: Verdict) -> tuple[dict[UUID, UUID], int]:
    """The heartbeat of each ping in the stream that is one of ours, and how many batches came again."""
    batches: dict[tuple[bytes, int], bytes] = {}
    again, changed = 0, []
    async with admin(platform) as client:
        for message in await read(client, "TELEMETRY", "telemetry.ping.>"):
            batch = decode_batch(message.data)
            key = batch.boot, batch.number
            again += key in batches
            if batches.setdefault(key, message.data) != message.data:
                changed.append(key)
    verdict.none("batches that came again with other pings", changed)
    pings: dict[UUID, UUID] = {}
    repeated = []
    for data in batches.values():
        for ping in decode_batch(data).pings:
            if UUID(bytes=ping.id) in pings:
                repeated.append(ping.message)
            pings[UUID(bytes=ping.id)] = UUID(bytes=ping.heartbeat)
    verdict.none("pings in two batches", repeated)
    return {ping: heartbeat for ping, heartbeat in pings.items() if heartbeat in ours}, again
