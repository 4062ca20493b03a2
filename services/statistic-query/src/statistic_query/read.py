"""Statistics of one organisation: every statement begins with whose the monitor is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.errors import NotFound
from pinghome_common.events.notification import Notification
from pinghome_common.events.probe import Verdict
from statistic_query.counted import Counted
from statistic_query.uptime import History
from statistic_query.window import DAY, HOUR, STEPS, Window

Row = Any

VERDICTS = (Verdict.up, Verdict.target_fail, Verdict.probe_error, Verdict.blocked)
"""By the numbers that stand for them in the table `result`."""


# Each gives the columns of Counted; the first blank is the begin of a row's bucket. Times are rounded to microseconds.
_COLUMNS = """
SELECT array_agg(extract(epoch FROM at)::bigint), array_agg(checks), array_agg(failures),
    array_agg(round(total / nullif(timed, 0) * 1000) / 1000),
    array_agg(round(fastest::float8 * 1000) / 1000), array_agg(round(slowest::float8 * 1000) / 1000),
    sum(timed)::bigint, sum(total)
FROM ({} ORDER BY 1) AS bucket (at, checks, failures, timed, total, fastest, slowest)
"""
_RAW = _COLUMNS.format("""
    SELECT {}, count(*), count(*) FILTER (WHERE verdict = 1), count(t), coalesce(sum(t::float8), 0), min(t), max(t)
    FROM (
        SELECT slot AS at, verdict, CASE WHEN verdict = 0 OR status_code IS NOT NULL THEN total END AS t
        FROM result WHERE series = ANY(ARRAY(SELECT id FROM series WHERE resource = $1))
        AND slot >= $2 AND slot < $3 AND verdict < 2
    ) AS spoke GROUP BY 1
""")
_ROLLED_UP = _COLUMNS.format("""
    SELECT {}, sum(checks), sum(failures), sum(timed), sum(total), min(fastest), max(slowest)
    FROM {} WHERE resource = $1 AND at >= $2 AND at < $3 GROUP BY 1
""")
_HOURS = _COLUMNS.format("""
    SELECT at, checks, failures, timed, total, fastest, slowest
    FROM result_hour WHERE resource = $1 AND at >= $2 AND at < $3
""")

# The newest of each series are taken first: only then is looked at what belongs to them.
_HISTORY = """
SELECT m.created_at, array_agg(c.at ORDER BY at, c.version) FILTER (WHERE c.at IS NOT NULL),
    array_agg(c.status ORDER BY at, c.version) FILTER (WHERE c.at IS NOT NULL)
FROM monitor m LEFT JOIN state_change c ON c.resource = m.id AND c.at < {1} AND c.at >= coalesce(
    (SELECT max(at) FROM state_change WHERE resource = $1 AND at <= {0}), '-infinity')
