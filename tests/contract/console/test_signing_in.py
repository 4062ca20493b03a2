"""Who is let in, how, and what a cookie is good for: nothing but the console."""

import asyncio
import json
import re
import subprocess
import time
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import msgspec
from playwright.async_api import Browser, expect

from console.session import IDLE, LONGEST, Seal
from contract.client import Client
from contract.console.conftest import Told
from contract.console.viewing import BASE, COOKIE, cookie_of, form_token, posted, signed_in, with_cookie
from contract.openapi import documented
from contract.public.browser import tab
from contract.target import eventually
from pinghome_common.secret import derive
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


async def test_wrong_tokens_are_paced(web: httpx.AsyncClient):
    session = cookie_of(await web.get("/sign-in"))
    tries = (posted(web, session, "/sign-in", "/sign-in", token="ph_wrong") for _ in range(40))
    answers = await asyncio.gather(*tries)  # within a minute or two, for each of which some are let through
    assert {answer.status_code for answer in answers} == {401, 429}
    assert await signed_in(web, TOKEN)  # a right one is let in


async def test_session_ends_by_the_clock_of_its_cookie(web: httpx.AsyncClient, platform: Platform, told: Told):
    secret = json.loads((platform.data / "keys.json").read_text())["secret_key"]
    seal = Seal(derive(secret, "console").hex())
    inside, _ = seal.open(await signed_in(web, told.token))

    async def asked(idle: float, age: float) -> httpx.Response:
        now = time.time()
        body = msgspec.json.encode(replace(inside, since=now - age))
        return await web.get(
            "/regions", headers=with_cookie(seal._fernet.encrypt_at_time(body, int(now - idle)).decode())
        )

    fresh = await asked(60, 60)
    assert (fresh.status_code, COOKIE in fresh.cookies) == (200, False)
    used = await asked(IDLE - 600, IDLE)
    assert (used.status_code, COOKIE in used.cookies) == (200, True)
    assert (await web.get("/regions", headers=with_cookie(cookie_of(used)))).status_code == 200
    assert (await asked(IDLE + 60, IDLE + 60)).headers["location"].startswith(f"{BASE}/sign-in")
    assert (await asked(60, LONGEST - 600)).status_code == 200
    assert (await asked(60, LONGEST + 60)).headers["location"].startswith(f"{BASE}/sign-in")
