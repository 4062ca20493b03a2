"""Every type of monitor from end to end: created, up, its server stops, down; and what each must be told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from dns.message import from_wire, make_response
from dns.rrset import from_text

from contract.answers import refused
from contract.client import RESOURCE, Client
from contract.pinghome.watched import QUICK, Watched
from contract.target import listening
from running import free_port
from unit.prober.permission import may_ping

Stop = Callable[[], Awaitable[None]]


class Answering(asyncio.DatagramProtocol):
    """Answers datagrams by a function."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._transport.sendto(self._answer(data), addr)


def resolved(wire: bytes) -> bytes:
    query = from_wire(wire)
    reply = make_response(query)
    reply.answer.append(from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1"))
    return reply.to_wire()


MAIL = {
    "smtp": (b"220 mail.example ESMTP\r\n", {b"EHLO": b"250 mail.example\r\n", b"QUIT": b"221 bye\r\n"}),
    "pop": (b"+OK ready\r\n", {b"CAPA": b"+OK\r\nTOP\r\n.\r\n", b"QUIT": b"+OK bye\r\n"}),
    "imap": (b"* OK ready\r\n", {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\np1 OK\r\n", b"LOGOUT": b"p4 OK\r\n"}),
}


def mail(kind: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    greeting, replies = MAIL[kind]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while line := await reader.readline():
            writer.write(next((reply for word, reply in replies.items() if word in line), b""))
        writer.close()

    return serve


async def closing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def served(kind: str) -> AsyncIterator[tuple[int, Stop]]:
    """A server for a type on a port of 127.0.0.1, and how to stop it."""
    if kind in ("udp", "dns"):
        answer = resolved if kind == "dns" else bytes.upper
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Answering(answer), local_addr=("127.0.0.1", 0))

        async def stop() -> None:
            transport.close()

        yield transport.get_extra_info("sockname")[1], stop
    else:
        server = await asyncio.start_server(mail(kind) if kind in MAIL else closing, "127.0.0.1", free_port())

        async def stop() -> None:
            server.close()

        yield server.sockets[0].getsockname()[1], stop
    await stop()


SETTINGS: dict[str, dict[str, Any]] = {
    "tcp": {"data": "ping"},
    "udp": {"data": "ping"},
    "smtp": {},
    "pop3": {},
    "imap": {},
    "dns": {"host": "www.example", "data": "A 192.0.2.1"},
}


async def monitor(client: Client, type_: str, **settings: Any) -> Watched:
    return Watched(client, await client.resource(**{"type": type_, "url": "", **QUICK, **settings}))


async def results(it: Watched, **query: Any) -> list[dict[str, Any]]:
    return (await it.client.get(f"statistic-query/{it.path}/results", **query))["data"]


@pytest.mark.parametrize("type_", SETTINGS)
async def test_monitor_is_up_until_its_server_stops(client: Client, type_: str):
    kind = {"pop3": "pop"}.get(type_, type_)
    async with served(kind) as (port, stop):
        where = {"url": f"dns://127.0.0.1:{port}"} if kind == "dns" else {"host": "127.0.0.1", "port": str(port)}
        it = await monitor(client, type_, **{**where, **SETTINGS[type_]})
        seen = await it.until("up")
        assert (seen["type"], seen["port"]) == (kind, "" if kind == "dns" else str(port))
        assert seen["response_time"] > 0
        (good, *_) = await results(it)
        assert (good["verdict"], good["class"], good["address"]) == ("up", None, "127.0.0.1")
        assert good["phases"]["total"] > 0

        await stop()

        seen = await it.until("down")
        assert "refused" in seen["reason"]
        bad = (await results(it, verdict="fail"))[0]
        assert (bad["verdict"], bad["class"], bad["region"]) == ("fail", "target_fail", "eu-central-1")
        assert (bad["error"], bad["address"], bad["status_code"]) == (seen["reason"], "127.0.0.1", None)
    await it.delete()


@pytest.mark.parametrize("type_", ["icmp", "ping"])
async def test_host_that_replies_to_ping_is_up(client: Client, type_: str):
    it = await monitor(client, type_, host="127.0.0.1")

    seen = await it.until("up" if may_ping() else "unknown")

    assert (seen["type"], seen["port"]) == ("icmp", "")
    if may_ping():
        assert 0 < seen["response_time"] < 1000
    else:
        assert "ping_group_range" in seen["reason"]
    await it.delete()


async def test_results_tell_everything_that_is_kept(client: Client):
    wanted = {"type": "response-json-check", "operator": "equal", "key": "status", "values": ["ok"]}
    async with listening(says='{"status": "degraded"}') as target:
        it = Watched(client, await client.resource(url=target.url, conditions=[wanted], **QUICK))
        await it.until("down")
        bad = (await results(it, limit=1))[0]
        slot, checked = (datetime.fromisoformat(bad[time]) for time in ("slot", "checked_at"))
        assert slot <= checked <= datetime.fromisoformat((await it.read())["last_checked_at"])
        assert {name for name, value in bad["phases"].items() if value is None} == {"dns", "tls"}
        for name in ("slot", "checked_at", "phases"):
            del bad[name]
        assert bad == {
            "verdict": "fail", "class": "target_fail", "region": "eu-central-1", "status_code": 200,
            "error": "response-json-check status equal ok: found degraded", "address": "127.0.0.1",
            "condition": "response-json-check status equal ok", "excerpt": '{"status": "degraded"}',
            "tolerated": [],
        }  # fmt: skip
        target.says = '{"status": "ok"}'
        await it.until("up")
        rows = await results(it)
        times = [[datetime.fromisoformat(row[time]) for time in ("slot", "checked_at")] for row in rows]
        assert all(slot <= checked for slot, checked in times)
        assert [row["slot"] for row in rows] == sorted((row["slot"] for row in rows), reverse=True)
        assert (rows[0]["verdict"], rows[0]["condition"], rows[0]["excerpt"]) == ("up", "", "")
        both = await results(it, verdict="up"), await results(it, verdict="target_fail")
        assert min(map(len, both)) >= 1
        assert await results(it, start_date=rows[-1]["slot"], end_date=rows[-2]["slot"]) == rows[-1:]
        assert await results(it, verdict="blocked") == []
    await it.delete()


async def test_secret_that_a_target_echoes_is_not_shown(client: Client):
    async with listening(status=500, says="you sent a-long-secret-token") as target:
        it = Watched(client, await client.resource(url=target.url, headers={"X-Key": "a-long-secret-token"}, **QUICK))
        await it.until("down")
        assert (await results(it))[0]["excerpt"] == "you sent ********"
    await it.delete()


async def test_verdict_that_is_none_is_refused(client: Client):
    it = await client.resource()
    for wrong in ("", "UP", "down", "x", "up,fail", "%00"):
        url = f"statistic-query/v1/resource/{it['id']}/results"
        refused(await client("GET", url, params={"verdict": wrong}), 422, "verdict")


def new(type_: str, **settings: Any) -> dict[str, Any]:
    return {**RESOURCE, "name": f"never {uuid4()}", "type": type_, "url": "", **settings}


CONDITION = {"type": "response-status-check", "operator": "equal", "values": ["200"]}


@pytest.mark.parametrize(
    ("type_", "settings", "field"),
    [
        ("http", {}, "url"),
        ("tcp", {"port": 80}, "host"),
        ("tcp", {"host": "127.0.0.1"}, "port"),
        ("udp", {"host": "127.0.0.1", "port": ""}, "port"),
        ("icmp", {}, "host"),
        ("smtp", {"host": "a b"}, "host"),
        ("pop", {"url": "file:///etc/passwd"}, "url"),
        ("imap", {"host": "127.0.0.1", "port": 70000}, "port"),
        ("dns", {"url": "dns://127.0.0.1"}, "host"),
        ("dns", {"host": "a.example", "data": "ANY"}, "data"),
        *((type_, {"host": "127.0.0.1", "port": 1, "conditions": [CONDITION]}, "conditions")
          for type_ in ("tcp", "udp", "icmp", "smtp", "pop", "imap")),
    ],
)  # fmt: skip
async def test_setting_that_a_type_needs_or_cannot_use_is_named(client: Client, type_: str, settings: Any, field: str):
    refused(await client("POST", "resource-cmd/v1/resource", json=new(type_, **settings)), 422, field)


async def test_change_is_judged_by_the_monitors_own_type(client: Client):
    it = await client.resource(type="tcp", host="127.0.0.1", url="", port=1)
    url = f"resource-cmd/v1/resource/{it['id']}"
    await client("PUT", f"{url}/status", json={"enabled": False})

    for wrong, field in (
        ({"type": "udp"}, "type"),
        ({"port": ""}, "port"),
        ({"host": ""}, "host"),
        ({"host": "10.0.0.1"}, "host"),
        ({"url": "tcp://10.0.0.1:1"}, "url"),
        ({"url": "http://"}, "url"),
        ({"conditions": [CONDITION]}, "conditions"),
    ):
        refused(await client("PUT", url, json=wrong), 422, field)
    answer = await client("PUT", url, json={"type": "tcp", "port": "2", "conditions": [], "data": "x"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["resource"]["port"], answer.json()["resource"]["data"]) == ("2", "x")


@pytest.mark.parametrize("type_", ["tcp", "udp", "icmp", "ping", "smtp", "pop", "pop3", "imap"])
async def test_forbidden_target_of_every_type_is_refused_when_it_is_saved(client: Client, type_: str):
    for host in ("169.254.169.254", "10.0.0.1", "::ffff:169.254.169.254", "0xa9fea9fe"):
        body = new(type_, host=host, port=1)
        refused(await client("POST", "resource-cmd/v1/resource", json=body), 422, "host")
    body = new(type_, url=f"{type_}://10.0.0.1:1")
    refused(await client("POST", "resource-cmd/v1/resource", json=body), 422, "url")


async def test_forbidden_dns_server_is_refused_when_it_is_saved(client: Client):
    body = new("dns", host="a.example", url="dns://169.254.169.254")
    refused(await client("POST", "resource-cmd/v1/resource", json=body), 422, "url")
