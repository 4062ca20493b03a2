"""The certificate that a target presented in a TLS handshake."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

LOOKED_AT_LEAST = timedelta(days=1)
"""How often an unchanged certificate is stored again, so that `checked_at` stays recent."""


@dataclass(slots=True, kw_only=True)
class Link:
    """One certificate of the chain after the leaf; `sha256` is the hexadecimal fingerprint."""

    subject: str
    issuer: str
    valid_from: datetime
    valid_to: datetime
    sha256: str


@dataclass(slots=True, kw_only=True)
class Certificate:
    """The leaf with its chain, as the host sent them; oversized fields are cut.

    `host` is the requested name, `serial_number` and `sha256` are hexadecimal. `verified` says whether the
    platform's trust store accepts it for this host at this time, `problem` why not.
    """

    host: str
    subject: str
    issuer: str
    serial_number: str
    sans: list[str] = field(default_factory=list)
    valid_from: datetime
    valid_to: datetime
    sha256: str
    chain: list[Link] = field(default_factory=list)
    verified: bool
    problem: str = ""
    checked_at: datetime
    region: str = ""


def replaces(new: Certificate, old: Certificate | None) -> bool:
    """True if `new` is to be stored: it is newer, and it differs or `old` is more than a day old."""
    if old is None:
        return True
    if new.checked_at <= old.checked_at:
        return False
    same = replace(new, checked_at=old.checked_at, region=old.region) == old
    return not same or new.checked_at - old.checked_at >= LOOKED_AT_LEAST
