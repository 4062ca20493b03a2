"""ICMP echo by aioping, an optional dependency: `pip install pinghome-prober[aioping]` (decision 0009).

It tells replies apart by a 16-bit id alone; `prober.ping` is why this is not the default.
"""

import asyncio
import socket

import aioping

from pinghome_common.guard import Address

AGAIN = 1.0
"""Seconds after which another echo is sent."""


async def ping(address: Address) -> float:
    """Seconds to `address` and back; waits until there is a reply.

    Raises:
        OSError: this system lets us send no ICMP, or there is no way there.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    while True:
        # aioping closes its socket when it ends by itself, and leaks it when it is cancelled: so it never is.
        echo = asyncio.ensure_future(aioping.ping(str(address), timeout=AGAIN, family=family))
        echo.add_done_callback(lambda it: it.cancelled() or it.exception())  # whom we left has nobody else to tell
        try:
            return float(await asyncio.shield(echo))
        except TimeoutError:
            continue
