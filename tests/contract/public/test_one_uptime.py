"""One engine: what a component shows is the same on its page, in JSON and badge, by our API and by its monitor's."""

import re
from datetime import date, datetime, timedelta
from math import floor
from typing import Any

from contract.client import Client
from contract.pinghome.watched import Watched, watched
from contract.target import Target, eventually, listening

WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}


class Page:
    """A page and the ways to look at it."""

    def __init__(self, client: Client, made: dict[str, Any]) -> None:
        self.client, self.id, self.root = client, made["id"], f"/status/{made['subdomain']}"
        self.components = {each["name"]: each["id"] for each in made["components"]}

    async def see(self, path: str = "") -> str:
        answer = await self.client.http.get(self.root + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def statistics(self, name: str) -> dict[str, Any]:
        return await self.client.get(f"statuspage-query/v1/component/{self.components[name]}/statistics")

    async def end(self, maintenance: dict[str, Any]) -> None:
        url = f"statuspage-cmd/v1/statuspage/{self.id}/maintenance/{maintenance['id']}/end"
        assert (await self.client("POST", url)).status_code == 200


async def test_page_badge_api_and_monitor_show_one_uptime(client: Client):
    async with listening() as site:
        monitor = await watched(client, site)
        follows = {"type": "resource", "resource_id": monitor.id}
        components = [{"name": "plain", **follows}, {"name": "told", **follows}, {"name": "other", "type": "manual"}]
        page = Page(client, await client.page(components=components))
        await monitor.until("up")
        await fails(monitor, site)
        await troubled(page)
        await maintained(monitor)
        await monitor.switch(enabled=False)  # from now on no percentage moves with the time
        await monitor.until("paused")

    async def known(name: str) -> dict[str, Any]:
        return await eventually(lambda: page.statistics(name), lambda it: it["status"] == "unknown")

    plain, told = await known("plain"), await known("told")
    await as_its_monitor(plain, monitor)
    assert 0 < plain["uptime"]["24h"] < 100
    assert plain["uptime"] != told["uptime"]  # of which people have told something else
    for it in (plain, told):
        await on_the_page(it, page)


async def fails(monitor: Watched, site: Target) -> None:
    """Two outages."""
    for _ in range(2):
        await site.stop()
        await monitor.until("down")
        await site.start()
        await monitor.until("up")


async def maintained(monitor: Watched) -> None:
    """A maintenance of the monitor's own, which counts as neither up nor down."""
    await monitor.change(maintenance_cron_expression="* * * * *", maintenance_duration=60)
    await monitor.until("maintenance")
    await monitor.change(maintenance_cron_expression="", maintenance_duration=0)
    await monitor.until("up")


async def troubled(page: Page) -> None:
    """An incident of one component while another is maintained, and then a maintenance of the first."""
    told, other = page.components["told"], page.components["other"]
    maintenance = {"title": "Disks", "scheduled_for": datetime.now().astimezone().isoformat(), "duration": 60}
    disks = await page.client.tells(page.id, "maintenance", **maintenance, components=[other])
    url = f"statuspage-cmd/v1/statuspage/{page.id}/maintenance"
    assert (await page.client("POST", f"{url}/{disks['id']}/start")).status_code in (200, 409)
    bad = [{"id": told, "status": "partial-outage"}]
    incident = await page.client.tells(page.id, "incident", components=bad)
    expected = ["operational", "partial-outage", "maintenance"]
    assert [(await page.statistics(name))["status"] for name in page.components] == expected
    await eventually(page.see, lambda html: "Maintenance in progress" in html and "Payments fail" in html)
    found = re.findall(r'<span class="state (\w+)">', await page.see())
    assert found == ["ok", "partial", "maintenance"]
    in_json = (await page.client.http.get(f"{page.root}/api/v2/summary.json")).json()
    assert [each["status"] for each in in_json["components"]] == ["operational", "partial_outage", "under_maintenance"]
    assert in_json["status"]["indicator"] == "major"  # which the maintenance does not hide
    assert "Partial outage</title>" in await page.see("/badge.svg")
    assert 'class="banner major"' in await page.see()
    await page.client.tells(page.id, f"incident/{incident['id']}/update", status="resolved")
    own = await page.client.tells(page.id, "maintenance", **maintenance, components=[told])
    assert (await page.client("POST", f"{url}/{own['id']}/start")).status_code in (200, 409)
    await eventually(lambda: page.statistics("told"), lambda it: it["status"] == "maintenance")
    for each in (own, disks):
        await page.end(each)


async def as_its_monitor(it: dict[str, Any], monitor: Watched) -> None:
    """A component's windows and days are those of the only thing that it follows."""
    for name, days in WINDOWS.items():
        start = datetime.now().astimezone() - timedelta(days=days)
        assert it["uptime"][name] == (await monitor.statistic(start_date=start.isoformat()))["summary"]["uptime"]
    for day in it["days"][-2:]:
        tomorrow = date.fromisoformat(day["date"]) + timedelta(days=1)
        span = {"start_date": f"{day['date']}T00:00:00Z", "end_date": f"{tomorrow}T00:00:00Z"}
        summary = (await monitor.statistic(**span, interval="day"))["summary"]
        assert (day["uptime"], day["downtime_seconds"]) == (summary["uptime"], summary["downtime_seconds"])
    assert {day["uptime"] for day in it["days"][:-2]} == {None}


async def on_the_page(it: dict[str, Any], page: Page) -> None:
    """The same windows and days are on the component's page, and its 90 days on the page itself, to two decimals."""
    own = await page.see(f"/components/{it['id']}")
    figures = re.findall(r"<dd>(.*?)</dd>", own)
    assert figures == [percent(it["uptime"][name]) for name in WINDOWS]
    html = await page.see()
    for shown in (own, html[html.index(f'id="c-{it["id"]}"') :]):
        bar = shown[shown.index('<div class="bar"') :]
        assert f"{percent(it['uptime']['90d'])} uptime" in bar[: bar.index("</summary>")]
        said = re.findall(r'<li data-f="\d+"><b><time datetime="([\d-]+)">.*?</b> <span>(.*?)</span>', bar)
        failed = [day for day in it["days"] if day["downtime_seconds"]]
        assert said[: len(failed)] == [(day["date"], lasted(day)) for day in reversed(failed)]


def percent(value: float) -> str:
    """As the page says it: at most two decimals, rounded down."""
    return f"{floor(round(value * 100, 4)) / 100:.2f}".rstrip("0").rstrip(".") + "\N{NARROW NO-BREAK SPACE}%"


def lasted(day: dict[str, Any]) -> str:
    """As the page says how a day was."""
    words = {"offline": "Major outage", "partial-outage": "Partial outage"}
    seconds = day["downtime_seconds"]
    amount, unit = (seconds, "s") if seconds < 60 else (round(seconds / 60), "min")
    return f"{words[day['status']]}, {amount}\N{NO-BREAK SPACE}{unit} down"
