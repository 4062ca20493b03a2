"""What a prober saw while it had no link tells a page nothing of the present."""

from integration.statuspage_query.test_response_times import Told, told  # noqa: F401  # the fixture
from pinghome_common.clock import micros, now
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import Verdict
from unit.statuspage_cmd.made import SHOP


async def test_late_failures_are_in_the_chart_and_change_no_status(told: Told):  # noqa: F811
    before = await told.page.seen(SHOP)
    begin = micros(now()) - 600 * MICRO
    for slot in range(begin, begin + 540 * MICRO, 60 * MICRO):
        late = told.result(SHOP, 0, 7.0, slot=slot, verdict=Verdict.target_fail, status_code=500)
        await told.arrive(late)
    assert await told.page.seen(SHOP) == before
    assert set(await told.shown()) == {7}
