"""Samples of 100 servers as the projection stores them from the gateway's messages, against a bare COPY of the rows."""

import time
from datetime import timedelta
from uuid import uuid4

from figures import at_least, at_most
from platforms import in_processes
from servers import VALUES, messages

from pinghome_common.clock import micros, now
from pinghome_common.items import first_seen, read
from pinghome_common.serve import freeze
from statistic_query.partition import Partitions
from statistic_query.project import Projector
from statistic_query.servers.store import COLUMN_NAMES

FIGURES = {"rows / COPY": at_least(0.35, 0.6), "bytes per value": at_most(24)}
SERVERS = 100
MESSAGES = 20
"""In one transaction."""
TRANSACTIONS = 10
KEPT = dict.fromkeys(("sample", "result", "failure", "ping"), 8)


async def measure(rounds):
    freeze()  # as a service does
    async with in_processes() as platform:
        await platform.keep_only()
        async with platform.database("statistic_query") as database:
            await database.execute("SET synchronous_commit = off")  # as the projection has it
            servers = [uuid4() for _ in range(SERVERS)]
            await database.executemany(MONITOR, [(it, uuid4(), now()) for it in servers])
            projector = Projector(None, Partitions(KEPT))
            begin = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=rounds + 2)
            for number in range(rounds + 1):
                at = micros(begin + number * timedelta(days=1))
                seconds = await stored(database, projector, servers, at, number)
                rows = SERVERS * MESSAGES * TRANSACTIONS
                table = f"sample_{begin + number * timedelta(days=1):%Y%m%d}"
                bare = await copied(database, table)
                size = await database.fetchval("SELECT pg_total_relation_size($1::text::regclass)", table)
                if number:  # the first one warms
                    yield {
                        "rows / COPY": bare / seconds,
                        "bytes per value": size / rows / VALUES,
                        "rows/s": rows / seconds,
                        "values/s": rows * VALUES / seconds,
                        "COPY rows/s": rows / bare,
                    }


async def stored(database, projector, servers, begin, number):
    """The seconds in which the projection decodes and stores all messages."""
    found = messages(servers, begin, MESSAGES * TRANSACTIONS, number * 10_000)
    started = time.perf_counter()
    for place in range(0, len(found), MESSAGES):
        contents = [read(message) for message in found[place : place + MESSAGES]]
        async with database.transaction():
            items = [item for each in await first_seen(database, contents) for item in each.items]
            await projector.telemetry(database, items)
    return time.perf_counter() - started


async def copied(database, table):
    """The seconds of COPY alone for the same rows, into a table with the same index."""
    rows = [tuple(row) for row in await database.fetch(f"SELECT {', '.join(COLUMN_NAMES)} FROM {table}")]  # noqa: S608
    await database.execute(f"DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE {table} INCLUDING ALL)")
    size = SERVERS * MESSAGES
    started = time.perf_counter()
    for place in range(0, len(rows), size):
        async with database.transaction():
            await database.copy_records_to_table("bare", records=rows[place : place + size], columns=COLUMN_NAMES)
    return time.perf_counter() - started


MONITOR = "INSERT INTO monitor (id, noun, organisation, version, created_at) VALUES ($1, 'server_resource', $2, 1, $3)"
