"""Every page: for everybody, within its policy, on a phone, without a script; and no name is ever markup."""

import re

import pytest
from playwright.async_api import Browser, expect

from contract.console.conftest import EVIL, Told
from contract.console.viewing import BASE, enter, form_of, send, with_cookie
from contract.public.browser import Tab, tab
from contract.target import eventually
from running import Platform

PAGES = {
    "overview": ("/", "/?window=90d", "/search?q=onerror", "/search?q=nothing-like-it", "/start", "/nope"),
    "monitors": (
        "/monitors", "/monitors?q=nothing-like-it", "monitor", "monitor?window=7d&by=region", "monitor/edit",
        "/monitors/new?type=dns", "monitor/outside", "monitor/outside/new", "integration",
    ),
    "heartbeats": ("/heartbeats", "heartbeat", "heartbeat/edit", "/heartbeats/new"),
    "servers": ("/servers", "server", "server/edit", "/servers/new"),
    "alerts": ("/alerts", "channel", "/alerts/new", "/alerts/new?kind=email", "/alerts/sent"),
    "incidents": (
        "/incidents", "incident", "incident/edit", "update", "maintenance", "maintenance/edit", "template/edit",
        "new incident", "new maintenance",
    ),
    "status pages": ("/statuspages", "page", "page/subscribers", "/statuspages/new"),
    "others": ("/services", "/regions", "/keys", "/audit", "/health"),
}  # fmt: skip
OPENED = "document.querySelectorAll('details:not([name])').forEach((it) => { it.open = true; })"
DESKTOP, PHONE = {"width": 1360, "height": 900}, {"width": 360, "height": 740}


def path(told: Told, name: str) -> str:
    noun, mark, rest = name.partition("/" if "/" in name else "?")
    return told.at[noun] + mark + rest if noun in told.at else name


async def usable(it: Tab, name: str) -> None:
    """Everybody can use what a tab shows, on a desktop in the light and on a phone in the dark."""
    await it.page.evaluate(OPENED)
    assert await it.violations() == [], name
    assert await it.overflow() <= 0, name
    await it.page.set_viewport_size(PHONE)
    await it.page.emulate_media(color_scheme="dark")
    assert await it.violations("color-contrast") == [], name
    assert await it.overflow() <= 0, name
    assert await it.complaints() == [], name
    await it.page.set_viewport_size(DESKTOP)
    await it.page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("pages", PAGES)
async def test_everybody_can_use_every_page(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str, pages: str
):
    """What is hostile on it does nothing."""
    async with tab(browser, axe, viewport=DESKTOP, color_scheme="light") as it:
        await enter(it.page, session)
        for name in PAGES[pages]:
            answer = await it.page.goto(platform.url + BASE + path(told, name))
            assert answer is not None
            assert answer.status == (404 if name == "/nope" else 200), name
            await usable(it, name)
        if "/nope" in PAGES[pages]:
            it.errors.clear()  # the browser notes the 404


async def test_everybody_can_use_what_follows_a_form(platform: Platform, browser: Browser, axe: str, session: str):
    """What is asked before many are changed, and what is shown once."""
    async with tab(browser, axe, viewport=DESKTOP, color_scheme="light") as it:
        await enter(it.page, session)
        for do in ("Tags …", "Who is told …", "Delete …"):
            await it.page.goto(f"{platform.url}{BASE}/monitors?q=onerror")
            await it.page.get_by_label("Select all").check()
            await it.page.get_by_role("button", name=do).click()
            await expect(it.page.locator("h1")).not_to_have_text("Monitors")
            await usable(it, do)
        for at, fields in (
            ("/keys", {"Name": EVIL}),
            ("/servers/new", {"Name": f"{EVIL} 2"}),
            ("/alerts/new", {"Name": EVIL, "Address": "https://example.com/hook"}),
        ):
            await it.page.goto(platform.url + BASE + at)
            for label, text in fields.items():
                await it.page.get_by_label(label, exact=True).fill(text)
            await it.page.locator("main form .buttons button").first.click()
            await expect(it.page.locator("[data-copy]")).to_be_visible()
            await usable(it, at)


async def test_pages_say_all_without_a_script_in_german_too(platform: Platform, browser: Browser, axe: str, told: Told):
    async with tab(browser, axe, java_script_enabled=False, locale="de-DE") as it:
        await it.page.goto(f"{platform.url}{BASE}/")
        await it.page.get_by_label("API-Token").fill(told.token)
        await it.page.get_by_role("button", name="Anmelden").click()
        await expect(it.page.get_by_role("heading", name=re.compile("sind ausgefallen"))).to_be_visible()
        await it.page.get_by_role("link", name="Monitore", exact=True).click()
        await it.page.get_by_label("Suchen").fill("onerror")
        await it.page.get_by_role("button", name="Suchen").click()
        await it.page.get_by_role("link", name="onerror").click()
        text = await it.text()
        for words in (told.name, "Ausgefallen", "answered 503", "Antwortzeit", "UTC", "Benachrichtigungen"):
            assert words in text, words
        await it.page.get_by_role("link", name="Bearbeiten").click()
        await it.page.get_by_role("textbox", name="Tags").fill("ohne skript")
        await it.page.get_by_role("button", name="Speichern").last.click()
        assert "Gespeichert." in await it.text()


