"""The first run: from an empty platform to a site that is watched, a cron line, and an alert that arrived."""

from playwright.async_api import Browser, expect

from contract.client import Client
from contract.console.test_signing_in import link
from contract.public.browser import tab
from contract.target import eventually, listening
from running import Platform


async def test_empty_platform_leads_to_an_alert_that_arrived(platform: Platform, browser: Browser, axe: str, http):
    keys = await platform.command("organisation", "create", "Empty")
    async with listening() as site, listening(status=204) as hook, tab(browser, axe) as it:
        page = it.page
        await page.goto(await link(platform, "Empty"))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Three steps")).to_be_visible()
        assert await it.violations() == []

        await page.get_by_label("Address").first.fill(site.url)
        await page.get_by_role("button", name="Watch it").click()
        await expect(page.locator("[data-live=step-1]")).to_contain_text("127.0.0.1")

        await page.get_by_label("Name", exact=True).fill("Backup")
        await page.get_by_label("Cron expression").fill("0 3 * * *")
        await page.get_by_role("button", name="Wait for it").click()
        line = await page.locator("pre", has_text="/path/to/job").inner_text()
        assert line.startswith("0 3 * * * /path/to/job && curl")

        await page.locator("#channel-to").fill(hook.url)
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_text("The test has arrived.")).to_be_visible()
        assert hook.asked[0].method == "POST"
        assert await it.violations() == []

        url = next(word for word in line.split() if word.startswith("http"))
        await it.page.request.get(f"{platform.url}/{url.split('/', 3)[3]}")
        await expect(page.locator("[data-live=step-2]")).to_contain_text("Up", timeout=60_000)
        await expect(page.locator("[data-live=step-1]")).to_contain_text("Up", timeout=60_000)
        await page.get_by_role("link", name="To the overview").click()
        await expect(page.get_by_role("heading", name="All is well")).to_be_visible()

        owner = Client(http, keys["token"])
        monitor = (await owner.get("resource-query/v1/resources"))["data"][0]
        await owner("PUT", f"resource-cmd/v1/resource/{monitor['id']}", json={"interval": 5})
        await site.stop()
        await eventually(lambda: _count(hook), lambda count: count >= 2)
        assert "refused the connection" in hook.asked[-1].body
        await expect(page.get_by_role("heading", name="1 is down")).to_be_visible(timeout=60_000)


async def _count(hook) -> int:
    return len(hook.asked)
