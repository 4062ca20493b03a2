"""Ten thousand pings that nobody should send: the right code for each, and nobody behind the gateway notices."""

import asyncio
import random
from collections import Counter
from urllib.parse import quote_from_bytes
from uuid import UUID, uuid4

import pytest

from contract.client import Client
from contract.healthchecks.pinging import Pinging
from running import Platform

PINGS = 10_000
CONNECTIONS = 16
NASTY = [
    b"*", b">", b".", b"..", b"events.>", b"$JS.API.>", b"\r\n", b"\r\nPUB a 1\r\nx\r\n", b"\x00", b"\xff\xfe",
    b"/", b"//", b"%", b"?", b"#", b"{}", b"'; --", b"<script>", b"start", b"fail", b"256", b"-1", b" ", b"a" * 5000,
    b"." * 5000, "\u202e\u0660".encode(), b"create=1", b"UPPER", b"\xc3(",
]  # fmt: skip


@pytest.fixture(scope="session")
async def ping(platform: Platform, client: Client) -> Pinging:
    return await Pinging.of(platform, client)


def nasty(chance: random.Random, check: str, key: str) -> tuple[bytes, bytes]:
    """The target and the body of a request that is no ping."""
    bits = b"".join(chance.choices(NASTY, k=chance.randint(1, 3)))[:6000]
    junk = quote_from_bytes(bits, safe="" if chance.random() < 0.5 else "/*>.$'<{-=")
    odd = chance.choice(
        [junk, str(UUID(int=chance.getrandbits(128))), junk + check, check[:-1], chance.randbytes(40).hex()]
    )
    path = chance.choice(
        [odd, f"{odd}/start", f"{check}/x{junk}", f"{key}/{odd}.", f"{'k' * 22}/{odd}", f"{key[:-1]}/{odd}"]
    )
    if chance.random() < 0.1:
        path = chance.choice(
            [f"{check}/{chance.randint(256, 10**9)}", f"{key}/UPPER/start", f"{check}/fail?rid={junk}"]
        )
    query = "" if "?" in path else chance.choice(["", "", f"?rid={junk}", f"?create={junk}", "?create=1", f"?{junk}"])
    body = chance.choice([b"", b"", b"", b"\xff\x00", chance.randbytes(2000)])
    if chance.random() < 0.002:
        body = chance.randbytes(1 << 20)
    return f"/ping/{path}{query}".encode(), body


async def answers(port: int, requests: list[tuple[bytes, bytes]]) -> Counter[int]:
    """The codes, asked one after another on one connection for as long as the server keeps it."""
    found: Counter[int] = Counter()
    reader = writer = None
    for number, (target, body) in enumerate(requests):
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        method = (b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS")[number % 5]
        writer.write(b"%b %b HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n" % (method, target, len(body)) + body)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        found[int(head.split(b" ", 2)[1])] += 1
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        await reader.readexactly(int(headers[b"content-length"]))
        if headers.get(b"connection") == b"close":
            writer.close()
            reader = writer = None
    if writer is not None:
        writer.close()
    return found


@pytest.mark.timeout(900)  # twenty seconds on an idle machine
async def test_ten_thousand_bad_pings_get_their_codes_and_reach_nobody(ping: Pinging, platform: Platform):
    slug, check = await ping.named()
    chance = random.Random(4)
    requests = [nasty(chance, check, ping.key) for _ in range(PINGS)]
    nats = platform.data / "log" / "nats.log"
    before, told = nats.read_text() if nats.exists() else "", _away(platform)
    found: Counter[int] = Counter()
    shares = [requests[start::CONNECTIONS] for start in range(CONNECTIONS)]
    for each in await asyncio.gather(*(answers(platform.port, share) for share in shares)):
        found += each
    assert found.total() == PINGS
    assert found.keys() <= {400, 404, 413, 414}, found
    assert found[404] > PINGS / 4
    assert found[400] > PINGS / 100
    assert _away(platform) == told
    assert not nats.exists() or nats.read_text() == before  # nobody was thrown out, nobody came again
    assert await ping.types(check) == ["success"]
    assert (await ping("GET", f"{ping.key}/{slug}/{uuid4()}")).status_code == 404
    assert (await ping("GET", f"{ping.key}/{slug}")).text == "OK"


def _away(platform: Platform) -> int:
    """How often a service complained of its broker."""
    log = platform.log.read_text()
    return log.count("nats_error") + log.count("nats_unreachable")
