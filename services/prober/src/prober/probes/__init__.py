"""The probe types, one file and one line each."""

from collections.abc import Awaitable, Callable

from pinghome_common.guard import Guard
from prober.probes import dns, http, icmp, imap, pop, smtp, tcp, tls, udp
from prober.probes.probe_types import Observation, ProbeSpec

# (what to probe, the guard, the deadline in seconds) -> the observation; raises only CancelledError.
Probe = Callable[[ProbeSpec, Guard, float], Awaitable[Observation]]

PROBES: dict[str, Probe] = {
    "http": http.probe,
    "tls": tls.probe,
    "tcp": tcp.probe,
    "udp": udp.probe,
    "icmp": icmp.probe,
    "smtp": smtp.probe,
    "pop": pop.probe,
    "imap": imap.probe,
    "dns": dns.probe,
}
