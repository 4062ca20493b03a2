"""Which addresses the guard lets out, and that what it judged is what it connects to."""

import asyncio
import errno
import socket
import time
from ipaddress import ip_address, ip_network

import pytest

from pinghome_common.guard import Forbidden, Guard

# Forms that have bypassed a filter somewhere, or a range that no probe may reach.
FORBIDDEN = [
    pytest.param("127.0.0.1", id="loopback"),
    pytest.param("127.255.255.254", id="loopback, last of the net"),
    pytest.param("127.1", id="inet_aton short form (reliability.md)"),
    pytest.param("127.0.1", id="inet_aton three parts (OWASP SSRF cheat sheet)"),
    pytest.param("2130706433", id="decimal (reliability.md)"),
    pytest.param("0x7f.1", id="hexadecimal part (reliability.md)"),
    pytest.param("0x7f000001", id="hexadecimal whole (OWASP SSRF cheat sheet)"),
    pytest.param("0X7F.0.0.0x1", id="hexadecimal upper case (npm ip CVE-2023-42282)"),
    pytest.param("017700000001", id="octal whole (reliability.md)"),
    pytest.param("0177.0.0.1", id="octal part (CVE-2021-29921)"),
    pytest.param("00000177.1", id="octal with leading zeros (CVE-2021-29921)"),
    pytest.param("0", id="zero alone (reliability.md)"),
    pytest.param("0.0.0.0", id="unspecified reaches this host (0.0.0.0-day, Oligo 2024)"),  # noqa: S104
    pytest.param("0.1.2.3", id="this network (RFC 1122)"),
    pytest.param("①②⑦.0.0.1", id="circled digits (reliability.md)"),
    pytest.param("１２７.０.０.１", id="full-width digits (Orange Tsai 2017)"),  # noqa: RUF001
    pytest.param("127。0。0。1", id="ideographic full stop (reliability.md)"),
    pytest.param("10.0.0.1", id="private 10/8 (RFC 1918)"),
    pytest.param("012.0.0.1", id="octal private (CVE-2021-28918 netmask)"),
    pytest.param("172.16.0.1", id="private 172.16/12"),
    pytest.param("172.31.255.255", id="private 172.16/12, last"),
    pytest.param("192.168.0.1", id="private 192.168/16"),
    pytest.param("3232235521", id="decimal private"),
    pytest.param("100.64.0.1", id="shared address space, is_private is False (reliability.md)"),
    pytest.param("100.100.100.200", id="Alibaba metadata"),
    pytest.param("169.254.169.254", id="metadata (Uptime Kuma GHSA-qjxc-h5jf-c7rj)"),
    pytest.param("0xa9fea9fe", id="metadata in hexadecimal"),
    pytest.param("2852039166", id="metadata in decimal"),
    pytest.param("0251.0376.0251.0376", id="metadata in octal"),
    pytest.param("169.254.170.2", id="ECS task credentials"),
    pytest.param("169.254.170.23", id="EKS pod identity"),
    pytest.param("192.0.0.192", id="Oracle metadata, is_global (reliability.md)"),
    pytest.param("168.63.129.16", id="Azure WireServer, a public address"),
    pytest.param("192.0.0.8", id="IETF protocol assignments (RFC 6890)"),
    pytest.param("192.0.2.1", id="documentation 1 (RFC 5737)"),
    pytest.param("198.51.100.1", id="documentation 2"),
    pytest.param("203.0.113.1", id="documentation 3"),
    pytest.param("192.88.99.1", id="6to4 relay anycast (RFC 7526)"),
    pytest.param("198.18.0.1", id="benchmarking (RFC 2544)"),
    pytest.param("224.0.0.1", id="multicast, is_global (reliability.md)"),
    pytest.param("239.255.255.250", id="SSDP multicast"),
    pytest.param("240.0.0.1", id="reserved class E"),
    pytest.param("255.255.255.255", id="broadcast"),
    pytest.param("::", id="unspecified v6"),
    pytest.param("::1", id="loopback v6"),
    pytest.param("0:0:0:0:0:0:0:1", id="loopback v6 written out"),
    pytest.param("::ffff:127.0.0.1", id="v4-mapped (OneUptime CVE-2026-80350)"),
    pytest.param("::ffff:7f00:1", id="v4-mapped in hexadecimal"),
    pytest.param("::ffff:169.254.169.254", id="v4-mapped metadata"),
    pytest.param("::127.0.0.1", id="v4-compatible (reliability.md)"),
    pytest.param("::8.8.8.8", id="v4-compatible of a public address leads nowhere public"),
    pytest.param("64:ff9b::7f00:1", id="NAT64 of loopback (reliability.md)"),
    pytest.param("64:ff9b::a9fe:a9fe", id="NAT64 of metadata (reliability.md)"),
    pytest.param("64:ff9b:1::a9fe:a9fe", id="local NAT64 (RFC 8215)"),
    pytest.param("2002:7f00:1::", id="6to4 of loopback (reliability.md)"),
    pytest.param("2002:a9fe:a9fe::1", id="6to4 of metadata"),
    pytest.param("2001:0:4136:e378:8000:63bf:80ff:fffe", id="Teredo of loopback (RFC 4380)"),
    pytest.param("fc00::1", id="unique local"),
    pytest.param("fd00:ec2::254", id="AWS metadata v6"),
    pytest.param("fd20:ce::254", id="Google metadata v6"),
    pytest.param("fe80::1", id="link-local"),
    pytest.param("fe80::1%lo", id="link-local with a zone"),
    pytest.param("fe80::a9fe:a9fe", id="OpenStack metadata v6"),
    pytest.param("fec0::1", id="site-local, is_global (reliability.md)"),
    pytest.param("5f00::1", id="SRv6 SIDs, is_global (reliability.md)"),
    pytest.param("ff02::1", id="multicast v6, is_global (reliability.md)"),
    pytest.param("2001:db8::1", id="documentation v6"),
    pytest.param("3fff::1", id="documentation v6 (RFC 9637)"),
    pytest.param("2001:20::1", id="ORCHIDv2 (RFC 7343)"),
    pytest.param("100::1", id="discard only (RFC 6666)"),
    pytest.param("4000::1", id="v6 that IANA has not given out"),
]
PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700:4700::1111"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "134744072", "8.8.2056"),
]
METADATA = ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "100.100.100.200", "192.0.0.192"]
METADATA += ["168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe", "2002:a9fe:a9fe::"]
LOCAL = [ip_network("127.0.0.0/8")]


