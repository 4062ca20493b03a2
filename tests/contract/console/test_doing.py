"""What people do on each page is done, and what they want to know is said, without a script."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from authorities import Authority
from console.pages.alerts import STATES
from console.pages.monitors import TYPES
from contract.client import SERVICE, Client
from contract.console.conftest import Told
from contract.console.viewing import BASE, form_of, posted, send, signed_in, with_cookie
from contract.target import eventually, listening
from registries import Registry
from running import TOKEN, Platform


@pytest.fixture(scope="module")
async def own(web: httpx.AsyncClient) -> str:
    """Somebody of the first organisation."""
    return await signed_in(web, TOKEN)


async def text(web: httpx.AsyncClient, session: str, at: str) -> str:
    answer = await web.get(at, headers=with_cookie(session))
    assert answer.status_code == 200, answer.text
    return answer.text


def next_of(page: str) -> str:
    """The path of what comes next; empty at the end."""
    found = re.search(r'rel="next" href="/console([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def place(answer: httpx.Response) -> str:
    """Where an answer leads to."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix(BASE).partition("?")[0]


TARGETS = {
    "http": {"url": "https://example.com/made"}, "dns": {"host": "example.com", "data": "A"},
    "udp": {"host": "example.com", "port": "9", "data": "x"}, "icmp": {"host": "example.com"},
}  # fmt: skip


@pytest.mark.parametrize("of", [name for name, _ in TYPES])
async def test_monitor_of_each_type_is_made_and_duplicated(web: httpx.AsyncClient, client: Client, own: str, of: str):
    given = {"name": f"Made {of}"} | TARGETS.get(of, {"host": "example.com", "port": "443"})
    at = place(await send(web, own, await form_of(web, own, f"/monitors/new?type={of}"), **given))
    id_ = at.rpartition("/")[2]
    it = await client.get(f"resource-query/v1/resource/{id_}")
    assert (it["type"], it["name"]) == (of, given["name"])
    if of == "http":
        given |= {"headers": "X-Key: hush", "body": "hush"}
        place(await send(web, own, await form_of(web, own, f"{at}/edit"), **given))
    copy = await form_of(web, own, f"/monitors/new?copy={id_}", "/monitors/new")
    fields = dict(copy.pairs)
    assert fields["name"] == f"Copy of Made {of}"
    if of == "http":  # secrets are asked for anew
        assert (fields["headers"].strip(), fields["body"]) == ("X-Key:", "")
    twin = place(await send(web, own, copy, headers="", body="")).rpartition("/")[2]
    await client("DELETE", f"resource-cmd/v1/resource?id={id_}&id={twin}")


async def test_many_are_paused_resumed_and_told_of(web: httpx.AsyncClient, told: Told, session: str):
    id_, channel = told.at["server"].rpartition("/")[2], told.at["channel"].rpartition("/")[2]
    read = f"resource-query/v1/server-resource/{id_}"
    for do, enabled in (("pause", False), ("resume", True)):
        place(await posted(web, session, "/servers", "/servers/many", id=id_, do=do))
        assert (await told.client.get(read))["enabled"] is enabled
    for whose, channels in (("own", [channel]), ("service", None)):
        more = {"sure": "yes", "channels": channel, "channels.whose": whose}
        place(await posted(web, session, "/servers", "/servers/many", id=id_, do="channels", **more))
        assert (await told.client.get(read))["channels"] == channels


async def test_heartbeat_says_how_to_check_in_and_when(web: httpx.AsyncClient, told: Told, session: str):
    page = await text(web, session, told.at["heartbeat"])
    for name in ("curl", "crontab", "bash", "systemd", "GitHub Actions", "Python"):
        assert f"<summary>{name}</summary>" in page, name
    assert "At 03:00" in page
    runs = re.search(r'<ol class="runs"[^>]*>(.*?)</ol>', page, re.DOTALL)
    assert runs
    assert len(re.findall(r"03:00 CES?T", runs[1])) == 5


async def test_pings_go_back_to_the_first(web: httpx.AsyncClient, client: Client, own: str):
    made = await client.heartbeat(name="Pinged", interval=86400, service_id=SERVICE)
    for number in range(55):
        await client("GET", f"data-gateway/v1/heartbeat/{made['id']}", params={"message": f"ping {number}."})
    page = await text(web, own, f"/heartbeats/{made['id']}")
    assert "ping 54." in page
    assert "ping 0." not in page
    assert "ping 0." in await text(web, own, next_of(page))


