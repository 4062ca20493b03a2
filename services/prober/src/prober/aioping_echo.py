"""The echo of aioping, for an operator who wants that one: `pip install prober[aioping]` (decision 0009).

It tells replies apart by a 16-bit id alone; `prober.ping` is why this is not the default.
"""

import socket

import aioping

from pinghome_common.guard import Address

FOR_EVER = 3600.0
"""Seconds; the probe's own deadline ends it much sooner."""


async def ping(address: Address) -> float:
    """Seconds to `address` and back; waits until there is a reply.

    Raises:
        OSError: this system lets us send no ICMP, or there is no way there.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return float(await aioping.ping(str(address), timeout=FOR_EVER, family=family))
