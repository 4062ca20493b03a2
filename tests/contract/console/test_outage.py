"""The platform is away, or the console is: pages say so, recover by themselves, and lose nothing that was typed."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from contract.console.conftest import Told
from contract.console.line import Line
from contract.console.test_pages import path
from contract.console.viewing import enter, form_of, form_token, send, sign_in, signed_in, with_cookie
from contract.public.browser import tab
from running import Platform, free_port

ASKED = ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query")
CONSOLE = Path(sys.executable).parent / "console"


@pytest.fixture(scope="module")
async def alone(platform: Platform, folder: Path) -> AsyncIterator[tuple[Line, str, "Process"]]:
    """A console in a process of its own, whose ways to statistic-query and to the other services can be cut."""
    line, statistics = Line(platform.port), Line(platform.port)
    await line.mend()
    await statistics.mend()
    process = Process(folder / "console", line.port, statistics)
    await process.start()
    yield line, process.url, process
    await process.stop()
    await line.cut()
    await statistics.cut()


@pytest.fixture
async def direct(alone: tuple[Line, str, "Process"]) -> AsyncIterator[httpx.AsyncClient]:
    """That console, over HTTP alone."""
    async with httpx.AsyncClient(base_url=alone[1], timeout=60, trust_env=False) as connections:
        yield connections


class Process:
    """`console`, as in a container."""

    def __init__(self, data: Path, api: int, statistics: Line) -> None:
        self.port, self.statistics = free_port(), statistics
        ways = {each: statistics.port if each == "statistic-query" else api for each in ASKED}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
        self._environment = clean | {
            "PINGHOME_PORT": str(self.port),
            "PINGHOME_DATA": str(data),
            "PINGHOME_CONSOLE_API": ",".join(f"{each}=http://127.0.0.1:{to}/{each}" for each, to in ways.items()),
            "PINGHOME_CONSOLE_SECRET": "0123456789abcdef0123456789abcdef",
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            CONSOLE, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        assert self._process
        self._process.terminate()
        async with asyncio.timeout(60):
            assert await self._process.wait() == 0


@asynccontextmanager
async def visit(browser: Browser, axe: str, url: str, token: str):
    async with tab(browser, axe) as it:
        await sign_in(it.page, url, token)
        yield it
        it.errors.clear()  # the browser notes what is away


async def typed(page: Page, url: str, type_: str, name: str) -> None:
    """Fills the form of a new monitor of this machine."""
    await page.goto(f"{url}/monitors/new?type={type_}")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Host").fill("127.0.0.1")


async def test_page_says_what_is_away_and_comes_back_by_itself(alone, browser: Browser, axe: str, told: Told):
    line, url, _ = alone
    async with visit(browser, axe, url, told.token) as it:
        await line.cut()
        await it.page.goto(f"{url}/monitors")
        await expect(it.page.get_by_role("heading", name="The platform is away")).to_be_visible()
        assert await it.violations() == []
        await line.mend()
        await expect(it.page.get_by_role("heading", name="Monitors")).to_be_visible(timeout=60_000)


async def test_form_stays_as_it_was_typed_and_a_retry_is_carried_out_once(
    alone, browser: Browser, axe: str, told: Told
):
    line, url, _ = alone
    async with visit(browser, axe, url, told.token) as it:
        await it.page.goto(f"{url}/monitors/new")
        await it.page.get_by_label("Name", exact=True).fill("Sent twice")
        await it.page.get_by_label("Address").fill(told.site.url)
        await it.page.get_by_text("More", exact=True).click()
        await it.page.get_by_label("Headers").fill("Authorization: hush")
        line.loses = b"POST /resource-cmd/v1/resource "
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.locator("#lost")).to_contain_text("resource-cmd is away")
        await expect(it.page.get_by_label("Address")).to_have_value(told.site.url)
        await expect(it.page.get_by_label("Headers")).to_have_value("Authorization: hush")  # it never left the browser
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.get_by_text("Made.")).to_be_visible()
    assert (await told.client.get("resource-query/v1/resources", q="Sent twice"))["total"] == 1


async def test_what_is_typed_outlasts_a_console_that_is_away(alone, browser: Browser, axe: str, told: Told):
    _, url, process = alone
    async with visit(browser, axe, url, told.token) as it:
        await it.page.goto(f"{url}/services")
        name = it.page.locator("section").get_by_label("Name", exact=True)
        await name.fill("Typed before")
        await process.stop()
        await it.page.locator("section").get_by_role("button", name="Save").click()
        await expect(it.page.locator("#lost")).to_contain_text("does not answer")
        await expect(name).to_have_value("Typed before")
        await process.start()
        await it.page.locator("section").get_by_role("button", name="Save").click()
        await expect(it.page.get_by_text("Made.")).to_be_visible()
    assert (await told.client.get("resource-query/v1/services", q="Typed before"))["total"] == 1


async def test_form_is_kept_while_all_services_are_away(alone, browser: Browser, axe: str, told: Told):
    line, url, _ = alone
    async with visit(browser, axe, url, told.token) as it:
        await typed(it.page, url, "icmp", "Typed meanwhile")
        async with line.away():
            await it.page.get_by_role("button", name="Save").last.click()
            await expect(it.page.locator("#lost")).to_contain_text("is away")
        await expect(it.page.get_by_label("Host")).to_have_value("127.0.0.1")
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.get_by_text("Made.")).to_be_visible()


async def test_form_can_be_sent_again_without_a_script_and_without_its_secret(
    alone, direct: httpx.AsyncClient, told: Told
):
    line, _, _ = alone
    session = await signed_in(direct, told.token)
    token = form_token((await direct.get("/regions", headers=with_cookie(session))).text)
    given = {
        "type": "webhook",
        "name": "Sent again",
        "url": told.site.url,
        "secret": "hush-hush-hush-hush",
        "key": "k" * 36,
    }
    given |= {"service_id": told.at["service"].rpartition("/")[2], "secrets": "url secret"}
    async with line.away():
        away = await direct.post("/alerts/new", data=given | {"form_token": token}, headers=with_cookie(session))
    assert away.status_code == 503
    assert "is away" in away.text
    assert given["secret"] not in away.text
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', away.text))
    assert kept.items() >= {name: given[name] for name in ("type", "name", "key")}.items()
    assert given["url"] not in kept.values()  # what follows a webhook's host is a secret
    for _ in range(2):  # the second is the first, said again
        secrets = {name: given[name] for name in ("url", "secret")}
        made = await direct.post("/alerts/new", data=kept | secrets, headers=with_cookie(session))
        assert made.status_code == 303, made.text
    found = await told.client.get("resource-query/v1/channels", q="Sent again")
    assert found["total"] == 1


SECRETS = {
    "/alerts/new": {"url": "https://hooks.example.com/hush", "secret": "hush-hush-hush-hush"},
    "/alerts/new?kind=apprise": {"url": "tgram://hush/hush"},
    "/monitors/new": {"headers": "X-Kept: ********\nAuthorization: Basic hush", "body": "hush"},
    "/statuspages/new": {"password": "hush-hush"},
    "monitor/outside/new": {"token": "hush-hush-hush-hush"},
    "monitor/outside/new?type=slack": {"integration": "https://hooks.slack.com/services/hush"},
    "monitor/outside/new?type=webhook": {"integration": "https://example.com/hush", "token": "hush-hush-hush-hush"},
}


@pytest.mark.parametrize("form", SECRETS)
async def test_no_secret_comes_back(alone, direct: httpx.AsyncClient, told: Told, form: str):
    """Neither while everything is away, nor while the commands alone are."""
    line, _, _ = alone
    session = await signed_in(direct, told.token)
    at = path(told, form)
    filled_in = await form_of(direct, session, at, at.partition("?")[0])
    async with line.away():
        nothing = await send(direct, session, filled_in, name="Typed", **SECRETS[form])
    line.loses = b"POST /statuspage-cmd/" if "statuspages" in form else b"POST /resource-cmd/"
    commands = await send(direct, session, filled_in, name="Typed", **SECRETS[form])
    for answer in (nothing, commands):
        assert answer.status_code == 503
        assert "Secrets have to be typed anew." in answer.text
        assert "hush" not in answer.text
        assert 'value="Typed"' in answer.text
        assert "X-Kept: ********" in answer.text or form != "/monitors/new"  # a mask is none


async def test_one_service_away_takes_only_its_part(alone, direct: httpx.AsyncClient, told: Told):
    _, _, process = alone
    session = with_cookie(await signed_in(direct, told.token))
    async with process.statistics.away():
        overview = await direct.get("/", headers=session)
        assert overview.status_code == 200
        assert "The history is away." in overview.text
        assert (await direct.get("/monitors", headers=session)).status_code == 200
        away = await direct.get(told.at["monitor"], headers=session)
        assert away.status_code == 503
        assert "statistic-query does not answer" in away.text
    assert (await direct.get(told.at["monitor"], headers=session)).status_code == 200


async def test_tabs_of_a_session_share_one_stream_of_the_platform(alone, direct: httpx.AsyncClient, told: Told):
    line, _, _ = alone
    session = with_cookie(await signed_in(direct, told.token))
    line.asked.clear()
    async with AsyncExitStack() as tabs:
        for _ in range(3):
            it = await tabs.enter_async_context(direct.stream("GET", "/events", headers=session))
            assert it.status_code == 200
            assert "event: hello" in await anext(it.aiter_text())
        for _ in range(2):  # whatever else is asked meanwhile
            assert (await direct.get("/regions", headers=session)).status_code == 200
        changes = [each for each in line.asked if b"/changes" in each]
    assert sorted(each.split()[1] for each in changes) == [
        b"/resource-query/v1/changes",
        b"/statuspage-query/v1/changes",
    ]


async def test_page_is_fresh_behind_a_proxy_that_holds_streams_back(
    alone, direct: httpx.AsyncClient, browser: Browser, axe: str, told: Told
):
    _, _, process = alone
    session = await signed_in(direct, told.token)
    body = {"name": "Polled", "interval": 86400, "service_id": told.client.service_id}
    made = (await told.client("POST", "resource-cmd/v1/heartbeat", json=body)).json()["id"]
    proxy = Line(process.port)
    proxy.holds = b"GET /events "
    await proxy.mend()
    async with tab(browser, axe) as it:
        await enter(it.page, session, "/")
        await it.page.goto(f"http://127.0.0.1:{proxy.port}/heartbeats?q=Polled")
        row = it.page.locator(f"#row-{made}")
        await expect(row).to_contain_text("Pending")
        async with asyncio.timeout(60):
            while not proxy.held:
                await asyncio.sleep(0.1)
        await told.client("GET", f"data-gateway/v1/heartbeat/{made}")
        await expect(row).to_contain_text("Up", timeout=150_000)
        assert b"text/event-stream" in proxy.held[0]
    await proxy.cut()