WHERE m.id = $1 AND m.noun = 'resource' AND m.organisation = {2} GROUP BY m.created_at
"""

_RESULTS = """
SELECT r.*, s.region, coalesce(a.address, f.address, '') AS at, f.late, f.error, f.condition, f.excerpt
FROM series s CROSS JOIN LATERAL (
    SELECT * FROM result WHERE series = s.id AND verdict = ANY($5::smallint[])
    AND ($2::timestamptz IS NULL OR slot >= $2) AND ($3::timestamptz IS NULL OR slot < $3)
    ORDER BY slot DESC LIMIT $4
) r
LEFT JOIN address a ON a.id = r.address
LEFT JOIN failure f ON f.series = r.series AND f.slot = r.slot
WHERE s.resource = $1 ORDER BY r.slot DESC, s.region LIMIT $4
"""


def _buckets(window: Window, begins: Sequence[datetime]) -> tuple[str, list[object]]:
    """The statement that counts in buckets, for a monitor $1, and its other arguments."""
    step = STEPS[window.interval]
    begin, until = begins[0], window.after(begins[-1])
    if step == HOUR:
        return _HOURS, [begin, until]
    if not step:
        return _ROLLED_UP.format("date_trunc('month', at, 'UTC')", "result_day"), [begin, until]
    bucket, binned = "date_bin($4, at, $5)", [timedelta(seconds=step), window.origin]
    if step == STEPS["minute"]:
        return _RAW.format(bucket), [max(begin, window.start), min(until, window.end), *binned]
    return _ROLLED_UP.format(bucket, "result_hour" if step < DAY else "result_day"), [begin, until, *binned]


class Read:
    """What one organisation may see."""

    def __init__(self, db: Connection, organisation: UUID) -> None:
        self._db, self._organisation = db, organisation

    async def created(self, noun: str, id_: UUID) -> datetime:
        """When a monitor was created.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        at: datetime | None = await self._db.fetchval(
            "SELECT created_at FROM monitor WHERE id = $1 AND noun = $2 AND organisation = $3",
            id_, noun, self._organisation,
        )  # fmt: skip
        if at is None:
            raise NotFound(f"{noun.capitalize()} not found")
        return at

    async def watched(
        self, resource: UUID, window: Window, begins: Sequence[datetime]
    ) -> tuple[datetime, History, Counted]:
        """When a monitor was created, its states from before the window to its end, and what was counted in buckets.

        Minutes are counted from single results, longer buckets from hours or days; all in one statement.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        statement, args = _buckets(window, begins) if begins else ("SELECT", [])
        places = (f"${len(args) + place}" for place in range(2, 5))
        row = await self._db.fetchrow(
            f"SELECT * FROM ({_HISTORY.format(*places)}) h, ({statement}) b",
            resource, *args, window.start, window.end, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound("Resource not found")
        created, changed, states, *counted = row
        return created, History(changed or [], states or [], now()), Counted(*counted) if any(counted) else Counted()

    async def sums(self, resource: UUID, window: Window, created: datetime) -> Counted:
        """What was counted in the window, in parts: whole hours from their rollup, the rest from single results."""
        start, end = window.start, window.end
        first, last = window.hours(created, now())
        edges = [(start, end)] if first >= last else [(start, first), (last, end)]
        parts = [
            await self._counted(_RAW.format("NULL::timestamptz"), resource, begin, until)
            for begin, until in edges
            if begin < until
        ]
        if first < last:
            whole = _ROLLED_UP.format("NULL::timestamptz", "result_hour")
            parts.append(await self._counted(whole, resource, first, last))
        if not parts:
            return Counted()
        at, checks, failures, average, fastest, slowest = (
            list(chain(*columns)) for columns in zip(*(part[:6] for part in parts), strict=True)
        )
        timed, total = sum(part.timed for part in parts), sum(part.total for part in parts)
        return Counted(at, checks, failures, average, fastest, slowest, timed, total)

    async def _counted(self, statement: str, *args: object) -> Counted:
        row = await self._db.fetchrow(statement, *args)
        return Counted() if row[0] is None else Counted(*row)

    async def changes(self, resource: UUID, start: datetime | None, end: datetime | None, limit: int) -> list[Row]:
        """Changes of state, newest first; `lasted` is how long each state did, None while it does."""
        rows: list[Row] = await self._db.fetch(
            "SELECT *, (SELECT min(n.at) - s.at FROM state_change n WHERE n.resource = $1 AND n.at >= s.at"
            " AND n.version > s.version) AS lasted FROM state_change s"
            " WHERE resource = $1 AND ($2::timestamptz IS NULL OR at >= $2)"
            " AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at DESC, version DESC LIMIT $4",
            resource, start, end, limit,
        )  # fmt: skip
        return rows

    async def results(
        self, resource: UUID, start: datetime | None, end: datetime | None, limit: int, verdicts: Sequence[Verdict]
    ) -> list[Row]:
        """Single results with one of some verdicts, newest first, each with all that is kept of it."""
        numbers = [VERDICTS.index(verdict) for verdict in verdicts]
        rows: list[Row] = await self._db.fetch(_RESULTS, resource, start, end, limit, numbers)
        return rows

    async def notifications(self, about: UUID, limit: int) -> list[tuple[Notification, Notification | None]]:
        """What channels were told of a monitor, newest first; with the digest as which one was sent."""
        rows = await self._db.fetch(
            "SELECT n.state, d.state AS digest FROM notification n"
            " LEFT JOIN notification d ON d.id = (n.state->>'digest')::uuid"
            " WHERE n.about = $1 ORDER BY n.at DESC, n.id LIMIT $2",
            about, limit,
        )  # fmt: skip
        return [
            (_decode_notification(row["state"]), _decode_notification(row["digest"]) if row["digest"] else None)
            for row in rows
        ]

    async def pings(self, heartbeat: UUID, before: datetime | None, limit: int) -> list[Row]:
        """Pings strictly older than `before`, newest first."""
        rows: list[Row] = await self._db.fetch(
            "SELECT * FROM ping WHERE heartbeat = $1 AND ($2::timestamptz IS NULL OR at < $2)"
            " ORDER BY at DESC, id DESC LIMIT $3",
            heartbeat, before, limit,
        )  # fmt: skip
        return rows

    async def ping_hours(self, heartbeat: UUID, start: datetime, end: datetime) -> list[Row]:
        """Counts of pings by hour."""
        rows: list[Row] = await self._db.fetch(
            "SELECT * FROM ping_hour WHERE heartbeat = $1 AND at >= $2 AND at < $3", heartbeat, start, end
        )
        return rows


_decode_notification = msgspec.json.Decoder(Notification).decode
