"""Response times of a monitor that is really probed: on its component's page, and nowhere else."""

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from contract.client import Client
from contract.pinghome.watched import watched
from contract.public.browser import tab
from contract.public.owning import BELOW, changed, made, paths
from contract.target import eventually, listening
from running import Platform

WORDS = "Response time"


@pytest.fixture(scope="module")
async def measured(owner: Client, web: httpx.AsyncClient) -> dict[str, Any]:
    """A page with a component whose monitor has been probed, and others that have no response times."""
    async with listening() as site:
        monitor, unseen = await watched(owner, site), await watched(owner, site)
        beat = await owner.heartbeat()
        page = await made(
            owner,
            components=[
                {"name": "Probed", "type": "resource", "resource_id": monitor.id},
                {"name": "Hidden", "type": "resource", "resource_id": unseen.id, "showcased": False},
                {"name": "Job", "type": "heartbeat", "resource_id": beat["id"]},
                {"name": "By hand", "type": "manual"},
            ],
        )
        places = [0]

        async def seen() -> str:
            places[0] += 1  # a change has all of the page read anew, without waiting for the next five minutes
            await changed(owner, page, description=f"Look {places[0]}")
            return (await web.get(f"/status/{page['subdomain']}")).text

        await eventually(seen, lambda html: WORDS in html, 120)
    return page | {"monitors": [monitor.id, unseen.id]}


async def test_probed_component_shows_its_response_times_and_others_none(
    measured: dict[str, Any], web: httpx.AsyncClient
):
    url = f"/status/{measured['subdomain']}"
    probed, hidden, job, manual = (each["id"] for each in measured["components"])

    assert (await web.get(url)).text.count('class="pace"') == 1
    html = (await web.get(f"{url}/components/{probed}")).text
    found = re.findall(rf'aria-label="{WORDS} of Probed in the last (\d+ \w+): ([\d.]+)\s\w+ on average', html)
    assert [window for window, _ in found] == ["24 hours", "90 days"]
    assert all(0 < float(average) < 10_000 for _, average in found)
    for id_ in (job, manual):
        assert WORDS not in (await web.get(f"{url}/components/{id_}")).text
    assert (await web.get(f"{url}/components/{hidden}")).status_code == 404


async def test_hidden_monitors_are_not_even_counted(measured: dict[str, Any], pages: Platform):
    shown, unseen = measured["monitors"]
    async with pages.sql("statuspage_query") as there:
        rows = await there.fetch("SELECT DISTINCT monitor::text FROM response_day")
    kept = {row["monitor"] for row in rows}
    assert shown in kept
    assert unseen not in kept


async def test_page_of_another_organisation_shows_nothing_of_the_monitor(
    measured: dict[str, Any], pages: Platform, web: httpx.AsyncClient
):
    created = await pages.command("organisation", "create", "Strangers")
    stranger = Client(web, created["token"])
    follows = {"type": "resource", "resource_id": measured["monitors"][0]}
    page = await made(stranger, components=[{"name": "Not ours", **follows}])
    for path in paths(page["components"][0]["id"]):
        if path != "/events":
            assert WORDS not in (await web.get(f"/status/{page['subdomain']}{path}")).text, path


async def test_private_page_keeps_its_response_times(measured: dict[str, Any], owner: Client, web: httpx.AsyncClient):
    follows = {"type": "resource", "resource_id": measured["monitors"][0]}
    page = await made(owner, type="private", password="open", components=[{"name": "Probed", **follows}])
    url, id_ = f"/status/{page['subdomain']}", page["components"][0]["id"]
    for path in paths(id_):
        answer = await web.get(url + path)
        assert answer.status_code == 401, path
        assert WORDS not in answer.text, path
    entered = await web.post(f"{url}/unlock", data={"password": "open"})
    cookie = {"Cookie": entered.headers["set-cookie"].split(";")[0]}
    answer = await web.get(f"{url}/components/{id_}", headers=cookie)
    assert WORDS in answer.text
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 320])
async def test_everybody_can_read_them(
    measured: dict[str, Any], pages: Platform, browser: Browser, axe: str, width: int, scheme: Any
):
    root = f"http://{measured['subdomain']}.{BELOW}:{pages.port}"
    for script in (True, False):
        options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "java_script_enabled": script}
        async with tab(browser, axe, **options) as it:
            for path in ("/", f"/components/{measured['components'][0]['id']}"):
                await it.page.goto(root + path)
                assert WORDS in await it.text()
                box, *_ = await it.boxes("svg:has(.line)")
                assert box["width"] > 60
                assert box["height"] > 15
                if script:
                    assert await it.violations() == []
                    assert await it.complaints() == []
                    assert await it.overflow() <= 0
