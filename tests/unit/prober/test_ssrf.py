"""S4: every form of the corpus, with every type and by redirects, makes no connection to a forbidden listener."""

import asyncio
import socket
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober import ping
from prober.probes import PROBES
from prober.probes.probe_types import ProbeSpec
from ssrf_corpus import FORMS, in_url

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRONT = "127.0.0.77"
"""The one address that may be reached: from there a redirect leads elsewhere."""

GUARD = Guard([ip_network(f"{FRONT}/32")])


class Counting(asyncio.Protocol, asyncio.DatagramProtocol):
    """Counts whoever comes, by TCP or UDP."""

    def __init__(self, seen: list[object]) -> None:
        self.seen = seen

    def connection_made(self, transport) -> None:
        if transport.get_extra_info("peername"):
            self.seen.append(transport.get_extra_info("peername"))
            transport.close()

    def datagram_received(self, data, addr) -> None:
        self.seen.append((data, addr))


@asynccontextmanager
async def inside():
    """A port of all addresses of this machine, by TCP and UDP, and who came there."""
    loop, seen = asyncio.get_running_loop(), []
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        server = await loop.create_server(lambda: Counting(seen), sock=listener)
        transport, _ = await loop.create_datagram_endpoint(lambda: Counting(seen), local_addr=("0.0.0.0", port))  # noqa: S104
        yield port, seen
        transport.close()
        server.close()


async def test_the_listener_would_notice():
    async with inside() as (port, seen):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", port))
        await asyncio.sleep(0.1)

    assert len(seen) == 2


@pytest.mark.parametrize("kind", PROBES)
async def test_no_type_reaches_a_forbidden_address(kind, monkeypatch):
    echoes, found = [], {}
    monkeypatch.setattr(ping.PingSocket, "_transmit", lambda _, *sent: echoes.append(sent))
    async with inside() as (port, seen):
        for form in FORMS:
            for scheme in ("http", "https") if kind == "http" else ("http",):
                url = f"{scheme}://{in_url(form)}:{port}/"
                check = ProbeSpec(url=url, host=form, port=port, data="example.com A")
                found[form, scheme] = await PROBES[kind](check, GUARD, 1)
        await asyncio.sleep(0.1)

    assert {key: it.error for key, it in found.items() if it.verdict is not Verdict.blocked} == {}
    assert (seen, echoes) == ([], [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_to_a_forbidden_address(listening, status):
    forms = list(FORMS)

    async def answer(writer):
        location = f"http://{in_url(forms[0])}:{port}/".encode()
        writer.write(b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location))

    async with inside() as (port, seen), listening(answer, host=FRONT) as front:
        while forms:
            it = await PROBES["http"](ProbeSpec(url=front.url), GUARD, 2)
            # With a zone it is no host name at all, and the redirect is the target's fault.
            assert it.verdict is (Verdict.target_fail if "%" in forms[0] else Verdict.blocked), (forms[0], it.error)
            forms.pop(0)
        await asyncio.sleep(0.1)

    assert front.connections == len(FORMS)
    assert seen == []


@pytest.mark.parametrize("kind", [kind for kind in PROBES if kind != "icmp"])
async def test_name_that_turns_inside_after_it_was_judged_is_not_followed(kind):
    """Rebinding: the first answer is allowed, every later one is this machine."""
    answers = iter([[FRONT]])
    guard = Guard([ip_network(f"{FRONT}/32")], lookup=lambda _: next(answers, ["127.0.0.1"]))
    async with inside() as (port, seen):
        url = f"http://rebinding.example:{port}/"
        check = ProbeSpec(url=url, host="rebinding.example", port=port, data="example.com A")
        first, second = await PROBES[kind](check, guard, 0.5), await PROBES[kind](check, guard, 0.5)
        await asyncio.sleep(0.1)

    assert (first.address, second.verdict) == (FRONT, Verdict.blocked)
    assert len(seen) == 1  # at the address that was judged: the listener hears all of this machine's
