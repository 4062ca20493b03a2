"""A DNS server of the tests: answers what is in `records`, else that there is no such name."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from dns import rcode, rrset
from dns.message import from_wire, make_response

from running import free_port


@dataclass
class Zone(asyncio.DatagramProtocol):
    """`records` are values by name, without a dot at its end, and type."""

    port: int
    records: dict[tuple[str, str], str] = field(default_factory=dict)
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = from_wire(data)
        reply, question = make_response(query), query.question[0]
        value = self.records.get((question.name.to_text(omit_final_dot=True).lower(), question.rdtype.name))
        if value is None:
            reply.set_rcode(rcode.NXDOMAIN)
        else:
            reply.answer.append(rrset.from_text(question.name, 60, "IN", question.rdtype.name, value))
        self.transport.sendto(reply.to_wire(), addr)


@asynccontextmanager
async def zone() -> AsyncIterator[Zone]:
    """A server on UDP."""
    made = Zone(free_port(socket.SOCK_DGRAM))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: made, ("127.0.0.1", made.port))
    yield made
    transport.close()
