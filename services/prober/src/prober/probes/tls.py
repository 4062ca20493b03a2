"""The TLS probe: only a handshake, with any server that speaks implicit TLS (our own type `tls`)."""

import asyncio
from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.connecting import connect, secure
from prober.probes.probe_types import Check, Observation, Peer


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Up if the handshake succeeds; the certificate is verified unless `skip_ssl_error`."""
    return await attempt(partial(_handshake, check, guard, monotonic() + deadline), deadline)


async def _handshake(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    transport, protocol = await connect(check, guard, deadline, seen, asyncio.Protocol)
    try:
        seen.peer = Peer(check.host.rstrip("."), check.port, seen.address)
        transport = await secure(transport, protocol, check, seen, seen.peer)
    finally:
        transport.abort()
