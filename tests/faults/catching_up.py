"""Waiting until everything that was accepted is everywhere, and how long that takes."""

import asyncio
import time

import asyncpg
import nats.errors
from streams import admin, last_seq
from under_test import Platform

RECORDED = ("service", "resource", "heartbeat", "channel", "integration")
NOUNS = (*RECORDED, "notification")
READS = {  # what each projection reads of EVENTS; all read TELEMETRY
    "resource_cmd": (),
    "resource_query": RECORDED,
    "statistic_query": ("resource", "heartbeat", "notification"),
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
            pings = await last_seq(client, "TELEMETRY", "telemetry.ping.>", "telemetry.result.>")
            events = {noun: await last_seq(client, "EVENTS", f"events.{noun}.>") for noun in NOUNS}
        for database, nouns in READS.items():
            async with platform.sql(database) as db:
                seen = dict(await db.fetch("SELECT stream, seq FROM checkpoint"))
                if database == "resource_cmd":
                    unpublished = await db.fetchval("SELECT count(*) FROM events WHERE published_seq IS NULL")
                    unscheduled = await db.fetchval("SELECT count(*) FROM unscheduled")
                    late += ["relay"] * bool(unpublished) + ["schedules"] * bool(unscheduled)
            if seen.get("TELEMETRY", 0) < pings:
                late.append(f"TELEMETRY in {database}")
            if seen.get("EVENTS", 0) < max((events[noun] for noun in nouns), default=0):
                late.append(f"EVENTS in {database}")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error) as error:
        late.append(type(error).__name__)
    return late


async def catch_up(platform: Platform, since: float, most: float = 60.0) -> tuple[float, str]:
    """Wait until nothing is behind, at most `most` seconds; returns the seconds since `since`, and what took how long.

    What was behind is told with when it was last seen so.
    """
    waited: dict[str, float] = {}
    while (late := await behind(platform)) and time.monotonic() - since < most:
        waited |= dict.fromkeys(late, time.monotonic() - since)
        await asyncio.sleep(0.1)
    return time.monotonic() - since, ", ".join(f"{name} {seconds:.1f} s" for name, seconds in waited.items())
