"""`make pictures`: how status pages look, on a platform of its own, photographed in Debian's Chromium."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.async_api import Browser, async_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.debian import provide
from pictures.measured import measure
from pictures.scenes import REGIONS, SCENES
from running import TOKEN, Platform, up

SHOWN = ["calm", "incident", "maintenance", "new"]
"""The scenes of docs/pictures."""
SIZES = {"desktop": (1120, 860), "phone": (390, 844)}


@asynccontextmanager
async def told(folder: Path) -> AsyncIterator[Platform]:
    """A platform with all scenes."""
    now = datetime.now(UTC)
    async with up(folder / "data", bootstrap_token=TOKEN) as platform:
        async with platform.sql("resource_cmd") as there:
            organisation = await there.fetchval("SELECT id FROM organisation LIMIT 1")
        async with platform.sql("statuspage_query") as there:
            await measure(there, organisation, now, [name for of in REGIONS.values() for name in of])
        async with platform.sql("statuspage_cmd") as there:
            for scene in SCENES.values():
                await scene(there, organisation, now)
        async with httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as http, asyncio.timeout(60):
            last = {"large": "Restoring takes longer.", "maintenance": "Inventur", "incident": "Most payments"}
            for name in SCENES:
                while last.get(name, "<h1") not in (await http.get(f"/status/{name}")).text:
                    await asyncio.sleep(0.1)
        yield platform


async def photograph(browser: Browser, url: str, into: Path, scenes: list[str], *, whole: bool) -> None:
    """Takes each scene in each size and colour scheme."""
    for scheme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            page = await browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="Europe/Berlin"
            )
            for name in scenes:
                await page.goto(f"{url}/status/{name}")
                await page.wait_for_load_state()
                body = await page.screenshot(full_page=whole)
                few = (
                    Image.open(BytesIO(body))
                    .convert("RGB")
                    .quantize(200, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
                )
                few.save(into / f"page-{name}-{size}-{scheme}.png", optimize=True)
            await page.close()


async def main() -> None:
    """Writes the pictures into a folder."""
    words = argparse.ArgumentParser(description="Photographs status pages.")
    words.add_argument("--into", type=Path, default=Path("docs/pictures"), help="the folder (docs/pictures)")
    words.add_argument(
        "--scene", choices=SCENES, action="append", help=f"only this one; may be repeated ({', '.join(SHOWN)})"
    )
    words.add_argument("--whole", action="store_true", help="the whole page, not only what a window shows at first")
    asked = words.parse_args()
    provide(["chromium"])
    with tempfile.TemporaryDirectory(prefix="pinghome-pictures-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240  # nothing else runs yet
        async with told(folder) as platform, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"))
            await photograph(browser, platform.url, asked.into, asked.scene or SHOWN, whole=asked.whole)
            await browser.close()


asyncio.run(main())
