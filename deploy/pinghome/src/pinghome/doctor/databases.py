"""PostgreSQL, and what the services' databases tell: tables, dead letters, the relays, regions, clocks."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from pinghome.backup.databases import ALL, newest, version
from pinghome.doctor.finding import Finding, ok, problem, warning
from pinghome_common.db import is_connection_error
from pinghome_common.logs import error_text
from pinghome_common.settings import Settings

SECONDS = 5.0
"""In which PostgreSQL must answer."""

OLDEST_SERVER = 18
LONG_TRANSACTION = 600
"""Seconds after which a transaction keeps PostgreSQL from clearing up."""

CLOCK_OFF, PROBER_OFF = 2.0, 30.0
"""Seconds that our clock, and a prober's, may differ from the servers'."""

PROBER_SILENT, RELAY_BEHIND = 30.0, 10.0
"""Seconds."""


async def look(settings: Settings) -> AsyncIterator[Finding]:
    """PostgreSQL itself first; without it nothing else can be asked."""
    try:
        async with _connected(settings.database_url) as server:
            async for finding in _server(server):
                yield finding
            there = {row["datname"] for row in await server.fetch("SELECT datname FROM pg_database")}
    except Exception as error:
        if not is_connection_error(error) and not isinstance(error, asyncpg.PostgresError):
            raise
        do = "Start it, or correct PINGHOME_DATABASE_URL; of the embedded server see log/postgres.log."
        yield problem("postgresql", f"cannot be asked: {error_text(error)}", do)
        return
    for name in ALL:
        finding = await _tables(settings, name) if name in there else problem(name, "there is no such database", START)
        yield finding
        if finding.level != "ok":
            continue
        async with _connected(settings.database(name)) as connection:
            for question in (_dead_letters, *QUESTIONS.get(name, ())):
                async for each in question(name, connection):
                    yield each


START = "Start its service: it makes and migrates its database."


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection on which every statement ends in a few seconds."""
    connection = await asyncpg.connect(url, timeout=SECONDS, command_timeout=SECONDS)
    try:
        yield connection
    finally:
        connection.terminate()


async def _server(server: asyncpg.Connection) -> AsyncIterator[Finding]:
    found = server.get_server_version()
    said = f"version {await server.fetchval('SHOW server_version')}"
    used, most = await server.fetchrow(_CONNECTIONS)
    if found.major < OLDEST_SERVER:
        yield warning("postgresql", f"{said}; Pinghome is tested with {OLDEST_SERVER}", "Upgrade PostgreSQL.")
    elif used > 0.9 * most:
        yield warning("postgresql", f"{used} of {most} connections are open", "Raise max_connections.")
    else:
        yield ok("postgresql", f"{said}, {used} of {most} connections are open")
    rows = await server.fetch(_LONG, LONG_TRANSACTION)
    for row in rows:
        yield warning(
            "postgresql",
            f"a transaction of {row['datname']} ({row['application_name'] or row['usename']}) has been open for"
            f" {row['seconds']:.0f} s, so that deleted rows take space",
            f"If it is no backup, end it: SELECT pg_terminate_backend({row['pid']})",
        )
    before = time.time()
    theirs = await server.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    off = theirs - (before + time.time()) / 2
    if abs(off) > CLOCK_OFF:
        yield warning("clock", f"PostgreSQL's differs from ours by {off:+.1f} s", "Synchronise both clocks (NTP).")
    else:
        yield ok("clock", "PostgreSQL's and ours agree")


async def _tables(settings: Settings, name: str) -> Finding:
    found, ours = await version(settings.database(name)), newest(name)
    if found == ours:
        return ok(name, f"its tables are of version {found}")
    if found > ours:
        return problem(name, f"its tables are of version {found}, newer than ours, {ours}", "Update this Pinghome.")
    return problem(name, f"its tables are of version {found or 'none'}, ours is {ours}", START)


async def _dead_letters(name: str, connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    rows = await connection.fetch("SELECT worker, count(*) AS count FROM dead_letter GROUP BY 1 ORDER BY 1")
    for row in rows:
        yield problem(
            name, f"{row['count']} items of {row['worker']} could not be applied (dead letters)",
            "pinghome dead-letters list; after an update: pinghome dead-letters replay all",
        )  # fmt: skip


async def _relay(name: str, connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    row = await connection.fetchrow(_WAITING)
    if row["seconds"] is not None and row["seconds"] > RELAY_BEHIND:
        yield problem(
            name, f"{row['count']} events are not published, the oldest for {row['seconds']:.0f} s",
            "See whether its service and the broker are running; nothing is lost.",
        )  # fmt: skip
    else:
        yield ok(name, "its events are published")


async def _regions(_: str, connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    for row in await connection.fetch(_HEARD):
        if row["seconds"] is None or row["seconds"] > PROBER_SILENT:
            ago = f"for {row['seconds']:.0f} s" if row["seconds"] is not None else "in the last day"
            do = "Look at the prober's log and its link to the broker, or `pinghome prober remove` the region."
            yield problem("regions", f"no prober of {row['region']} was heard {ago}", do)
        else:
            yield ok("regions", f"{row['region']} has {row['probers']} probers")
    for row in await connection.fetch(_SKEWS):
        if abs(row["off"]) > PROBER_OFF:
            do = "Synchronise the clock of that machine (NTP)."
            yield warning("clock", f"that of a prober in {row['region']} is off by {row['off']:+.0f} s", do)


Question = Callable[[str, asyncpg.Connection], AsyncIterator[Finding]]
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "resource_cmd": (_relay,), "statuspage_cmd": (_relay,), "resource_query": (_regions,),
}  # fmt: skip

_CONNECTIONS = """
SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity WHERE backend_type = 'client backend'
"""

_LONG = """
SELECT pid, datname, usename, application_name, extract(epoch FROM now() - xact_start)::float8 AS seconds
FROM pg_stat_activity WHERE backend_type = 'client backend' AND xact_start < now() - $1 * interval '1 second'
"""

_WAITING = """
SELECT count(*) AS count, extract(epoch FROM now() - min(created_at))::float8 AS seconds
FROM events WHERE published_seq IS NULL
"""

_HEARD = """
SELECT r.state->>'name' AS region, count(p) AS probers,
    extract(epoch FROM now())::float8 - max(p.heard_at) / 1e6::float8 AS seconds
FROM region r LEFT JOIN prober p ON p.region = r.state->>'name'
WHERE NOT (r.state->>'removed')::bool GROUP BY 1 ORDER BY 1
"""

# When a probe was due says the broker's clock, when it was made the prober's.
_SKEWS = """
SELECT region, percentile_cont(0.5) WITHIN GROUP (ORDER BY checked_at - slot) / 1e6 AS off
FROM region_observation WHERE slot > extract(epoch FROM now() - interval '10 minutes') * 1000000 GROUP BY 1
"""
