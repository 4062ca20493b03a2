"""Reads all that a public page shows, whoever asks: what may be seen of it is decided later."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Database
from pinghome_common.events.page_metric import Metric
from pinghome_common.events.statuspage import Picture, StatusPage
from statuspage_query.public.material import Material, Series
from statuspage_query.public.metrics import component, measured, values
from statuspage_query.public.window import Days, begun, by_age
from statuspage_query.read import Read
from statuspage_query.response_times import KEPT as TIMES_KEPT
from statuspage_query.response_times import PLACES, monitor_of

KEPT = timedelta(days=92)
"""How far back timelines go: 90 days, whatever the time zone."""
TOLD = 500
"""Incidents, and maintenances, of one page that are shown: the open ones, and the newest."""


async def pages(db: Database) -> list[UUID]:
    """The ids of all pages."""
    return [row["id"] for row in await db.fetch("SELECT id FROM statuspage")]


async def material(db: Database, id_: UUID, now: datetime) -> Material | None:
    """All that is known of a page; None when there is none."""
    row = await db.fetchrow(
        "SELECT p.version, p.state, c.verified_at FROM statuspage p"
        " LEFT JOIN claim c ON c.page = p.id AND c.domain = p.state->>'domain' WHERE p.id = $1",
        id_,
    )
    if row is None:
        return None
    page = msgspec.json.decode(row["state"], type=StatusPage)
    read = Read(db, page.organisation)
    incidents = {each.id: each for each in await read.incidents(id_, open_only=True)}
    incidents |= {each.id: each for each in await read.incidents(id_, limit=TOLD)}
    maintenances = {each.id: each for each in await read.maintenances(id_, open_only=True)}
    maintenances |= {each.id: each for each in await read.maintenances(id_, limit=TOLD)}
    pictures = [
        msgspec.json.decode(each["state"], type=Picture)
        for each in await db.fetch("SELECT state FROM picture WHERE page = $1", id_)
    ]
    metrics = [each for each in await read.metrics(id_) if measured(each)]
    custom_metrics = [each for each in await read.custom_metrics(id_) if each.showcased]
    return Material(
        page=page,
        version=row["version"],
        verified=row["verified_at"] is not None,
        timelines=await read.timelines(page, [*page.components, *map(component, metrics)], now - KEPT),
        response_times=await response_times(db, page, now, metrics),
        metrics=metrics,
        custom_metrics=custom_metrics,
        values=await values(db, custom_metrics, now),
        incidents=sorted(incidents.values(), key=lambda each: each.occurred_at, reverse=True),
        updates=await read.updates([*incidents]),
        maintenances=sorted(maintenances.values(), key=lambda each: each.scheduled_for, reverse=True),
        pictures={f"{each.name}.png": each.png for each in pictures},
        changed_at=now,
    )


async def response_times(
    db: Database, page: StatusPage, now: datetime, metrics: Sequence[Metric] = ()
) -> dict[UUID, Series]:
    """The response times of a page's components and metrics, as far as its organisation's monitors have any."""
    monitors = {each.id: monitor for each in page.components if (monitor := monitor_of(each))}
    monitors |= {each.id: each.id for each in metrics if each.shows_response_time}
    today, count = now.astimezone(UTC).date(), TIMES_KEPT.days
    rows = await db.fetch(_RESPONSE_TIMES, [*monitors.values()], page.organisation, today, count)
    found = by_age(rows, "monitor", today)
    return {id_: _times(found[monitor], count, now) for id_, monitor in monitors.items() if monitor in found}


def _times(rows: Days, count: int, now: datetime) -> Series:
    """The averages of a monitor."""
    last, until = begun(now)
    recent = [*_averages(rows.get(1))[last:], *_averages(rows.get(0))[:last]]
    days = [_average(rows[ago]["sum"], rows[ago]["count"]) if ago in rows else None for ago in range(count)]
    return Series(until, recent, days[::-1])


def _averages(row: Any) -> list[float | None]:
    if row is None:
        return [None] * PLACES
    return [_average(sum_, count) for sum_, count in zip(row["sums"], row["counts"], strict=True)]


def _average(sum_: float, count: int) -> float | None:
    return round(sum_ / count, 1) if count else None


# Only of yesterday and today are the five minutes needed.
_RESPONSE_TIMES = """
SELECT r.monitor, r.day, r.sum, r.count, CASE WHEN r.day >= $3::date - 1 THEN r.sums END AS sums,
    CASE WHEN r.day >= $3::date - 1 THEN r.counts END AS counts
FROM response_day r JOIN followed f ON f.id = r.monitor
WHERE r.monitor = ANY($1::uuid[]) AND f.organisation = $2 AND r.day > $3::date - $4::int AND r.day <= $3::date
"""
