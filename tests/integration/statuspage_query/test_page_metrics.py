"""What is read of metrics for a page: rollups of five minutes and days, figures, and the monitors of metrics."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from integration.statuspage_query.test_points import Told, told
from pinghome_common.clock import now
from pinghome_common.events.page_metric import CustomMetric, Metric, Rollup
from statuspage_query.points import MINUTES
from statuspage_query.public import read
from statuspage_query.public.material import Material
from statuspage_query.statuses import Since

assert told  # a fixture


async def material(told: Told, *metrics: CustomMetric | Metric) -> Material:
    await told.page.tell("statuspage", told.page.page)
    for each in metrics:
        await told.page.tell("custom_metric" if isinstance(each, CustomMetric) else "metric", each)
    found = await read.material(told.db, told.page.page.id, now())
    assert found
    return found


def custom(told: Told, how: Rollup = Rollup.mean, *, showcased: bool = True) -> CustomMetric:
    page = told.page.page
    return CustomMetric(
        id=uuid7(), organisation=page.organisation, page=page.id, name="Errors", rollup=how, showcased=showcased,
        created_at=now(), updated_at=now(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("how", "recent", "day"),
    [
        (Rollup.mean, 2.5, 4), (Rollup.rounded_mean, 2, 4), (Rollup.sum, 5, 12), (Rollup.minimum, 1, 1),
        (Rollup.maximum, 4, 7),
    ],
)  # fmt: skip
async def test_values_are_rolled_up(told: Told, how: Rollup, recent: float, day: float):
    it = custom(told, how)
    five = int(now().timestamp()) // 300 * 5 - told.today  # this five minutes, of today
    before = -3 * MINUTES + 100
    await told.send(it.id, (five - 5, 1), (five - 4, 4), (before, 1), (before + 1, 4), (before + 60, 7))
    values = (await material(told, it)).values[it.id]
    assert [each for each in values.series.recent if each is not None] == [recent]
    assert recent in values.series.recent[-3:]
    days = [each for each in values.series.days if each is not None]
    assert days[0] == day
    assert day in values.series.days[-5:-3]
    assert (values.newest, values.lately, values.average, values.least, values.most) == (4, True, 2.5, 1, 4)


async def test_without_points_of_today_figures_are_of_all_days(told: Told):
    it, none, hidden = custom(told), custom(told), custom(told, showcased=False)
    for metric in (it, hidden):
        await told.send(metric.id, (-10 * MINUTES, 1), (-10 * MINUTES + 60, 5), (-20 * MINUTES, -3))
    found = await material(told, it, none, hidden)
    assert [each.id for each in found.custom_metrics] == [it.id, none.id]
    assert found.values.keys() == {it.id}
    values = found.values[it.id]
    assert (values.newest, values.lately, values.average, values.least, values.most) == (5, False, 1, -3, 5)


async def test_metric_with_a_url_shows_what_its_monitor_does(told: Told):
    page = told.page.page
    base = Metric(
        id=uuid4(), organisation=page.organisation, page=page.id, name="API", page_name="x", url="https://example.com",
        regions=["r"], shows_uptime=True, created_at=now() - timedelta(days=1), updated_at=now(),
    )  # fmt: skip
    others = [replace(base, id=uuid4(), url=""), replace(base, id=uuid4(), shows_uptime=False)]
    await monitor(told, base.id)
    found = await material(told, base, *others)
    assert [each.id for each in found.metrics] == [base.id]
    [since] = found.timelines[base.id]
    assert isinstance(since, Since)
    assert since.status == "operational"
    assert base.id in found.names()


async def monitor(told: Told, id_: UUID) -> None:
    change = {"status": "up", "at": now(), "version": 1}
    await told.page.say("resource", id_, {"created_at": now(), "change": change}, time=now())
