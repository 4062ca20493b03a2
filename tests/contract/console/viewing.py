"""How the console is looked at: signed in over HTTP or in the browser."""

import re
from typing import Any

import httpx
from playwright.async_api import Page

BASE = "/console"
COOKIE = "pinghome_console"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


def form_token(html: str) -> str:
    """The token of a form of a page."""
    found = _TOKEN.search(html)
    assert found, html[:2000]
    return found[1]


def cookie_of(answer: httpx.Response) -> str:
    """The session that an answer gives."""
    return answer.cookies[COOKIE].strip('"')


def with_cookie(value: str) -> dict[str, str]:
    """The header that sends it back."""
    return {"Cookie": f"{COOKIE}={value}"}


async def posted(web: httpx.AsyncClient, session: str, at: str, path: str, **fields: Any) -> httpx.Response:
    """The answer to a form that was filled in at a page."""
    page = await web.get(at, headers=with_cookie(session))
    data = {"form_token": form_token(page.text), **fields}
    return await web.post(path, data=data, headers=with_cookie(session))


async def signed_in(web: httpx.AsyncClient, token: str) -> str:
    """The session of somebody who has signed in by a token."""
    session = cookie_of(await web.get("/sign-in"))
    answer = await posted(web, session, "/sign-in", "/sign-in", token=token)
    assert answer.status_code == 303, answer.text
    return cookie_of(answer)


async def sign_in(page: Page, url: str, token: str) -> None:
    """Signs in as people do."""
    await page.goto(f"{url}{BASE}/sign-in")
    await page.get_by_label("API token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_selector("#menu", state="attached")
