"""The tabs of a browser share one event stream, and a hidden one gives its own up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, expect

from contract.client import Client
from contract.public.browser import Tab, tab
from contract.public.owning import BELOW, made, told
from contract.target import eventually
from running import Platform


@dataclass
class Counting:
    """A proxy in front of the platform, which knows how many event streams go through it."""

    behind: int
    port: int = 0
    streams: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.behind)
        try:
            await asyncio.wait(
                [asyncio.create_task(self._pass(reader, back, writer)), asyncio.create_task(self._pass(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self.streams.discard(writer)
            back.close()
            writer.close()

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, asking: asyncio.StreamWriter | None = None
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if asking and b"/events HTTP/1.1\r\n" in data:
                    self.streams.add(asking)
                to.write(data)
                await to.drain()

    async def count(self) -> int:
        return len(self.streams)


@pytest.fixture
async def counting(pages: Platform) -> AsyncIterator[Counting]:
    it = Counting(pages.port)
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    yield it
    server.close()


@asynccontextmanager
async def two_tabs(browser: Browser, axe: str, url: str, script: str = "") -> AsyncIterator[tuple[Tab, Page]]:
    """Two tabs of one visitor."""
    async with tab(browser, axe) as it:
        if script:
            await it.page.context.add_init_script(script)
        await it.page.goto(url)
        other = await it.page.context.new_page()
        await other.goto(url)
        yield it, other


async def hide(page: Page, *, hidden: bool) -> None:
    await page.evaluate(
        """(hidden) => {
          if (hidden) Object.defineProperty(document, "hidden", { value: true, configurable: true });
          else delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def test_tabs_share_one_stream_and_hidden_ones_need_none(
    owner: Client, counting: Counting, browser: Browser, axe: str
):
    page = await made(owner)
    async with two_tabs(browser, axe, f"http://{page['subdomain']}.{BELOW}:{counting.port}") as (it, other):
        both = (it.page, other)
        await eventually(counting.count, lambda count: count == 1)
        await told(owner, page, title="For both")
        for each in both:
            await expect(each.get_by_role("link", name="For both")).to_be_visible(timeout=10_000)
        assert len(counting.streams) == 1
        assert await it.complaints() == []

        await hide(other, hidden=True)
        await told(owner, page, title="For one")
        await expect(it.page.get_by_role("link", name="For one")).to_be_visible(timeout=10_000)
        assert len(counting.streams) == 1
        assert await other.get_by_role("link", name="For one").count() == 0

        await hide(it.page, hidden=True)
        await eventually(counting.count, lambda count: count == 0)
        await told(owner, page, title="For nobody")
        await hide(other, hidden=False)
        await expect(other.get_by_role("link", name="For nobody")).to_be_visible(timeout=10_000)
        await eventually(counting.count, lambda count: count == 1)
        await other.close()
        await eventually(counting.count, lambda count: count == 0)


async def test_browser_without_shared_workers_has_a_stream_for_each_tab(
    owner: Client, counting: Counting, browser: Browser, axe: str
):
    page = await made(owner)
    url = f"http://{page['subdomain']}.{BELOW}:{counting.port}"
    async with two_tabs(browser, axe, url, "delete window.SharedWorker") as (it, other):
        await eventually(counting.count, lambda count: count == 2)
        await told(owner, page, title="For both")
        for each in (it.page, other):
            await expect(each.get_by_role("link", name="For both")).to_be_visible(timeout=10_000)
        await hide(other, hidden=True)
        await eventually(counting.count, lambda count: count == 1)
