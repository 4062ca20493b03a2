"""How the console is looked at: signed in over HTTP or in the browser."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

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
    """Signs in as people do, at the address of a console."""
    await page.goto(f"{url}/sign-in")
    await page.get_by_label("API token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_selector("#menu", state="attached")


async def enter(page: Page, session: str, path: str = BASE) -> None:
    """Gives the browser a session."""
    cookie = {"name": COOKIE, "value": session, "domain": "127.0.0.1", "path": path}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]  # as they are


class _Filled(HTMLParser):
    """Reads what a browser would send of the form with an action."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action, self._inside, self._text, self._select = action, False, "", ""
        self.pairs: list[tuple[str, str]] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._inside = given.get("action", "").removeprefix(BASE) == self._action and given.get("method") == "post"
        if not self._inside:
            return
        self.names.add(name)
        match tag, given.get("type", "text"):
            case "input", "checkbox" | "radio":
                self.pairs += [(name, given.get("value", "on"))] if "checked" in given else []
            case "input", "file":
                pass
            case "input", _:
                self.pairs.append((name, given.get("value", "")))
            case "textarea", _:
                self._select, self._text = name, ""
            case "select", _:
                self._select, self._text = name, ""
                self.pairs.append((name, ""))
                self._first = True
            case "option", _:
                if "selected" in given or self._first:
                    self.pairs[-1] = (self._select, given.get("value", ""))
                self._first = False

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._inside:
            self.pairs.append((self._select, self._text.removeprefix("\n")))


@dataclass
class Filled:
    """A form of a page: the names of its fields, and what they hold."""

    action: str
    names: set[str]
    pairs: list[tuple[str, str]]

    def but(self, **given: str) -> list[tuple[str, str]]:
        """The same with other texts."""
        return [(name, given.get(name, value)) for name, value in self.pairs] + [
            each for each in given.items() if each[0] not in {name for name, _ in self.pairs}
        ]


def filled(html: str, action: str) -> Filled:
    """The form of a page that is sent to a path of the console."""
    read = _Filled(action)
    read.feed(html)
    assert read.names, f"there is no form for {action}"
    return Filled(action, read.names, read.pairs)


async def form_of(web: httpx.AsyncClient, session: str, at: str, action: str = "") -> Filled:
    """A form of a page; by default the one that is sent to the page's own path."""
    answer = await web.get(at, headers=with_cookie(session))
    assert answer.status_code == 200, answer.text
    return filled(answer.text, action or at.partition("?")[0])


async def send(web: httpx.AsyncClient, session: str, form: Filled, **given: str) -> httpx.Response:
    """The answer to a form as it is, but for some texts."""
    body = urlencode(form.but(**given))
    headers = with_cookie(session) | {"Content-Type": "application/x-www-form-urlencoded"}
    return await web.post(form.action, content=body, headers=headers)