async def test_ledger_is_filtered_and_goes_back(web: httpx.AsyncClient, platform: Platform, told: Told, session: str):
    for state in STATES:
        await text(web, session, f"/alerts/sent?state={state}&channel={told.at['channel'].rpartition('/')[2]}")
    page = await text(web, session, "/alerts/sent")
    assert "What went wrong" in page
    assert "503" in page
    id_ = (await told.client.get("statistic-query/v1/notifications", limit=1))["data"][0]["id"]
    new = "overlay(id::text placing lpad(n::text, 8, '0') from 1 for 8)"
    async with platform.sql("statistic_query") as there:
        await there.execute(
            f"INSERT INTO notification SELECT {new}::uuid, about, at - interval '1 day' * n, version,"  # noqa: S608
            f" state || jsonb_build_object('id', {new}, 'title', 'Told ' || n || '.'), page"
            " FROM notification, generate_series(1, 60) n WHERE id = $1",
            id_,
        )
        try:
            seen, at = "", "/alerts/sent"
            while at:
                page = await text(web, session, at)
                seen, at = seen + page, next_of(page)
            assert all(seen.count(f"Told {n}.") == 1 for n in range(1, 61))
        finally:
            await there.execute("DELETE FROM notification WHERE state->>'title' LIKE 'Told %.'")


async def test_channel_says_what_came_of_a_test(web: httpx.AsyncClient, client: Client, own: str):
    async with listening(status=204) as hook:
        given = {"name": "Tested", "url": f"{hook.url}hook", "secret": "0123456789abcdef0123456789abcdef"}
        at = place(await send(web, own, await form_of(web, own, "/alerts/new"), **given))
        assert "The test was accepted." in (await posted(web, own, at, f"{at}/test")).text
        hook.status = 410
        assert "The test was not delivered: " in (await posted(web, own, at, f"{at}/test")).text
    place(await posted(web, own, at, f"{at}/delete", typed="Tested"))
    assert (await client("GET", f"resource-query/v1/channel/{at.rpartition('/')[2]}")).status_code == 404


async def test_incident_is_published_from_a_template_updated_and_told(web: httpx.AsyncClient, told: Told, session: str):
    page, template = told.at["page"].rpartition("/")[2], told.at["template"].rpartition("/")[2]
    form = await form_of(web, session, f"/incidents/new?of={page}&template={template}", "/incidents/new")
    assert dict(form.pairs)["title"] == told.name
    at = place(await send(web, session, form, title="Payments fail", do="publish"))
    place(await send(web, session, await form_of(web, session, at, f"{at}/update"), status="resolved", message="Well."))
    listed = await text(web, session, f"/incidents?of={page}")
    assert "Payments fail" in listed
    assert "Resolved" in listed

    async def sent() -> str:
        return await text(web, session, at)

    shown = await eventually(sent, lambda it: it.count("ada@example.com") >= 2, 60)
    assert "Well." in shown
    place(await posted(web, session, at, f"{at}/delete"))


async def test_maintenance_is_announced_begun_and_ended(web: httpx.AsyncClient, told: Told, session: str):
    of = told.at["page"].rpartition("/")[2]
    form = await form_of(web, session, f"/incidents/new?of={of}&kind=maintenance", "/incidents/new")
    given = {"title": "New switches", "message": "Soon.", "scheduled_for": "2031-01-01T09:00", "zone": "Asia/Tokyo"}
    at = place(await send(web, session, form, **given))
    read = f"statuspage-query/v1/statuspage/{of}/maintenances/{at.rpartition('/')[2]}"
    it: dict[str, Any] = await told.client.get(read)
    assert (it["status"], it["scheduled_for"]) == ("scheduled", "2031-01-01T00:00:00Z")
    for do, status in (("start", "in_progress"), ("end", "completed")):
        place(await posted(web, session, at, f"{at}/{do}"))
        assert (await told.client.get(read))["status"] == status


