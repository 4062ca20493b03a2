"""DNS: one question to a server; what it answers, or that it does not, decides."""

import asyncio
import struct

import pytest
import pytest_asyncio
from dns import flags, rcode, rrset
from dns.message import Message, from_wire, make_response
from dns.name import from_text

from pinghome_common.events.probe import Verdict
from prober.probes import dns
from running import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZONE = {
    ("www.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("www.example.", "AAAA"): ["2001:db8::1"],
    ("example.", "MX"): ["10 Mail.example."],
    ("example.", "TXT"): ['"v=spf1 " "-all"'],
    ("quoted.example.", "TXT"): [r'"say \"gr\195\182\195\159e\" \\"'],
    ("example.", "CAA"): ['0 issue "ca.example"'],
    ("big.example.", "TXT"): [f'"{number} {"x" * 200}"' for number in range(20)],
}


def answered(query: Message, *, by_udp: bool) -> Message:
    reply = make_response(query)
    question = query.question[0]
    name = question.name.to_text().lower()
    if name == "alias.example.":
        reply.answer.append(rrset.from_text(question.name, 60, "IN", "CNAME", "www.example."))
        name = "www.example."
    values = ZONE.get((name, question.rdtype.name))
    if name == "broken.example.":
        reply.set_rcode(rcode.SERVFAIL)
    elif values:
        reply.answer.append(rrset.from_text(name, 60, "IN", question.rdtype.name, *values))
    elif not any(name == known for known, _ in ZONE):
        reply.set_rcode(rcode.NXDOMAIN)
    if by_udp and name == "big.example.":
        reply.answer.clear()
        reply.flags |= flags.TC
    return reply


class Names(asyncio.DatagramProtocol):
    """Answers by UDP; `lies` are sent before each answer."""

    def __init__(self, lies) -> None:
        self.lies = lies

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        query = from_wire(data)
        if query.question[0].name.to_text() == "silent.example.":
            return
        for lie in self.lies:
            self.transport.sendto(lie(query), addr)
        self.transport.sendto(answered(query, by_udp=True).to_wire(), addr)


@pytest_asyncio.fixture(loop_scope="module")
async def server():
    """Makes a DNS server, by UDP and TCP, that lies before it answers; returns its port."""
    made = []

    async def by_tcp(reader, writer):
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            wire = answered(from_wire(await reader.readexactly(length)), by_udp=False).to_wire(max_size=65535)
            writer.write(struct.pack("!H", len(wire)) + wire)
            await writer.drain()
        finally:
            writer.close()

    async def _server(*lies):
        listener = await asyncio.start_server(by_tcp, "127.0.0.1", free_port())
        port = listener.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Names(lies), local_addr=("127.0.0.1", port))
        made.extend([listener, transport])
        return port

    yield _server
    for one in made:
        one.close()


@pytest.mark.parametrize(
    "question",
    [
        "www.example A",
        "WWW.Example. A 192.0.2.2",
        "www.example AAAA 2001:DB8:0::1",
        "alias.example A 192.0.2.1",
        "example MX 10 mail.EXAMPLE.",
        "example TXT v=spf1 -all",
        'example TXT "v=spf1 -all"',
        'example TXT "v=spf1 " "-all"',
        'example TXT "v=sp" "f1 -a" "ll"',
        'quoted.example TXT say "größe" \\',
        r'quoted.example TXT "say \"gr\195\182\195\159e\" \\"',
        'quoted.example TXT "say \\"größe\\" \\\\"',
        'example CAA 0 issue "ca.example"',
        "big.example TXT",
    ],
)
async def test_name_that_has_the_record_is_up(reach, server, question):
    seen = await reach("dns", await server(), data=question)

    assert (seen.verdict, seen.error, seen.address) == (Verdict.up, "", "127.0.0.1")
    assert 0 < seen.phases.first_byte <= seen.phases.total


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ("nobody.example A", "answered NXDOMAIN"),
        ("broken.example A", "answered SERVFAIL"),
        ("www.example MX", "has no MX record for this name"),
        ("www.example A 192.0.2.3", "A is 192.0.2.1, 192.0.2.2, not 192.0.2.3"),
        ("www.example A nonsense", "A is 192.0.2.1, 192.0.2.2, not nonsense"),
        ('example TXT "v=spf1" "-all"', 'TXT is "v=spf1 " "-all", not "v=spf1" "-all"'),
        ('example TXT "unfinished', 'TXT is "v=spf1 " "-all", not "unfinished'),
        ("example TXT v=spf1", 'TXT is "v=spf1 " "-all", not v=spf1'),
    ],
)
async def test_name_without_the_record_is_down(reach, server, question, error):
    seen = await reach("dns", await server(), data=question)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, error)
    assert b"QUESTION" in seen.body or b"rcode" in seen.body


@pytest.mark.parametrize("question", ["a..b A", "x" * 64 + ".example A", "www.example TELEPATHY", "ü" * 250 + " A"])
async def test_question_that_cannot_be_asked_is_blocked(reach, question):
    seen = await reach("dns", 1, data=question)

    assert seen.verdict is Verdict.blocked
    assert seen.error.startswith("the query is not valid: ")


async def test_silent_server_is_down(reach, server):
    seen = await reach("dns", await server(), data="silent.example A", deadline=0.3)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "timed out after 0.3 s while waiting for an answer")


async def test_port_that_nobody_has_is_down(reach):
    seen = await reach("dns", 1, data="www.example A")

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "refused the connection")


def other_id(query):
    reply = make_response(query)
    reply.id = query.id ^ 1
    return reply.to_wire()


def other_name(query):
    reply = make_response(query)
    question = reply.question[0]
    reply.question = [rrset.RRset(from_text("other.example."), question.rdclass, question.rdtype)]
    return reply.to_wire()


async def test_answers_to_other_questions_and_garbage_do_not_count(reach, server):
    port = await server(other_id, other_name, lambda _: b"", lambda _: b"\xff" * 600, lambda query: query.to_wire())

    assert (await reach("dns", port, data="www.example A 192.0.2.1")).verdict is Verdict.up


async def test_own_resolver_that_fails_is_our_own_fault(reach, server, monkeypatch):
    class Configured:
        nameservers = ("127.0.0.1",)
        port = 0

    monkeypatch.setattr(dns, "Resolver", Configured)
    Configured.port = 1
    refused = await reach("dns", host="", data="www.example A")
    Configured.port = await server()
    silent = await reach("dns", host="", data="silent.example A", deadline=0.3)
    up = await reach("dns", host="", data="www.example A")

    assert (refused.verdict, silent.verdict, up.verdict) == (Verdict.probe_error, Verdict.probe_error, Verdict.up)
    assert refused.error.startswith("prober: the region's resolver failed: ")


async def test_txt_value_is_accepted_in_the_form_in_which_the_error_shows_it(reach, server):
    port = await server()
    for name in ("example", "quoted.example"):
        error = (await reach("dns", port, data=f"{name} TXT no")).error
        shown = error.removeprefix("TXT is ").removesuffix(", not no")

        assert (await reach("dns", port, data=f"{name} TXT {shown}")).verdict is Verdict.up, shown
