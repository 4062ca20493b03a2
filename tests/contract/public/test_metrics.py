"""Metrics on a public page: points that were sent, a URL that is really pinged, and nothing of what is not shown."""

import re
import time
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from contract.client import Client
from contract.pingpong.conftest import Project
from contract.pingpong.conftest import made as project_of
from contract.public.browser import tab
from contract.public.owning import changed
from contract.target import eventually, listening
from running import Platform

HIDDEN = "4711.4711"


@pytest.fixture(scope="module")
async def shown(pages: Platform, owner: Client, web: httpx.AsyncClient) -> Project:
    """A page with two metrics that are shown, one of them a URL, and two that are not."""
    project = await project_of(pages, web, owner, "First organisation")
    first = int(time.time()) // 60 * 60 - 3600
    metric, below, secret = [
        (await project.create("custom-metrics", **fields))["id"]
        for fields in (
            {"name": "Errors", "suffix": "per minute", "rollup": "Maximum value", "description": "Of the API"},
            {"name": "Temperature", "suffix": "°C"},
            {"name": "Secret", "showcased": False},
        )
    ]
    data: dict[str, Any] = {
        metric: [{"timestamp": first + 60 * place, "value": 3 + place % 7} for place in range(60)],
        below: [{"timestamp": first + 60 * place, "value": place / 10 - 3} for place in range(60)],
        secret: [{"timestamp": first, "value": float(HIDDEN)}],
    }
    assert (await project("POST", "custom-metrics/data", json={"data": data})).status_code == 200
    async with listening() as site:
        await project.create("metrics", name="Site", url=site.url, showcased="Showcase uptime and response time")
        await project.create("metrics", name="Unseen", url=site.url, showcased="Don't showcase")
        places = [0]

        async def seen() -> str:
            places[0] += 1  # a change has all of the page read anew, without waiting for the next five minutes
            await changed(owner, project.page, description=f"Look {places[0]}")
            return (await web.get(f"/status/{project.page['subdomain']}")).text

        await eventually(seen, lambda html: html.count("<figure") == 6 and "100" in html, 90)
    return project


async def test_page_shows_values_figures_and_charts(shown: Project, web: httpx.AsyncClient):
    html = (await web.get(f"/status/{shown.page['subdomain']}")).text
    words = " ".join(re.sub(r"<[^>]+>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())
    for said in (
        "Errors 6 per minute Of the API", "Minimum, 24 hours 3 per minute", "Maximum, 24 hours 9 per minute",
        "Temperature 2.9 °C", "Minimum, 24 hours \N{MINUS SIGN}3 °C", "Site",
    ):  # fmt: skip
        assert said in words, said
    assert html.count('class="card padded metric"') == 3
    for hidden in ("Secret", "Unseen", HIDDEN):
        assert hidden not in html


async def test_nothing_of_them_is_in_the_other_forms_of_the_page(shown: Project, web: httpx.AsyncClient):
    root = f"/status/{shown.page['subdomain']}"
    for path in ("/history", "/history.rss", "/feed.json", "/api/v2/summary.json", "/widget", "/badge.svg"):
        text = (await web.get(root + path)).text
        assert not {word for word in ("Secret", "Unseen", HIDDEN, "Errors") if word in text}, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 320])
async def test_everybody_can_read_them(
    shown: Project, pages: Platform, browser: Browser, axe: str, width: int, scheme: Any
):
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    async with tab(browser, axe, **options) as it:
        await it.page.goto(f"{pages.url}/status/{shown.page['subdomain']}")
        assert "per minute" in await it.text()
        for box in await it.boxes(".metric svg:has(.line)"):
            assert box["width"] > 60
            assert box["height"] > 15
        assert await it.violations() == []
        assert await it.complaints() == []
        assert await it.overflow() <= 0
