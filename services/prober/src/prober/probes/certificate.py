"""The certificate of a TLS handshake: parsed only if it has changed; otherwise it costs one hash."""

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
from prober.probes.error_mapping import certificate_error, explain
from prober.probes.probe_types import Peer

REPORT_INTERVAL = 6 * 3600.0
"""Seconds after which an unchanged certificate is reported again."""

HANDSHAKE_TIMEOUT = 3.0
"""Seconds for a second handshake."""

MAX_TEXT, MAX_NAMES, MAX_CHAIN = 300, 100, 10
"""The characters of a name, the names and the certificates that are kept; a target can send a megabyte of each."""

_OLD = {"SSLv3": "SSL 3.0", "TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1"}
_DER = 2  # _ssl.ENCODING_DER


@dataclass(slots=True, frozen=True)
class _Reported:
    """What was reported: a certificate is reported again when one of these changes."""

    host: str
    leaf: bytes
    problem: str | None


class CertificateChanges:
    """Remembers which certificates this process has reported."""

    def __init__(self) -> None:
        self._reported: dict[UUID, tuple[_Reported, float]] = {}

    def forget(self) -> None:
        """Reports everything again, because some reports were lost."""
        self._reported.clear()

    async def changed(self, monitor: UUID, peer: Peer, guard: Guard, at: datetime) -> Certificate | None:
        """The certificate; None if it was reported in the last six hours and has not changed.

        A refused certificate is fetched by a handshake without verification, and an unverified one
        (`skip_ssl_error`) is verified by another handshake. Raises only CancelledError.
        """
        connection = peer.connection or ((await _handshake(peer, guard, verify=False))[0] if peer.problem else None)
        if connection is None:
            return None
        leaf = sha256(connection.getpeercert(binary_form=True) or b"").digest()
        current = _Reported(peer.host, leaf, peer.problem)
        previous, since = self._reported.get(monitor, (None, 0.0))
        if previous == current and monotonic() - since < REPORT_INTERVAL:
            return None
        problem = await _verify(peer, guard, connection) if peer.problem is None else peer.problem
        found = read(connection, peer.host, problem, at)
        if found is not None:
            self._reported[monitor] = current, monotonic()
        return found


async def _verify(peer: Peer, guard: Guard, connection: ssl.SSLObject) -> str:
    """Verifies a certificate: why it is not accepted, empty if it is."""
    version = connection.version() or ""
    if version in _OLD:
        return f"it could not be verified: the server uses {_OLD[version]}, and TLS 1.2 is the minimum"
    return (await _handshake(peer, guard, verify=True))[1]


async def _handshake(peer: Peer, guard: Guard, *, verify: bool) -> tuple[ssl.SSLObject | None, str]:
    """Another handshake with the same address: the connection, or why it failed."""
    try:
        async with asyncio.timeout(HANDSHAKE_TIMEOUT):
            transport, _ = await guard.connect(
                [guard.check(peer.address)],
                peer.port,
                asyncio.Protocol,
                ssl=tls_context(verify=verify),
                server_hostname=peer.host,
            )
    except ssl.SSLCertVerificationError as error:
        return None, certificate_error(error)
    except ssl.SSLError as error:  # for example no common cipher suite, or a key that is too small
        return None, f"it could not be verified: {explain(error)[1]}"
    except (OSError, AddressForbidden, ValueError):  # TimeoutError is an OSError
        return None, "it could not be verified: the target did not accept a second connection"
    transport.abort()
    return transport.get_extra_info("ssl_object"), ""


def read(connection: ssl.SSLObject, host: str, problem: str, at: datetime) -> Certificate | None:
    """The certificate and its chain; None if no certificate can be parsed. `at` is the time of the handshake."""
    parsed = [found for der in _chain(connection)[:MAX_CHAIN] if (found := _parse(der)) is not None]
    if not parsed:
        return None
    leaf, link = parsed[0]
    return Certificate(
        host=host,
        subject=link.subject,
        issuer=link.issuer,
        serial_number=f"{leaf.serial_number:x}"[:MAX_TEXT],
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
    """One certificate; None if it is malformed, which must not hide the others."""
    try:
        it = x509.load_der_x509_certificate(der)
        link = Link(
            subject=clean(it.subject.rfc4514_string(), MAX_TEXT),
            issuer=clean(it.issuer.rfc4514_string(), MAX_TEXT),
            valid_from=it.not_valid_before_utc,
            valid_to=it.not_valid_after_utc,
            sha256=sha256(der).hexdigest(),
        )
    except (ValueError, TypeError, OverflowError):  # for example a date out of range
        return None
    return it, link


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    supported = [name for name in list(names)[:MAX_NAMES] if isinstance(name, x509.DNSName | x509.IPAddress)]
    return [clean(str(name.value), MAX_TEXT) for name in supported]