async def test_page_is_hidden_shown_and_given_a_domain(web: httpx.AsyncClient, told: Told, session: str):
    at = told.at["page"]
    for enabled, said in (("no", "Nobody sees it yet."), ("yes", "Hide from the public")):
        place(await posted(web, session, at, f"{at}/status", enabled=enabled))
        assert said in await text(web, session, at)
        assert told.name in unescape(await text(web, session, f"{at}/preview"))  # hidden, too
    place(await send(web, session, await form_of(web, session, at), domain="status.evil-shop.example"))
    page = await text(web, session, at)
    for words in ("does not point here yet", "CNAME", "status.evil-shop.example", "TXT"):
        assert words in page, words
    place(await send(web, session, await form_of(web, session, at), domain=""))


async def test_key_is_shown_once_works_and_is_revoked(web: httpx.AsyncClient, client: Client, own: str):
    made = await send(web, own, await form_of(web, own, "/keys"), name="Once", scope="read")
    token = re.search(r"<code>(ph_[^<]+)</code>", made.text)
    assert token
    keyed = Client(client.http, token[1])
    assert (await keyed.get("resource-query/v1/caller"))["scope"] == "read"
    listed = await text(web, own, "/keys")
    assert token[1] not in listed
    id_ = (await keyed.get("resource-query/v1/caller"))["key"]["id"]
    place(await posted(web, own, "/keys", f"/keys/{id_}/delete"))
    assert (await keyed("GET", "resource-query/v1/caller")).status_code == 401


async def test_health_is_for_the_operator_and_regions_for_all(web: httpx.AsyncClient, own: str, session: str):
    operator, other = await text(web, own, "/health"), await text(web, session, "/health")
    assert "data-gateway" in operator
    assert "data-gateway" not in other
    for page in (operator, other):
        assert "eu-central-1" in page


async def test_language_and_theme_are_kept(web: httpx.AsyncClient, own: str):
    looked = await posted(web, own, "/regions", "/look", theme="dark", language="de", next="/regions")
    assert looked.headers["location"] == f"{BASE}/regions"
    page = await text(web, looked.cookies["pinghome_console"].strip('"'), "/regions")
    assert 'lang="de" data-theme="dark"' in page
    assert "Regionen" in page


async def test_certificate_is_shown_with_how_long_it_lasts(
    web: httpx.AsyncClient, client: Client, own: str, tmp_path: Path
):
    async with listening(tls=Authority("shop").context(tmp_path)) as site:
        made = await client.resource(
            name="By TLS", url=site.url, skip_ssl_error=True, regions=["eu-central-1"], interval=5, service_id=SERVICE
        )

        async def known() -> httpx.Response:
            return await client("GET", f"resource-query/v1/resource/{made['id']}/ssl")

        await eventually(known, lambda it: it.status_code == 200, 60)
        page = await text(web, own, f"/monitors/{made['id']}")
    assert re.search(r"\d+ days left", page)
    assert "Issued by" in page
    await client("DELETE", f"resource-cmd/v1/resource?id={made['id']}")


@pytest.mark.parametrize(("name", "expires_at", "said"), [
    ("console-ends.com", "2030-03-09T12:10:05Z", r"\d+ days left"), ("console-tells-not.com", None, "Not published"),
])  # fmt: skip
async def test_domain_is_shown_with_its_registrar_and_how_long_it_lasts(
    web: httpx.AsyncClient, client: Client, own: str, registered: Registry, name: str, expires_at: str | None, said: str
):
    registered.expires[name] = expires_at
    made = await client.resource(name="By name", url=f"https://{name}/", interval=86400, service_id=SERVICE)

    async def known() -> httpx.Response:
        return await client("GET", f"resource-query/v1/resource/{made['id']}/tld")

    await eventually(known, lambda it: it.status_code == 200, 60)
    page = await text(web, own, f"/monitors/{made['id']}")
    assert re.search(said, page)
    assert name in page
    assert "GoDaddy.com, LLC" in page
    await client("DELETE", f"resource-cmd/v1/resource?id={made['id']}")


async def test_chart_is_kept_for_a_minute(web: httpx.AsyncClient, told: Told, session: str):
    answer = await web.get(f"{told.at['server']}/cpu-total-usage.svg", headers=with_cookie(session))
    assert answer.headers["cache-control"] == "private, max-age=60"
