"""The TLS probe: a handshake and no more, with any server that speaks TLS at once (our own type `tls`)."""

import asyncio
from time import monotonic, perf_counter

from pinghome_common.guard import Forbidden, Guard
from prober.probes.check import Check, Observation
from prober.probes.http import addresses_of, observed, secured

PORT = 443


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Shakes hands with `check.host` within `deadline` seconds; up is a handshake, verified unless `skip_ssl_error`.

    Never raises but to be cancelled: what goes wrong is the observation's verdict and sentence.
    """
    return await observed(deadline, lambda seen: _shake(check, guard, monotonic() + deadline, seen))


async def _shake(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    try:
        host = check.host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise Forbidden("the host name is not valid") from error
    addresses, port = await addresses_of(host, guard, seen), check.port or PORT
    seen.doing, seen.address = "connecting", str(addresses[0])
    started = perf_counter()
    transport, protocol = await guard.connect(addresses, port, asyncio.Protocol, deadline=deadline)
    try:
        seen.phases.connect = (perf_counter() - started) * 1000
        seen.address = transport.get_extra_info("peername")[0]
        transport = await secured(transport, protocol, host, port, check, seen)
        seen.complete = True
    finally:
        transport.abort()