class Counting(asyncio.Protocol):
    """Counts the connections a listener sees, and says which address they came to."""

    def __init__(self, seen: list[str]):
        self.seen = seen

    def connection_made(self, transport):
        self.seen.append(transport.get_extra_info("sockname")[0])
        transport.close()


@pytest.fixture
async def listeners():
    """One port on 127.0.0.1 and on 127.0.0.2, with the addresses that were connected to."""
    loop = asyncio.get_running_loop()
    seen: list[str] = []
    first = await loop.create_server(lambda: Counting(seen), "127.0.0.1", 0)
    port = first.sockets[0].getsockname()[1]
    second = await loop.create_server(lambda: Counting(seen), "127.0.0.2", port)
    async with first, second:
        yield port, seen


@pytest.mark.parametrize("form", FORBIDDEN)
async def test_forbidden_form_is_refused_when_saved_and_when_probed(form):
    guard = Guard()

    with pytest.raises(Forbidden, match="address"):
        guard.check_literal(form)
    with pytest.raises(Forbidden, match="address"):
        await guard.resolve(form)


def test_corpus_has_sixty_different_forms():
    assert len({form.values for form in FORBIDDEN}) == len(FORBIDDEN) >= 60


@pytest.mark.parametrize("form", PUBLIC)
async def test_public_address_passes_in_every_spelling(form):
    assert await Guard().resolve(form) == [Guard().check_literal(form)]


@pytest.mark.parametrize("name", ["example.com", "localhost", "127.0.0.1.example.com", "a..b", "x" * 300, ""])
def test_name_passes_at_save(name):
    assert Guard().check_literal(name) is None


async def test_name_that_means_this_machine_is_refused_at_run():
    with pytest.raises(Forbidden, match="loopback"):
        await Guard().resolve("localhost")


@pytest.mark.parametrize("name", ["a..b", "x" * 300, "", "nothing.invalid", "127.0.0.1\n", "127.0.0.1 x"])
async def test_name_that_nobody_has_is_a_resolver_error(name):
    with pytest.raises(socket.gaierror):
        await Guard().resolve(name)


