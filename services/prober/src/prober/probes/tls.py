"""The TLS probe: only a handshake, with any server that speaks implicit TLS (our own type `tls`)."""

import asyncio
from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.connecting import connect, secure
from prober.probes.probe_types import Observation, Peer, ProbeSpec


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up if the handshake succeeds; the certificate is verified unless `skip_ssl_error`."""
    return await attempt(partial(_handshake, spec, guard, monotonic() + deadline), deadline)


async def _handshake(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    transport, protocol = await connect(spec, guard, deadline, seen, asyncio.Protocol)
    try:
        seen.peer = Peer(spec.host.rstrip("."), spec.port, seen.address)
        transport = await secure(transport, protocol, spec, seen, seen.peer)
    finally:
        transport.abort()
