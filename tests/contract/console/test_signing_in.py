"""Who is let in, how, and what a cookie is good for: nothing but the console."""

import asyncio
import re
import subprocess
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect

from contract.client import Client
from contract.console.conftest import Told
from contract.console.viewing import BASE, COOKIE, cookie_of, form_token, posted, sign_in, signed_in, with_cookie
from contract.openapi import documented
from contract.public.browser import tab
from contract.target import eventually
from running import PINGHOME, TOKEN, Platform


async def link(platform: Platform, *of: str) -> str:
    """What `pinghome console link` prints."""
    process = await asyncio.create_subprocess_exec(
        PINGHOME, "console", "link", *of, stdout=subprocess.PIPE, env=platform.environment
    )
    said, _ = await process.communicate()
    parts = urlsplit(said.decode().split()[-1])
    return f"{platform.url}{parts.path}?{parts.query}"


async def test_link_shows_a_button_and_works_once(platform: Platform, browser: Browser, axe: str):
    address = await link(platform)
    async with tab(browser, axe) as it:
        for _ in range(2):  # looking at it is no use of it
            await it.page.goto(address)
        assert await it.violations() == []
        await it.page.get_by_role("button", name="Sign in").click()
        await expect(it.page.locator(".who")).to_contain_text("First organisation")
    async with tab(browser, axe) as it:
        await it.page.goto(address)
        await it.page.get_by_role("button", name="Sign in").click()
        await expect(it.page.get_by_role("alert").first).to_contain_text("has been used")
        it.errors.clear()  # the browser notes the 401


async def test_signing_out_ends_the_session_key_and_not_the_token(web: httpx.AsyncClient, told: Told):
    session = await signed_in(web, told.token)
    assert (await web.get("/", headers=with_cookie(session))).status_code == 200
    out = await posted(web, session, "/", "/sign-out")
    assert out.status_code == 303
    gone = await eventually(
        lambda: web.get("/monitors", headers=with_cookie(session)), lambda it: it.status_code == 303
    )
    assert "/sign-in" in gone.headers["location"]
    assert (await told.client.get("resource-query/v1/caller"))["scope"] == "write"


async def test_revoked_token_ends_its_sessions(http: httpx.AsyncClient, web: httpx.AsyncClient):
    made = await Client(http, TOKEN)(
        "POST", "resource-cmd/v1/key", json={"name": "short", "kind": "bearer", "scope": "write"}
    )
    session = await signed_in(web, made.json()["token"])
    assert (await web.get("/regions", headers=with_cookie(session))).status_code == 200
    await Client(http, TOKEN)("DELETE", f"resource-cmd/v1/key/{made.json()['id']}")
    await eventually(lambda: web.get("/regions", headers=with_cookie(session)), lambda it: it.status_code == 303)


async def test_session_of_before_is_no_session_of_after(web: httpx.AsyncClient, told: Told):
    """Whoever plants a cookie knows nothing of the session that begins with it."""
    planted = cookie_of(await web.get("/sign-in"))
    page = await web.get("/sign-in", headers=with_cookie(planted))
    old = form_token(page.text)
    answer = await web.post("/sign-in", data={"form_token": old, "token": told.token}, headers=with_cookie(planted))
    own = cookie_of(answer)
    assert own != planted
    assert (await web.get("/", headers=with_cookie(planted))).status_code == 303
    crossed = await web.post("/sign-out", data={"form_token": old}, headers=with_cookie(own))
    assert crossed.status_code == 403


async def test_cookie_is_for_the_console_alone(web: httpx.AsyncClient):
    given = (await web.get("/sign-in")).headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=lax" in given
    assert f"Path={BASE}" in given
    assert re.match(rf"{COOKIE}=", given)


