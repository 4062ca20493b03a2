"""The services as processes behind a real Caddy, whose Caddyfile obeys the table that the all-in-one obeys, too."""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from addressed import CLOSED, NOT_FOUND, SAMPLES
from caddy import DOMAIN, ROOT, Caddy, again_and_again, caddy
from contract.client import Client
from contract.target import Target, eventually, listening
from pinghome import caddyfile, services
from pinghome.addresses import SERVICES
from pinghome.servers import Servers
from pinghome.supervise import Child, Supervisor
from pinghome_common.settings import Settings
from running import TOKEN, free_port, prepare
from zone import Zone, zone

BELOW = "status.test"
TWICE = ("data-gateway", "resource-query")
"""Services for which Caddy knows two processes."""
PERIOD = 2
"""Seconds between two heartbeats of the platform itself."""


@dataclass
class Public:
    """The platform as the public has it: `web` are connections to the edge, `owner` is the first organisation."""

    edge: Caddy
    web: httpx.AsyncClient
    owner: Client
    names: Zone
    inside: dict[str, httpx.AsyncClient]
    """Connections to the services themselves, by name."""
    outside: Target
    """What waits for the platform's own heartbeat."""
    supervisors: tuple[Supervisor, Supervisor]
    """Of the servers, of the services."""
    ports: dict[str, list[int]]

    async def answered(self) -> dict[str, int]:
        """How many requests each service has answered by now; asking counts as one."""
        texts = await asyncio.gather(*(it.get("/metrics") for it in self.inside.values()))
        found = (re.findall(r"^pinghome_request_seconds_count\{.*\} (\S+)$", it.text, re.MULTILINE) for it in texts)
        return {name: sum(map(int, map(float, each))) for name, each in zip(self.inside, found, strict=True)}


@pytest.fixture(scope="module")
async def public(folder: Path) -> AsyncIterator[Public]:
    async with zone() as names, listening() as outside, Supervisor() as supervisor:
        settings = Settings(
            data=folder / "behind-caddy",
            database_url="",
            nats_url="",
            url="https://pinghome.test",
            regions=[],
            secret_key="k" * 32,
            bootstrap_token=TOKEN,
            status_domain=BELOW,
            trusted_proxies=["127.0.0.1"],
            probe_allow_cidrs=["127.0.0.0/8"],
            ops_heartbeat_url=outside.url,
            ops_heartbeat_seconds=PERIOD,
            dns_resolver=f"127.0.0.1:{names.port}",
            _env_file=None,
        )
        await prepare(settings.data)
        async with Servers(settings) as servers:
            urls = await services.as_processes(settings, servers, supervisor)
            ports = {name: [int(url.rpartition(":")[2])] for name, url in urls.items()}
            for name in TWICE:
                ports[name].append(free_port())
            async with caddy(folder / "caddy", ports) as edge, edge.client() as web:
                inside = {name: httpx.AsyncClient(base_url=url, trust_env=False) for name, url in urls.items()}
                supervisors = servers.supervisor, supervisor
                yield Public(edge, web, Client(web, TOKEN), names, inside, outside, supervisors, ports)
                for each in inside.values():
                    await each.aclose()
            await supervisor.stop()


def test_caddyfile_is_as_the_table_says():
    assert (ROOT / "deploy/Caddyfile").read_text() == caddyfile.render(), "run `make docs`"


@pytest.mark.parametrize(("methods", "target", "service"), SAMPLES)
async def test_paths_of_the_platforms_host_are_those_of_the_all_in_one(public: Public, methods, target, service):
    after = await public.answered()
    for method in methods.split():
        before = after
        answer = await public.web.request(method, target)
        after = await public.answered()
        answering = {name for name in after if after[name] - before[name] > 1}
        if answering == set() and service == "statuspage-query":  # it counts neither pages nor CORS preflights
            assert method == "OPTIONS" or answer.headers["content-type"].startswith("text/html")
        else:
            assert answering == {service}, (method, answer.text)


@pytest.mark.parametrize("service", SERVICES)
async def test_each_service_has_a_host_and_a_prefix(public: Public, service):
    for url in (f"{public.edge.url(f'{service}.')}/openapi.json", f"/{service}/openapi.json"):
        assert (await public.web.get(url)).json()["info"]["title"] == f"Pinghome {service}"


@pytest.mark.parametrize("path", CLOSED)
async def test_what_operators_and_services_ask_is_closed_to_the_public(public: Public, path):
    for service in ("resource-cmd", "statuspage-query"):
        for url in (f"{public.edge.url(f'{service}.')}{path}", f"/{service}{path}"):
            answer = await public.web.get(url)
            assert (answer.status_code, answer.json()) == (404, NOT_FOUND), url


