"""Public pages as people use them: with and without a script, by keyboard, on a small screen, live."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from contract.client import Client
from contract.public.browser import tab
from contract.public.owning import BELOW, made, told
from contract.public.test_leaks import EVIL
from running import Platform

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 320, "height": 640}}


def address(pages: Platform, page: dict[str, Any]) -> str:
    return f"http://{page['subdomain']}.{BELOW}:{pages.port}"


async def calm(owner: Client) -> dict[str, Any]:
    listed = [{"name": name, "type": "manual"} for name in ("Website", "API", LONG)]
    links = dict.fromkeys(("website_url", "support_url", "privacy_url"), "https://x.test")
    return await made(owner, components=listed, subscription_enabled=True, accent_color="#ffcc00", **links)


async def trouble(owner: Client) -> dict[str, Any]:
    page = await calm(owner)
    ids = [each["id"] for each in page["components"]]
    statuses = ("degraded", "partial-outage", "offline")
    given = [{"id": id_, "status": status} for id_, status in zip(ids, statuses, strict=True)]
    incident = await told(owner, page, title="Nothing works", message="<p>We look</p>", components=given)
    url = f"statuspage-cmd/v1/statuspage/{page['id']}/incident/{incident['id']}/update"
    for place in range(4):
        await owner("POST", url, json={"status": "identified", "message": f"<p>Step {place}</p>"})
    over = await told(owner, page, title="It was before", message="Plain", status="resolved")
    await owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}/incident/{over['id']}/postmortem",
                json={"message": "<p>Why</p>"})  # fmt: skip
    return page | {"incident": incident["id"]}


async def maintained(owner: Client) -> dict[str, Any]:
    page = await calm(owner)
    ids = [each["id"] for each in page["components"]][:1]
    begins = datetime.now(UTC)
    for title, ahead in (("Now", timedelta(seconds=1)), ("Later", timedelta(days=2))):
        body = {"title": title, "scheduled_for": (begins + ahead).isoformat(), "duration": 90, "components": ids}
        made_ = await told(owner, page, "maintenance", **body)
        if title == "Now":
            await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/maintenance/{made_['id']}/start")
    return page


async def new(owner: Client) -> dict[str, Any]:
    return await made(owner, components=[], groups=[])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", [calm, trouble, maintained, new], ids=lambda state: state.__name__)
async def test_everybody_can_use_a_page_in_every_state(
    owner: Client, pages: Platform, browser: Browser, axe: str, state: Any, size: str, scheme: str
):
    page = await state(owner)
    components = [f"/components/{each['id']}" for each in page["components"][:1]]
    incidents = [f"/incidents/{page['incident']}"] if "incident" in page else []
    async with tab(browser, axe, viewport=SIZES[size], color_scheme=scheme) as it:
        for path in ("/", "/history", "/widget", *components, *incidents):
            await it.page.goto(address(pages, page) + path)
            await it.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert await it.violations() == [], path
            assert await it.complaints() == [], path
            assert await it.overflow() <= 0, path


async def test_page_without_a_script_says_all(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await trouble(owner)
    async with tab(browser, axe, java_script_enabled=False) as it:
        await it.page.goto(address(pages, page))
        text = await it.text()
        for words in ("Major outage", "Nothing works", "Step 3", "Website", LONG, "UTC", "Times are in UTC"):
            assert words in text
        days = it.page.locator(".days").first
        assert "No data" not in await it.text()
        await days.locator("summary").click()
        assert "No data" in await it.text()
        await it.page.get_by_role("link", name="Nothing works").click()
        assert "Step 0" in await it.text()


async def test_keyboard_reaches_and_reads_every_day(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await trouble(owner)
    async with tab(browser, axe) as it:
        await it.page.goto(address(pages, page))
        await it.page.keyboard.press("Tab")
        assert await it.page.evaluate("document.activeElement.className") == "skip"
        await it.page.keyboard.press("Enter")
        stops = []
        for _ in range(40):
            await it.page.keyboard.press("Tab")
            stops.append(await it.page.evaluate("document.activeElement.className || document.activeElement.tagName"))
            if stops[-1] == "bar":
                break
        bar = it.page.locator(".bar:focus")
        today = datetime.now(UTC).date()
        await expect(bar).to_have_attribute("aria-valuetext", f"{today.day} {today:%B %Y}: Degraded")
        await it.page.keyboard.press("ArrowLeft")
        before = today - timedelta(days=1)
        await expect(bar).to_have_attribute("aria-valuetext", f"{before.day} {before:%B %Y}: No data")
        await expect(it.page.locator(".tip")).to_be_visible()
        await it.page.keyboard.press("Home")
        await expect(bar).to_have_attribute("aria-valuenow", "1")
        await it.page.keyboard.press("ArrowLeft")
        await expect(bar).to_have_attribute("aria-valuenow", "1")
        await it.page.keyboard.press("End")
        await expect(bar).to_have_attribute("aria-valuenow", "90")
        await it.page.keyboard.press("Escape")
        await expect(it.page.locator(".tip")).to_be_hidden()
        assert await it.violations() == []


async def test_incident_appears_without_a_reload_and_what_is_open_stays(
    owner: Client, pages: Platform, browser: Browser, axe: str
):
    page = await calm(owner)
    async with tab(browser, axe) as it:
        await it.page.goto(address(pages, page))
        await it.page.evaluate("window.same = true")
        await it.page.locator(".days summary").nth(1).click()
        await told(owner, page, title="Just now", message="<p>We look</p>")

        await expect(it.page.get_by_role("link", name="Just now")).to_be_visible(timeout=10_000)
        assert await it.page.evaluate("window.same")
        assert [await each.get_attribute("open") for each in await it.page.locator(".days").all()] == [None, "", None]
        assert await it.page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert await it.violations() == []


async def test_page_asks_by_itself_where_streams_do_not_work(
    owner: Client, pages: Platform, browser: Browser, axe: str
):
    page = await calm(owner)
    async with tab(browser, axe) as it:
        await it.page.add_init_script("delete window.SharedWorker")
        await it.page.route("**/events", lambda route: route.fulfill(status=204, body=""))
        await it.page.clock.install()
        await it.page.goto(address(pages, page))
        await told(owner, page, title="Just now")
        await it.page.clock.fast_forward(31_000)
        await expect(it.page.get_by_role("link", name="Just now")).to_be_visible(timeout=10_000)


async def test_times_are_the_visitors(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await made(owner, timezone="America/New_York")
    at = "2026-01-15T12:00:00Z"
    incident = await told(owner, page, title="Long ago", occurred_at=at)
    async with tab(browser, axe) as it:
        await it.page.goto(f"{address(pages, page)}/incidents/{incident['id']}")
        shown = it.page.locator(f'time[datetime="{at}"]').first
        await expect(shown).to_contain_text("13:00")
        assert "Times are in your time zone" in await it.text()


async def test_password_of_a_private_page(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await made(owner, name="Inner", type="private", password="open sesame")
    async with tab(browser, axe) as it:
        it.page.on("response", lambda answer: it.errors.clear() if answer.status == 401 else None)
        await it.page.goto(address(pages, page))
        assert await it.violations() == []
        await it.page.get_by_label("Password").fill("guess")
        await it.page.keyboard.press("Enter")
        await expect(it.page.get_by_role("alert")).to_contain_text("not right")
        await it.page.get_by_label("Password").fill("open sesame")
        await it.page.keyboard.press("Enter")
        await expect(it.page.get_by_role("heading", level=1)).to_have_text("All systems operational")
        it.errors.clear()  # Chromium tells of each 401


async def test_nothing_that_people_write_is_run(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await made(owner, name=EVIL, description=EVIL, page_name=EVIL, ga_tracking="G-ABCD1234",
                      components=[{"name": EVIL, "description": EVIL, "type": "manual"}])  # fmt: skip
    incident = await told(owner, page, title=EVIL, message=f"<b>x</b>{EVIL}<svg onload=alert(6)>")
    async with tab(browser, axe) as it:
        google = "https://www.googletagmanager.com/gtag/js?id=G-ABCD1234"
        await it.page.route(re.compile("^https:"), lambda route: route.fulfill(body="", content_type="text/javascript"))
        for path in ("/", "/history", f"/incidents/{incident['id']}", "/widget"):
            await it.page.goto(address(pages, page) + path)
            assert await it.complaints() == []
            scripts = await it.page.evaluate("[...document.scripts].map((it) => it.src)")
            assert [each for each in scripts if each.startswith("https")] == ([] if path == "/widget" else [google])


async def test_german_page(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await trouble(owner)
    async with tab(browser, axe, locale="de-DE") as it:
        await it.page.goto(address(pages, page))
        assert "Größerer Ausfall" in await it.text()
        assert await it.violations() == []
