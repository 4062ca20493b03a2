"""Which addresses the guard lets out, and that what it judged is what it connects to."""

import asyncio
import errno
import socket
import threading
import time
from ipaddress import ip_address, ip_network

import pytest

from pinghome_common.guard import AddressForbidden, Guard
from running import free_port
from ssrf_corpus import FORBIDDEN

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
    first = await loop.create_server(lambda: Counting(seen), "127.0.0.1", free_port())
    port = first.sockets[0].getsockname()[1]
    second = await loop.create_server(lambda: Counting(seen), "127.0.0.2", port)
    async with first, second:
        yield port, seen


@pytest.mark.parametrize("form", FORBIDDEN)
async def test_forbidden_form_is_refused_when_saved_and_when_probed(form):
    guard = Guard()

    with pytest.raises(AddressForbidden, match="address"):
        guard.check_literal(form)
    with pytest.raises(AddressForbidden, match="address"):
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
    with pytest.raises(AddressForbidden, match="loopback"):
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
        with pytest.raises(AddressForbidden):
            guard.check(form)


def test_loopback_v6_can_be_allowed():
    assert Guard([ip_network("::1/128")]).check("::1") == ip_address("::1")


@pytest.mark.parametrize("form", METADATA)
def test_metadata_address_is_refused_even_when_everything_is_allowed(form):
    guard = Guard([ip_network("0.0.0.0/0"), ip_network("::/0")])

    with pytest.raises(AddressForbidden, match="never"):
        guard.check_literal(form)


async def test_one_forbidden_answer_refuses_all():
    guard = Guard(lookup=lambda _: ["8.8.8.8", "10.0.0.1"])

    with pytest.raises(AddressForbidden, match=r"10\.0\.0\.1"):
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
    with pytest.raises(AddressForbidden):  # the name's second answer is judged, not remembered
        await guard.resolve("rebinding.example")


async def test_address_that_was_never_resolved_is_judged_before_it_is_connected_to(listeners):
    port, seen = listeners

    with pytest.raises(AddressForbidden):
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
        transport, _ = await Guard(LOCAL).connect(addresses, port, asyncio.Protocol, deadline=started + 4)
    finally:
        for one in silent:
            one.close()
    await asyncio.sleep(0.05)
    transport.abort()

    assert seen == ["127.0.0.1"]
    assert time.monotonic() - started > 1.9


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
    answer = threading.Event()
    waiting = Guard(lookup=lambda _: answer.wait(60) and ["8.8.8.8"])
    hanging = [asyncio.create_task(waiting.resolve(f"slow{i}.example")) for i in range(16)]
    await asyncio.sleep(0)

    await Guard(LOCAL).resolve("localhost")
    assert not any(task.done() for task in hanging)
    answer.set()
    await asyncio.gather(*hanging)


def full_listener(host, port):
    """Sockets that keep a port from answering: a listener whose queue is full drops what comes."""
    listener = socket.create_server((host, port), backlog=0)
    queued = [socket.socket() for _ in range(2)]
    for one in queued:
        one.settimeout(0)
        one.connect_ex((host, port))
    return [listener, *queued]
