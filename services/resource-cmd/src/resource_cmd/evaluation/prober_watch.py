"""Tells the operator's channel, once, that all probers of a region are silent, and that one speaks again."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid5

from prometheus_client import Gauge

from pinghome_common.clock import from_micros, micros, now
from pinghome_common.db import Connection, Database
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.notification import Notification
from pinghome_common.events.probe import PROBER_PATIENCE
from pinghome_common.events.region import region_id
from pinghome_common.items import Item
from pinghome_common.logs import log
from pinghome_common.store import no_wait
from pinghome_common.worker import Worker
from pinghome_delivery.outbox import OUTBOX, Notifications

SILENT = Gauge("pinghome_region_silent", "1 while no prober of the region is heard", ["region"])


async def hear(tx: Connection, items: list[Item]) -> None:
    """Notes when a region was last heard: when the broker received it."""
    for region, at in sorted({item.sender: item.at for item in items}.items()):
        await tx.execute(_HEARD, region, at)


class ProberWatch(Worker):
    """Looks for regions without a word.

    Args:
        db: of this service.
        after: called when somebody is told.
        channel: who is told about the platform itself; None: nobody, it is logged and measured only.
    """

    lock = "probers"
    every = 5.0
    resident = False

    def __init__(self, db: Database, after: Callable[[], None], channel: UUID | None) -> None:
        super().__init__(db)
        self._after, self._channel = after, channel

    async def round(self, connection: Connection) -> bool:
        """One look; judged as far as gateways vouch that everything was heard."""
        mark = await connection.fetchrow(_WATERMARK)
        if mark is None or mark["at"] is None:
            return False
        async with connection.transaction():
            changed = await watch(connection, min(micros(now()), mark["at"]), mark["resumed"], self._channel)
        if changed:
            self._after()
        return False


async def watch(tx: Connection, at: int, resumed: int, channel: UUID | None) -> bool:
    """Tells of the regions that fell silent by `at`, or speak again; true if there are any.

    Args:
        tx: of resource-cmd.
        at: UNIX microseconds.
        resumed: UNIX microseconds since when everything was heard; silence before that is our own.
        channel: who is told.
    """
    changed = await tx.fetch(_CHANGED, at - PROBER_PATIENCE * MICRO, resumed)
    for row in changed:
        region, silent = row["region"], row["silent"]
        log.warning("region_silence_changed", region=region, silent=bool(silent))
        since = row["heard_at"] if silent else row["silent_since"]
        await tx.execute(
            "UPDATE region_heard SET silent_since = $2 WHERE region = $1", region, since if silent else None
        )
        if channel is not None:
            await _tell(tx, channel, region, from_micros(since), silent=silent)
    for row in await tx.fetch("SELECT region, silent_since FROM region_heard"):
        SILENT.labels(row["region"]).set(row["silent_since"] is not None)
    return bool(changed)


async def _tell(tx: Connection, channel: UUID, region: str, since: datetime, *, silent: bool) -> None:
    row = await tx.fetchrow(_CHANNEL, channel)
    if row is None:
        log.error("ops_channel_missing", channel=str(channel))
        return
    clock, stamp = f"{since:%Y-%m-%d %H:%M:%S} UTC", now()
    if silent:
        title = f"All probers of {region} are silent"
        text = (
            f"No prober of {region} was heard since {clock}. Its monitors are unknown unless another region sees them."
        )
    else:
        title, text = (
            f"{region} has a prober again",
            f"A prober of {region} is heard again, after silence since {clock}.",
        )
    what = "down" if silent else "up"
    found = Notification(
        id=uuid5(channel, f"{region} {what} {since.isoformat()}"), organisation=row["organisation"], channel=channel,
        channel_name=row["name"], channel_kind=row["kind"], noun="region", about=region_id(region), about_version=0,
        what=what, at=since if silent else stamp, title=title, text=text, at_once=True, created_at=stamp,
    )  # fmt: skip
    await Notifications(tx, OUTBOX, no_wait, stamp).add_many([found])


_HEARD = """
INSERT INTO region_heard VALUES ($1, $2)
ON CONFLICT (region) DO UPDATE SET heard_at = greatest(region_heard.heard_at, excluded.heard_at)
"""

_WATERMARK = """
SELECT min(ticked_at) AS at, max(resumed_at) AS resumed FROM gateway
WHERE ticked_at > (SELECT max(ticked_at) FROM gateway) - 600000000
"""

# A region that was removed is not missed.
_CHANGED = """
SELECT h.*, greatest(heard_at, $2) < $1 AS silent FROM region_heard h
JOIN region r ON r.state->>'name' = h.region AND NOT (r.state->>'removed')::bool
WHERE (silent_since IS NULL) = (greatest(heard_at, $2) < $1) ORDER BY h.region FOR UPDATE OF h
"""

_CHANNEL = "SELECT organisation, state->>'name' AS name, state->>'kind' AS kind FROM channel WHERE id = $1"
