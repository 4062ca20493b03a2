"""Private pages: by address or by password, and for nobody else, at every path."""

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from contract.client import Client
from contract.public.owning import BELOW, changed, made, paths, told
from contract.target import eventually

CANARY = "canary in a private page"


def unlocked(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and CANARY in answer.text


def stranger() -> dict[str, str]:
    """An address that nobody else has here, so that nobody else's tries count."""
    return {"X-Forwarded-For": f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"}


async def entered(web: httpx.AsyncClient, url: str, password: str, **headers: str) -> httpx.Response:
    return await web.post(f"{url}/unlock", data={"password": password}, headers=stranger() | headers)


async def test_password_opens_every_path_and_nothing_else_does(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, name=CANARY, type="private", password="open sesame")
    incident = await told(owner, page, title=CANARY)
    url, ids = f"/status/{page['subdomain']}", (incident["id"], page["components"][0]["id"])

    for path in paths(*ids):
        answer = await web.get(url + path)
        assert answer.status_code == 401, path
        assert CANARY not in answer.text, path
        assert "access-control-allow-origin" not in answer.headers
    wrong = await entered(web, url, "guess")
    assert (wrong.status_code, wrong.headers["location"]) == (303, f"{url}?unlock=failed")
    assert "set-cookie" not in wrong.headers
    assert "This password is not right" in (await web.get(wrong.headers["location"])).text

    right = await entered(web, url, "open sesame")

    assert (right.status_code, right.headers["location"]) == (303, url)
    cookie, *attributes = right.headers["set-cookie"].split("; ")
    assert {f"Path={url}", "HttpOnly", "SameSite=lax"} <= set(attributes)
    held = {"Cookie": f"other=1; {cookie}"}
    for path in ("", "/history", f"/incidents/{incident['id']}", "/history.rss", "/feed.json"):
        answer = await web.get(url + path, headers=held)
        assert unlocked(answer), path
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "access-control-allow-origin" not in answer.headers
    await owner("DELETE", f"statuspage-cmd/v1/statuspage/{page['id']}")


async def test_pass_is_for_its_page_and_ends_with_its_password(owner: Client, web: httpx.AsyncClient):
    page, other = [await made(owner, name=CANARY, type="private", password="open") for _ in range(2)]
    url, elsewhere = (f"/status/{each['subdomain']}" for each in (page, other))
    cookie = (await entered(web, url, "open")).headers["set-cookie"].split(";")[0]
    held = {"Cookie": cookie}
    assert unlocked(await web.get(url, headers=held))
    assert (await web.get(elsewhere, headers=held)).status_code == 401
    name, _, value = cookie.partition("=")
    until, _, signature = value.partition(".")
    for forged in (f"{int(until) + 1}.{signature}", f"{until}.", "x", "9" * 5000, f"{until}.{signature[:-1]}"):
        assert (await web.get(url, headers={"Cookie": f"{name}={forged}"})).status_code == 401

    await changed(owner, page, password="other", update_password=True)

    await eventually(lambda: web.get(url, headers=held), lambda it: it.status_code == 401)


async def test_password_at_the_pages_own_host(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, name=CANARY, type="private", password="open")
    host = {"Host": f"{page['subdomain']}.{BELOW}"}

    right = await entered(web, "", "open", **host)

    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert "Path=/;" in right.headers["set-cookie"] + ";"
    assert unlocked(await web.get("/", headers=host | {"Cookie": right.headers["set-cookie"].split(";")[0]}))


async def test_wrong_passwords_are_few(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, name=CANARY, type="private", password="open")
    url, begun = f"/status/{page['subdomain']}", -1.0
    while begun != time.monotonic() // 60:  # tries count by the minute
        begun, where = time.monotonic() // 60, stranger()
        answers = await asyncio.gather(*(entered(web, url, "guess", **where) for _ in range(20)))
        right = await entered(web, url, "open", **where)

    said = Counter(each.headers["location"] for each in answers)
    assert said == {f"{url}?unlock=failed": 5, f"{url}?unlock=later": 15}
    assert "Please wait" in (await web.get(f"{url}?unlock=later")).text
    assert right.headers["location"] == f"{url}?unlock=later"
    assert (await entered(web, url, "open")).headers["location"] == url  # from elsewhere


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("192.0.2.9", 200),
        ("::ffff:192.0.2.9", 200),
        ("198.51.100.77", 200),
        ("2001:db8::5", 200),
        ("192.0.2.10", 403),
        ("2001:db9::5", 403),
        ("203.0.113.1, 192.0.2.9", 200),
        ("192.0.2.9, 203.0.113.1", 403),
        ("nonsense", 403),
    ],
)
async def test_addresses_that_may_enter(owner: Client, web: httpx.AsyncClient, address: str, status: int):
    listed = ["192.0.2.9", "198.51.100.0/24", "2001:db8::/32"]
    page = await made(owner, name=CANARY, type="private", ip_addresses=listed)
    url = f"/status/{page['subdomain']}"

    answer = await web.get(url, headers={"X-Forwarded-For": address})

    assert answer.status_code == status
    assert unlocked(answer) is (status == 200)
    assert (await web.get(f"{url}/api/v2/summary.json", headers={"X-Forwarded-For": address})).status_code == status
    assert (await entered(web, url, "")).status_code == 404  # there is no password


async def test_address_or_password(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, name=CANARY, type="private", ip_addresses=["192.0.2.9"], password="open")
    url = f"/status/{page['subdomain']}"

    assert unlocked(await web.get(url, headers={"X-Forwarded-For": "192.0.2.9"}))
    assert (await web.get(url, headers={"X-Forwarded-For": "192.0.2.8"})).status_code == 401


async def test_public_page_takes_no_password(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, name=CANARY)

    assert (await entered(web, f"/status/{page['subdomain']}", "x")).status_code == 404
    assert unlocked(await web.get(f"/status/{page['subdomain']}"))
