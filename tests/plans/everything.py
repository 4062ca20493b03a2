"""Every operation of all three dialects once, on a platform's first organisation."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import uuid4

import httpx

from contract.client import BODIES, Client
from contract.healthchecks.conftest import Project as Checks
from contract.pinghome.operations import OF_MANY, PRESENT, Operation
from contract.pingpong import operations as pingpong
from contract.pingpong.conftest import Project as Page
from contract.target import eventually
from plans.large import Patterns
from running import TOKEN, Platform

KEYS = {
    "bootstrap_token": TOKEN,
    "bootstrap_checks_key": "c" * 32,
    "bootstrap_checks_read_key": "r" * 32,
    "bootstrap_ping_key": "p" * 22,
    "bootstrap_status_token": "s" * 40,
}
LEFT_OUT = {
    *("/v1/resource/test", "/v1/domain/{domain}/cname", "/v1/channel/{id}/test"),  # ask others, which takes its time
    *("/v1/resource/{id}/ssl", "/v1/resource/{id}/tld"),  # read a monitor, as many do, and there is nothing to show
    "/v1/statuspage/{id}/maintenance/{maintenance}/end",  # is refused before its time
    *("/v1/statuspage/{id}/logo", "/v1/statuspage/{id}/favicon"),  # need a picture, and do what a page's change does
    "/v1/session",  # has a scene of its own
    "/v1/service/{id}/metrics.prom",  # reads up to 10,000 of everything, by the statements of pages
}


@dataclass
class Caller:
    """Who asks, in each dialect; `it` is what GETs are about, with its `agent`'s token."""

    platform: Platform
    http: httpx.AsyncClient
    it: Patterns
    agent: str
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What was not answered with 2xx."""

    @property
    def client(self) -> Client:
        return Client(self.http, TOKEN)

    @property
    def page(self) -> Page:
        token = KEYS["bootstrap_status_token"]
        return Page(self.platform, self.http, self.client, {"id": self.it.page}, token, token)

    async def everything(self) -> None:
        """All operations."""
        for operation in PRESENT:
            if operation.path not in LEFT_OUT and not operation.of_agents and not operation.endless:
                await self._pinghome(operation)
        await self._lists()
        for each in pingpong.OPERATIONS:
            path = await pingpong.filled(each, self.page)
            self._note(str(each), await self.page(each.method, path, **pingpong.body(each)))
        await self._checks()
        await self.agent_sends()
        await self._session()

    def _note(self, what: str, answer: httpx.Response) -> None:
        if not answer.is_success:
            self.wrong[what].append(f"{answer.status_code} {answer.text[:300]}")

    async def _pinghome(self, operation: Operation) -> None:
        path, parts = operation.path, await self._parts(operation)
        body = self._body(operation)
        if operation.method != "GET" and "{" not in path and path.rpartition("/")[2] in OF_MANY:
            ids = [await self._made(path.split("/")[2]) for _ in range(3)]
            body = {"ids": ids, **OF_MANY[path.rpartition("/")[2]]}
        if "{integration}" in path:
            body = BODIES["integration"]
            await self.client("POST", f"resource-cmd/v1/resource/{parts['id']}/integration", json=body)
        if path.endswith("/reminder") and operation.method != "POST":
            await self.client("POST", f"resource-cmd{path}".format_map(parts), json=BODIES["reminder"])
        if operation.method == "DELETE" and "{" not in path:
            path += f"?id={await self._made(_noun(path))}"
        if path.endswith(("/metrics", "/metrics.svg")):
            path += "?type=cpu-total-usage"
        more: dict[str, Any] = {"json": body} if operation.method in ("POST", "PUT") or body else {}
        if operation.method == "POST" and not operation.public:
            more["headers"] = {"Idempotency-Key": str(uuid4())}
        url = f"{operation.service}{path}".format_map(parts)
        self._note(str(operation), await self.client(operation.method, url, **more))

    async def _parts(self, operation: Operation) -> dict[str, str]:
        """The parts of an operation's path: what is only read is the pattern, what is changed is new."""
        path, noun, reads = operation.path, _noun(operation.path), operation.method == "GET"
        parts = {"id": getattr(self.it, noun.removesuffix("-resource").replace("statuspage", "page"), "")}
        parts |= {"integration": BODIES["integration"]["integration"], "incident": self.it.incident}
        whole = path.endswith(("{id}", "{id}/status"))
        if "{id}" in path and (noun == "channel" or (not reads and (noun != "statuspage" or whole))):
            parts["id"] = await self._made(noun)
        if "{token}" in path:
            body = {"channel_type": "email", "channel_value": f"{uuid4()}@example.com"}
            made = await self.client("POST", "statuspage-cmd/v1/subscriptions", json=body)
            parts["token"] = made.json()["subscription"]["token"]
        if "{n}" in path:
            await self.http.post(f"/ping/{parts['id']}", content="42 rows")
            parts["n"] = (await eventually(partial(self._newest, parts["id"]), itemgetter("has_body"), 10))["n"]
        if operation.method == "DELETE" and path.endswith("{incident}"):
            parts["incident"] = (await self.client.tells(self.it.page, "incident"))["id"]
        new = {"update": f"incident/{self.it.incident}/update", "maintenance": "maintenance", "template": "template"}
        for part in {name for name in new if f"{{{name}}}" in path}:
            parts[part] = (await self.client.tells(self.it.page, new[part]))["id"]
        return parts

    async def _newest(self, heartbeat: str) -> dict[str, Any]:
        """The newest check-in of a heartbeat."""
        found = await self.client.get(f"statistic-query/v1/heartbeat/{heartbeat}/events?limit=1")
        event: dict[str, Any] = found["data"][0]
        return event

    def _body(self, operation: Operation) -> dict[str, Any]:
        last = operation.path.rpartition("/")[2]
        if operation.method == "DELETE":
            return {}
        match last:
            case "status":
                return {"enabled": False}
            case "{id}":
                return {"name": str(uuid4())} if operation.method == "PUT" else {}
            case "subscriptions" if operation.public:
                return {"channel_type": "email", "channel_value": f"{uuid4()}@example.com"}
        noun = last.removesuffix("s") if not last.startswith("{") else last[1:-1]
        body = dict(BODIES.get(noun, {})) if operation.method in ("POST", "PUT") else {}
        if "service_id" in body:
            body["service_id"] = self.it.service
        if noun == "statuspage":
            body["subdomain"] = f"p{uuid4().hex}"
        if noun in ("resource", "heartbeat", "server-resource", "service", "channel", "statuspage", "template", "key"):
            body["name"] = str(uuid4())
        return body

    async def _session(self) -> None:
        """A session of the token, and one of that one."""
        it = self.client
        for _ in range(2):
            made = await it("POST", "resource-cmd/v1/session")
            self._note("session", made)
            it = replace(it, token=made.json()["token"])
        self._note("end of a session", await it("DELETE", "resource-cmd/v1/session"))

    async def _lists(self) -> None:
        """Lists that are searched, and filtered by tags."""
        for noun in ("resources", "heartbeats", "server-resources"):
            for query in ("q=12345", "tag=tag-3&tag=common", "tag=tag-3&q=common", "page=2"):
                for path in (noun, f"service/{self.it.service}/{noun}"):
                    self._note(path, await self.client("GET", f"resource-query/v1/{path}?{query}"))

    async def _made(self, noun: str) -> str:
        make = getattr(self.client, noun.removesuffix("-resource").replace("statuspage", "page"))
        own = {} if noun in ("service", "statuspage", "key") else {"service_id": self.it.service}
        return (await make(**own))["id"]

    async def _checks(self) -> None:
        """Healthchecks' dialect, with every word that a check may be unique by, and each form of a ping."""
        key, reading, pinging = (KEYS[f"bootstrap_{it}"] for it in ("checks_key", "checks_read_key", "ping_key"))
        project = Checks(self.http, self.it.service, key, reading, pinging)
        it, one = self.it.heartbeat, f"checks/{self.it.heartbeat}"
        for unique in (["name"], ["slug"], ["tags"], ["timeout"], ["grace"], ["name", "tags"], ["timeout", "grace"]):
            body = {"name": "heartbeat 3", "slug": "slug-3", "tags": "tag-3 common", "timeout": 63, "grace": 3601}
            self._note(f"unique {unique}", await project("POST", "checks/", json=body | {"unique": unique}))
        made = await project.create(name="mine", tags="a b", timeout=60)
        for path in ("checks/", f"{one}/flips/", f"{one}/pings/", "channels/", "badges/", "status/", one,
                     "checks/?slug=slug-13", "checks/?tag=tag-3"):  # fmt: skip
            self._note(path, await project("GET", path))
        badges = (await project.get("badges/"))["badges"]
        for url in (badges["*"]["svg"], badges["tag-3"]["json"]):
            self._note("badge", await self.http.get(url))
        shown = (await project.get("checks/?slug=slug-13", key=reading))["checks"][0]
        self._note("unique key", await project("GET", f"checks/{shown['unique_key']}"))
        for each in ("", "/start", "/fail", "/log", "/3", "?rid=" + str(uuid4())):
            self._note("ping", await self.http.post(f"/ping/{it}{each}", content="body"))
        self._note("slug", await self.http.get(f"/ping/{pinging}/new-one?create=1"))
        self._note("native", await self.http.get(f"/data-gateway/v1/heartbeat/{it}?result=complete"))
        pings = (await project.get(f"{one}/pings/"))["pings"]
        with_body = next(each for each in pings if each.get("body_url"))
        self._note("body", await project("GET", f"{one}/pings/{with_body['n']}/body"))
        for method, path in (("POST", ""), ("POST", "/pause"), ("POST", "/resume"), ("DELETE", "")):
            self._note(f"{method} check{path}", await project(method, f"checks/{made['uuid']}{path}", json={}))

    async def agent_sends(self) -> None:
        """A sample of the server."""
        agent, at = Client(self.http, self.agent), datetime.now(UTC)
        values = {"cpu-total-usage": {"total": 7.5, "user": 7.5}}
        sample = {"at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", "interval": 10, "values": values}

        async def sent() -> httpx.Response:
            return await agent("POST", "data-gateway/v1/server-resource/metrics", json={"samples": [sample]})

        self._note("sample", await eventually(sent, lambda answer: answer.status_code != 401, 10))


