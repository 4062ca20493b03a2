"""Reads what a page's metrics show: monitors' states and response times, and the values of custom ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.db import Database
from pinghome_common.events.page_metric import CustomMetric, Metric, Rollup
from pinghome_common.events.statuspage import Component, Followed
from statuspage_query.points import KEPT, rolled_up
from statuspage_query.public.material import Series, Values
from statuspage_query.public.window import Days, begun, by_age
from statuspage_query.response_times import EVERY, PLACES

_SIZE = EVERY // timedelta(minutes=1)


def measured(it: Metric) -> bool:
    """Whether a monitor measures a metric, and the page shows it."""
    return bool(it.url) and (it.shows_uptime or it.shows_response_time)


def component(it: Metric) -> Component:
    """A metric as the component that follows its monitor."""
    return Component(
        id=it.id, name=it.name, description=it.description, type=Followed.resource, resource_id=it.id,
        created_at=it.created_at,
    )  # fmt: skip


async def values(db: Database, metrics: Sequence[CustomMetric], now: datetime) -> dict[UUID, Values]:
    """What is known of custom metrics, as far as they have points."""
    today = now.astimezone(UTC).date()
    found = by_age(await db.fetch(_DAYS, [each.id for each in metrics], today, KEPT.days), "metric", today)
    return {each.id: _values(found[each.id], each.rollup, now) for each in metrics if each.id in found}


def _values(rows: Days, how: Rollup, now: datetime) -> Values:
    """The values of a metric."""
    last, until = begun(now)
    minutes = [*_minutes(rows, 1)[last * _SIZE :], *_minutes(rows, 0)[: last * _SIZE]]
    recent = [_rolled(how, minutes[place : place + _SIZE]) for place in range(0, PLACES * _SIZE, _SIZE)]
    hours = [rows.get(ago) for ago in range(KEPT.days)]
    days = [rolled_up(how, *(row[name] for name in _HOURS)) if row else None for row in hours]
    known = [each for each in minutes if each is not None]
    newest = next(each for each in reversed(_minutes(rows, min(rows))) if each is not None)
    figures = {"average": sum(known) / len(known), "least": min(known), "most": max(known)} if known else _of_days(rows)
    return Values(series=Series(until, recent, days[::-1]), newest=newest, lately=bool(known), **figures)


def _minutes(rows: Days, ago: int) -> list[float | None]:
    return rows[ago]["minutes"] if ago in rows else [None] * (PLACES * _SIZE)


def _rolled(how: Rollup, minutes: Sequence[float | None]) -> float | None:
    known = [each for each in minutes if each is not None]
    return rolled_up(how, [len(known)], [sum(known)], [min(known)], [max(known)]) if known else None


def _of_days(rows: Days) -> dict[str, float]:
    columns: list[list[Any]] = [[each for row in rows.values() for each in row[name]] for name in _HOURS]
    return {
        name: rolled_up(how, *columns) or 0.0
        for name, how in (("average", Rollup.mean), ("least", Rollup.minimum), ("most", Rollup.maximum))
    }


_HOURS = ("counts", "sums", "least", "most")

# The minutes are needed of yesterday and today, and of the newest day.
_DAYS = """
SELECT metric, day, counts, sums, least, most,
    CASE WHEN day >= $2::date - 1 OR day = max(day) OVER (PARTITION BY metric) THEN minutes END AS minutes
FROM point_day WHERE metric = ANY($1::uuid[]) AND day > $2::date - $3::int AND day <= $2::date AND minutes IS NOT NULL
"""