async def test_no_service_reads_the_cookie(http: httpx.AsyncClient, web: httpx.AsyncClient, told: Told):
    session = await signed_in(web, told.token)
    id_ = "6766163a-568d-47b4-a1fa-91a0957e06d4"
    guarded = [each for each in documented() if each.about.get("security") != [{}] and each.about.get("security")]
    asked = 0
    for each in guarded:
        if {} in each.about["security"]:
            continue
        path = re.sub(r"{[^}]+}", id_, each.path)
        answer = await http.request(each.method, f"/{each.service}{path}", headers=with_cookie(session), json={})
        assert answer.status_code == 401, each
        asked += 1
    assert asked > 50


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
    ],
)
async def test_nobody_is_sent_elsewhere(web: httpx.AsyncClient, told: Told, elsewhere: str):
    session = cookie_of(await web.get("/sign-in"))
    page = await web.get("/sign-in", params={"next": elsewhere}, headers=with_cookie(session))
    data = {"form_token": form_token(page.text), "token": told.token, "next": elsewhere}
    answer = await web.post("/sign-in", data=data, headers=with_cookie(session))
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{BASE}/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"no": "token"},
    ],
    ids=str,
)
async def test_form_of_another_site_does_nothing(web: httpx.AsyncClient, told: Told, headers: dict[str, str]):
    session = await signed_in(web, told.token)
    page = await web.get("/services", headers=with_cookie(session))
    data = {"name": "Crossed", "form_token": "" if "no" in headers else form_token(page.text)}
    answer = await web.post("/services", data=data, headers=with_cookie(session) | headers)
    assert answer.status_code == 403
    assert (await told.client.get("resource-query/v1/services", q="Crossed"))["total"] == 0


async def test_every_form_is_guarded(web: httpx.AsyncClient, told: Told):
    from console.app import create_app
    from pinghome_common.settings import Settings

    session, id_ = await signed_in(web, told.token), "6766163a-568d-47b4-a1fa-91a0957e06d4"
    routes = create_app(Settings(console_secret="of this test")).routes
    posts = [route.path for route in routes if "POST" in (getattr(route, "methods", None) or ())]
    assert len(posts) > 20
    for path in posts:
        answer = await web.post(re.sub(r"{[^}]+}", id_, path), data={"name": "x"}, headers=with_cookie(session))
        assert answer.status_code == 403, path


async def test_wrong_tokens_are_paced(web: httpx.AsyncClient):
    codes = []
    for _ in range(12):
        session = cookie_of(await web.get("/sign-in"))
        codes.append((await posted(web, session, "/sign-in", "/sign-in", token="ph_wrong")).status_code)
    assert codes[-1] == 429
    assert await signed_in(web, TOKEN)  # a right one is let in


async def test_reader_sees_no_button_and_can_do_nothing(
    platform: Platform, browser: Browser, axe: str, web: httpx.AsyncClient, told: Told
):
    key = {"name": "reader", "kind": "bearer", "scope": "read"}
    token = (await told.client("POST", "resource-cmd/v1/key", json=key)).json()["token"]
    async with tab(browser, axe) as it:
        await sign_in(it.page, platform.url, token)
        for at in (
            "/",
            "/monitors",
            told.at["monitor"],
            told.at["heartbeat"],
            told.at["server"],
            "/alerts",
            "/services",
        ):
            await it.page.goto(platform.url + BASE + at)
            words = await it.page.locator("main button:visible, main a.button:visible").all_inner_texts()
            assert [each for each in words if each not in {"", "Copy"}] == [], at
        await it.page.goto(platform.url + BASE + told.at["heartbeat"])
        assert "/v1/heartbeat/" not in await it.text()
    session = await signed_in(web, token)
    answer = await posted(web, session, "/services", "/services", name="By a reader", key="x")
    assert answer.status_code in {403, 422}
    assert (await told.client.get("resource-query/v1/services", q="By a reader"))["total"] == 0


async def test_other_organisations_see_nothing(web: httpx.AsyncClient, stranger: dict[str, str], told: Told):
    session = await signed_in(web, stranger["token"])
    for name, at in told.at.items():
        answer = await web.get(at, headers=with_cookie(session))
        assert answer.status_code == 404, name
    assert told.at["monitor"] not in (await web.get("/monitors", headers=with_cookie(session))).text
