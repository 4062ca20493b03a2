"""Thirty days of results as the projector of statistic-query would have stored them, made in SQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
from platforms import REGION

DAY = timedelta(days=1)


async def generate(database: asyncpg.Connection, monitors: Sequence[str], days: int) -> tuple[datetime, datetime]:
    """A result a minute of each monitor for `days` until this hour, days of hours, states; returns start and end.

    One in 500 results is a failure, and every second day there was an outage of a minute.
    """
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - days * DAY
    await database.execute("UPDATE monitor SET created_at = $1", start - DAY)
    await database.execute("INSERT INTO series (resource, region) SELECT unnest($1::uuid[]), $2", monitors, REGION)
    day = start.replace(hour=0)
    while day < end:
        await database.execute(
            f"CREATE TABLE IF NOT EXISTS result_{day:%Y%m%d} PARTITION OF result"
            f" FOR VALUES FROM ('{day.isoformat()}') TO ('{(day + DAY).isoformat()}')"
        )
        await database.execute(RESULTS, max(day, start), min(day + DAY, end))
        await database.execute(ROLLUP, day, day + DAY)
        day += DAY
    await database.execute(CHANGES, monitors, start)
    await database.execute("VACUUM ANALYZE")
    await database.execute("CHECKPOINT")
    return start, end


# In the order of time, and in no order within a minute, as results come in.
RESULTS = """
INSERT INTO result (slot, series, total, dns, connect, tls, first_byte, verdict, status_code, address)
SELECT slot + m.n % 60 * interval '1 second', m.id, 20 + 80 * random(), 1, 2, 9, 5,
    bad, CASE bad WHEN 0 THEN 200 ELSE 500 END, m.n
FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', interval '1 minute') slot
CROSS JOIN (SELECT id, row_number() OVER (ORDER BY resource) AS n FROM series) m
CROSS JOIN LATERAL (SELECT (hashint8(extract(epoch FROM slot)::bigint + m.n) % 500 = 0)::int AS bad) chance
ORDER BY slot, hashint4(m.id)
"""

# A day as the service's rollup packs it, its hours and then their sum, of monitors that have one region.
ROLLUP = """
INSERT INTO result_day SELECT resource, ($1::timestamptz AT TIME ZONE 'UTC')::date, string_agg(
    int4send(coalesce(checks, 0)) || int4send(coalesce(failures, 0)) || int4send(coalesce(checks, 0))
    || float8send(coalesce(total, 0)) || float8send(coalesce(round(fastest * 1000) / 1000, 'infinity'))
    || float8send(coalesce(round(slowest * 1000) / 1000, '-infinity')), '' ORDER BY begin)
FROM series CROSS JOIN (
    SELECT * FROM generate_series($1, $2::timestamptz - interval '1 hour', interval '1 hour') AS begin
    UNION ALL SELECT 'infinity'
) AS hours
LEFT JOIN (
    SELECT series AS id, coalesce(date_trunc('hour', slot, 'UTC'), 'infinity') AS begin, count(*)::int AS checks,
        count(*) FILTER (WHERE verdict = 1)::int AS failures,
        sum(total::float8) AS total, min(total::float8) AS fastest, max(total::float8) AS slowest
    FROM result WHERE slot >= $1 AND slot < $2 GROUP BY GROUPING SETS ((1, date_trunc('hour', slot, 'UTC')), (1))
) AS counted USING (id, begin) GROUP BY resource
"""

CHANGES = """
INSERT INTO state_change (resource, version, at, status, previous, reason)
SELECT m.id, 2 + 2 * o.n + s.n, o.at + s.n * interval '1 minute', s.status, s.previous, ''
FROM unnest($1::uuid[]) m (id)
CROSS JOIN LATERAL (
    SELECT row_number() OVER () - 1 AS n, $2::timestamptz + make_interval(hours => hour) AS at
    FROM generate_series(0, 719, 40 + abs(hashtext(m.id::text)) % 20) hour
) o
CROSS JOIN (VALUES (0, 'down', 'up'), (1, 'up', 'down')) s (n, status, previous)
"""
