"""Reads of one organisation; every query starts with the owner of the monitor."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.events.probe import Verdict
from statistic_query import latency, ledger, rollup
from statistic_query.buckets import NOTHING, Buckets, Counts
from statistic_query.latency import Span, Spreads
from statistic_query.ledger import Told
from statistic_query.owned import Owned
from statistic_query.pings import LOOKED_BACK, durations
from statistic_query.uptime import History
from statistic_query.window import STEPS, Window

Row = Any

VERDICTS = (Verdict.up, Verdict.target_fail, Verdict.probe_error, Verdict.blocked)
"""Their indexes are what the table `result` stores."""


# Counts of single results, times in milliseconds; the placeholder is for the bucket's column.
_RAW = """
SELECT {}count(*), count(*) FILTER (WHERE verdict = 1), count(t), coalesce(sum(t::float8), 0),
    coalesce(round(min(t)::float8 * 1000) / 1000, 'infinity'),
    coalesce(round(max(t)::float8 * 1000) / 1000, '-infinity')
FROM (
    SELECT slot AS at, verdict, CASE WHEN verdict = 0 OR status_code IS NOT NULL THEN total END AS t
    FROM result WHERE series = ANY(ARRAY(SELECT id FROM series WHERE resource = $1))
    AND slot >= $2 AND slot < $3 AND verdict < 2
) AS counted
"""
_ALL = _RAW.format("")
_MINUTES = f"""
SELECT array_agg(at), array_agg(checks), array_agg(failures), array_agg(timed), array_agg(total), array_agg(fastest),
    array_agg(slowest)
FROM ({_RAW.format("date_trunc('minute', at, 'UTC'), ")} GROUP BY 1)
    AS minute (at, checks, failures, timed, total, fastest, slowest)
"""
_DAYS = "SELECT array_agg(day), array_agg({}) FROM result_day WHERE resource = $1 AND day >= $2 AND day <= $3"
_SUM = f"substr(hours, {len(rollup.EMPTY) * 24 // 25 + 1})"
_HOURS, _SUMS = _DAYS.format("hours"), _DAYS.format(_SUM)
_BORDERS = _DAYS.format(f"CASE WHEN day > $2 AND day < $3 THEN {_SUM} ELSE hours END")

# LIMIT applies within each series before the joins.
_HISTORY = """
SELECT m.created_at, array_agg(c.at ORDER BY at, c.version) FILTER (WHERE c.at IS NOT NULL),
    array_agg(c.status ORDER BY at, c.version) FILTER (WHERE c.at IS NOT NULL)
FROM monitor m LEFT JOIN state_change c ON c.resource = m.id AND c.at < {1} AND c.at >= coalesce(
    (SELECT max(at) FROM state_change WHERE resource = $1 AND at <= {0}), '-infinity')
WHERE m.id = $1 AND m.noun = 'resource' AND m.organisation = {2} GROUP BY m.created_at
"""

_RESULTS = """
SELECT r.*, s.region, coalesce(a.address, f.address, '') AS at, f.late, f.error, f.condition, f.excerpt,
    f.tolerated
