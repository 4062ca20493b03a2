"""Waiting until everything that was accepted is everywhere, and how long that takes."""

import asyncio
import time

import asyncpg
import nats.errors
from streams import admin, last_seq
from under_test import Platform

NOUNS = ("service", "resource", "heartbeat")
READS = {  # what each projection reads of EVENTS; all read TELEMETRY
    "resource_cmd": (),
    "resource_query": NOUNS,
    "statistic_query": ("resource", "heartbeat"),
}


async def behind(platform: Platform) -> list[str]:
    """What is not yet as it must be in the end; empty when all has arrived."""
    late = [name for name in platform.names if not await platform.ready(name)]
    if late:
        return late
    if any((platform.data / "data-gateway" / "spool").glob("*.spool")):
        late.append("spool")
    try:
        async with asyncio.timeout(5), admin(platform) as client:
            pings = await last_seq(client, "TELEMETRY", "telemetry.>")
            events = {noun: await last_seq(client, "EVENTS", f"events.{noun}.>") for noun in NOUNS}
        for database, nouns in READS.items():
            async with platform.sql(database) as db:
                seen = dict(await db.fetch("SELECT stream, seq FROM checkpoint"))
                if database == "resource_cmd":
                    unpublished = await db.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL")
                    unscheduled = await db.fetchval("SELECT count(*) FROM unscheduled")
                    late += [f"{unpublished} unpublished"] * bool(unpublished)
                    late += [f"{unscheduled} unscheduled"] * bool(unscheduled)
            if seen.get("TELEMETRY", 0) < pings:
                late.append(f"{database}: {pings - seen.get('TELEMETRY', 0)} of TELEMETRY")
            head = max((events[noun] for noun in nouns), default=0)
            if seen.get("EVENTS", 0) < head:
                late.append(f"{database}: {head - seen.get('EVENTS', 0)} of EVENTS")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error) as error:
        late.append(repr(error)[:100])
    return late


async def catch_up(platform: Platform, since: float, most: float = 60.0) -> tuple[float, list[str]]:
    """Wait until nothing is behind; returns the seconds since `since`, and what was last waited for.

    After `most` seconds it returns what still is behind.
    """
    waited: list[str] = []
    while late := await behind(platform):
        waited = late
        if time.monotonic() - since > most:
            break
        await asyncio.sleep(0.1)
    return time.monotonic() - since, waited
