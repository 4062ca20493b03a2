"""The console with 2,000 monitors, 200 servers, 500 heartbeats: lists, details, the first view, twenty live viewers."""

import asyncio
import re
import time
from contextlib import asynccontextmanager, suppress

import httpx
from figures import at_most
from percentile import percentile
from platforms import REGION, TOKEN, up

FIGURES = {
    "list p95, ms": at_most(300, 150),
    "detail p95, ms": at_most(200, 100),
    "first view, kB": at_most(80, 50),
    "20 viewers, core": at_most(0.3, 0.15),
}
MONITORS, SERVERS, HEARTBEATS, VIEWERS = 2000, 200, 500, 20
ASKED, WATCHED = 12, 40.0
"""Requests for each page in a round; seconds for which viewers look."""
GAP, FLIP = 4.0, 10.0
"""Seconds that a page waits at least before it asks anew, and between two changes of a state."""
LISTS = (
    "/", "/monitors", "/monitors?page=20", "/monitors?q=bench+19", "/monitors?state=up&sort=name", "/heartbeats",
    "/heartbeats?sort=-state_changed_at", "/servers", "/servers?page=4", "/alerts", "/audit",
)  # fmt: skip


async def measure(rounds):
    async with up(trusted_proxies="127.0.0.1", probe_allow_cidrs="127.0.0.0/8") as platform:
        url = f"http://127.0.0.1:{platform.port}"
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as http:
            ids = await fill(http)
            await asyncio.sleep(10)  # what follows the creation is over
            session = await signed_in(http)
            for _ in range(rounds):
                lists = [await took(http, session, path) for path in LISTS for _ in range(ASKED)]
                details = [await took(http, session, path) for path in ids for _ in range(ASKED)]
                alone = await cost(platform, http, ids, session, 0)
                together = await cost(platform, http, ids, session, VIEWERS)
                yield {
                    "list p95, ms": percentile(lists, 95),
                    "detail p95, ms": percentile(details, 95),
                    "first view, kB": await first_view(http, session) / 1000,
                    "20 viewers, core": max(together - alone, 0.0),
                }


async def fill(http):
    """Makes everything; the pages of one monitor, heartbeat and server."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    service = (await http.get("/resource-query/v1/services", headers=token)).json()["data"][0]["id"]
    gate, found = asyncio.Semaphore(16), {}

    async def made(noun, word, number, **more):
        async with gate:
            body = {"name": f"bench {number}", "service_id": service, **more}
            answer = await http.post(f"/resource-cmd/v1/{noun}", json=body, headers=token)
            assert answer.status_code == 201, answer.text
            found[word] = answer.json()["id"]

    probed = {"type": "tcp", "host": "127.0.0.1", "port": "9", "interval": 86400, "regions": [REGION]}
    work = [made("resource", "monitors", number, **probed, tags=["bench"]) for number in range(MONITORS)]
    work += [made("heartbeat", "heartbeats", number, interval=86400) for number in range(HEARTBEATS)]
    work += [made("server-resource", "servers", number) for number in range(SERVERS)]
    await asyncio.gather(*work)
    return [f"/{word}/{id_}" for word, id_ in found.items()]


async def signed_in(http):
    """The cookie of a session."""
    page = await http.get("/console/sign-in")
    data = {"form_token": re.search(r'form_token" value="([^"]+)', page.text)[1], "token": TOKEN}
    answer = await http.post("/console/sign-in", data=data)
    assert answer.status_code == 303, answer.text
    cookie = answer.cookies["pinghome_console"].strip('"')
    http.cookies.clear()
    return {"Cookie": f"pinghome_console={cookie}"}


async def took(http, session, path):
    """Milliseconds until a page is there."""
    begun = time.perf_counter()
    answer = await http.get(f"/console{path}", headers=session)
    assert answer.status_code == 200, path
    return 1000 * (time.perf_counter() - begun)


async def first_view(http, session):
    """Bytes of the list of monitors with all that it loads, compressed."""
    page = await http.get("/console/monitors", headers=session | {"Accept-Encoding": "gzip"})
    files = set(re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page.text))
    answers = [page, *[await http.get(file, headers={"Accept-Encoding": "gzip"}) for file in files]]
    return sum(int(answer.headers["content-length"]) for answer in answers)


async def cost(platform, http, ids, session, viewers):
    """Cores that the platform takes while a heartbeat changes its state now and then and viewers have the list open."""
    heartbeat = next(path for path in ids if "heartbeat" in path).rpartition("/")[2]
    async with looking(http, session, viewers):
        await asyncio.sleep(3)
        before, begun = sum(platform.cpu().values()), time.perf_counter()
        for number in range(int(WATCHED / FLIP)):
            result = {"result": "fail" if number % 2 else "tick"}
            await http.get(f"/data-gateway/v1/heartbeat/{heartbeat}", params=result)
            await asyncio.sleep(FLIP)
        return (sum(platform.cpu().values()) - before) / (time.perf_counter() - begun)


@asynccontextmanager
async def looking(http, session, viewers):
    """Viewers of the list of heartbeats, each from an address of its own, as `console.js` has them."""

    async def look(number):
        headers = session | {"X-Forwarded-For": f"203.0.113.{number + 1}"}
        async with http.stream("GET", "/console/events", headers=headers, timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: changed"):
                    await http.get("/console/heartbeats", headers=headers)
                    await asyncio.sleep(GAP)

    tasks = [asyncio.create_task(look(number)) for number in range(viewers)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
