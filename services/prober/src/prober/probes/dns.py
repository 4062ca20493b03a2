"""The DNS probe: one query to the monitor's server or to the region's own resolver."""

import asyncio
import struct
from functools import partial
from time import monotonic, perf_counter

from dns import rcode, rdata, rdatatype
from dns.exception import DNSException
from dns.flags import TC
from dns.message import Message, from_wire, make_query
from dns.name import root
from dns.rdata import Rdata
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import Resolver

from pinghome_common.guard import Address, AddressForbidden, Guard, UnrestrictedGuard
from prober.probes.attempt import attempt
from prober.probes.connecting import look_up
from prober.probes.error_mapping import Broken, OwnFault
from prober.probes.probe_types import LOOKING_UP, Observation, ProbeSpec
from prober.probes.udp import Answer

_PAYLOAD = 1232  # bytes that are never fragmented (DNS flag day 2020)
_QUOTED = 200  # characters of records in an error
_RESOLVERS = UnrestrictedGuard()


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up is an answer with a record of the type, equal to the expected one if given.

    `spec.data` is `NAME TYPE [expected]`. Without `spec.host` the query goes to the region's resolver, whose failures
    are not the target's.
    """
    return await attempt(partial(_ask, spec, guard, monotonic() + deadline), deadline)


async def _ask(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    name, kind, *expected = spec.data.split(maxsplit=2)
    try:
        query = make_query(name, kind, use_edns=0, payload=_PAYLOAD)
    except (DNSException, UnicodeError) as error:
        raise AddressForbidden(f"the query is not valid: {error}") from error
    if spec.host:
        addresses = await look_up(spec.host, guard, seen)
        seen.doing = "waiting for an answer"
        reply = await _exchange(query, guard, addresses, spec.port, deadline, seen)
    else:
        seen.doing = LOOKING_UP
        resolver = Resolver()
        addresses = [_RESOLVERS.check(str(server)) for server in resolver.nameservers]
        try:
            reply = await _exchange(query, _RESOLVERS, addresses, resolver.port, deadline, seen)
        except OSError as error:
            raise OwnFault(f"the region's resolver failed: {error}") from error
    seen.body = reply.to_text().encode()
    _verify(reply, rdatatype.from_text(kind), "".join(expected))


def _verify(reply: Message, kind: rdatatype.RdataType, expected: str) -> None:
    if reply.rcode() != rcode.NOERROR:
        raise Broken(f"answered {rcode.to_text(reply.rcode())}")
    found = [record for records in reply.answer if records.rdtype == kind for record in records]
    if not found:
        raise Broken(f"has no {rdatatype.to_text(kind)} record for this name")
    if expected and not any(_equals(record, expected) for record in found):
        values = ", ".join(sorted(record.to_text()[:_QUOTED] for record in found)[:3])
        raise Broken(f"{rdatatype.to_text(kind)} is {values[:_QUOTED]}, not {expected[:80]}")


def _equals(record: Rdata, expected: str) -> bool:
    """True if a record equals the expected one; TXT may be plain or quoted, as in zone files and our errors."""
    if isinstance(record, TXT) and b"".join(record.strings) in (expected.encode(), expected.strip('"').encode()):
        return True
    try:
        parsed = rdata.from_text(record.rdclass, record.rdtype, expected, origin=root, relativize=False)
    except (DNSException, ValueError):
        return False
    if isinstance(record, TXT) and isinstance(parsed, TXT):  # its strings are one value
        return expected.startswith('"') and b"".join(record.strings) == b"".join(parsed.strings)
    return bool(record == parsed)


async def _exchange(
    query: Message, guard: Guard, addresses: list[Address], port: int, deadline: float, seen: Observation
) -> Message:
    """The answer by UDP, or by TCP if it was truncated."""
    sent = perf_counter()
    transport, answer = await guard.datagrams(addresses, port, partial(Answer, partial(_answers, query)))
    try:
        seen.address = transport.get_extra_info("peername")[0]
        transport.sendto(query.to_wire())
        reply = from_wire(await answer.received, ignore_trailing=True)
    finally:
        transport.abort()
    if reply.flags & TC:
        reply = await _by_tcp(query, guard, addresses, port, deadline)
    seen.phases.first_byte = (perf_counter() - sent) * 1000
    return reply


def _answers(query: Message, wire: bytes) -> bool:
    """True for an answer to this query."""
    try:
        return query.is_response(from_wire(wire, ignore_trailing=True))
    except (DNSException, ValueError):
        return False


async def _by_tcp(query: Message, guard: Guard, addresses: list[Address], port: int, deadline: float) -> Message:
    transport, stream = await guard.connect(addresses, port, _Stream, deadline=deadline)
    try:
        wire = query.to_wire()
        transport.write(struct.pack("!H", len(wire)) + wire)
        wire = await stream.received
    finally:
        transport.abort()
    if not _answers(query, wire):
        raise Broken("answered a different query")
    return from_wire(wire, ignore_trailing=True)


class _Stream(asyncio.Protocol):
    """Waits for one length-prefixed message (RFC 1035 section 4.2.2) of at most 64 KiB."""

    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) < 2 or self.received.done():
            return
        (length,) = struct.unpack_from("!H", self._buffer)
        if len(self._buffer) >= length + 2:
            self.received.set_result(bytes(self._buffer[2 : length + 2]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.received.done():
            self.received.set_exception(exc or Broken("closed the connection without an answer"))
