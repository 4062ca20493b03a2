"""Names are looked up without threads: silent ones hold up nobody, and each is asked for once at a time."""

import asyncio
import gc
import socket
import threading
from collections import Counter
from contextlib import suppress
from ipaddress import ip_network
from itertools import chain

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import pytest_asyncio

from pinghome_common.guard import AddressForbidden, Guard
from pinghome_common.names import Names

RECORDS = {
    "both.test.": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "four.test.": {"A": ["192.0.2.4"]},
    "six.test.": {"AAAA": ["2001:db8::6"]},
    "xn--strae-oqa.test.": {"A": ["8.8.8.8"]},
    "inside.test.": {"A": ["8.8.8.8", "10.0.0.1"]},
    "empty.test.": {},
}


class Server(asyncio.DatagramProtocol):
    """Answers from `RECORDS`; is silent for names that begin with `silent`, and fails for `broken`."""

    def __init__(self):
        self.asked = Counter()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if name.startswith("silent"):
            return
        reply = dns.message.make_response(query)
        if name.startswith("broken"):
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name not in RECORDS:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif records := RECORDS[name].get(kind):
            reply.answer.append(dns.rrset.from_text(question.name, 0, "IN", kind, *records))
        self.transport.sendto(reply.to_wire(), addr)


@pytest_asyncio.fixture(loop_scope="module")
async def server():
    transport, made = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    made.names = Names(["127.0.0.1"], transport.get_extra_info("sockname")[1])
    yield made
    transport.close()


@pytest.mark.parametrize("name", ["both.test", "four.test", "six.test", "FOUR.test", "four.test."])
@pytest.mark.asyncio(loop_scope="module")
async def test_all_addresses_of_both_families_are_found(server, name):
    records = RECORDS[name.lower().rstrip(".") + "."]
    assert sorted(await server.names.addresses(name)) == sorted(chain(*records.values()))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nobody.test", socket.EAI_NONAME),
        ("empty.test", socket.EAI_NONAME),
        ("a" * 64 + ".test", socket.EAI_NONAME),
        ("broken.test", socket.EAI_AGAIN),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_name_that_is_not_there_is_told_apart_from_a_resolver_that_fails(server, name, code):
    with pytest.raises(socket.gaierror) as raised:
        await server.names.addresses(name)
    assert raised.value.errno == code


@pytest.mark.asyncio(loop_scope="module")
async def test_file_of_hosts_goes_first(server):
    found = {str(each[4][0]) for each in socket.getaddrinfo("localhost", None)}
    assert set(await server.names.addresses("localhost")) == found
    assert not server.asked


@pytest.mark.asyncio(loop_scope="module")
async def test_silent_names_hold_up_nobody_and_need_no_threads(server):
    before = threading.active_count()
    silent = [asyncio.create_task(server.names.addresses(f"silent{number}.test")) for number in range(100)]
    try:
        async with asyncio.timeout(60):
            while len(server.asked) < 100:
                await asyncio.sleep(0.01)
            assert await server.names.addresses("four.test") == ["192.0.2.4"]
        assert threading.active_count() <= before + 1
    finally:
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)


@pytest.mark.asyncio(loop_scope="module")
async def test_name_under_way_is_asked_for_once_and_one_who_leaves_takes_it_from_nobody(server):
    asking = [asyncio.create_task(server.names.addresses("silent.test")) for _ in range(50)]
    await asyncio.sleep(0.2)
    asking[0].cancel()
    async with asyncio.timeout(60):
        ends = await asyncio.gather(*asking, return_exceptions=True)

    assert isinstance(ends[0], asyncio.CancelledError)
    assert {end.errno for end in ends[1:]} == {socket.EAI_AGAIN}
    assert server.asked["silent.test.", "A"] <= 4


@pytest.mark.asyncio(loop_scope="module")
async def test_guard_judges_every_answer_and_reads_names_by_idna_2008(server):
    guard = Guard([ip_network("192.0.2.0/24")], names=server.names)

    assert [str(each) for each in await guard.resolve("Straße.test")] == ["8.8.8.8"]
    with pytest.raises(AddressForbidden, match=r"10\.0\.0\.1"):
        await guard.resolve("inside.test")
    with pytest.raises(socket.gaierror, match="not a valid host name"):
        await guard.resolve("a..b")


def test_loop_that_ends_while_a_name_is_under_way_ends_in_silence(capfd):
    async def leave(port: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await Names(["127.0.0.1"], port).addresses("silent.test")

    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        asyncio.run(leave(silent.getsockname()[1]))
        gc.collect()

    assert "Traceback" not in capfd.readouterr().err
