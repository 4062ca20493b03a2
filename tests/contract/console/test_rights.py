"""Who may do what: nothing in another organisation, nothing with a token that may only read, nothing from elsewhere."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser

import httpx
import pytest

from console.app import create_app
from contract.client import Client
from contract.console.conftest import Told
from contract.console.test_pages import PAGES, path
from contract.console.viewing import cookie_of, form_token, posted, signed_in, with_cookie
from pinghome_common.settings import Settings

OPEN = {"/look", "/sign-in", "/sign-out"}
"""Forms of everybody."""


def forms() -> list[str]:
    """The paths of all forms."""
    routes = create_app(Settings(console_secret="of this test")).routes
    found = [route.path for route in routes if "POST" in (getattr(route, "methods", None) or ())]
    assert len(found) > 30
    return sorted({*found} - OPEN)


FORMS = forms()


def of(told: Told, form: str) -> str:
    """A form of something of the hostile organisation."""
    nouns = {
        "/monitors/{id}/outside/{key}": "integration",
        "/monitors/{id}": "monitor",
        "/heartbeats/{id}": "heartbeat",
        "/servers/{id}": "server",
        "/alerts/{id}": "channel",
        "/statuspages/{id}": "page",
        "/incidents/{of}/incident/{id}/update/{update}": "update",
        "/incidents/{of}/incident/{id}": "incident",
        "/incidents/{of}/maintenance/{id}": "maintenance",
        "/incidents/{of}/template/{id}": "template",
        "/incidents/{of}/{kind}/{id}": "incident",
        "/services/{id}": "service",
        "/keys/{id}": "key",
    }
    for pattern, noun in nouns.items():
        if form.startswith(pattern):
            rest = form.removeprefix(pattern)
            return told.at[noun] + rest.replace("{kind}", "logo").replace("{do}", "start")
    return form


@asynccontextmanager
async def untouched(client: Client) -> AsyncIterator[None]:
    """Nothing of an organisation is changed meanwhile: its audit log says so.

    What signing in has made may be told late, so that is left out.
    """

    async def told() -> dict[str, tuple[str, str]]:
        logs = ("resource-query/v1/events", "statuspage-query/v1/events")
        found = [each for log in logs for each in (await client.get(log, limit=100))["data"]]
        return {str(each["id"]): (each["noun"], each["what"]) for each in found}

    before = await told()
    yield
    since = {id_: each for id_, each in (await told()).items() if id_ not in before}
    assert [each for each in since.values() if each not in {("session", "created"), ("key", "created")}] == []


async def sent(web: httpx.AsyncClient, session: str, at: str, told: Told) -> httpx.Response:
    """The answer to a form that says all it takes to do something."""
    token = form_token((await web.get("/regions", headers=with_cookie(session))).text)
    data = {
        "form_token": token, "name": "Crossed", "title": "Crossed", "typed": told.name, "enabled": "no",
        "id": told.at["monitor"].rpartition("/")[2], "do": "pause", "sure": "yes", "url": "https://example.com/",
        "addresses": "eve@example.com", "of": told.at["page"].rpartition("/")[2], "message": "Crossed",
        "to": "https://example.com/hook", "ssl": "3", "status": "resolved", "scheduled_for": "2030-01-01T00:00",
    }  # fmt: skip
    return await web.post(at, data=data, headers=with_cookie(session))


@pytest.fixture(scope="module")
async def foreign_session(web: httpx.AsyncClient, stranger: dict[str, str]) -> str:
    return await signed_in(web, stranger["token"])


@pytest.fixture(scope="module")
async def reading(web: httpx.AsyncClient, told: Told) -> str:
    """Somebody whose token may only read."""
    key = {"name": "reader", "kind": "bearer", "scope": "read"}
    made = await told.client("POST", "resource-cmd/v1/key", json=key)
    return await signed_in(web, made.json()["token"])


async def test_other_organisations_see_nothing(web: httpx.AsyncClient, foreign_session: str, told: Told):
    shown = {name: at for name, at in told.at.items() if name not in {"key", "service"}}  # these have no page
    for name, at in shown.items():
        at = at + "/edit" if name == "template" else at  # noqa: PLW2901
        answer = await web.get(at, headers=with_cookie(foreign_session))
        assert answer.status_code == 404, name
    for at in (f"{told.at['server']}/cpu-total-usage.svg", f"{told.at['server']}/cpu-total-usage.json"):
        assert (await web.get(at, headers=with_cookie(foreign_session))).status_code == 404
    for at in (
        "/",
        "/monitors",
        "/alerts",
        "/alerts/sent",
        "/incidents",
        "/statuspages",
        "/keys",
        "/audit",
        "/pick/followed",
    ):
        text = (await web.get(at, headers=with_cookie(foreign_session))).text
        assert not any(each.rpartition("/")[2] in text for each in told.at.values()), at


async def test_other_organisations_change_nothing(web: httpx.AsyncClient, foreign_session: str, told: Told):
    async with untouched(told.client):
        for form in (each for each in FORMS if "{" in each):
            answer = await sent(web, foreign_session, of(told, form), told)
            assert answer.status_code == 404, form
        for form in ("/monitors/many", "/incidents/new", "/services"):  # what they name is somebody else's
            assert (await sent(web, foreign_session, form, told)).status_code in {404, 422}, form


async def test_reader_changes_nothing(web: httpx.AsyncClient, reading: str, told: Told):
    async with untouched(told.client):
        for form in FORMS:
            answer = await sent(web, reading, of(told, form), told)
            said = {200} if form.endswith("/test") else {403, 422}  # a test says beside the form what came of it
            assert answer.status_code in said, form


class _Controls(HTMLParser):
    """Buttons of forms that change something, and links to such forms."""

    def __init__(self) -> None:
        super().__init__()
        self._action, self.found = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action", "") if given.get("method") == "post" else ""
        elif tag == "button" and self._action and given.get("type") != "button":
            self.found.append(self._action)
        elif tag == "a" and re.search(r"/(new|edit)(\?|$)", given.get("href", "")):
            self.found.append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = ""


async def test_reader_sees_no_button(web: httpx.AsyncClient, reading: str, told: Told):
    for name in (each for of_noun in PAGES.values() for each in of_noun if "start" not in each and "keys" not in each):
        at = path(told, name)
        shown = _Controls()
        shown.feed((await web.get(at, headers=with_cookie(reading))).text)
        here = at.partition("?")[0]  # tabs of a form of a new one lead to its other types
        found = [each for each in shown.found if not re.search(r"/(look|sign-out)$", each) and here not in each]
        assert found == [], name
    page = await web.get(told.at["heartbeat"], headers=with_cookie(reading))
    assert "/v1/heartbeat/" not in page.text  # its URL is its secret
    assert (await web.get("/keys", headers=with_cookie(reading))).status_code == 403


async def test_every_form_is_guarded(web: httpx.AsyncClient, session: str, told: Told):
    async with untouched(told.client):
        for form in (*FORMS, *OPEN):
            answer = await web.post(of(told, form), data={"name": "x"}, headers=with_cookie(session))
            assert answer.status_code == 403, form


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
async def test_form_of_another_site_does_nothing(
    web: httpx.AsyncClient, told: Told, session: str, headers: dict[str, str]
):
    page = await web.get("/services", headers=with_cookie(session))
    data = {"name": "Crossed", "form_token": "" if "no" in headers else form_token(page.text)}
    answer = await web.post("/services", data=data, headers=with_cookie(session) | headers)
    assert answer.status_code == 403
    assert (await told.client.get("resource-query/v1/services", q="Crossed"))["total"] == 0


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/%0d%0aX",
    ],
)
async def test_nobody_is_sent_elsewhere(web: httpx.AsyncClient, told: Told, session: str, elsewhere: str):
    nobody = cookie_of(await web.get("/sign-in"))
    entered = await posted(web, nobody, "/sign-in", "/sign-in", token=told.token, next=elsewhere)
    looked = await posted(web, session, "/regions", "/look", theme="dark", next=elsewhere)
    many = await posted(web, session, "/monitors", "/monitors/many", back=f"next={elsewhere}&page={elsewhere}")
    for answer in (entered, looked, many):
        assert answer.status_code == 303
        assert re.fullmatch(r"/console/[\w%&=?+./-]*", answer.headers["location"])
        assert "evil.example" not in answer.headers["location"].partition("?")[0]


async def test_deleting_needs_the_name(web: httpx.AsyncClient, session: str, told: Told):
    async with untouched(told.client):
        for noun in ("monitor", "heartbeat", "server", "channel", "page"):
            at = told.at[noun]
            answer = await posted(web, session, at, f"{at}/delete", typed=f"{told.name}!")
            assert answer.headers["location"].endswith("done=name"), noun


async def test_body_of_a_ping_is_plain_text(web: httpx.AsyncClient, session: str, told: Told):
    at = told.at["heartbeat"]
    markup = "<script>alert(1)</script>" * 20
    ping = await told.client.http.post(f"/ping/{at.rpartition('/')[2]}", content=markup)
    assert ping.status_code == 200
    page = await web.get(at, headers=with_cookie(session))
    bodies = re.findall(r'href="/console(/heartbeats/[^"]+/pings/\d+)"', page.text)
    for each in bodies:
        answer = await web.get(each, headers=with_cookie(session))
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert bodies
