"""The 30-day hourly statistics of one of 200 monitors at the API, over generated results; and what a result takes."""

import asyncio

from figures import at_most
from generated import generate
from load import ask
from platforms import in_processes

FIGURES = {"p99 ms": at_most(5, 3), "bytes per result": at_most(120, 80)}
MONITORS = 200
DAYS = 30
ASKED = 500


async def measure(rounds):
    async with in_processes() as platform:
        await platform.keep_only("resource-cmd", "statistic-query")
        wish = platform.resource("http://pinghome.example/", 60)
        _, documents = await ask(platform.ports["resource-cmd"], **wish, seconds=60, most=MONITORS)
        monitors = [document["id"] for document in documents][:MONITORS]
        await platform.keep_only("statistic-query")
        async with platform.database("statistic_query") as database:
            start, end = await generate(database, monitors, DAYS)
            stored = await database.fetchrow(STORED)
        await asyncio.sleep(2)  # the disk is done with it
        question = f"?interval=hour&start_date={start:%Y-%m-%dT%H:%M:%SZ}&end_date={end:%Y-%m-%dT%H:%M:%SZ}&limit=1000"
        headers = {"Authorization": wish["headers"]["Authorization"]}
        for number in range(rounds + 1):
            path = f"/v1/resource/{monitors[number * 37 % MONITORS]}/statistic{question}"
            before = platform.cpu()
            load, answers = await ask(
                platform.ports["statistic-query"], "GET", path, headers=headers, in_flight=1, seconds=60, most=ASKED
            )
            used = {name: seconds - before[name] for name, seconds in platform.cpu().items()}
            if not all(len(answer["data"]) == DAYS * 24 and answer["summary"]["checks"] for answer in answers):
                raise RuntimeError("an answer does not have every hour")
            if number:  # the first one warms
                yield {
                    "p99 ms": load.p99,
                    "bytes per result": stored["bytes"] / stored["results"],
                    "p50 ms": load.p50,
                    "bytes heap": stored["heap"] / stored["results"],
                    "results": stored["results"],
                    **{f"CPU ms {name}": seconds / ASKED * 1000 for name, seconds in used.items()},
                }


STORED = """
SELECT sum(pg_total_relation_size(inhrelid))::bigint AS bytes, sum(pg_relation_size(inhrelid))::bigint AS heap,
    (SELECT count(*) FROM result) AS results
FROM pg_inherits WHERE inhparent = 'result'::regclass
"""