FROM ({}) r JOIN series s ON s.id = r.series
LEFT JOIN address a ON a.id = r.address
LEFT JOIN failure f ON f.series = r.series AND f.slot = r.slot
ORDER BY r.slot DESC, s.region LIMIT $3
"""
# One for each series: PostgreSQL goes through partitions in order for a parameter, but not for the rows of a join.
_OF_SERIES = """
(SELECT * FROM result WHERE series = ${} AND verdict = ANY($4::smallint[])
AND ($1::timestamptz IS NULL OR slot >= $1) AND ($2::timestamptz IS NULL OR slot < $2)
ORDER BY slot DESC LIMIT $3)
"""


def _span(window: Window, starts: Sequence[datetime], until: datetime) -> tuple[str, list[object]]:
    """The query for the counts of monitor $1 in buckets, and its other arguments."""
    if not starts:
        return "SELECT", []
    if window.interval == "minute":
        return _MINUTES, [max(starts[0], window.start), min(until, window.end)]
    return _HOURS if _hourly(window) else _SUMS, _days(starts[0], until)


def _hourly(window: Window) -> bool:
    """False if the buckets are whole days."""
    return 0 < STEPS[window.interval] < STEPS["day"]


def _days(first: datetime, until: datetime) -> list[object]:
    """The first and the last day with whole hours."""
    return [first.date(), (until - rollup.HOUR).date()]


def _in_minutes(starts: Sequence[datetime], found: Sequence[Any]) -> Buckets:
    """Counts by minute; the first column has the start of each minute."""
    minutes = dict(zip(found[0], zip(*found[1:], strict=True), strict=True)) if found[0] else {}
    return Buckets.of(minutes.get(begin, NOTHING) for begin in starts)


def _in_days(window: Window, starts: Sequence[datetime], until: datetime, found: Sequence[Any]) -> Buckets:
    """Counts in buckets of hours or days, made of days; the last bucket ends at `until`."""
    step = STEPS[window.interval]
    if _hourly(window):
        return rollup.hours(_by_day(found), starts[0], until).by(step // STEPS["hour"])
    days = rollup.sums(_by_day(found), starts[0], until)
    if step:
        return days.by(step // STEPS["day"])
    edges = [(edge - starts[0]).days for edge in (*starts, until)]
    return Buckets.of(days.part(*month).together() for month in pairwise(edges))


def _by_day(found: Sequence[Any]) -> dict[date, bytes]:
    days, packed = found
    return dict(zip(days or (), packed or (), strict=True))


class Read:
    """Reads limited to one organisation."""

    def __init__(self, db: Database | Connection, organisation: UUID) -> None:
        self._db, self._organisation = db, organisation

    async def owned(self, noun: str, id_: UUID) -> Owned:
        """A monitor, heartbeat or server of the organisation.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        at: datetime | None = await self._db.fetchval(
            "SELECT created_at FROM monitor WHERE id = $1 AND noun = $2 AND organisation = $3",
            id_, noun, self._organisation,
        )  # fmt: skip
        if at is None:
            raise NotFound(f"{noun.replace('_', ' ').capitalize()} not found")
        return Owned(id_, at)

    async def heartbeat_of(self, service: UUID, key: UUID | str) -> Owned | None:
        """The heartbeat with an id or a unique key; None if the service has none."""
        column = "id" if isinstance(key, UUID) else "unique_key"
        row = await self._db.fetchrow(
            f"SELECT id, created_at FROM monitor WHERE {column} = $1 AND noun = 'heartbeat'"
            " AND organisation = $2 AND service = $3 ORDER BY id LIMIT 1",
            key, self._organisation, service,
        )  # fmt: skip
        return row and Owned(row["id"], row["created_at"])

    async def exists_anywhere(self, id_: UUID) -> bool:
        """True if any service of any organisation has the heartbeat."""
        found: bool = await self._db.fetchval(
            "SELECT EXISTS (SELECT FROM monitor WHERE id = $1 AND noun = 'heartbeat')", id_
        )
        return found

    async def statistics(
        self, resource: UUID, window: Window, limit: int
    ) -> tuple[Owned, History, Sequence[datetime], Buckets]:
        """A monitor, its states until the end of the window, and the starts and counts of its buckets.

        These are the newest `limit` buckets since its creation. Minutes are counted from single results, longer buckets
        are made of hours or days. All of it is one query.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        starts = window.newest(limit)
        until = window.after(starts[-1]) if starts else window.end
        statement, span = _span(window, starts, until)
        places = (f"${len(span) + place}" for place in range(2, 5))
        row = await self._db.fetchrow(
            f"SELECT * FROM ({_HISTORY.format(*places)}) h, ({statement}) c",
            resource, *span, window.start, window.end, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound("Resource not found")
        created, changed, states, *found = row
        it, history = Owned(resource, created), History(changed or [], states or [], now())
        starts = starts[bisect_left(starts, window.floor(created)) :] if created < window.end else []
        if not starts:
            return it, history, starts, Buckets()
        if window.interval == "minute":
            return it, history, starts, _in_minutes(starts, found)
        return it, history, starts, _in_days(window, starts, until, found)

    async def sums(self, it: Owned, window: Window) -> Counts:
        """The counts of the whole window: whole hours from the rollup, the rest from single results."""
        start, end = window.start, window.end
        first, last = window.hours(it.created_at, now())
        edges = [(start, end)] if first >= last else [(start, first), (last, end)]
        parts = [tuple(await self._db.fetchrow(_ALL, it.id, begin, until)) for begin, until in edges if begin < until]
        if first < last:
            found = await self._db.fetchrow(_BORDERS, it.id, *_days(first, last))
            parts.append(rollup.together(_by_day(found), first, last))
        return Buckets.of(parts).together()

    async def spreads(self, it: Owned, window: Window, starts: Sequence[datetime]) -> dict[str, Spreads]:
        """By region how response times are spread in the window, and in the buckets with these starts."""
        buckets = Span(starts, window.after(starts[-1]) if starts else window.end)
        if window.interval != "minute":
            return await latency.read(self._db, it, (window.start, window.end), buckets, hourly=_hourly(window))
        found = await latency.read(self._db, it, (window.start, window.end), Span((), window.end), hourly=False)
        await latency.add_minutes(self._db, it, found, buckets)
        return found

    async def changes(self, it: Owned, start: datetime | None, end: datetime | None, limit: int) -> list[Row]:
        """State changes, newest first; `lasted` is the duration of each state, None for the current one."""
        rows: list[Row] = await self._db.fetch(
            "SELECT *, (SELECT min(n.at) - s.at FROM state_change n WHERE n.resource = $1 AND n.at >= s.at"
            " AND n.version > s.version) AS lasted FROM state_change s"
            " WHERE resource = $1 AND ($2::timestamptz IS NULL OR at >= $2)"
            " AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at DESC, version DESC LIMIT $4",
            it.id, start, end, limit,
        )  # fmt: skip
        return rows

    async def results(
        self, it: Owned, start: datetime | None, end: datetime | None, limit: int, verdicts: Sequence[Verdict]
    ) -> list[Row]:
        """Single results with one of the verdicts, newest first."""
        series = [row["id"] for row in await self._db.fetch("SELECT id FROM series WHERE resource = $1", it.id)]
        if not series:
            return []
        numbers = [VERDICTS.index(verdict) for verdict in verdicts]
        parts = " UNION ALL ".join(_OF_SERIES.format(place) for place in range(5, 5 + len(series)))
        rows: list[Row] = await self._db.fetch(_RESULTS.format(parts), start, end, limit, numbers, *series)
        return rows

    async def page(self, id_: UUID) -> UUID:
        """The id of a status page of the organisation.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        found: UUID | None = await self._db.fetchval(
            "SELECT id FROM statuspage WHERE id = $1 AND organisation = $2", id_, self._organisation
        )
        if found is None:
            raise NotFound("Status page not found")
        return found

    async def notifications(self, it: Owned, limit: int) -> list[Told]:
        """Notifications about a monitor, newest first."""
        return await ledger.of(self._db, "about", it.id, limit)

    async def notifications_of_page(self, page: UUID, limit: int) -> list[Told]:
        """The same of all that a status page tells of."""
        return await ledger.of(self._db, "page", page, limit)

    async def told(self, wanted: ledger.Wanted, limit: int) -> list[Told]:
        """The same of all that the organisation has told anybody.

        Raises:
            NotFound: those wanted are older than one that there is not.
        """
        return await ledger.of_organisation(self._db, self._organisation, wanted, limit)

    async def pings(self, it: Owned, before: datetime | None, limit: int) -> list[tuple[Row, timedelta | None]]:
        """Pings before a time, newest first, without bodies, with how long the run took that each has ended."""
        rows = await self._db.fetch(_PINGS, it.id, before, limit + LOOKED_BACK)
        return list(zip(rows, durations(rows), strict=True))[:limit]

    async def ping_hours(self, it: Owned, start: datetime, end: datetime) -> list[Row]:
        """The number of pings by hour and kind."""
        rows: list[Row] = await self._db.fetch(
            "SELECT * FROM ping_hour WHERE heartbeat = $1 AND at >= $2 AND at < $3", it.id, start, end
        )
        return rows


_PINGS = """
SELECT id, n, at, kind, ignored, message, method, remote_addr, run_id, body IS NOT NULL AS has_body
FROM ping WHERE heartbeat = $1 AND ($2::timestamptz IS NULL OR at < $2) ORDER BY at DESC, id DESC LIMIT $3
"""