async def test_operator_may_allow_a_private_network_in_every_spelling():
    guard = Guard(LOCAL)

    for form in ("127.0.0.1", "127.1", "::ffff:127.0.0.1", "localhost"):
        assert await guard.resolve(form)
    for form in ("10.0.0.1", "::1", "0.1.2.3"):
        with pytest.raises(Forbidden):
            guard.check(form)


def test_loopback_v6_can_be_allowed():
    assert Guard([ip_network("::1/128")]).check("::1") == ip_address("::1")


@pytest.mark.parametrize("form", METADATA)
def test_metadata_address_is_refused_even_when_everything_is_allowed(form):
    guard = Guard([ip_network("0.0.0.0/0"), ip_network("::/0")])

    with pytest.raises(Forbidden, match="never"):
        guard.check_literal(form)


async def test_one_forbidden_answer_refuses_all():
    guard = Guard(lookup=lambda _: ["8.8.8.8", "10.0.0.1"])

    with pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        await guard.resolve("two-faced.example")


async def test_address_that_was_judged_is_the_one_connected_to_though_the_name_has_moved(listeners):
    port, seen = listeners
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    guard = Guard([ip_network("127.0.0.1/32")], lookup=lambda _: next(answers))

    addresses = await guard.resolve("rebinding.example")
    transport, _ = await guard.connect(addresses, port, asyncio.Protocol)
    await asyncio.sleep(0.05)
    transport.abort()

    assert seen == ["127.0.0.1"]
    with pytest.raises(Forbidden):  # the name's second answer is judged, not remembered
        await guard.resolve("rebinding.example")


async def test_address_that_was_never_resolved_is_judged_before_it_is_connected_to(listeners):
    port, seen = listeners

    with pytest.raises(Forbidden):
        await Guard([ip_network("127.0.0.1/32")]).connect([ip_address("127.0.0.2")], port, asyncio.Protocol)
    await asyncio.sleep(0.05)

    assert seen == []


async def test_next_address_is_tried_when_the_first_refuses(listeners):
    port, seen = listeners
    addresses = [ip_address("127.0.0.3"), ip_address("127.0.0.2")]

    transport, _ = await Guard(LOCAL).connect(addresses, port, asyncio.Protocol, deadline=time.monotonic() + 5)
    await asyncio.sleep(0.05)
    transport.abort()

    assert seen == ["127.0.0.2"]


async def test_silent_address_takes_only_its_share_of_the_time(listeners):
    port, seen = listeners
    silent = full_listener("127.0.0.4", port)
    addresses = [ip_address("127.0.0.4"), ip_address("127.0.0.1")]

    started = time.monotonic()
    try:
        transport, _ = await Guard(LOCAL).connect(addresses, port, asyncio.Protocol, deadline=started + 1)
    finally:
        for one in silent:
            one.close()
    await asyncio.sleep(0.05)
    transport.abort()

    assert seen == ["127.0.0.1"]
    assert 0.4 < time.monotonic() - started < 0.9


async def test_error_of_the_target_is_told_before_one_of_our_own():
    refused, unroutable = ip_address("127.0.0.1"), ip_address("224.0.0.1")
    guard = Guard([*LOCAL, ip_network("224.0.0.0/4")])

    errors = []
    for addresses in ([unroutable], [refused, unroutable], [unroutable, refused]):
        try:
            await guard.connect(addresses, 1, asyncio.Protocol, deadline=time.monotonic() + 1)
        except OSError as error:
            errors.append(error.errno)

    assert errors == [errno.ENETUNREACH, errno.ECONNREFUSED, errno.ECONNREFUSED]


async def test_hanging_names_do_not_hold_up_others():
    waiting = Guard(lookup=lambda _: time.sleep(1) or ["8.8.8.8"])
    hanging = [asyncio.create_task(waiting.resolve(f"slow{i}.example")) for i in range(16)]
    await asyncio.sleep(0)

    started = time.monotonic()
    await Guard(LOCAL).resolve("localhost")
    took = time.monotonic() - started
    await asyncio.gather(*hanging)

    assert took < 0.5


def full_listener(host, port):
    """Sockets that keep a port from answering: a listener whose queue is full drops what comes."""
    listener = socket.create_server((host, port), backlog=0)
    queued = [socket.socket() for _ in range(2)]
    for one in queued:
        one.settimeout(0)
        one.connect_ex((host, port))
    return [listener, *queued]
