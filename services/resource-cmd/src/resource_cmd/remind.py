"""Reminds of certificates and domains that expire: each due day once, whatever is killed in between."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common import clock
from pinghome_common.db import Connection, Database, only_one
from pinghome_common.events.resource import Resource
from pinghome_common.health import resting
from resource_cmd.notify.ledger import Notice, announce
from resource_cmd.reminder import Expiry, due, expiries, sentence
from resource_cmd.store import Actor, Resources, unheard

REMINDER = Actor("remind")

LOOK = 5.0
"""Seconds between two looks at the monitors whose first reminder's day has come."""

_BEGUN = "SELECT id, state FROM resource WHERE remind_from <= $1 AND id > $2 ORDER BY id LIMIT 500"
_FIRED = "SELECT days FROM reminded WHERE resource = $1 AND kind = $2 AND expires_at = $3"
_FIRE = "INSERT INTO reminded (resource, kind, expires_at, days) VALUES ($1, $2, $3, $4)"


class Reminder:
    """One is active at a time.

    Args:
        after: called when somebody was reminded.
    """

    def __init__(self, db: Database, after: Callable[[], None]) -> None:
        self._db, self._after = db, after

    async def run(self) -> None:
        """Looks until cancelled."""
        connection = await self._db.own()
        try:
            await only_one(connection, "remind")
            while True:
                if await remind(connection, clock.now()):
                    self._after()
                with resting():
                    await asyncio.sleep(LOOK)
        finally:
            connection.terminate()


async def remind(tx: Connection, now: datetime) -> int:
    """Announces what is due, each reminder in a transaction of its own; returns how many there were."""
    told, last = 0, UUID(int=0)
    while rows := await tx.fetch(_BEGUN, now, last):
        last = rows[-1]["id"]
        for it in (msgspec.json.decode(row["state"], type=Resource) for row in rows):
            for expiry in expiries(it):
                if await _due(tx, it.id, expiry, now) is not None:
                    async with tx.transaction():
                        told += await _fire(tx, it.id, expiry, now)
    return told


async def _due(tx: Connection, monitor: UUID, expiry: Expiry, now: datetime) -> int | None:
    if now < expiry.begins:
        return None
    fired = [row["days"] for row in await tx.fetch(_FIRED, monitor, expiry.kind, expiry.expires_at)]
    return due(expiry.days_before, expiry.expires_at, fired, now)


async def _fire(tx: Connection, monitor: UUID, expiry: Expiry, now: datetime) -> bool:
    """Notes and announces one reminder, unless the monitor has changed since it was looked at."""
    store = Resources(tx, REMINDER, unheard, now)
    rows = await store.edit_many([monitor])
    if not rows or expiry not in expiries(rows[0].state):
        return False
    row = rows[0]
    days = await _due(tx, monitor, expiry, now)
    if days is None:
        return False
    await tx.execute(_FIRE, monitor, expiry.kind, expiry.expires_at, days)
    await store.save(row, "reminded")  # an event of its own, for a notice is known by its event's version
    notice = Notice(
        organisation=row.state.organisation,
        noun="resource",
        about=monitor,
        version=row.version,
        what=f"{expiry.kind}-reminder",
        at=now,
        title=f"{row.state.name}: {sentence(expiry.what, expiry.expires_at, now)}",
        text=f"{expiry.what} is valid until {expiry.expires_at:%Y-%m-%d %H:%M} UTC.",
    )
    await announce(tx, [notice])
    return True
