"""Delivers what is in the outbox: each channel in its own order, and none keeps another waiting."""

import asyncio
import time
from collections import Counter as Buckets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

from prometheus_client import Gauge

from pinghome_common.clock import now
from pinghome_common.containment import is_items_own
from pinghome_common.db import Connection, Database
from pinghome_common.events.notification import Notification
from pinghome_common.health import resting
from pinghome_common.logs import error_text, log
from pinghome_delivery.channel_queue import ChannelQueue
from pinghome_delivery.message import DeliveryError, PartlyDelivered, RateLimited, Transports
from pinghome_delivery.outbox import Audience, Outcome, Target, compose, record

OVERDUE = Gauge(
    "pinghome_delivery_overdue_seconds", "for how long the longest waiting delivery has been due", ["service"]
)
AT_ONCE = 200
"""Channels that one process tells something at the same time; each of them one thing after another."""
SHARE = 50
"""Of these, those of one organisation: its slow receivers and silent names keep no other waiting."""
APART = 0.2
"""Seconds between two looks: evaluation wakes it after each of its transactions, few of which have news."""
CONNECTIONS = 4
"""Of those of the service's pool that deliveries may take at a time: commands come first."""
TURN = 15.0
"""Seconds after which a channel begins nothing new, and others get their turn."""
BROKEN = 60.0
"""Seconds for which a channel is left alone whose turn failed for no fault of the database's."""
SEND = 35.0
"""Seconds that one message may take."""
OUR_FAULT = "something went wrong on our side; it has been logged"
LEASE = 60
"""Seconds for which a channel is one worker's: more than a turn and the slowest send."""


class Dispatcher:
    """Any number may work at the same time; a channel is told by one of them.

    Args:
        db: of this service.
        transports: what kinds of channels send with.
        audience: whom the outbox tells.
        after: called when something was decided.
    """

    def __init__(self, db: Database, transports: Transports, audience: Audience, after: Callable[[], None]) -> None:
        self._db, self._transports, self._audience, self._after = db, transports, audience, after
        self._work = asyncio.Event()
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._turns: dict[UUID, asyncio.Task[None]] = {}
        self._owners: dict[UUID, UUID] = {}
        self._broken: dict[UUID, float] = {}

    def wake(self) -> None:
        """Says that there may be something new; without it the dispatcher looks each second."""
        self._work.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        await self._audience.prepare()
        self._after()
        connection = await self._db.dedicated_connection()
        try:
            while True:
                self._work.clear()
                overdue = await connection.fetchval(_OVERDUE)
                OVERDUE.labels(self._audience.store.source).set(overdue or 0)
                if overdue is not None and (free := AT_ONCE - len(self._turns)):
                    await self._claim(connection, free)
                with resting(), suppress(TimeoutError):
                    await asyncio.sleep(APART)
                    async with asyncio.timeout(1.0):
                        await self._work.wait()
        finally:
            turns = list(self._turns.values())
            for task in turns:
                task.cancel()
            await asyncio.gather(*turns, return_exceptions=True)
            connection.terminate()

    async def _claim(self, connection: Connection, free: int) -> None:
        """Begins turns of channels that have something due, as many as are free and no more than each one's share."""
        busy, at = Buckets(self._owners.values()), time.monotonic()
        self._broken = {channel: until for channel, until in self._broken.items() if until > at}
        found = await connection.fetch(
            _CLAIM,
            free,
            [*self._turns, *self._broken],
            timedelta(seconds=LEASE),
            list(busy),
            list(busy.values()),
            SHARE,
        )
        for row in found:
            self._owners[row["channel"]] = row["organisation"]
            self._begin(row["channel"], connection.get_server_pid())

    def _begin(self, channel: UUID, owner: int) -> None:
        def done(task: asyncio.Task[None]) -> None:
            del self._turns[channel], self._owners[channel]
            if not task.cancelled() and (error := task.exception()):
                log.warning("channel_delivery_aborted", channel=str(channel), why=error_text(error))
                if isinstance(error, Exception) and is_items_own(error):  # the same would fail again at once
                    self._broken[channel] = time.monotonic() + BROKEN

        self._turns[channel] = asyncio.create_task(self._turn(channel, owner))
        self._turns[channel].add_done_callback(done)

    async def _turn(self, channel: UUID, owner: int) -> None:
        until = time.monotonic() + TURN
        try:
            while time.monotonic() < until and await self._step(channel):
                pass
        finally:
            async with self._transaction() as tx:
                await tx.execute("DELETE FROM lease WHERE channel = $1 AND owner = $2", channel, owner)

    async def _step(self, channel: UUID) -> bool:
        """One message; False when there was none to send."""
        async with self._transaction() as tx:
            found = await self._audience.target(tx, channel)
            target = found or Target(kind=None, problem="the channel was deleted", follows=True)
            queue = ChannelQueue(tx, channel, now(), self._audience)
            if target.waits:
                await queue.wait(target.problem)
                rows = []
            else:
                rows = await queue.next(follows=target.follows)
        self._after()
        if not rows:
            return False
        try:
            error = await self._send(target, channel, [row.state for row in rows])
        except RateLimited as turn:
            async with self._transaction() as tx:
                due = now() + timedelta(seconds=turn.wait)
                await tx.execute("UPDATE notification SET due = $2 WHERE id = $1", rows[0].state.id, due)
            return True
        async with self._transaction() as tx:
            await record(tx, self._audience, rows, error, now(), gone=found is None)
        self._after()
        return True

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._room, self._db.transaction() as tx:
            yield tx

    async def _send(self, target: Target, channel: UUID, some: list[Notification]) -> Outcome:
        """Sends one message; what went wrong, or None. Raises RateLimited."""
        if target.kind is None:
            return DeliveryError(target.problem)
        try:
            async with asyncio.timeout(SEND):
                await target.kind.send(compose(some), self._transports)
        except RateLimited:
            raise
        except (DeliveryError, PartlyDelivered) as error:
            return error
        except TimeoutError:
            return DeliveryError(f"it took longer than {SEND:.0f} seconds")
        except Exception:
            log.exception("channel_failed", channel=str(channel))
            return DeliveryError(OUR_FAULT)
        return None


_OVERDUE = "SELECT extract(epoch FROM now() - min(due))::float8 FROM notification WHERE due <= now()"

# Whoever comes second to a lease waits a moment for the first, and finds it taken. A lease ends with its owner's
# connection, too, so that after a kill nobody waits for the dead.
_CLAIM = """
INSERT INTO lease AS l (channel, owner, until)
SELECT channel, pg_backend_pid(), now() + $3 FROM (
    SELECT channel, organisation, min(due) AS due,
        row_number() OVER (PARTITION BY organisation ORDER BY min(due)) AS nth
    FROM notification n WHERE due <= now() AND channel <> ALL($2::uuid[]) GROUP BY channel, organisation
) AS waiting LEFT JOIN unnest($4::uuid[], $5::bigint[]) AS busy (organisation, channels) USING (organisation)
WHERE nth + coalesce(channels, 0) <= $6 ORDER BY due
LIMIT $1 + (SELECT count(*) FROM lease WHERE channel <> ALL($2::uuid[]))
ON CONFLICT (channel) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE l.until <= now() OR NOT EXISTS (
    SELECT FROM pg_stat_activity a WHERE a.pid = l.owner AND a.backend_start < l.until - $3
)
RETURNING channel, (SELECT organisation FROM notification n WHERE n.channel = l.channel LIMIT 1) AS organisation
"""
