"""The platform is away, or the console is: pages say so, recover by themselves, and lose nothing that was typed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from contract.console.conftest import Told
from contract.public.browser import tab
from running import Platform, free_port

CONSOLE = Path(sys.executable).parent / "console"


class Line:
    """The way from the console to the platform: it can be cut, and lose the answer to one request."""

    def __init__(self, to: int) -> None:
        self.port, self._to = free_port(), to
        self.loses = b""
        """How a request begins whose answer is lost, once."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self._server = self._server or await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in [*self._open]:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._to)
        ends = {writer, to}
        self._open |= ends
        lost = asyncio.Event()

        async def ask() -> None:
            while data := await reader.read(65536):
                if self.loses and data.startswith(self.loses):
                    self.loses = b""
                    lost.set()
                to.write(data)

        async def answer() -> None:
            while data := await there.read(65536):
                if lost.is_set():
                    return
                writer.write(data)

        tasks = [asyncio.create_task(ask()), asyncio.create_task(answer())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            end.transport.abort()
        self._open -= ends


@pytest.fixture(scope="module")
async def alone(platform: Platform, folder: Path) -> AsyncIterator[tuple[Line, str, "Process"]]:
    """A console in a process of its own, whose way to the platform can be cut."""
    line = Line(platform.port)
    await line.mend()
    process = Process(folder / "console", line.port)
    await process.start()
    yield line, process.url, process
    await process.stop()
    await line.cut()


class Process:
    """`console`, as in a container."""

    def __init__(self, data: Path, api: int) -> None:
        self.port = free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
        self._environment = clean | {
            "PINGHOME_PORT": str(self.port),
            "PINGHOME_DATA": str(data),
            "PINGHOME_CONSOLE_API": f"http://127.0.0.1:{api}/{{service}}",
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
        await it.page.goto(f"{url}/sign-in")
        await it.page.get_by_label("API token").fill(token)
        await it.page.get_by_role("button", name="Sign in").click()
        await it.page.wait_for_selector("#menu", state="attached")
        yield it
        it.errors.clear()  # the browser notes what is away


async def test_page_says_what_is_away_and_comes_back_by_itself(alone, browser: Browser, axe: str, told: Told):
    line, url, _ = alone
    async with visit(browser, axe, url, told.token) as it:
        await line.cut()
        await it.page.goto(f"{url}/monitors")
        await expect(it.page.get_by_role("heading", name="The platform is away")).to_be_visible()
        assert await it.violations() == []
        await line.mend()
        await expect(it.page.get_by_role("heading", name="Monitors")).to_be_visible(timeout=60_000)


async def test_form_comes_back_filled_and_a_retry_is_carried_out_once(alone, browser: Browser, axe: str, told: Told):
    line, url, _ = alone
    async with visit(browser, axe, url, told.token) as it:
        await it.page.goto(f"{url}/monitors/new?type=tcp")
        await it.page.get_by_label("Name", exact=True).fill("Sent twice")
        await it.page.get_by_label("Host").fill("127.0.0.1")
        await it.page.get_by_label("Port").fill("9")
        line.loses = b"POST /resource-cmd/v1/resource "
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.get_by_role("alert").first).to_contain_text("away")
        await expect(it.page.get_by_label("Host")).to_have_value("127.0.0.1")
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
