"""Thirty days of one server's points read hourly at the API, one of 50 servers; the hours are made of its minutes."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

from figures import at_most
from load import ask
from platforms import in_processes

from pinghome_common.events.metric import FIELDS
from statistic_query.servers.figures import COLUMNS
from statistic_query.servers.stats import of_samples

FIGURES = {"p99 ms": at_most(5)}
SERVERS = 50
DAYS = 30
ASKED = 500
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
FIELDS_OF_ROWS = ("server", "at", "figures", "counts", *COLUMNS.values())


async def measure(rounds):
    async with in_processes() as platform:
        await platform.keep_only("resource-cmd", "statistic-query")
        body = f'{{"name": "bench {{n}}", "service_id": "{uuid4()}"}}'
        wish = platform.heartbeat() | {"path": "/v1/server-resource", "body": body}
        _, documents = await ask(platform.ports["resource-cmd"], **wish, seconds=60, most=SERVERS)
        servers = [document["id"] for document in documents][:SERVERS]
        await platform.keep_only("statistic-query")
        async with platform.database("statistic_query") as database:
            start, end = await generate(database, servers)
        question = f"?type=memory-usage&interval=hour&limit=1000&start_date={start:%Y-%m-%dT%H:%M:%SZ}"
        question += f"&end_date={end:%Y-%m-%dT%H:%M:%SZ}"
        headers = {"Authorization": wish["headers"]["Authorization"]}

        async def asked(server, most):
            path = f"/v1/server-resource/{server}/metrics{question}"
            port = platform.ports["statistic-query"]
            return await ask(port, "GET", path, headers=headers, in_flight=1, seconds=60, most=most)

        for number in range(rounds + 1):
            first = [(await asked(server, 1))[0].p50 for server in servers[1:]]  # more than it keeps
            before = platform.cpu()
            load, answers = await asked(servers[0], ASKED)
            used = {name: seconds - before[name] for name, seconds in platform.cpu().items()}
            if not all(len(answer["data"]) == DAYS * 24 for answer in answers):
                raise RuntimeError("an answer does not have every hour")
            if number:  # the first one warms
                costs = {f"CPU ms {name}": seconds / ASKED * 1000 for name, seconds in used.items()}
                yield {"p99 ms": load.p99, "p50 ms": load.p50, "p50 ms of a first read": median(first)} | costs


async def generate(database, servers):
    """Minutes of the first server, which the service makes hours of, and hours of the others; returns start and end."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start, chance = end - DAYS * DAY, random.Random(1)
    await database.execute("UPDATE monitor SET created_at = $1", start - DAY)
    day = start.replace(hour=0)
    while day < end:
        await database.execute(
            f"CREATE TABLE IF NOT EXISTS metric_minute_{day:%Y%m%d} PARTITION OF metric_minute"
            f" FOR VALUES FROM ('{day.isoformat()}') TO ('{(day + DAY).isoformat()}')"
        )
        day += DAY
    some = [list(columns(chance)) for _ in range(500)]
    for server in servers:
        ids = [await database.fetchval(NAME, server, type_) for type_ in COLUMNS]
        step, table = (MINUTE, "metric_minute") if server == servers[0] else (HOUR, "metric_hour")
        places = range(DAYS * DAY // step)
        rows = ((server, start + place * step, ids, [6] * 7, *chance.choice(some)) for place in places)
        await database.copy_records_to_table(table, records=rows, columns=FIELDS_OF_ROWS)
    await database.execute(MARKS, servers[0], start, end - HOUR)
    async with asyncio.timeout(300):
        while await database.fetchval("SELECT count(*) FROM metric_mark"):
            await asyncio.sleep(1)
    await database.execute("VACUUM ANALYZE")
    await database.execute("CHECKPOINT")
    return start, end


def columns(chance):
    """The statistics of the host of each type over some samples."""
    for type_ in COLUMNS:
        samples = [[round(chance.uniform(0, 1e10), 2) for _ in FIELDS[type_]] for _ in range(3)]
        yield of_samples(samples).packed


NAME = "INSERT INTO metric_name (server, type, name, seen) VALUES ($1, $2, '', now()) RETURNING id"
MARKS = "INSERT INTO metric_mark SELECT 1, $1, generate_series($2, $3::timestamptz, interval '1 hour')"
