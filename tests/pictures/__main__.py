"""`make pictures`: how status pages and the console look, on a platform of its own, in Debian's Chromium."""

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
from playwright.async_api import Browser, Page, async_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.debian import provide
from pictures import console
from pictures.measured import measure
from pictures.scenes import REGIONS, SCENES
from running import TOKEN, Platform, up

SHOWN = ["calm", "incident", "maintenance", "new"]
"""The scenes of docs/pictures."""
CONSOLE = [f"console-{name}" for name in console.SCENES]
"""Those of the console."""
SIZES = {"desktop": (1120, 860), "phone": (390, 844)}
COLOURS, FREQUENT, NEAR, FAR = 160, 48, 4, 9
"""Of a picture; the most frequent of them; how far these are from each other at least, in one part, and the others."""
WIDE = (1360, 900)
"""A window of the console on a desktop."""


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


async def photograph(
    browser: Browser, url: str, into: Path, scenes: list[str], paths: dict[str, str], *, whole: bool
) -> None:
    """Takes each scene in each size and colour scheme; `paths` are those of the console's."""
    for scheme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            for of_console in (False, True):
                wanted = [name for name in scenes if name.startswith("console-") is of_console]
                wide, high = WIDE if of_console and size == "desktop" else (width, height)
                page = await browser.new_page(
                    viewport={"width": wide, "height": high},
                    color_scheme=scheme,  # type: ignore[arg-type]
                    timezone_id="Europe/Berlin",
                    locale="en-GB",
                )
                if of_console and wanted:
                    await console.enter(page, url)
                for name in wanted:
                    if of_console:
                        scene = name.removeprefix("console-")
                        await console.show(page, url, scene, paths[scene])
                        await keep(page, into / f"{name}-{size}-{scheme}.png", whole=whole)
                    else:
                        await page.goto(f"{url}/status/{name}")
                        await page.wait_for_load_state()
                        await keep(page, into / f"page-{name}-{size}-{scheme}.png", whole=whole)
                await page.close()


async def keep(page: Page, path: Path, *, whole: bool) -> None:
    """Writes what a page shows in its most frequent colours, so that large areas are what they are."""
    body = await page.screenshot(full_page=whole)
    picture = Image.open(BytesIO(body)).convert("RGB")
    counted = sorted(picture.getcolors(picture.width * picture.height) or [], reverse=True)  # type: ignore[type-var]
    kept: list[tuple[int, ...]] = []
    for _, colour in counted:
        near = (max(abs(one - other) for one, other in zip(colour, each, strict=True)) for each in kept)  # type: ignore[arg-type]
        if all(each > (NEAR if len(kept) < FREQUENT else FAR) for each in near):
            kept.append(colour)  # type: ignore[arg-type]
    few = Image.new("P", (1, 1))
    few.putpalette([part for each in kept[:COLOURS] for part in each])
    picture.quantize(palette=few, dither=Image.Dither.NONE).save(path, optimize=True)


async def main() -> None:
    """Writes the pictures into a folder."""
    words = argparse.ArgumentParser(description="Photographs status pages and the console.")
    words.add_argument("--into", type=Path, default=Path("docs/pictures"), help="the folder (docs/pictures)")
    words.add_argument(
        "--scene",
        choices=[*SCENES, *CONSOLE],
        action="append",
        help=f"only this one; may be repeated ({', '.join([*SHOWN, *CONSOLE])})",
    )
    words.add_argument("--whole", action="store_true", help="the whole page, not only what a window shows at first")
    asked = words.parse_args()
    provide(["chromium-headless-shell"])
    with tempfile.TemporaryDirectory(prefix="pinghome-pictures-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240  # nothing else runs yet
        async with told(folder) as platform, console.watched(platform) as paths, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium-headless-shell"))
            scenes = asked.scene or [*SHOWN, *(f"console-{name}" for name in console.SHOWN)]
            await photograph(browser, platform.url, asked.into, scenes, paths, whole=asked.whole)
            await browser.close()


asyncio.run(main())
