"""Ports: TCP takes a connection, UDP has to answer."""

import asyncio
import socket
import time
from ipaddress import ip_network
from pathlib import Path

import pytest
import pytest_asyncio

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes.payload import payload
from running import free_port

LOCAL = [ip_network("127.0.0.1/32")]

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Echoing(asyncio.DatagramProtocol):
    """Answers every datagram with `answer`, or not at all."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.heard = answer, []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        self.heard.append(data)
        if self.answer is not None:
            self.transport.sendto(self.answer, addr)


@pytest_asyncio.fixture(loop_scope="module")
async def datagrams():
    """Makes a UDP server on a free port of a host; returns its port and protocol."""
    made = []

    async def _datagrams(answer, host="127.0.0.1"):
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(lambda: Echoing(answer), local_addr=(host, 0))
        made.append(transport)
        return transport.get_extra_info("sockname")[1], protocol

    yield _datagrams
    for transport in made:
        transport.close()


def no_such_name(_):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def slow(_):
    time.sleep(1)
    return ["127.0.0.1"]


async def test_open_tcp_port_is_up_with_the_time_of_its_connection(listening, reach):
    async with listening(b"", read=False) as target:
        seen = await reach("tcp", target.port)

    assert (seen.verdict, seen.error, seen.address) == (Verdict.up, "", "127.0.0.1")
    assert 0 < seen.phases.connect <= seen.phases.total
    assert seen.phases.dns is seen.phases.tls is None


async def test_name_is_looked_up_and_timed(listening, reach):
    async with listening(b"", read=False, host="127.0.0.1") as target:
        seen = await reach("tcp", target.port, host="localhost", guard=Guard(LOCAL, lookup=lambda _: ["127.0.0.1"]))

    assert (seen.verdict, seen.address) == (Verdict.up, "127.0.0.1")
    assert seen.phases.dns > 0


async def test_payload_is_sent_and_no_answer_waited_for(reach):
    heard = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        heard.set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", free_port()) as server:
        seen = await reach("tcp", server.sockets[0].getsockname()[1], data="PING\\r\\n\\x00ü")
        assert await asyncio.wait_for(heard, 60) == b"PING\r\n\0" + "ü".encode()

    assert seen.verdict is Verdict.up


async def test_closed_tcp_port_is_down(reach):
    seen = await reach("tcp", free_port(socket.SOCK_STREAM))

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "refused the connection")


async def test_name_that_nobody_has_is_down(reach):
    seen = await reach("tcp", 80, host="nothing.invalid", guard=Guard(lookup=no_such_name))

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "the host name does not exist")


async def test_silent_resolver_is_our_own_fault(reach):
    seen = await reach("tcp", 80, host="slow.example", deadline=0.2, guard=Guard(lookup=slow))

    assert (seen.verdict, seen.error) == (Verdict.probe_error, "timed out after 0.2 s while looking up the name")


async def test_udp_target_that_answers_is_up(reach, datagrams):
    port, server = await datagrams(b"pong")

    seen = await reach("udp", port, data="ping")

    assert (seen.verdict, seen.error, seen.body, server.heard) == (Verdict.up, "", b"pong", [b"ping"])
    assert 0 < seen.phases.first_byte <= seen.phases.total


async def test_udp_without_a_payload_sends_a_byte_of_zero(reach, datagrams):
    port, server = await datagrams(b"pong")

    seen = await reach("udp", port)

    assert (seen.verdict, server.heard) == (Verdict.up, [b"\0"])


async def test_udp_port_that_nobody_has_is_refused(reach):
    seen = await reach("udp", free_port(socket.SOCK_DGRAM), data="ping")

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "refused the connection")


async def test_udp_silence_is_down_and_the_error_says_why(reach, datagrams):
    port, _ = await datagrams(None)

    seen = await reach("udp", port, data="ping", deadline=0.3)

    assert seen.verdict is Verdict.target_fail
    assert "use a payload that the target answers" in seen.error


async def test_udp_answer_from_another_address_does_not_count(reach, datagrams):
    port, _ = await datagrams(None)
    loop = asyncio.get_running_loop()
    probing = asyncio.create_task(reach("udp", port, data="ping", deadline=1))
    await asyncio.sleep(0.1)
    own = udp_ports_towards(port)
    other, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    for address in own:
        other.sendto(b"pong", address)
    other.close()

    assert own
    assert (await probing).verdict is Verdict.target_fail


def udp_ports_towards(port: int) -> list[tuple[str, int]]:
    """The local addresses of this machine's UDP sockets that are connected to a port of 127.0.0.1."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return [("127.0.0.1", int(row[1].split(":")[1], 16)) for row in rows if row[2] == f"0100007F:{port:04X}"]


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ("", b""),
        ("plain ü", "plain ü".encode()),
        (r"\x1b\x00", b"\x1b\0"),
        (r"\r\n\t\0\\", b"\r\n\t\0\\"),
        (r"\\x41", rb"\x41"),
        (r"\q\xZZ\x4", rb"\q\xZZ\x4"),
    ],
)
async def test_escapes_are_bytes_and_unknown_ones_stay(data, sent):
    assert payload(data) == sent
