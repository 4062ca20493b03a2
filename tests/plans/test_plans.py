"""No statement of any service reads a large table as a whole, or many more rows than its answer is about."""

import asyncio
import os
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from pinghome.servers import DATABASES, Servers
from pinghome_common.settings import Settings
from plans import explained, volumes
from plans.everything import KEYS, patterns
from running import Platform, up

N = int(os.environ.get("PLANS_OF", "50000"))
"""Monitors, heartbeats and servers in all."""

MOST = 1100
"""Rows that a statement may look at: a page of 500 with what belongs to it, or the 1,000 pings that are kept."""

LARGE = 1000
"""Rows of a table that nobody reads as a whole."""

SETTINGS = {
    **KEYS,
    **dict.fromkeys(("servers_limit", "checks_limit", "pages_limit", "page_metrics_limit"), "1000000"),
    "subscriptions_per_hour": "1000000",
    "regions": "eu-central-1,us-east-1",
    "server_grace_seconds": "86400",
    "expose_tokens": "true",
    "smtp_url": "smtp://127.0.0.1:1",
    "mail_from": "a@example.com",
}

WHOLE = {
    "DELETE FROM idempotency": "each hour",
    "DELETE FROM notification": "each hour",
    "DELETE FROM seen": "each hour",
    "DELETE FROM asked": "each hour",
    "DELETE FROM flip": "each hour",
    "DELETE FROM state_change": "each hour",
    "DELETE FROM metric_": "each hour, what is old",
    "DELETE FROM domain_claim": "each hour",
    "DELETE FROM outage_told": "each hour",
    "DELETE FROM response_day": "each hour, what is old",
    "UPDATE point_day SET minutes = NULL": "each hour, what is old",
    "SELECT heartbeat, n FROM ping_sequence": "each hour",
    "INSERT INTO lease": "what is due of all channels, at each look for one that nobody has",
    "SELECT id, about, state->>'noun' AS noun": "what waits for one channel",
    "SELECT id FROM resource r WHERE status IN ('up', 'down')": "each 5 s: monitors of which no region says anything",
    "SELECT id, state->'regions' AS regions": "at the start and each minute: the schedules that there should be",
    "SELECT u.resource, u.since, r.state": "the queue of what the scheduler has to look at",
    "SELECT organisation FROM channel UNION": "at the start: who has channels",
    "SELECT state FROM resource WHERE (state->>'enabled')::bool AND": "the schedule that a prober asks for",
    "SELECT DISTINCT unnest(string_to_array(h.state->>'tags'": "badges: the tags of a whole service, by the document",
    "SELECT h.id, h.version, v.status": "Healthchecks' list of a whole service, by its document, if it has changed",
    "SELECT version, state FROM heartbeat WHERE id = ANY": "the same, of those whose settings have changed",
    "SELECT * FROM ( SELECT m.created_at, array_agg(c.at": "the states of a monitor in the window that is asked for",
    "WITH ranked AS ( SELECT m.service, m.id": "the changes of state of all that an organisation has",
    "SELECT at, every, figures": "the samples of a window, which become 500 points",
    "SELECT at, figures, counts": "the minutes of a window, which become 500 points",
    "SELECT count(*) FROM sample": "whether a window has more samples than points",
    "SELECT at, up FROM flip": "all flips of a check, by Healthchecks' document",
    "SELECT c.* FROM incident_change c": "what a page's components have shown for 90 days",
    "SELECT m.started_at, m.ended_at": "the same",
    "SELECT id, state->>'name' AS name, state->>'language'": "all pages that somebody subscribes to who names none",
    "SELECT state FROM statuspage WHERE (state->>'enabled')": "the same",
    "SELECT i.state FROM incident i": "a page's incidents of 90 days, when it is made anew",
    "SELECT m.state FROM maintenance m": "its maintenance",
    "SELECT u.incident, u.state FROM incident_update u": "the updates of these incidents",
}
"""By their beginnings, statements that are about more, and why."""


async def load(data: Path, it: volumes.Patterns) -> dict[str, set[str]]:
    """Fills all databases, and has PostgreSQL explain what it runs from now on; the large tables of each."""
    large = {}
    async with Servers(Settings(data=data, database_url="", nats_url="")) as servers:
        for name in DATABASES:
            connection = await asyncpg.connect(urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}")))
            await connection.execute("SET synchronous_commit = off")
            await getattr(volumes, name)(connection, it, N)
            await connection.execute("VACUUM ANALYZE")
            rows = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > $1", LARGE)
            large[name] = {row["relname"] for row in rows}
            await connection.close()
        connection = await asyncpg.connect(servers.database_url)
        for name, value in explained.SETTINGS.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.close()
    return large


def asking(platform: Platform) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=platform.url, timeout=60, trust_env=False)


@pytest.mark.timeout(900)
async def test_no_statement_reads_more_than_it_must(folder: Path):
    data = folder / "plans"
    async with up(data, **SETTINGS) as platform, asking(platform) as http:
        caller = await patterns(platform, http)
        await platform.stop()
    large = await load(data, caller.it)
    log = data / "log/postgres.log"
    log.write_text("")
    async with up(data, **SETTINGS) as platform, asking(platform) as http:
        caller.platform, caller.http = platform, http
        await caller.everything()
        await asyncio.sleep(12)  # every worker but those of the hour has its turn
        await platform.stop()
    statements, found = 0, defaultdict(set)
    for it in explained.read(log):
        statements += 1
        if it.database not in large or it.shape.startswith(tuple(WHOLE)):
            continue
        for node in it.nodes:
            if node.read > MOST or (node.kind == "Seq Scan" and node.read > 10 and node.table in large[it.database]):
                found[it.database, it.shape].add((node.kind, node.table, node.read))
    for (database, shape), nodes in sorted(found.items()):
        print(database, sorted(nodes), shape, sep="\n  ")
    assert statements > 10_000
    assert caller.wrong == {}
    assert not found
