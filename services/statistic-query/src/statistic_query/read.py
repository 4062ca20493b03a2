"""Statistics of one organisation: every statement begins with whose the monitor is."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.events.notification import Notification
from pinghome_common.events.probe import Verdict
from statistic_query import rollup
from statistic_query.buckets import NOTHING, Buckets, Counts
from statistic_query.owned import Owned
from statistic_query.uptime import History
from statistic_query.window import STEPS, Window

Row = Any

VERDICTS = (Verdict.up, Verdict.target_fail, Verdict.probe_error, Verdict.blocked)
"""By the numbers that stand for them in the table `result`."""


# Counts of single results, in milliseconds rounded to microseconds; the blank is the beginning of a row's bucket.
_RAW = """
SELECT {}count(*), count(*) FILTER (WHERE verdict = 1), count(t), coalesce(sum(t::float8), 0),
    coalesce(round(min(t)::float8 * 1000) / 1000, 'infinity'),
    coalesce(round(max(t)::float8 * 1000) / 1000, '-infinity')
FROM (
    SELECT slot AS at, verdict, CASE WHEN verdict = 0 OR status_code IS NOT NULL THEN total END AS t
    FROM result WHERE series = ANY(ARRAY(SELECT id FROM series WHERE resource = $1))
    AND slot >= $2 AND slot < $3 AND verdict < 2
) AS spoke
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

