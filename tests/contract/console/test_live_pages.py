"""What a script adds: pages that follow, the keyboard, the pointer, the viewer's times."""

import asyncio
import re

from playwright.async_api import Browser, expect

from contract.console.conftest import Told
from contract.console.test_pages import DESKTOP
from contract.console.viewing import BASE, enter
from contract.public.browser import tab
from contract.target import eventually, listening
from running import Platform


async def test_open_page_follows_and_what_is_typed_stays(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str
):
    body = {"name": "Followed", "interval": 86400, "service_id": told.client.service_id}
    made = (await told.client("POST", "resource-cmd/v1/heartbeat", json=body)).json()["heartbeat"]
    async with tab(browser, axe) as it:
        await enter(it.page, session)
        await it.page.goto(f"{platform.url}{BASE}/heartbeats?q=Followed&sort=state")
        row = it.page.locator(f"#row-{made['id']}")
        await expect(row).to_contain_text("Pending")
        await it.page.evaluate("document.querySelector('tbody').dataset.same = 'yes'")
        await row.get_by_role("checkbox").check()
        await it.page.mouse.move(0, 0)
        await told.client("GET", f"data-gateway/v1/heartbeat/{made['id']}")
        await expect(row).to_contain_text("Up", timeout=60_000)
        await expect(row.get_by_role("checkbox")).to_be_checked()
        assert await it.page.evaluate("document.querySelector('tbody').dataset.same") == "yes"


async def test_what_is_down_does_not_move_under_the_pointer(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str
):
    async def down(name: str) -> str:
        body = {"name": name, "interval": 86400, "service_id": told.client.service_id}
        made = (await told.client("POST", "resource-cmd/v1/heartbeat", json=body)).json()["heartbeat"]["id"]
        await told.client("GET", f"data-gateway/v1/heartbeat/{made}?result=fail")
        return str(made)

    async with tab(browser, axe) as it:
        await enter(it.page, session)
        await it.page.goto(f"{platform.url}{BASE}/")
        rows, counts = it.page.locator("[data-live=down]"), it.page.locator("[data-live=counts]")
        await rows.hover()
        await counts.evaluate("(it) => { it.dataset.old = 'yes'; }")
        made = [await down("Failed first")]
        await expect(counts).not_to_have_attribute("data-old", "yes", timeout=60_000)
        assert "Failed first" not in await rows.inner_text()
        await it.page.mouse.move(0, 0)
        made.append(await down("Failed second"))
        for name in ("Failed first", "Failed second"):
            await expect(rows).to_contain_text(name, timeout=60_000)
    await told.client("DELETE", f"resource-cmd/v1/heartbeat?id={','.join(made)}")


async def test_keyboard_does_what_its_help_says(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str
):
    for name in ("Keyed 1", "Keyed 2"):
        body = {"name": name, "interval": 86400, "service_id": told.client.service_id}
        assert (await told.client("POST", "resource-cmd/v1/heartbeat", json=body)).status_code == 201
    async with tab(browser, axe) as it:
        await enter(it.page, session)
        press, here = it.page.keyboard.press, it.page.locator("tr.here")
        await it.page.goto(f"{platform.url}{BASE}/regions")
        await press("/")  # a page that has nothing to search leads to one that has
        await it.page.wait_for_url("**/monitors")
        await it.page.goto(f"{platform.url}{BASE}/heartbeats?sort=name")
        await press("?")
        await expect(it.page.locator("dialog")).to_be_visible()
        assert await it.page.locator("dialog kbd").all_inner_texts() == ["/", "j k", "Enter", "x", "e", "n", "?"]
        await press("Escape")
        await expect(it.page.locator("dialog")).to_be_hidden()
        async with asyncio.timeout(60):
            while not await it.page.evaluate("document.activeElement.matches('[data-search]')"):
                await press("/")  # a dialog that closes gives the focus back, sooner or later
        await it.page.keyboard.type("keyed")
        await it.page.wait_for_url("**q=keyed*")  # an answer that comes later would be another list
        await expect(it.page.locator("tbody tr")).to_have_count(2)
        await it.page.locator("h1").click()
        for key, name in (("j", "Keyed 1"), ("j", "Keyed 2"), ("j", "Keyed 2"), ("k", "Keyed 1")):
            await press(key)
            await expect(here).to_contain_text(name)
        for picked in (True, False):
            await press("x")
            await expect(here.get_by_role("checkbox")).to_be_checked(checked=picked)
        await press("Enter")
        await it.page.wait_for_url(re.compile("/heartbeats/[0-9a-f-]{36}$"))
        await expect(it.page.locator("h1")).to_have_text("Keyed 1")
        await press("e")
        await it.page.wait_for_url("**/edit")
        await it.page.goto(f"{platform.url}{BASE}/heartbeats?q=keyed&sort=name")
        await press("j")
        await press("e")
        await it.page.wait_for_url("**/edit")
        await it.page.goto(f"{platform.url}{BASE}/heartbeats")
        await press("n")
        await it.page.wait_for_url("**/heartbeats/new")


