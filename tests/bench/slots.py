"""What became of every slot of a time: when it was probed, and whether it was judged and stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from platforms import REGION, Platform

from pinghome_common.events.probe import Result, Results
from pinghome_common.stream import Broker, Reader

decode = msgspec.msgpack.Decoder(Results).decode


@dataclass(frozen=True)
class Slots:
    """The slots from `begin` to `end` (UNIX seconds) of so many monitors, each probed every `interval` seconds."""

    monitors: int
    interval: int
    begin: int
    end: int

    async def missed(self, platform: Platform) -> int:
        """How many (monitor, slot) statistic-query does not have; a slot off its monitor's phase counts for none."""
        async with platform.database("statistic_query") as database:
            stored: int = await database.fetchval(STORED, self.begin, self.end, self.interval)
        return self.monitors * ((self.end - self.begin) // self.interval) - stored

    async def unjudged(self, platform: Platform) -> int:
        """How many monitors are not up in resource-cmd by the word of their last slot."""
        async with platform.database("resource_cmd") as database:
            judged: int = await database.fetchval(JUDGED, (self.end - self.interval) * 10**6)
        return self.monitors - judged

    async def late(self, platform: Platform, after: int) -> list[float]:
        """Milliseconds from each slot to the beginning of its probe, from what TELEMETRY holds after a sequence."""
        results: list[Result] = []
        async with broker(platform) as nats:
            reader = Reader(nats, "TELEMETRY", [f"telemetry.result.{REGION}"], after)
            while reader.pending:  # it goes on growing
                results += (result for message in await reader.take(2) for result in decode(message.data).results)
            await reader.stop()
        return [(it.checked_at - it.slot) / 1000 for it in results if self.begin <= it.slot / 10**6 < self.end]


STORED = """
SELECT coalesce(sum(n), 0)::bigint FROM (
    SELECT DISTINCT ON (series) count(*) AS n FROM result
    WHERE slot >= to_timestamp($1::bigint) AND slot < to_timestamp($2::bigint)
    GROUP BY series, extract(epoch FROM slot)::bigint % $3::int
    ORDER BY series, n DESC
) phase
"""
JUDGED = (
    "SELECT count(*) FROM region_observation o JOIN resource r ON r.id = o.resource"
    " WHERE o.slot >= $1 AND r.status = 'up'"
)


@asynccontextmanager
async def broker(platform: Platform) -> AsyncIterator[Broker]:
    """A connection to NATS that may do all."""
    async with Broker(platform.servers.nats_url("admin"), "bench") as nats:
        while not nats.connected:
            await asyncio.sleep(0.01)
        yield nats


async def head(platform: Platform) -> int:
    """The sequence of TELEMETRY's newest message."""
    async with broker(platform) as nats:
        return await nats.head("TELEMETRY")
