"""The certificate of a handshake: parsed when it has changed; otherwise it costs a probe one hash."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from time import monotonic
from typing import Any
from uuid import UUID

from cryptography import x509

from pinghome_common.events.certificate import Certificate, Link
from pinghome_common.guard import AddressForbidden, Guard
from pinghome_common.text import clean
from prober.probes.connecting import tls_context
from prober.probes.error_mapping import distrust, explain
from prober.probes.probe_types import Peer

AGAIN = 6 * 3600.0
"""Seconds after which an unchanged certificate is told again."""

WAIT = 3.0
"""Seconds for the handshake that fetches what the probe's own did not show."""

TEXT, NAMES, LINKS = 300, 100, 10
"""Most characters of a name, names and certificates that are kept: a target can send a megabyte of each."""

_OLD = {"SSLv3": "SSL 3.0", "TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1"}
_DER = 2  # _ssl.ENCODING_DER


@dataclass(slots=True, frozen=True)
class _Mark:
    """What makes a certificate news: another host, another leaf, or another judgement of it."""

    host: str
    leaf: bytes
    problem: str | None


class CertificateChanges:
    """What this process told last of each monitor's certificate."""

    def __init__(self) -> None:
        self._told: dict[UUID, tuple[_Mark, float]] = {}

    def forget(self) -> None:
        """Tells everything again, for some of what was told has been lost."""
        self._told.clear()

    async def news(self, monitor: UUID, peer: Peer, guard: Guard, at: datetime) -> Certificate | None:
        """The certificate when it is not the one that was told in the last six hours, else None.

        A refused certificate is fetched by a handshake that takes any, and one that nobody verified (`skip_ssl_error`)
        is judged by a handshake that verifies. Never raises but to be cancelled: a probe has its verdict already.
        """
        connection = peer.connection or ((await _shake(peer, guard, verify=False))[0] if peer.problem else None)
        if connection is None:
            return None
        leaf = sha256(connection.getpeercert(binary_form=True) or b"").digest()
        mark = _Mark(peer.host, leaf, peer.problem)
        told, since = self._told.get(monitor, (None, 0.0))
        if told == mark and monotonic() - since < AGAIN:
            return None
        problem = await _judge(peer, guard, connection) if peer.problem is None else peer.problem
        found = read(connection, peer.host, problem, at)
        if found is not None:
            self._told[monitor] = mark, monotonic()
        return found


async def _judge(peer: Peer, guard: Guard, connection: ssl.SSLObject) -> str:
    """Why a certificate that was taken unverified is not accepted; empty when it is."""
    version = connection.version() or ""
    if version in _OLD:
        return f"it could not be verified: the server speaks {_OLD[version]}, and TLS 1.2 is the oldest accepted"
    return (await _shake(peer, guard, verify=True))[1]


async def _shake(peer: Peer, guard: Guard, *, verify: bool) -> tuple[ssl.SSLObject | None, str]:
    """One more handshake with the same address: the connection, or why there is none."""
    try:
        async with asyncio.timeout(WAIT):
            transport, _ = await guard.connect(
                [guard.check(peer.address)],
                peer.port,
                asyncio.Protocol,
                ssl=tls_context(verify=verify),
                server_hostname=peer.host,
            )
    except ssl.SSLCertVerificationError as error:
        return None, distrust(error)
    except ssl.SSLError as error:  # no suite in common, a key that is too small
        return None, f"it could not be verified: {explain(error)[1]}"
    except (
        OSError,
        AddressForbidden,
        ValueError,
    ):  # TimeoutError is one; the target has changed its mind since the probe
        return None, "it could not be verified: the target did not take a second connection"
    transport.abort()
    return transport.get_extra_info("ssl_object"), ""


def read(connection: ssl.SSLObject, host: str, problem: str, at: datetime) -> Certificate | None:
    """The certificate and its chain; None when the leaf cannot be read. `at` is when it was seen."""
    parsed = [found for der in _chain(connection)[:LINKS] if (found := _parse(der)) is not None]
    if not parsed:
        return None
    leaf, link = parsed[0]
    return Certificate(
        host=host,
        subject=link.subject,
        issuer=link.issuer,
        serial_number=f"{leaf.serial_number:x}"[:TEXT],
        sans=_names(leaf),
        valid_from=link.valid_from,
        valid_to=link.valid_to,
        sha256=link.sha256,
        chain=[link for _, link in parsed[1:]],
        verified=not problem,
        problem=problem,
        checked_at=at,
    )


def _chain(connection: Any) -> list[bytes]:
    if hasattr(connection, "get_unverified_chain"):  # Python 3.13 and newer
        return list(connection.get_unverified_chain())
    return [each.public_bytes(_DER) for each in connection._sslobj.get_unverified_chain() or ()]  # noqa: SLF001


def _parse(der: bytes) -> tuple[x509.Certificate, Link] | None:
    """One certificate; each for itself, as one that breaks the rules must not hide the others."""
    try:
        it = x509.load_der_x509_certificate(der)
        link = Link(
            subject=clean(it.subject.rfc4514_string(), TEXT),
            issuer=clean(it.issuer.rfc4514_string(), TEXT),
            valid_from=it.not_valid_before_utc,
            valid_to=it.not_valid_after_utc,
            sha256=sha256(der).hexdigest(),
        )
    except (ValueError, TypeError, OverflowError):  # a date, name or number that nobody can hold
        return None
    return it, link


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    shown = [name for name in list(names)[:NAMES] if isinstance(name, x509.DNSName | x509.IPAddress)]
    return [clean(str(name.value), TEXT) for name in shown]
