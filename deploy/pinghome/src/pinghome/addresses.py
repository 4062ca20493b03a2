"""Which service answers at which public address: the table that the all-in-one's port and deploy/Caddyfile obey."""

import re
from dataclasses import dataclass

READS = ("GET", "HEAD", "OPTIONS")
SERVICES = ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway")
"""Those with a host of their own below the platform's, and the same paths behind a prefix on the platform's host."""
CONSOLE = "console"
"""It has a host and a prefix, too, but no API, so it is not among the services that are listed."""
PLAIN_HTTP = ("data-gateway",)
"""Those that also answer without TLS: what is sent from a cron job or a small device may not know it."""


@dataclass(frozen=True)
class Address:
    """Paths, which service answers reads there, and which all other methods.

    Python and RE2 must read the regular expression alike; it is one of whole paths.
    """

    path: re.Pattern[str]
    reads: str
    writes: str


def _at(path: str, reads: str, writes: str = "") -> Address:
    return Address(re.compile(path, re.DOTALL), reads, writes or reads)


_SUBSCRIBING = _at(
    r"(/status/[^/]+)?/(subscribe|subscription/.*)", "statuspage-cmd"
)  # what subscribers follow links to

# House §8 and §9. In each table the first match decides.
PLATFORM = (
    _at(r"/ping/.*", "data-gateway"),
    _at(r"/rest/v1/(custom[-_])?metrics/data([-_]points)?/?", "data-gateway"),
    _at(r"/api/v[123]/checks/[^/]+/(pings|flips)(/.*)?", "statistic-query", "resource-cmd"),
    _at(r"/api/v[123]/.*", "resource-query", "resource-cmd"),
    _at(r"/confirm/.*", "resource-cmd"),
    _SUBSCRIBING,
    _at(r"/badge/.*", "resource-query"),
    _at(r"/rest/v1/.*", "statuspage-query", "statuspage-cmd"),
    _at(r"/widget/shields/.*", "statuspage-query"),
    _at(r"/status/.*", "statuspage-query", "statuspage-cmd"),
)
"""Paths of the platform's own host without a service's prefix: dialects, and links that people follow."""

PAGES = (_SUBSCRIBING, _at(r".*", "statuspage-query", "statuspage-cmd"))
"""Paths of status pages' hosts."""

INTERNAL = re.compile(r"/internal/.*", re.DOTALL)
"""Paths of services that are closed to the public."""
OPERATORS = re.compile(r"/(metrics|readyz)/?")
"""Paths of services that are closed unless `PINGHOME_PUBLIC_METRICS` is true."""


def service_at(addresses: tuple[Address, ...], path: str, method: str) -> str | None:
    """The name of the service that answers; None where nobody does."""
    for address in addresses:
        if address.path.fullmatch(path):
            return address.reads if method in READS else address.writes
    return None