async def test_answers_are_kept_by_nobody_and_framed_by_nobody(web, told: Told, session: str):
    for name in ("/", "monitor", "/nope"):
        headers = (await web.get(path(told, name), headers=with_cookie(session))).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert not [name for name in headers if name.startswith("access-control")]


async def test_preview_and_pictures_are_sandboxed(web, told: Told, session: str):
    for at in (f"{told.at['page']}/preview", f"{told.at['server']}/cpu-total-usage.svg"):
        answer = await web.get(at, headers=with_cookie(session))
        assert answer.status_code == 200, answer.text
        assert "sandbox" in answer.headers["content-security-policy"]


async def test_first_view_is_small(web, session: str):
    page = await web.get("/monitors", headers=with_cookie(session) | {"Accept-Encoding": "gzip"})
    size = int(page.headers["content-length"])
    for file in set(re.findall(r'(?:href|src)="/console(/static/[^"]+)"', page.text)):
        size += int((await web.get(file, headers={"Accept-Encoding": "gzip"})).headers["content-length"])
    assert size <= 80_000


async def test_dry_run_is_shown_beside_the_form_and_wrong_fields_are_named(
    platform: Platform, browser: Browser, axe: str, told: Told, session: str
):
    async with tab(browser, axe) as it:
        await enter(it.page, session)
        await it.page.goto(platform.url + BASE + told.at["monitor"] + "/edit")
        await it.page.get_by_role("button", name="Try now").click()
        trial = it.page.locator("#trial article")
        await expect(trial).to_contain_text("503", timeout=30_000)
        assert await it.violations() == []
        await it.page.get_by_label("Address").fill("ftp://example.com/")
        await it.page.get_by_role("button", name="Try now").click()
        await expect(it.page.locator("#trial .verdicts")).to_contain_text("Address", timeout=30_000)
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.locator("#url-wrong")).to_be_visible()
        await expect(it.page.get_by_label("Address")).to_have_value("ftp://example.com/")
        it.errors.clear()  # the browser notes the 422


async def test_many_are_changed_together(platform: Platform, browser: Browser, axe: str, told: Told, session: str):
    ids = []
    for name in ("Many 1", "Many 2"):
        body = {"name": name, "interval": 86400, "service_id": told.client.service_id}
        ids.append((await told.client("POST", "resource-cmd/v1/heartbeat", json=body)).json()["id"])
    async with tab(browser, axe) as it:
        await enter(it.page, session)
        await it.page.goto(f"{platform.url}{BASE}/heartbeats?q=Many")
        await it.page.get_by_label("Select all").check()
        await it.page.get_by_role("button", name="Tags …").click()
        await it.page.get_by_label("Add").fill("together")
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.locator("tbody")).to_contain_text("together")
        await it.page.get_by_label("Select all").check()
        await it.page.get_by_role("button", name="Delete …").click()
        await it.page.get_by_role("textbox").last.fill("3")
        await it.page.get_by_role("button", name="Delete", exact=True).click()
        await expect(it.page.get_by_role("alert").first).to_contain_text("Type the number")
        await it.page.get_by_role("textbox").last.fill("2")
        await it.page.get_by_role("button", name="Delete", exact=True).click()
        await expect(it.page.get_by_text("Nothing fits.")).to_be_visible()
        it.errors.clear()  # the browser notes the 422
    found = await eventually(
        lambda: told.client.get("resource-query/v1/heartbeats", q="Many"), lambda it: it["total"] == 0
    )
    assert found["data"] == []


async def test_components_are_ordered_by_their_places(web, told: Told, session: str):
    components = [{"name": name, "type": "manual"} for name in ("First", "Second")]
    body = {"name": "Ordered", "description": "", "subdomain": "by-places", "type": "public", "components": components}
    made = (await told.client("POST", "statuspage-cmd/v1/statuspage", json=body)).json()["id"]
    at = f"/statuspages/{made}"
    assert (await send(web, session, await form_of(web, session, at), **{"place.1": "9"})).status_code == 303
    found = await told.client.get(f"statuspage-query/v1/statuspage/{made}/components")
    assert [each["name"] for each in found["data"]] == ["Second", "First"]
    await told.client("DELETE", f"statuspage-cmd/v1/statuspage/{made}")
