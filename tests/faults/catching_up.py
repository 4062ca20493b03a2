"""Waiting until everything that was accepted is everywhere, and how long that takes."""

import asyncio
import time

import asyncpg
import nats.errors
from streams import admin, last_seq
from under_test import Platform

from pinghome.doctor.broker import READS, subjects


async def behind(platform: Platform) -> list[str]:
    """What is not yet as it must be in the end; empty when all has arrived."""
    late = [name for name in platform.names if not await platform.ready(name)]
    if late:
        return late
    if any((platform.data / "data-gateway" / "0" / "spool").glob("*.spool")):
        late.append("spool")
    try:
        async with asyncio.timeout(5), admin(platform) as client:
            last = {
                (database, stream): await last_seq(client, stream, *subjects(prefix, nouns))
                for database, streams in READS.items()
                for stream, (prefix, nouns) in streams.items()
            }
        for database in READS:
            async with platform.sql(database) as db:
                seen = dict(await db.fetch("SELECT stream, seq FROM checkpoint"))
            late += [
                f"{stream} in {database}"
                for (of, stream), seq in last.items()
                if of == database and seen.get(stream, 0) < seq
            ]
        for database in ("resource_cmd", "statuspage_cmd"):
            async with platform.sql(database) as db:
                if await db.fetchval("SELECT count(*) FROM events WHERE published_seq IS NULL"):
                    late.append(f"relay of {database}")
                if database == "resource_cmd" and await db.fetchval("SELECT count(*) FROM unscheduled"):
                    late.append("schedules")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error) as error:
        late.append(type(error).__name__)
    return late


async def catch_up(platform: Platform, since: float, most: float = 120.0) -> tuple[float, str]:
    """Wait until nothing is behind, at most `most` seconds; returns the seconds since `since`, and what took how long.

    What was behind is told with when it was last seen so.
    """
    waited: dict[str, float] = {}
    while (late := await behind(platform)) and time.monotonic() - since < most:
        waited |= dict.fromkeys(late, time.monotonic() - since)
        await asyncio.sleep(0.3)  # a look costs 60 ms of CPU
    return time.monotonic() - since, ", ".join(f"{name} {seconds:.1f} s" for name, seconds in waited.items())
