"""The UDP probe: a datagram, and any answer to it."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.connecting import look_up
from prober.probes.payload import payload
from prober.probes.probe_types import Check, Observation

SILENT = "waiting for an answer (a target that never answers is down: send a payload that it answers)"


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Up is a target that answers `data` (without any, a byte of zero) with any datagram.

    Down is one whose host says that nobody listens (ICMP port unreachable), and one that stays silent: UDP cannot tell
    a service that has nothing to say from one that is gone, so a monitor must send what its target answers.
    """
    return await attempt(partial(_ask, check, guard), deadline)


async def _ask(check: Check, guard: Guard, seen: Observation) -> None:
    addresses = await look_up(check.host, guard, seen)
    seen.doing = SILENT
    transport, answer = await guard.datagrams(addresses, check.port, Answer)
    try:
        seen.address = transport.get_extra_info("peername")[0]
        sent = perf_counter()
        transport.sendto(payload(check.data) or b"\0")  # asyncio sends no empty datagram
        seen.body = await answer.came
        seen.phases.first_byte = (perf_counter() - sent) * 1000
    finally:
        transport.abort()


class Answer(asyncio.DatagramProtocol):
    """Waits for one `good` datagram from the address that the socket is connected to."""

    def __init__(self, good: Callable[[bytes], bool] = lambda _: True) -> None:
        self.came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._good = good

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  # the socket is connected
        """The answer, if it is one."""
        if not self.came.done() and self._good(data):
            self.came.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """What the kernel was told by ICMP."""
        if not self.came.done():
            self.came.set_exception(exc)
