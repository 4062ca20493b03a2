"""The ICMP probe (ping): an echo and its reply."""

from collections.abc import Awaitable, Callable
from functools import partial

from pinghome_common.guard import LOCAL_ERRNOS, Address, Guard
from prober import ping
from prober.probes.attempt import attempt
from prober.probes.connecting import look_up
from prober.probes.error_mapping import OwnFault
from prober.probes.probe_types import Observation, ProbeSpec

Echo = Callable[[Address], Awaitable[float]]
"""The round-trip time to an address in seconds; waits until there is a reply."""


async def probe(spec: ProbeSpec, guard: Guard, deadline: float, echo: Echo = ping.ping) -> Observation:
    """Up is a host that replies; the total is the round-trip time of one echo plus the lookup of the name."""
    return await attempt(partial(_echo, spec, guard, echo), deadline)


async def _echo(spec: ProbeSpec, guard: Guard, echo: Echo, seen: Observation) -> None:
    addresses = await look_up(spec.host, guard, seen)
    seen.doing = "waiting for an echo reply"
    for left, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
        seen.address = str(guard.check(address))
        try:
            seen.phases.first_byte = await echo(address) * 1000
        except PermissionError as error:
            raise OwnFault(error.strerror) from error
        except OSError as error:
            if left and error.errno in LOCAL_ERRNOS:  # no route, for example without IPv6; another address may have one
                continue
            raise
        break
    seen.phases.total = (seen.phases.dns or 0.0) + (seen.phases.first_byte or 0.0)
