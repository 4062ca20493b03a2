"""What people come to a page for, in the browser: to subscribe and to leave, to be refused, to print."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, expect

from contract.client import Client
from contract.public.browser import Tab, tab
from contract.public.owning import BELOW, made, told
from contract.public.test_browser import address, maintained, trouble
from contract.target import eventually
from mail_sink import MailSink
from running import Platform

A4 = {"width": 718, "height": 1000}


async def mailed(mails: MailSink, to: str, subject: str) -> str:
    """The text of the mail to somebody that has arrived, by a part of its subject."""

    async def found() -> str:
        pairs = zip(mails.mails, mails.recipients, strict=True)
        mine = [mail for mail, recipients in pairs if recipients == [to] and subject in mail["Subject"]]
        body = mine[0].get_body(("plain",)) if mine else None
        return body.get_content() if body else ""

    return await eventually(found, bool)


def link(text: str, words: str, pages: Platform, page: dict[str, Any]) -> str:
    """A mail's link; it is https, for which the tests have no proxy in front."""
    found = re.search(rf"{words}: (\S+)", text)
    assert found, text
    secure = f"https://{page['subdomain']}.{BELOW}/"
    assert found[1].startswith(secure), found[1]
    return found[1].replace(secure, f"{address(pages, page)}/")


@pytest.mark.parametrize("script", [True, False])
async def test_subscribe_verify_hear_and_leave(
    owner: Client, pages: Platform, mails: MailSink, browser: Browser, axe: str, script: bool
):
    page = await made(owner, name="Acme", subscription_enabled=True)
    me = f"{page['subdomain']}@example.com"

    async def subscribers() -> list[bool]:
        listed = await owner.get(f"statuspage-query/v1/statuspage/{page['id']}/subscriptions")
        return [each["verified"] for each in listed["data"] if each["channel_value"] == me]

    async with tab(browser, axe, java_script_enabled=script) as it:
        await it.page.goto(address(pages, page))
        await it.page.get_by_text("Get updates").click()
        await it.page.get_by_label("E-mail address").fill(me)
        await it.page.get_by_role("button", name="Subscribe").click()
        await expect(it.page.get_by_role("heading")).to_have_text("Check your inbox")
        assert await subscribers() == [False]

        await it.page.goto(link(await mailed(mails, me, "Acme"), "Confirm the subscription", pages, page))
        assert await subscribers() == [False]  # programs follow links, too
        await it.page.get_by_role("button", name="Confirm").click()
        await expect(it.page.get_by_role("heading")).to_have_text("You are subscribed")
        await eventually(subscribers, lambda known: known == [True])

        await told(owner, page, title="Just now", message="<p>We look</p>")
        text = await mailed(mails, me, "Just now")
        assert "We look" in text
        await it.page.goto(link(text, "Unsubscribe", pages, page))
        assert await subscribers() == [True]
        await it.page.get_by_role("button", name="Unsubscribe").click()
        await expect(it.page.get_by_role("heading")).to_have_text("You are unsubscribed")
        await eventually(subscribers, lambda known: known == [])


async def test_what_is_no_address_does_not_leave_the_form(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await made(owner, subscription_enabled=True)
    async with tab(browser, axe) as it:
        await it.page.goto(address(pages, page))
        await it.page.get_by_text("Get updates").click()
        await it.page.get_by_label("E-mail address").fill("nobody")
        await it.page.keyboard.press("Enter")
        assert await it.page.evaluate("document.querySelector('#email').matches(':invalid')")
        assert it.page.url == f"{address(pages, page)}/"


async def test_private_page_is_closed_to_other_addresses(owner: Client, pages: Platform, browser: Browser, axe: str):
    page = await made(owner, name="Inner", type="private", ip_addresses=["192.0.2.7"])
    async with tab(browser, axe) as it:
        for path in ("/", "/history", f"/components/{page['components'][0]['id']}"):
            answer = await it.page.goto(address(pages, page) + path)
            assert answer
            assert answer.status == 403
            await expect(it.page.get_by_role("heading", level=1)).to_have_text("This page is private")
            assert "It is not open to your address." in await it.text()
            assert "Inner" not in await it.page.content()
            assert await it.page.locator("form").count() == 0  # a password would not help
            assert await it.violations() == []
        it.errors.clear()  # Chromium tells of each 403
    async with tab(browser, axe, extra_http_headers={"X-Forwarded-For": "192.0.2.7"}) as it:
        await it.page.goto(address(pages, page))
        await expect(it.page.get_by_role("heading", level=1)).to_have_text("All systems operational")


@pytest.mark.parametrize("theme", ["dark", "auto"])
async def test_printed_page_is_light_and_says_all(
    owner: Client, pages: Platform, browser: Browser, axe: str, theme: str
):
    many = [{"name": f"In the group {place}", "type": "manual"} for place in range(13)]
    page = await made(owner, theme=theme, subscription_enabled=True, accent_color="#ffcc00",
                      components=[{"name": "Website", "type": "manual"}],
                      groups=[{"name": "Closed", "components": many}])  # fmt: skip
    given = [{"id": page["components"][0]["id"], "status": "offline"}]
    incident = await told(owner, page, title="Nothing works", message="<p>We look</p>", components=given)
    component = page["components"][0]["id"]
    async with tab(browser, axe, color_scheme="dark", viewport=A4) as it:
        await it.page.goto(address(pages, page))
        assert not await seen(it.page.get_by_text("In the group 12"))
        await it.page.emulate_media(media="print")
        for words in ("Major outage", "Nothing works", "We look", "Website", "Closed", "In the group 12"):
            assert await seen(it.page.get_by_text(words, exact=True).first), words
        assert await seen(it.page.locator(".bar").last)
        for path in ("", f"/incidents/{incident['id']}", f"/components/{component}", "/history"):
            await it.page.goto(address(pages, page) + path)
            await on_paper(it)


@pytest.mark.parametrize("state", [trouble, maintained], ids=lambda state: state.__name__)
async def test_printed_page_has_what_it_tells_of(
    owner: Client, pages: Platform, browser: Browser, axe: str, state: Any
):
    page = await state(owner)
    async with tab(browser, axe) as it:
        await it.page.goto(address(pages, page))
        headings = await it.page.locator("h1, h2, h3").all_inner_texts()
        await it.page.emulate_media(media="print")
        assert await it.page.locator("h1, h2, h3").all_inner_texts() == headings
        for each in await it.page.locator("h1, h2, h3, .message, .meta, .state").all():
            assert await seen(each), await each.inner_text()
        await on_paper(it)


async def on_paper(it: Tab) -> None:
    """Nothing on it is dark but what is written, nothing waits for a finger, nothing is cut off."""
    light = """[...document.querySelectorAll("html, body, main, .card, .banner, .report")].map((it) => {
      const [r, g, b, a = 1] = getComputedStyle(it).backgroundColor.match(/[\\d.]+/g).map(Number);
      return a === 0 ? 1 : Math.min(r, g, b) / (Math.max(r, g, b) > 1 ? 255 : 1);
    })"""
    assert min(await it.page.evaluate(light)) > 0.8
    ink = "getComputedStyle(document.body).color"
    assert await it.page.evaluate(ink) == "rgb(20, 24, 31)"
    for each in await it.page.locator("form, button, .subscribe, nav, .skip, .tip").all():
        assert not await seen(each)
    assert await it.overflow() <= 0
    assert await it.violations() == []


async def seen(it: Locator) -> bool:
    """Whether it takes room and is painted, also inside of what is closed."""
    return await it.evaluate("(it) => it.checkVisibility() && it.getBoundingClientRect().height > 0")