def _noun(path: str) -> str:
    """The noun that a path begins with, such as `server-resource`."""
    return path.split("/")[2].partition("?")[0].removesuffix("s")


async def patterns(platform: Platform, http: httpx.AsyncClient) -> Caller:
    """One of everything that there can be in a database, written by the services themselves."""
    client = Client(http, TOKEN)
    service = (await client.get("resource-query/v1/services"))["data"][0]["id"]
    channel = await client.channel(service_id=service)
    answers = [await client("PUT", f"resource-cmd/v1/service/{service}", json={"channels": [channel["id"]]})]
    resource = (await client.resource(service_id=service, interval=5, channels=[channel["id"]]))["id"]
    heartbeat = (await client.heartbeat(service_id=service, interval=86400))["id"]
    body = BODIES["server-resource"] | {"name": "server", "service_id": service}
    server = (await client("POST", "resource-cmd/v1/server-resource", json=body)).json()
    answers += [await client("POST", f"resource-cmd/v1/resource/{resource}/integration", json=BODIES["integration"])]
    page = (await client.get("statuspage-query/v1/statuspages"))["data"][0]
    components = [{"name": "a", "type": "resource", "resource_id": resource}, {"name": "b", "type": "manual"}]
    settings = {"components": components, "subscription_enabled": True}
    answers += [await client("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}", json=settings)]
    shown = await client.get(f"statuspage-query/v1/statuspage/{page['id']}/unified")
    by_hand = next(each["id"] for each in shown["components"] if each["name"] == "b")
    page = page["id"]
    subscribers = f"statuspage-cmd/v1/statuspage/{page}/subscriptions"
    answers += [await client("POST", subscribers, json=BODIES["subscription"])]
    incident = await client.tells(page, "incident", components=[{"id": by_hand, "status": "offline"}])
    await client.tells(page, f"incident/{incident['id']}/update")
    await client.tells(page, "template")
    await client.tells(page, "maintenance", rrule="FREQ=YEARLY", timezone="UTC")
    await client.tells(page, "maintenance")
    async with platform.sql("resource_cmd") as tx:
        organisation = str(await tx.fetchval("SELECT organisation FROM service WHERE id = $1", service))
    of = Patterns(organisation, service, resource, heartbeat, server["id"], page, incident["id"], by_hand)
    it = Caller(platform, http, of, server["agent_token"])
    for noun in ("metrics", "custom-metrics"):
        made = await it.page.create(noun)
        if noun == "custom-metrics":
            points = {"data": {made["id"]: [{"timestamp": int(datetime.now(UTC).timestamp()), "value": 5}]}}
            answers += [await it.page("POST", "custom-metrics/data", json=points)]
    answers += [await http.get(f"/ping/{heartbeat}"), await http.get(f"/ping/{heartbeat}/fail")]
    await it.agent_sends()
    assert all(each.is_success for each in answers), [each.text for each in answers]
    assert not it.wrong, it.wrong

    async def told() -> Any:
        return (await client.get(f"statistic-query/v1/resource/{resource}/notifications"))["data"]

    await eventually(told, bool, 60)
    await asyncio.sleep(3)
    return it
