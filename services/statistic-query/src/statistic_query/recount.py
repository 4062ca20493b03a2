"""Rollups against the rows that they are counted from, as far back as these are complete."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.rebuild import Rollup
from pinghome_common.settings import Settings
from statistic_query import latency, rollup
from statistic_query.buckets import Counts
from statistic_query.pings import in_columns


def rollups(settings: Settings) -> list[Rollup]:
    """Days of results, also by series; hours of pings, of heartbeats of which none was pruned."""

    def since(days: int) -> date:
        return now().date() - timedelta(days=days - 2)  # rows of the first days are being dropped, or never came

    async def days(connection: Connection) -> list[Any]:
        return await connection.fetch(_DAYS, since(settings.results_kept_days))  # type: ignore[no-any-return]

    async def hours(connection: Connection) -> list[Any]:
        return await connection.fetch(_HOURS, since(settings.pings_kept_days))  # type: ignore[no-any-return]

    async def series(connection: Connection) -> list[Any]:
        return await connection.fetch(_SERIES_DAYS, since(settings.results_kept_days))  # type: ignore[no-any-return]

    return [
        Rollup("result_day", days, _count_results),
        Rollup("latency_day", series, _count_series),
        Rollup("ping_hour", hours, _count_pings),
    ]


async def _count_results(tx: Connection, keys: list[Any]) -> None:
    found: dict[tuple[UUID, date], list[tuple[int, Counts]]] = defaultdict(list)
    for row in await tx.fetch(_RESULTS, *in_columns(keys)):
        resource, day, hour, *counts = row
        found[resource, day].append((hour, tuple(counts)))
    for resource, day in keys:
        if counted := found[resource, day]:
            await tx.execute(_STORE, resource, day, rollup.plus(rollup.EMPTY, counted))
        else:
            await tx.execute("DELETE FROM result_day WHERE resource = $1 AND day = $2", resource, day)


async def _count_series(tx: Connection, keys: list[Any]) -> None:
    await tx.execute(_FORGET_SERIES, *in_columns(keys))
    for key in keys:  # a day of one series at a time
        rows = await tx.fetch(_SERIES_RESULTS, *key)
        if rows:
            counted = [(row["hour"], latency.single(1, row["failures"], row["t"])) for row in rows]
            await latency.store(tx, {tuple(key): latency.plus(None, counted)})


async def _count_pings(tx: Connection, keys: list[Any]) -> None:
    columns = in_columns(keys)
    await tx.execute(_FORGET_PINGS, *columns)
    await tx.execute(_COUNT_PINGS, *columns)


_COUNTED = """
SELECT resource, (slot AT TIME ZONE 'UTC')::date AS day, extract(hour FROM slot AT TIME ZONE 'UTC')::int AS hour,
    count(*)::int AS checks, (count(*) FILTER (WHERE verdict = 1))::int AS failures, count(t)::int AS timed,
    coalesce(sum(t::float8), 0) AS total,
    coalesce(round(min(t)::float8 * 1000) / 1000, 'infinity') AS fastest,
    coalesce(round(max(t)::float8 * 1000) / 1000, '-infinity') AS slowest
FROM (
    SELECT resource, slot, verdict, CASE WHEN verdict = 0 OR status_code IS NOT NULL THEN total END AS t
    FROM result JOIN series ON series.id = series JOIN monitor m ON m.id = resource
    WHERE verdict < 2 AND slot >= {since}
) AS counted
GROUP BY 1, 2, 3
"""

# A time was rounded to single precision when its row was stored.
_DAYS = f"""
SELECT DISTINCT resource, day FROM ({_COUNTED.format(since="$1::date")}) rows
FULL JOIN (
    SELECT resource, day, extract(hour FROM at AT TIME ZONE 'UTC')::int AS hour, checks, failures, timed, total
    FROM result_hour WHERE day >= $1
) kept USING (resource, day, hour)
WHERE (rows.checks, rows.failures, rows.timed) IS DISTINCT FROM (kept.checks, kept.failures, kept.timed)
    OR abs(rows.total - kept.total) > 0.001 * rows.total + 0.001 * rows.timed
