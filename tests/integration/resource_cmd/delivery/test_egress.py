"""What leaves for users' URLs: to judged addresses only, under the URL's host, sharing nothing, bounded in all."""

import asyncio
import ipaddress
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from bench.certificates import write_certificates
from integration.resource_cmd.delivery.messages import message
from pinghome_common.guard import AddressForbidden, Guard
from pinghome_delivery import egress
from pinghome_delivery.apprise import Apprise
from pinghome_delivery.message import DeliveryError
from pinghome_delivery.slack import Slack
from pinghome_delivery.web import Web
from pinghome_delivery.webhook import Webhook
from running import free_port

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@asynccontextmanager
async def serving(say, **how):
    """A server that answers each head with what `say(writer, head)` writes; yields its port and the heads."""
    heads = []

    async def serve(reader, writer):
        try:
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await say(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", free_port(), **how) as server:
        yield server.sockets[0].getsockname()[1], heads


async def cookies(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: tenant=a; Path=/\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.05)


async def test_no_cookie_of_one_receiver_reaches_another(transports):
    async with serving(cookies) as (one, heads), serving(cookies) as (two, others):
        for _ in range(2):
            await Webhook(url=f"http://127.0.0.1:{one}/").send(message(), transports)
            await Slack(url=f"http://127.0.0.1:{two}/").send(message(), transports)
    assert (len(heads), len(others)) == (2, 2)
    assert not any("cookie" in head.lower() for head in heads + others)


async def test_no_cookie_of_one_registry_reaches_another():
    guard = Guard(LOOPBACK, lambda _: ["127.0.0.1"])
    calling = egress.client(guard, most=99, timeout=httpx.Timeout(20))
    async with serving(cookies) as (port, heads), calling as client:
        for host in ("a.example", "b.a.example", "a.example"):
            await client.get(f"http://{host}:{port}/")
    assert not any("cookie" in head.lower() for head in heads)


async def test_name_of_the_url_is_what_tls_and_http_speak_of(tmp_path):
    write_certificates(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "key.pem")
    named = []
    served.sni_callback = lambda _, name, __: named.append(name)
    guard = Guard(LOOPBACK, lambda _: ["127.0.0.1"])
    async with serving(cookies, ssl=served) as (port, heads):
        trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        trusting.check_hostname = False  # the certificate is for the address
        web = Web(guard, trusting)
        assert (await web.request("POST", f"https://localhost:{port}/", {})).status == 200
        await web.close()
    assert named == ["localhost"]
    assert f"Host: localhost:{port}" in heads[0]


async def test_address_after_one_that_refuses_is_tried():
    async with serving(cookies) as (port, heads):
        web = Web(Guard(LOOPBACK, lambda _: ["127.0.0.9", "127.0.0.1"]))
        assert (await web.request("POST", f"http://two.example:{port}/", {})).status == 200
        await web.close()
    assert len(heads) == 1


async def test_one_forbidden_address_refuses_all_also_after_a_redirect():
    async def elsewhere(writer):
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://inside.example/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)

    addresses = {"fine.example": ["127.0.0.1"], "inside.example": ["127.0.0.1", "169.254.169.254"]}
    async with serving(elsewhere) as (port, _):
        guard = Guard(LOOPBACK, addresses.__getitem__)
        async with egress.client(guard, most=99, timeout=httpx.Timeout(20), follow_redirects=True) as client:
            with pytest.raises(AddressForbidden):
                await client.get(f"http://fine.example:{port}/")


async def endless_chunks(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n" * 4096)
        await writer.drain()


async def endless_interim(writer):
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1024)
        await writer.drain()


async def endless_head(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n" * 4096)
        await writer.drain()


async def endless_silence(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(3600)


@pytest.mark.parametrize("body", [endless_chunks, endless_silence])
async def test_status_line_decides_though_the_body_never_ends(transports, body):
    async with serving(body) as (port, heads):
        await Webhook(url=f"http://127.0.0.1:{port}/").send(message(), transports)
    assert len(heads) == 1


@pytest.mark.parametrize("head", [endless_interim, endless_head])
async def test_head_without_end_costs_little(transports, head):
    async with serving(head) as (port, _):
        before = time.process_time()
        with pytest.raises(DeliveryError, match="did not answer in HTTP"):
            await Webhook(url=f"http://127.0.0.1:{port}/").send(message(), transports)
        assert time.process_time() - before < 5  # it took a core until the deadline, 10 s


async def test_body_that_is_read_has_a_bound_of_parts(transports):
    async with serving(endless_chunks) as (port, _):
        with pytest.raises(DeliveryError, match="did not answer in HTTP"):
            await transports.web.request("GET", f"http://127.0.0.1:{port}/", {})


async def test_services_of_apprise_are_called_at_judged_addresses_only(transports):
    asked = []

    def lookup(name):
        asked.append(name)
        return ["169.254.169.254"]

    it = Apprise(url="discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js")
    with pytest.raises(DeliveryError, match="Discord did not take"):
        await it.send(message(), replace(transports, guard=Guard(lookup=lookup)))
    assert set(asked) == {"discord.com"}
