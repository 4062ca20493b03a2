"""Debian's Chromium on public pages: what it shows, refuses and complains about."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench.debian import provide
from contract.public.owning import BELOW

BIN = Path(sys.executable).parent
NODE = Path(__file__).parent / "node"

_WATCH = """
window.complaints = [];
document.addEventListener("securitypolicyviolation", (event) => {
  complaints.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


def packages(folder: Path) -> Path:
    """The packages of `node`, as they are published."""
    for path in NODE.glob("package*.json"):
        shutil.copy(path, folder)
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [BIN / "npm", "ci", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, env=os.environ | path, check=True)  # noqa: S603
    return folder / "node_modules"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser for which all pages' hosts are here."""
    provide(["chromium-headless-shell"])
    async with async_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP *.{BELOW} 127.0.0.1"
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"), args=[rules]
        )
        yield browser
        await browser.close()


@dataclass
class Tab:
    """One page in the browser; `errors` are what it complains about, `dialogs` what scripts have opened."""

    page: Page
    axe: str
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    async def text(self) -> str:
        return await self.page.inner_text("body")

    async def violations(self, *only: str) -> list[str]:
        """What axe finds, by all of its rules or by some."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(self.axe)
        asked = {"resultTypes": ["violations"]} | ({"runOnly": only} if only else {})  # what is well takes longest
        found = await self.page.evaluate("(asked) => axe.run(document, asked)", asked)
        return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]

    async def complaints(self) -> list[str]:
        """Breaches of the page's policy."""
        return await self.page.evaluate("window.complaints")

    async def boxes(self, selector: str) -> list[dict[str, float]]:
        """Where some elements are, looked up and measured at once, as a live page may replace them in between."""
        measured = "(them) => them.map((it) => it.getBoundingClientRect().toJSON())"
        return await self.page.eval_on_selector_all(selector, measured)

    async def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")


@asynccontextmanager
async def tab(browser: Browser, axe: str, **options: Any) -> AsyncIterator[Tab]:
    """A tab of a fresh visitor, in the time zone of Berlin; fails at the end when something was complained about."""
    context = await browser.new_context(**{"timezone_id": "Europe/Berlin", "locale": "en-GB"} | options)
    it = Tab(await context.new_page(), axe)
    it.page.on("console", lambda message: it.errors.append(message.text) if message.type == "error" else None)
    it.page.on("pageerror", lambda error: it.errors.append(str(error)))

    async def dismiss(dialog: Any) -> None:
        it.dialogs.append(dialog.message)
        await dialog.dismiss()

    it.page.on("dialog", dismiss)
    await it.page.add_init_script(_WATCH)
    yield it
    await context.close()
    assert it.errors == [], it.errors
    assert it.dialogs == []
