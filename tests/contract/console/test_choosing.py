"""What is chosen from a list can be chosen beyond the list's first page, with a script and without."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from contract.client import Client
from contract.console.viewing import BASE, enter, form_of, send, signed_in, with_cookie
from contract.public.browser import tab
from running import Platform

CROWD = 600
"""More than a list shows at once, in front of what is chosen here."""


@dataclass
class Crowded:
    """An organisation with more of everything than a list shows; what is last of each noun is real."""

    client: Client
    session: str
    ids: dict[str, str]

    async def posted(self, web: httpx.AsyncClient, at: str, **given: str) -> httpx.Response:
        return await send(web, self.session, await form_of(web, self.session, at), **given)

    async def monitor(self) -> dict[str, Any]:
        return await self.client.get(f"resource-query/v1/resource/{self.ids['resource']}")


@pytest.fixture(scope="module")
async def crowded(platform: Platform, http: httpx.AsyncClient, web: httpx.AsyncClient) -> AsyncIterator[Crowded]:
    """That organisation; the crowd is known to the lists alone."""
    keys = await platform.command("organisation", "create", "Crowded")
    client = Client(http, keys["token"])

    async def made(path: str, **body: Any) -> str:
        answer = await client("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    own = {"name": "Zebra", "service_id": keys["service_id"]}
    monitor = {"type": "http", "url": "https://example.com/", "regions": ["eu-central-1"], "interval": 86400}
    ids = {
        "service": await made("resource-cmd/v1/service", name="Zebra"),
        "channel": await made("resource-cmd/v1/channel", **own, kind="webhook", config={"url": "http://127.0.0.1:9/"}),
        "resource": await made("resource-cmd/v1/resource", **own, **monitor),
        "server_resource": await made("resource-cmd/v1/server-resource", **own | {"name": "Zoo"}),
    }
    async with platform.sql("resource_query") as there:
        for table, id_ in ids.items():
            columns = "organisation, version" + ("" if table == "service" else ", service")
            new = "overlay(id::text placing lpad(n::text, 8, '0') from 1 for 8)"
            copies = (
                f"INSERT INTO {table} (id, state, {columns}) SELECT {new}::uuid,"  # noqa: S608
                f" state || jsonb_build_object('id', {new}, 'name', 'Ant ' || n), {columns}"
                f" FROM {table}, generate_series(1, $2) n WHERE id = $1"
            )
            await there.execute(copies, id_, CROWD)
    yield Crowded(client, await signed_in(web, keys["token"]), ids)
    async with platform.sql("resource_query") as there:
        for table in ids:
            await there.execute(f"DELETE FROM {table} WHERE state->>'name' LIKE 'Ant %'")  # noqa: S608


async def test_parent_is_chosen_by_its_name_or_id(web: httpx.AsyncClient, crowded: Crowded):
    at = f"/monitors/{crowded.ids['resource']}/edit"
    zoo = crowded.ids["server_resource"]
    for typed in ("Zoo", "zoo ", zoo, f"Zoo ({zoo})"):
        assert (await crowded.posted(web, at, parent_id=typed)).status_code == 303, typed
        assert (await crowded.monitor())["parent_id"] == zoo
        assert (await crowded.posted(web, at)).status_code == 303  # as it is
        assert (await crowded.monitor())["parent_id"] == zoo
        assert (await crowded.posted(web, at, parent_id="")).status_code == 303
        assert (await crowded.monitor())["parent_id"] is None


async def test_parent_that_is_none_or_several_is_said_at_its_field(web: httpx.AsyncClient, crowded: Crowded):
    at = f"/monitors/{crowded.ids['resource']}/edit"
    made = []
    for service in (crowded.ids["service"], crowded.client.service_id):
        body = {"name": "Twin", "service_id": service}
        answer = await crowded.client("POST", "resource-cmd/v1/server-resource", json=body)
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
    for typed, words in (("Nobody", ["Nothing is called Nobody."]), ("Twin", made)):
        answer = await crowded.posted(web, at, parent_id=typed)
        assert answer.status_code == 422
        assert 'id="parent_id-wrong"' in answer.text
        assert f'value="{typed}"' in answer.text
        for each in words:
            assert each in answer.text
    suggested = await web.get("/pick/parents", params={"parent_id": "twin"}, headers=with_cookie(crowded.session))
    assert all(f"Twin ({id_})" in suggested.text for id_ in made)
    assert (await crowded.posted(web, at, parent_id=f"Twin ({made[1]})")).status_code == 303
    assert (await crowded.monitor())["parent_id"] == made[1]
    assert (await crowded.posted(web, at, parent_id="")).status_code == 303


async def test_component_follows_what_is_called_so(web: httpx.AsyncClient, crowded: Crowded):
    given = {"name": "Crowded", "subdomain": "crowded", "name.1": "Website", "follows.1": "Zebra"}
    wrong = await crowded.posted(web, "/statuspages/new", **given | {"follows.1": "Nobody"})
    assert wrong.status_code == 422
    assert "Nothing is called Nobody." in wrong.text
    made = await crowded.posted(web, "/statuspages/new", **given)
    assert made.status_code == 303, made.text
    at = made.headers["location"].removeprefix(BASE).partition("?")[0]
    page = f"statuspage-query/v1/statuspage/{at.rpartition('/')[2]}/unified"
    assert (await crowded.client.get(page))["components"][0]["resource_id"] == crowded.ids["resource"]
    assert 'value="Zebra"' in (await web.get(at, headers=with_cookie(crowded.session))).text
    for typed, noun in ((None, "resource"), ("Zoo", "server_resource"), ("", None)):
        given = {} if typed is None else {"follows.1": typed}
        assert (await crowded.posted(web, at, **given)).status_code == 303
        it = (await crowded.client.get(page))["components"][0]
        assert it["resource_id"] == (crowded.ids[noun] if noun else None)
    await crowded.client("DELETE", f"statuspage-cmd/v1/statuspage/{at.rpartition('/')[2]}")


async def test_every_channel_and_service_can_be_chosen(web: httpx.AsyncClient, crowded: Crowded):
    service, channel = crowded.ids["service"], crowded.ids["channel"]
    at = f"/monitors/{crowded.ids['resource']}/edit"
    assert (
        await crowded.posted(web, at, service_id=service, **{"channels.whose": "own", "channels": channel})
    ).status_code == 303
    it = await crowded.monitor()
    assert (it["service_id"], it["channels"]) == (service, [channel])
    for page in ("/alerts/new", "/keys", "/monitors?q=Zebra", "/services?page=13", "/"):
        assert service in (await web.get(page, headers=with_cookie(crowded.session))).text, page
    for page in ("/alerts/sent", "/services", "/alerts?page=13", "/alerts?q=Zebra"):
        assert channel in (await web.get(page, headers=with_cookie(crowded.session))).text, page
    form = await form_of(web, crowded.session, "/monitors?q=Zebra", "/monitors/many")
    ask = await send(web, crowded.session, form, do="channels", id=crowded.ids["resource"])
    assert channel in ask.text


async def test_every_key_is_shown(web: httpx.AsyncClient, crowded: Crowded):
    for number in range(51):
        body = {"name": f"Key {number}.", "kind": "bearer", "scope": "read"}
        assert (await crowded.client("POST", "resource-cmd/v1/key", json=body)).status_code == 201
    text = (await web.get("/keys", headers=with_cookie(crowded.session))).text
    assert all(f"Key {number}." in text for number in range(51))


async def test_what_is_typed_is_searched_as_it_is_typed(
    platform: Platform, browser: Browser, axe: str, crowded: Crowded
):
    async with tab(browser, axe) as it:
        await enter(it.page, crowded.session)
        await it.page.goto(f"{platform.url}{BASE}/monitors/{crowded.ids['resource']}/edit")
        await it.page.get_by_text("More", exact=True).click()
        field = it.page.get_by_label("Depends on")
        await field.press_sequentially("zo")
        await expect(it.page.locator("#parent_id-found option")).to_have_count(1)
        assert await it.page.locator("#parent_id-found option").get_attribute("value") == "Zoo"
        await field.fill("Zoo")  # as choosing it from the browser's own list does
        await it.page.get_by_role("button", name="Save").last.click()
        await expect(it.page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert (await crowded.monitor())["parent_id"] == crowded.ids["server_resource"]


async def test_list_is_paged_sorted_and_filtered(web: httpx.AsyncClient, crowded: Crowded):
    async def names(query: str) -> list[str]:
        page = (await web.get(f"/monitors?{query}", headers=with_cookie(crowded.session))).text
        return re.findall(r'class="name"><a [^>]*>([^<]+)</a>', page)

    assert len(await names("")) == 50
    assert (await names("sort=-name&page=1"))[0] == "Zebra"
    assert (await names("sort=name&page=13")) == ["Zebra"]
    for query, found in (
        ("q=zEB", 1), ("state=paused", 0), ("type=dns", 0), ("type=http&q=Ant 600", 1), ("tag=none", 0),
        (f"service={crowded.client.service_id}&q=nothing", 0),
    ):  # fmt: skip
        assert len(await names(query)) == found, query


async def test_audit_goes_back_to_the_beginning(web: httpx.AsyncClient, crowded: Crowded):
    seen, at = "", "/audit"
    while at:
        page = (await web.get(at, headers=with_cookie(crowded.session))).text
        found = re.search(r'rel="next" href="/console([^"]+)"', page)
        seen, at = seen + page, found[1].replace("&amp;", "&") if found else ""
    assert all(f"Key {number}." in seen for number in range(51))