ORDER BY resource, day
"""

_RESULTS = f"""
SELECT c.* FROM ({_COUNTED.format(since="(SELECT min(day) FROM unnest($2::date[]) d (day))")}) c
JOIN unnest($1::uuid[], $2::date[]) AS keys (resource, day) USING (resource, day)
"""

_STORE = """
INSERT INTO result_day VALUES ($1, $2, $3) ON CONFLICT (resource, day) DO UPDATE SET hours = excluded.hours
"""

# What was counted before histograms were kept is not known, and need not be.
_SERIES_DAYS = """
SELECT series, day FROM (
    SELECT series, day, count(*)::int AS checks, count(nullif(t, 'NaN'))::int AS timed FROM (
        SELECT series, (slot AT TIME ZONE 'UTC')::date AS day,
            CASE WHEN verdict = 0 OR status_code IS NOT NULL THEN total END AS t
        FROM result JOIN series s ON s.id = series JOIN monitor m ON m.id = s.resource WHERE verdict < 2 AND slot >= $1
    ) r GROUP BY 1, 2
) rows FULL JOIN (SELECT series, day, checks, timed FROM latency_day WHERE day >= $1) kept USING (series, day)
WHERE (rows.checks, rows.timed) IS DISTINCT FROM (kept.checks, kept.timed)
    AND day >= (SELECT coalesce(min(day), now()::date) FROM latency_day)
ORDER BY series, day
"""

_FORGET_SERIES = """
DELETE FROM latency_day l USING unnest($1::int[], $2::date[]) k (series, day)
WHERE l.series = k.series AND l.day = k.day
"""

_SERIES_RESULTS = """
SELECT extract(hour FROM slot AT TIME ZONE 'UTC')::int AS hour, (verdict = 1)::int AS failures,
    CASE WHEN verdict = 0 OR status_code IS NOT NULL THEN total::float8 END AS t
FROM result WHERE series = $1 AND verdict < 2
    AND slot >= $2::date AT TIME ZONE 'UTC' AND slot < ($2::date + 1) AT TIME ZONE 'UTC'
"""

_PINGS = """
SELECT heartbeat, date_trunc('hour', at, 'UTC') AS at,
    (count(*) FILTER (WHERE kind = 0))::int AS tick, (count(*) FILTER (WHERE kind = 2))::int AS run,
    (count(*) FILTER (WHERE kind = 1))::int AS complete, (count(*) FILTER (WHERE kind = 3))::int AS fail
FROM ping JOIN ping_sequence USING (heartbeat) WHERE dropped = 0 AND version > 0 AND at >= {since}
GROUP BY 1, 2
"""

_HOURS = f"""
SELECT heartbeat, at FROM ({_PINGS.format(since="$1::date")}) rows
FULL JOIN (
    SELECT h.* FROM ping_hour h JOIN ping_sequence USING (heartbeat)
    WHERE dropped = 0 AND version > 0 AND at >= $1::date
) kept USING (heartbeat, at)
WHERE (rows.tick, rows.run, rows.complete, rows.fail) IS DISTINCT FROM (kept.tick, kept.run, kept.complete, kept.fail)
ORDER BY heartbeat, at
"""

_FORGET_PINGS = """
DELETE FROM ping_hour h USING unnest($1::uuid[], $2::timestamptz[]) k (heartbeat, at)
WHERE h.heartbeat = k.heartbeat AND h.at = k.at
"""

_COUNT_PINGS = f"""
INSERT INTO ping_hour
SELECT c.* FROM ({_PINGS.format(since="(SELECT min(at) FROM unnest($2::timestamptz[]) d (at))")}) c
JOIN unnest($1::uuid[], $2::timestamptz[]) AS k (heartbeat, at) USING (heartbeat, at)
"""