# The newest of each series are taken first: only then is looked at what belongs to them.
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
FROM series s CROSS JOIN LATERAL (
    SELECT * FROM result WHERE series = s.id AND verdict = ANY($5::smallint[])
    AND ($2::timestamptz IS NULL OR slot >= $2) AND ($3::timestamptz IS NULL OR slot < $3)
    ORDER BY slot DESC LIMIT $4
) r
LEFT JOIN address a ON a.id = r.address
LEFT JOIN failure f ON f.series = r.series AND f.slot = r.slot
WHERE s.resource = $1 ORDER BY r.slot DESC, s.region LIMIT $4
"""


def _span(window: Window, begins: Sequence[datetime], until: datetime) -> tuple[str, list[object]]:
    """The statement that has what was counted in buckets, of a monitor $1, and its other arguments."""
    if not begins:
        return "SELECT", []
    if window.interval == "minute":
        return _MINUTES, [max(begins[0], window.start), min(until, window.end)]
    return _HOURS if _hourly(window) else _SUMS, _days(begins[0], until)


def _hourly(window: Window) -> bool:
    """False when the buckets are whole days."""
    return 0 < STEPS[window.interval] < STEPS["day"]


def _days(first: datetime, until: datetime) -> list[object]:
    """The first and the last day of whole hours."""
    return [first.date(), (until - rollup.HOUR).date()]


def _in_minutes(begins: Sequence[datetime], found: Sequence[Any]) -> Buckets:
    """What was counted in minutes, from columns, of which the first has their begins."""
    minutes = dict(zip(found[0], zip(*found[1:], strict=True), strict=True)) if found[0] else {}
    return Buckets.of(minutes.get(begin, NOTHING) for begin in begins)


def _in_days(window: Window, begins: Sequence[datetime], until: datetime, found: Sequence[Any]) -> Buckets:
    """What was counted in longer buckets, of which the last one ends at `until`, from days."""
    step = STEPS[window.interval]
    if _hourly(window):
        return rollup.hours(_by_day(found), begins[0], until).by(step // STEPS["hour"])
    days = rollup.sums(_by_day(found), begins[0], until)
    if step:
        return days.by(step // STEPS["day"])
    edges = [(edge - begins[0]).days for edge in (*begins, until)]
    return Buckets.of(days.part(*month).together() for month in pairwise(edges))


def _by_day(found: Sequence[Any]) -> dict[date, bytes]:
    days, packed = found
    return dict(zip(days or (), packed or (), strict=True))


class Read:
    """What one organisation may see."""

    def __init__(self, db: Database | Connection, organisation: UUID) -> None:
        self._db, self._organisation = db, organisation

    async def owned(self, noun: str, id_: UUID) -> Owned:
        """A monitor or heartbeat of the organisation.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        at: datetime | None = await self._db.fetchval(
            "SELECT created_at FROM monitor WHERE id = $1 AND noun = $2 AND organisation = $3",
            id_, noun, self._organisation,
        )  # fmt: skip
        if at is None:
            raise NotFound(f"{noun.capitalize()} not found")
        return Owned(id_, at)

    async def watched(
        self, resource: UUID, window: Window, limit: int
    ) -> tuple[Owned, History, Sequence[datetime], Buckets]:
        """A monitor, its states from before the window to its end, and what was counted in buckets.

        They are the newest `limit`, from the one of its creation on: their begins, then what was counted. Minutes are
        counted from single results, longer buckets are made of hours or days; all in one statement.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        begins = window.newest(limit)
        until = window.after(begins[-1]) if begins else window.end
        statement, span = _span(window, begins, until)
        places = (f"${len(span) + place}" for place in range(2, 5))
        row = await self._db.fetchrow(
            f"SELECT * FROM ({_HISTORY.format(*places)}) h, ({statement}) c",
            resource, *span, window.start, window.end, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound("Resource not found")
        created, changed, states, *found = row
        it, history = Owned(resource, created), History(changed or [], states or [], now())
        begins = begins[bisect_left(begins, window.floor(created)) :] if created < window.end else []
        if not begins:
            return it, history, begins, Buckets()
        if window.interval == "minute":
            return it, history, begins, _in_minutes(begins, found)
        return it, history, begins, _in_days(window, begins, until, found)

    async def sums(self, it: Owned, window: Window) -> Counts:
        """What was counted in the window: whole hours from their rollup, the rest from single results."""
        start, end = window.start, window.end
        first, last = window.hours(it.created_at, now())
        edges = [(start, end)] if first >= last else [(start, first), (last, end)]
        parts = [tuple(await self._db.fetchrow(_ALL, it.id, begin, until)) for begin, until in edges if begin < until]
        if first < last:
            found = await self._db.fetchrow(_BORDERS, it.id, *_days(first, last))
            parts.append(rollup.together(_by_day(found), first, last))
        return Buckets.of(parts).together()

    async def changes(self, it: Owned, start: datetime | None, end: datetime | None, limit: int) -> list[Row]:
        """Changes of state, newest first; `lasted` is how long each state did, None while it does."""
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
        """Single results with one of some verdicts, newest first, each with all that is kept of it."""
        numbers = [VERDICTS.index(verdict) for verdict in verdicts]
        rows: list[Row] = await self._db.fetch(_RESULTS, it.id, start, end, limit, numbers)
        return rows

    async def notifications(self, it: Owned, limit: int) -> list[tuple[Notification, Notification | None]]:
        """What channels were told of a monitor, newest first; with the digest as which one was sent."""
        rows = await self._db.fetch(
            "SELECT n.state, d.state AS digest FROM notification n"
            " LEFT JOIN notification d ON d.id = (n.state->>'digest')::uuid"
            " WHERE n.about = $1 ORDER BY n.at DESC, n.id LIMIT $2",
            it.id, limit,
        )  # fmt: skip
        return [
            (_decode_notification(row["state"]), _decode_notification(row["digest"]) if row["digest"] else None)
            for row in rows
        ]

    async def pings(self, it: Owned, before: datetime | None, limit: int) -> list[Row]:
        """Pings strictly older than `before`, newest first."""
        rows: list[Row] = await self._db.fetch(
            "SELECT * FROM ping WHERE heartbeat = $1 AND ($2::timestamptz IS NULL OR at < $2)"
            " ORDER BY at DESC, id DESC LIMIT $3",
            it.id, before, limit,
        )  # fmt: skip
        return rows

    async def ping_hours(self, it: Owned, start: datetime, end: datetime) -> list[Row]:
        """Counts of pings by hour."""
        rows: list[Row] = await self._db.fetch(
            "SELECT * FROM ping_hour WHERE heartbeat = $1 AND at >= $2 AND at < $3", it.id, start, end
        )
        return rows


_decode_notification = msgspec.json.Decoder(Notification).decode