async def test_list_is_asked_for_once_for_what_is_typed_and_once_for_what_is_chosen(
    platform: Platform, browser: Browser, axe: str, session: str
):
    """A list that came once more would forget the rows that its reader has picked meanwhile."""
    async with tab(browser, axe) as it:
        await enter(it.page, session)
        await it.page.goto(f"{platform.url}{BASE}/monitors")
        asked: list[str] = []
        it.page.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
        await it.page.get_by_role("searchbox").fill("onerror")
        await it.page.wait_for_url("**q=onerror*")
        await it.page.get_by_role("checkbox").last.check()  # and what was typed in loses the focus
        for state in ("down", ""):
            await it.page.locator("select[name=state]").select_option(state)
            await it.page.wait_for_url(f"**state={state}&*")
        assert [url.partition("?")[2].partition("&type")[0] for url in asked] == [
            "q=onerror&state=", "q=onerror&state=down", "q=onerror&state="
        ]  # fmt: skip


async def test_times_are_the_viewers_and_exact_on_focus(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str
):
    async with tab(browser, axe, timezone_id="Asia/Tokyo") as it:
        await enter(it.page, session)
        await it.page.goto(platform.url + BASE + told.at["maintenance"])
        time = it.page.locator(".sub time").first
        await expect(time).to_have_text(re.compile("1 Jan 2030, 0?9:00"))
        await time.focus()
        await expect(it.page.locator(".tip")).to_have_text("2030-01-01 00:00:00 UTC")


async def test_components_are_ordered_by_the_pointer_and_by_the_keyboard(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str
):
    components = [{"name": name, "type": "manual"} for name in ("First", "Second", "Third")]
    body = {"name": "Ordered", "description": "", "subdomain": "by-hand", "type": "public", "components": components}
    made = (await told.client("POST", "statuspage-cmd/v1/statuspage", json=body)).json()["id"]

    async def saved() -> list[str]:
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.get_by_text("Saved.", exact=True)).to_be_visible()
        found = await told.client.get(f"statuspage-query/v1/statuspage/{made}/components")
        return [each["name"] for each in found["data"]]

    async with tab(browser, axe, viewport=DESKTOP) as it:
        await enter(it.page, session)
        await it.page.goto(f"{platform.url}{BASE}/statuspages/{made}")
        rows = it.page.locator(".component-row")
        grip, below = await rows.nth(0).locator(".grip").bounding_box(), await rows.nth(2).bounding_box()
        assert grip
        assert below
        await it.page.mouse.move(grip["x"] + 4, grip["y"] + 8)
        await it.page.mouse.down()
        await it.page.mouse.move(grip["x"] + 9, grip["y"] + 60, steps=4)
        await it.page.mouse.move(grip["x"] + 9, below["y"] + below["height"] - 8, steps=8)
        await it.page.mouse.up()
        assert await saved() == ["Second", "Third", "First"]
        await it.page.goto(f"{platform.url}{BASE}/statuspages/{made}")
        await it.page.get_by_role("button", name="Move down").first.press("Enter")
        await it.page.keyboard.press("Enter")  # the button still has the focus
        assert await saved() == ["Third", "First", "Second"]
    await told.client("DELETE", f"statuspage-cmd/v1/statuspage/{made}")


async def test_charts_say_their_values(platform: Platform, browser: Browser, axe: str, told: Told, session: str):
    async with listening() as site, tab(browser, axe) as it:
        body = {
            "name": "Drawn",
            "type": "http",
            "url": site.url,
            "interval": 5,
            "regions": ["eu-central-1", "us-east-1"],
        }
        body["service_id"] = told.at["service"].rpartition("/")[2]
        made = (await told.client("POST", "resource-cmd/v1/resource", json=body)).json()["id"]
        at = f"statistic-query/v1/resource/{made}/statistic"
        await eventually(
            lambda: told.client.get(at, by="region"),
            lambda seen: len([each for each in seen["regions"] if each["summary"]["checks"]]) == 2,
        )
        await enter(it.page, session)
        for by, words in (("", "on average"), ("region", "us-east-1")):
            await it.page.goto(f"{platform.url}{BASE}/monitors/{made}?by={by}")
            await it.page.mouse.move(0, 0)
            (box,) = await it.boxes(".lines")
            await it.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 40)
            assert words in (await it.page.locator(".lines").get_attribute("data-tips") or "")
            await expect(it.page.locator(".tip")).to_contain_text(" · ")  # a time, and what was then
        assert await it.page.locator(".plot .line").count() >= 2
        await it.page.goto(platform.url + BASE + told.at["server"])
        figure = it.page.locator("figure", has=it.page.get_by_alt_text(re.compile("^Memory")))
        await figure.scroll_into_view_if_needed()
        box = await figure.bounding_box()
        assert box
        async with it.page.expect_response(re.compile("memory-usage.json")) as answered:
            await it.page.mouse.move(box["x"] + box["width"] - 40, box["y"] + 60)
        assert (await (await answered.value).json())[0][2] == "50 %"
        async with asyncio.timeout(60):
            while "50 %" not in (await it.page.locator(".tip").inner_text()):
                await it.page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 60)
                await it.page.mouse.move(box["x"] + box["width"] - 40, box["y"] + 60)
