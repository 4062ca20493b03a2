"""Connects to a target in timed phases: DNS lookup, connection through the guard, TLS handshake."""

import asyncio
import ssl
from collections.abc import Callable
from functools import cache
from math import inf
from time import perf_counter
from typing import TypeVar

from pinghome_common.guard import Address, Guard
from prober.probes.error_mapping import certificate_error
from prober.probes.probe_types import LOOKING_UP, Observation, Peer, ProbeSpec

P = TypeVar("P", bound=asyncio.Protocol)


async def look_up(host: str, guard: Guard, seen: Observation) -> list[Address]:
    """The addresses of a host, all checked by the guard; adds the lookup time to `phases.dns`."""
    literal = guard.check_literal(host)
    if literal is not None:
        return [literal]
    seen.doing = LOOKING_UP
    started = perf_counter()
    try:
        return await guard.resolve(host)
    finally:
        seen.phases.dns = (seen.phases.dns or 0.0) + (perf_counter() - started) * 1000


async def connect(
    spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation, factory: Callable[[], P]
) -> tuple[asyncio.Transport, P]:
    """A TCP connection to the spec's host and port; `deadline` is in seconds of `time.monotonic()`."""
    addresses = await look_up(spec.host, guard, seen)
    seen.doing, seen.address = "connecting", str(addresses[0])
    started = perf_counter()
    transport, protocol = await guard.connect(
        addresses, spec.port, factory, deadline=deadline if len(addresses) > 1 else inf
    )
    seen.phases.connect = (perf_counter() - started) * 1000
    if peer := transport.get_extra_info("peername"):  # None if the connection was reset at once
        seen.address = peer[0]
    return transport, protocol


async def secure(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    spec: ProbeSpec,
    seen: Observation,
    peer: Peer | None = None,
) -> asyncio.Transport:
    """Starts TLS on a connection; adds the time to `phases.tls`.

    The certificate is verified for the `peer`, default the spec's host, unless `skip_ssl_error`; `peer.problem` is
    set to the outcome.

    Raises:
        ssl.SSLError, OSError: the handshake failed.
    """
    seen.doing = "completing the TLS handshake"
    verify = not spec.skip_ssl_error
    peer = peer or Peer(spec.host.rstrip("."), spec.port, seen.address)
    peer.problem = "" if verify else None
    started, loop = perf_counter(), asyncio.get_running_loop()
    try:
        secured = await loop.start_tls(transport, protocol, tls_context(verify=verify), server_hostname=peer.host)
    except ssl.SSLCertVerificationError as error:
        peer.problem = certificate_error(error)
        raise
    transport = secured or transport
    peer.connection = transport.get_extra_info("ssl_object")
    seen.phases.tls = (seen.phases.tls or 0.0) + (perf_counter() - started) * 1000
    return transport


@cache
def tls_context(*, verify: bool) -> ssl.SSLContext:
    """The TLS context of all probes: verifying (TLS 1.2 or newer), or accepting any certificate and old servers.

    The verifying one accepts OpenSSL's default cipher suites, as curl does; Python's defaults exclude SHA-1 as a MAC
    and suites without forward secrecy. Like browsers, it ignores the common name.
    """
    context = ssl.create_default_context()
    if verify:
        context.set_ciphers("DEFAULT:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=2")
        context.hostname_checks_common_name = False
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options |= 0x4  # SSL_OP_LEGACY_SERVER_CONNECT, named only from Python 3.12
    return context
