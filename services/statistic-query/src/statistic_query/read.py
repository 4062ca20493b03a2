"""Statistics of one organisation: every statement begins with whose the monitor is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.errors import NotFound
from statistic_query.uptime import History
from statistic_query.window import DAY, HOUR, STEPS, Window

Row = Any


@dataclass(slots=True)
class Sums:
    """What was counted in a span: probes that spoke of the target, failures, and times of answers in ms."""

    checks: int = 0
    failures: int = 0
    timed: int = 0
    total: float = 0.0
    fastest: float | None = None
    slowest: float | None = None

    def add(self, row: Row) -> None:
        """Adds a row of the same columns."""
        self.checks += row["checks"]
        self.failures += row["failures"]
        self.timed += row["timed"]
        self.total += row["total"] or 0.0
        for name, choose in (("fastest", min), ("slowest", max)):
            values = [value for value in (getattr(self, name), row[name]) if value is not None]
            setattr(self, name, choose(values) if values else None)

    @property
    def average(self) -> float | None:
        """Milliseconds."""
        return self.total / self.timed if self.timed else None


_RAW = """
SELECT date_bin($2, slot, $3) AS at, count(*) FILTER (WHERE verdict < 2) AS checks,
    count(*) FILTER (WHERE verdict = 1) AS failures,
    count(*) FILTER (WHERE verdict = 0 OR verdict = 1 AND status_code IS NOT NULL) AS timed,
    sum(total::float8) FILTER (WHERE verdict = 0 OR verdict = 1 AND status_code IS NOT NULL) AS total,
    min(total) FILTER (WHERE verdict = 0 OR verdict = 1 AND status_code IS NOT NULL) AS fastest,
    max(total) FILTER (WHERE verdict = 0 OR verdict = 1 AND status_code IS NOT NULL) AS slowest
FROM result WHERE resource = $1 AND slot >= $4 AND slot < $5 GROUP BY 1
"""


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

    async def history(self, resource: UUID, start: datetime, end: datetime) -> History:
        """The states of a monitor from before `start` to `end`."""
        rows = await self._db.fetch(
            "SELECT at, status FROM state_change WHERE resource = $1 AND at < $3 AND at >= coalesce("
            " (SELECT max(at) FROM state_change WHERE resource = $1 AND at <= $2), '-infinity') ORDER BY at, version",
            resource, start, end,
        )  # fmt: skip
        return History([(row["at"], row["status"]) for row in rows], now())

    async def buckets(self, resource: UUID, window: Window, begins: Sequence[datetime]) -> dict[datetime, Sums]:
        """What was counted in each bucket: minutes from single results, longer ones from hours or days."""
        found: dict[datetime, Sums] = {}
        if not begins:
            return found
        until = window.after(begins[-1])
        step = STEPS[window.interval]
        if step == STEPS["minute"]:
            rows = await self._db.fetch(
                _RAW,
                resource,
                timedelta(minutes=1),
                window.origin,
                max(begins[0], window.start),
                min(until, window.end),
            )
        else:
            table = "result_hour" if HOUR <= step < DAY else "result_day"
            rows = await self._db.fetch(
                f"SELECT * FROM {table} WHERE resource = $1 AND at >= $2 AND at < $3", resource, begins[0], until
            )
        for row in rows:
            found.setdefault(window.floor(row["at"]), Sums()).add(row)
        return found

    async def sums(self, resource: UUID, start: datetime, end: datetime) -> Sums:
        """What was counted in `[start, end)`: whole hours from their rollup, the rest from single results."""
        hour = timedelta(hours=1)
        first = Window(start, end, "hour").floor(start + hour - timedelta(microseconds=1))
        last = Window(start, end, "hour").floor(end)
        sums = Sums()
        edges = [(start, end)] if first >= last else [(start, first), (last, end)]
        for begin, until in edges:
            if begin < until:
                for row in await self._db.fetch(_RAW, resource, hour, first, begin, until):
                    sums.add(row)
        if first < last:
            for row in await self._db.fetch(
                "SELECT coalesce(sum(checks), 0) AS checks, coalesce(sum(failures), 0) AS failures,"
                " coalesce(sum(timed), 0) AS timed, sum(total) AS total, min(fastest) AS fastest,"
                " max(slowest) AS slowest FROM result_hour WHERE resource = $1 AND at >= $2 AND at < $3",
                resource, first, last,
            ):  # fmt: skip
                sums.add(row)
        return sums

    async def changes(self, resource: UUID, start: datetime | None, end: datetime | None, limit: int) -> list[Row]:
        """Changes of state, newest first."""
        rows: list[Row] = await self._db.fetch(
            "SELECT * FROM state_change WHERE resource = $1 AND ($2::timestamptz IS NULL OR at >= $2)"
            " AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at DESC, version DESC LIMIT $4",
            resource, start, end, limit,
        )  # fmt: skip
        return rows

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