async def test_operator_may_open_what_operators_ask(public: Public, folder: Path):
    async with caddy(folder / "open-caddy", public.ports, public_metrics="true") as edge, edge.client() as web:
        for url in (f"{edge.url('resource-query.')}/metrics", "/resource-query/metrics"):
            assert 'pinghome_ready{service="resource-query"} 1.0' in (await web.get(url)).text
        assert (await web.get("/resource-query/readyz")).json() == {"ready": True, "problems": {}}
        assert (await web.get("/statuspage-query/internal/ask?domain=x")).json() == NOT_FOUND


async def test_own_addresses(public: Public):
    assert set((await public.web.get("/")).json()["services"]) == set(SERVICES)
    assert (await public.web.get("/healthz")).text == "ok"
    assert (await public.web.get("/readyz")).json() == {"ready": True}
    for answer in (await public.web.post("/"), await public.web.get("/v1/resource"), await public.web.get("/nothing")):
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


async def test_browsers_find_the_console_and_programs_the_list(public: Public, folder: Path):
    page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for method in ("GET", "HEAD"):
        sent = await public.web.request(method, "/", headers=page)
        assert (sent.status_code, sent.headers["location"], sent.headers["vary"]) == (302, "/console/", "Accept")
        listed = await public.web.request(method, "/", headers={"Accept": "*/*"})
        assert (listed.status_code, listed.headers["vary"]) == (200, "Accept")
    below = await public.web.get("/console/sign-in")
    assert 'action="/console/sign-in"' in below.text
    assert "Secure" in below.headers["set-cookie"]
    assert "Path=/console;" in below.headers["set-cookie"]
    alone = await public.web.get(f"{public.edge.url('console.')}/sign-in")
    assert 'action="/sign-in"' in alone.text
    assert "Path=/;" in alone.headers["set-cookie"]
    async with caddy(folder / "without-console", public.ports, console="false") as edge, edge.client() as web:
        assert set((await web.get("/", headers=page)).json()["services"]) == set(SERVICES)


async def test_only_the_gateway_answers_without_tls(public: Public):
    heartbeat = await public.owner.heartbeat(name="from a cron job")
    plain = f"{public.edge.url('data-gateway.', 'http')}/v1/heartbeat/{heartbeat['id']}"
    assert (await public.web.get(plain)).json() == {"message": "OK"}
    assert (await public.web.post(plain)).json() == {"message": "OK"}
    for host in ("", "resource-cmd.", f"acme.{BELOW}"):
        sent = await public.web.get(f"{public.edge.url(host, 'http')}/v1/x?y=1")
        name = public.edge.url(host).rpartition(":")[0]
        assert (sent.status_code, sent.headers["location"]) == (308, f"{name}/v1/x?y=1")


async def changed(public: Public, page: dict[str, Any], **settings: Any) -> None:
    answer = await public.owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}", json=settings)
    assert answer.status_code == 200, answer.text


async def shows(public: Public, url: str, words: str) -> str:
    """The page at a URL once it has some words."""

    async def look() -> str:
        try:
            return (await public.web.get(url)).text
        except httpx.ConnectError as error:  # there is no certificate yet
            return str(error)

    return await eventually(look, lambda it: words in it)


async def test_page_has_a_certificate_for_its_subdomain_once_it_is_there(public: Public):
    with pytest.raises(httpx.ConnectError, match="alert"):
        await public.web.get(public.edge.url(f"acme.{BELOW}"))
    page = await public.owner.page(name="Acme", subdomain="acme")
    root = public.edge.url(f"acme.{BELOW}")
    shown = await shows(public, root, "All systems operational")
    assert f'href="https://acme.{BELOW}"' in shown
    assert (await public.web.get("/status/acme/api/v2/status.json")).json()["page"]["id"] == page["id"]
    for path in CLOSED:
        answer = await public.web.get(f"{root}{path}")
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    before = await public.answered()
    for method, path in (("POST", "/unlock"), ("GET", "/subscribe")):
        await public.web.request(method, f"{root}{path}")
    after = await public.answered()
    assert after["statuspage-cmd"] - before["statuspage-cmd"] == 3


async def test_page_has_a_certificate_for_its_own_domain_once_that_is_verified(public: Public):
    domain = "status.example.org"
    page = await public.owner.page(name="Acme", domain=domain)
    with pytest.raises(httpx.ConnectError, match="alert"):
        await public.web.get(public.edge.url(domain))
    public.names.records[domain, "CNAME"] = f"{page['subdomain']}.{BELOW}."
    assert (await public.owner.get(f"statuspage-query/v1/domain/{domain}/cname"))["configured"]
    await shows(public, public.edge.url(domain), f'<link rel="canonical" href="https://{domain}">')


@pytest.mark.parametrize("host", ["prober-eu-central-1.pinghome.test", "evil.example.org", f"nobodys.{BELOW}", "a.b"])
async def test_other_hosts_have_no_certificate(public: Public, host):
    with pytest.raises(ssl.SSLError, match="alert"):
        await asyncio.open_connection("127.0.0.1", public.edge.https, ssl=public.edge.trusting(), server_hostname=host)


