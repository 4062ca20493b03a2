"""The probe types, one file and one line each."""

from collections.abc import Awaitable, Callable

from pinghome_common.guard import Guard
from prober.probes import http, icmp, imap, pop, smtp, tcp, tls, udp
from prober.probes.probe_types import Observation, ProbeSpec

# (what to probe, the guard, the deadline in seconds) -> the observation; raises only CancelledError.
Probe = Callable[[ProbeSpec, Guard, float], Awaitable[Observation]]


async def _dns(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    from prober.probes import dns  # noqa: PLC0415  # 3 MB that few need

    return await dns.probe(spec, guard, deadline)


PROBES: dict[str, Probe] = {
    "http": http.probe,
    "tls": tls.probe,
    "tcp": tcp.probe,
    "udp": udp.probe,
    "icmp": icmp.probe,
    "smtp": smtp.probe,
    "pop": pop.probe,
    "imap": imap.probe,
    "dns": _dns,
}
