"""ICMP echo by aioping, an optional dependency: `pip install pinghome-prober[aioping]` (decision 0009).

It matches replies by a 16-bit id only, which is why `prober.ping` is the default.
"""

import asyncio
import socket

import aioping

from pinghome_common.guard import Address

RESEND_AFTER = 1.0
"""Seconds after which another echo is sent."""


async def ping(address: Address) -> float:
    """The round-trip time to `address` in seconds; waits until there is a reply.

    Raises:
        OSError: this system does not allow ICMP, or there is no route.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    while True:
        # aioping leaks its socket when it is cancelled, so it never is.
        echo = asyncio.ensure_future(aioping.ping(str(address), timeout=RESEND_AFTER, family=family))
        echo.add_done_callback(lambda it: it.cancelled() or it.exception())  # else asyncio logs it as never retrieved
        try:
            return float(await asyncio.shield(echo))
        except TimeoutError:
            continue