async def test_clients_do_not_choose_their_address(public: Public):
    page = await public.owner.page(name="Acme", type="private", ip_addresses=["192.0.2.1"], password="open")
    url = f"/status/{page['subdomain']}"
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "Forwarded": "for=192.0.2.1"}
    answer = await eventually(lambda: public.web.get(url, headers=forged), lambda it: it.status_code != 404)
    assert answer.status_code == 401
    answer = await public.owner(
        "PUT", f"statuspage-cmd/v1/statuspage/{page['id']}", json={"ip_addresses": ["127.0.0.1"]}
    )
    assert answer.status_code == 200
    await eventually(lambda: public.web.get(url, headers=forged), lambda it: it.status_code == 200)


async def test_malformed_request_puts_no_service_out_of_reach(public: Public):
    check = (await public.owner.heartbeat(name="of whose ping all is read"))["id"]
    head = f"POST /ping/{check} HTTP/1.1\r\nHost: data-gateway.{DOMAIN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", public.edge.http)
    writer.write(f"{head}1\r\nx\r\nno length\r\n".encode())
    answer = (await reader.readuntil(b"}")).decode()
    assert "502 Bad Gateway" in answer
    assert '{"message":"The service did not answer' in answer
    writer.close()
    assert (await public.web.get("/data-gateway/healthz")).text == "ok"


async def test_event_stream_of_a_page_flows(public: Public):
    page = await public.owner.page(name="Acme")
    url = f"/status/{page['subdomain']}/events"
    await shows(public, url.removesuffix("/events"), "Acme")
    async with public.web.stream("GET", url) as stream, asyncio.timeout(60):
        lines = stream.aiter_lines()
        assert [await anext(lines), await anext(lines)] == ["retry: 3000", "event: hello"]
        await changed(public, page, page_name="Acme Cloud")
        async for line in lines:
            if line == "event: changed":
                break


async def beat(public: Public) -> None:
    """Waits for the next heartbeat of the platform itself."""
    before = len(public.outside.asked)
    async with asyncio.timeout(120):
        while len(public.outside.asked) == before:
            await asyncio.sleep(0.05)


async def test_platforms_own_heartbeat_is_repeated_until_it_is_accepted(public: Public):
    log = public.edge.data.with_name("behind-caddy") / "log/resource-cmd.log"
    public.outside.status = 500
    while "the receiver answered 500 Internal Server Error" not in log.read_text():
        await beat(public)
    public.outside.status = 200
    await beat(public)


@pytest.mark.parametrize("part", ["nats", "postgres", "data-gateway", "resource-query"])
async def test_platforms_own_heartbeat_stops_while_a_part_is_away_and_comes_again(public: Public, part):
    await beat(public)
    keeper = next(each for each in public.supervisors if part in each.pids)
    child = keeper._runs[part].child
    await keeper.stop(part)
    await eventually(lambda: public.outside.silent_for(2 * PERIOD), bool)
    await keeper.start(child, within=60)
    await beat(public)


def second(public: Public, name: str) -> Child:
    """A second process of a service, where Caddy looks for it."""
    first, port = public.supervisors[1]._runs[name].child, public.ports[name][1]
    data = first.folder.parent / "second"
    data.mkdir(exist_ok=True)
    own = {"PINGHOME_PORT": str(port), "PINGHOME_DATA": str(data)}
    ready = partial(services.answers, "127.0.0.1", port)
    return replace(
        first, name=f"{name}-2", log=data / f"{name}.log", folder=data, ready=ready, env={**first.env, **own}
    )


async def test_rolling_restart_fails_no_request(public: Public):
    heartbeat = (await public.owner.heartbeat(name="steady"))["id"]
    at, below, tls = f"HTTP/1.1\r\nHost: {DOMAIN}", f"HTTP/1.1\r\nHost: data-gateway.{DOMAIN}", public.edge.trusting()
    sent = [
        (public.edge.http, None, f"GET /v1/heartbeat/{heartbeat} {below}"),
        (public.edge.https, tls, f"POST /ping/{heartbeat} {at}\r\nContent-Length: 0"),
        (public.edge.https, tls, f"GET /resource-query/v1/heartbeat/{heartbeat} {at}\r\nAuthorization: Bearer {TOKEN}"),
    ]
    keeper, seen = public.supervisors[1], Counter()
    tasks = [asyncio.create_task(again_and_again(*each, seen)) for each in sent * 4]
    for first, twin in [(keeper._runs[name].child, second(public, name)) for name in TWICE]:
        await keeper.start(twin, within=60)
        await keeper.stop(first.name)
        await keeper.start(first, within=60)
        await keeper.stop(twin.name)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(seen) == {"POST 200", "GET 200"}, seen
    assert min(seen.values()) > 20
