"""Reminds of certificates and domains that expire: each due day once, whatever is killed in between."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common import clock
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.events.resource import Resource
from pinghome_common.store import Actor, Row, no_wait
from pinghome_common.worker import Worker
from pinghome_delivery.outbox import Notice
from resource_cmd.delivery.audience import announce
from resource_cmd.delivery.mutes import MUTED
from resource_cmd.expiry.reminder import Expiry, due, expiries, next_look, sentence
from resource_cmd.monitors.store import Resources

ACTOR = Actor("reminders")
LETTERS = DeadLetters("reminders")

_BEGUN = f"""
SELECT id, version, state FROM resource WHERE remind_from <= $1 AND id > $2
    AND (organisation, id) NOT IN ({MUTED})
    AND NOT {PARKED.format(worker="reminders", id="resource.id")}
ORDER BY id LIMIT 500
"""  # noqa: S608  # our own words
_FIRED = "SELECT * FROM reminded WHERE resource = ANY($1::uuid[])"
# Until a monitor is saved again, which begins anew: nothing is due before then.
_REST = """
UPDATE resource r SET remind_from = n.at FROM unnest($1::uuid[], $2::int[], $3::timestamptz[]) AS n (id, version, at)
WHERE r.id = n.id AND r.version = n.version
"""
_FIRE = "INSERT INTO reminded (resource, kind, expires_at, days) VALUES ($1, $2, $3, $4)"


class ReminderWorker(Worker):
    """Looks at the monitors whose first reminder's day has come.

    Args:
        db: of this service.
        after: called when somebody was reminded.
    """

    lock = "reminders"
    every = 5.0
    resident = False

    def __init__(self, db: Database, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._after = after

    async def round(self, connection: Connection) -> bool:
        """Announces all that is due."""
        if await remind(connection, clock.now()):
            self._after()
        return False


async def remind(tx: Connection, now: datetime) -> int:
    """Announces what is due; returns how many reminders there were."""
    reminded, last = 0, UUID(int=0)

    async def fire_all(tx: Connection, ids: list[UUID]) -> None:
        nonlocal reminded
        reminded += await _fire(tx, ids, now)

    while rows := await tx.fetch(_BEGUN, now, last):
        last = rows[-1]["id"]
        fired = await _fired(tx, [row["id"] for row in rows])
        rested: list[tuple[UUID, int, datetime | None]] = []
        begun: list[UUID] = []
        for row in rows:
            found = expiries(msgspec.json.decode(row["state"], type=Resource))
            if any(_due(fired, row["id"], expiry, now) is not None for expiry in found):
                begun.append(row["id"])
            else:
                rested.append((row["id"], row["version"], next_look(found, now)))
        if begun:
            await LETTERS.contain(tx, begun, fire_all)
        await tx.execute(_REST, *([list(column) for column in zip(*rested, strict=True)] or [[], [], []]))
    return reminded


Fired = dict[tuple[UUID, str, datetime], list[int]]
"""The days that were reminded of, by monitor, kind and expiry."""


async def _fired(tx: Connection, monitors: Sequence[UUID]) -> Fired:
    found: Fired = defaultdict(list)
    for row in await tx.fetch(_FIRED, monitors):
        found[row["resource"], row["kind"], row["expires_at"]].append(row["days"])
    return found


def _due(fired: Fired, monitor: UUID, expiry: Expiry, now: datetime) -> int | None:
    if now < expiry.begins:
        return None
    return due(expiry.days_before, expiry.expires_at, fired.get((monitor, expiry.kind, expiry.expires_at), []), now)


async def _fire(tx: Connection, monitors: list[UUID], now: datetime) -> int:
    """Notes and announces what is due of some monitors, as they are now; returns how many reminders there were."""
    store, notices = Resources(tx, ACTOR, no_wait, now), list[Notice]()
    rows, fired = await store.edit_many(monitors), await _fired(tx, monitors)
    for row in rows:
        for expiry in expiries(row.state):
            days = _due(fired, row.state.id, expiry, now)
            if days is not None:
                await tx.execute(_FIRE, row.state.id, expiry.kind, expiry.expires_at, days)
                await store.save(row, "reminded")  # an event of its own, for a notice is known by its event's version
                notices.append(_notice(row, expiry, now))
    await announce(tx, notices)
    return len(notices)


def _notice(row: Row[Resource], expiry: Expiry, now: datetime) -> Notice:
    return Notice(
        organisation=row.state.organisation,
        noun="resource",
        about=row.state.id,
        version=row.version,
        what=f"{expiry.kind}-reminder",
        at=now,
        title=f"{row.state.name}: {sentence(expiry.what, expiry.expires_at, now)}",
        text=f"{expiry.what} is valid until {expiry.expires_at:%Y-%m-%d %H:%M} UTC.",
    )
