"""The UDP probe: a datagram, and any answer to it."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.connecting import look_up
from prober.probes.payload import payload
from prober.probes.probe_types import Observation, ProbeSpec

WAITING = "waiting for an answer (use a payload that the target answers)"


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up is a target that answers `data` (default: a zero byte) with any datagram.

    ICMP port unreachable means down, and so does no answer: with UDP, a service that does not answer looks like one
    that is gone, so a monitor must send something that its target answers.
    """
    return await attempt(partial(_ask, spec, guard), deadline)


async def _ask(spec: ProbeSpec, guard: Guard, seen: Observation) -> None:
    addresses = await look_up(spec.host, guard, seen)
    seen.doing = WAITING
    transport, answer = await guard.datagrams(addresses, spec.port, Answer)
    try:
        seen.address = transport.get_extra_info("peername")[0]
        sent = perf_counter()
        transport.sendto(payload(spec.data) or b"\0")  # asyncio sends no empty datagram
        seen.body = await answer.received
        seen.phases.first_byte = (perf_counter() - sent) * 1000
    finally:
        transport.abort()


class Answer(asyncio.DatagramProtocol):
    """Waits for one datagram that `accepts` from the connected address."""

    def __init__(self, accepts: Callable[[bytes], bool] = lambda _: True) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._accepts = accepts

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  # the socket is connected
        """Stores the answer."""
        if not self.received.done() and self._accepts(data):
            self.received.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Fails with the error that ICMP reported."""
        if not self.received.done():
            self.received.set_exception(exc)
