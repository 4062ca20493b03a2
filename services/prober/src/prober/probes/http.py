"""The HTTP probe: a fresh connection through the guard for every probe and every redirect, timed in phases."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from math import inf
from time import monotonic, perf_counter

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Address, Forbidden, Guard
from prober.probes.check import LOOKING_UP, Check, Observation, Peer
from prober.probes.exchange import Exchange
from prober.probes.failure import Broken, distrust, explain
from prober.probes.request import Request, parse

MAX_REDIRECTS = 5
ERROR_LIMIT = 300
OVERSLEPT = 0.5
_KNOWN = frozenset(HTTPStatus)


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Probes `check.url` once, within `deadline` seconds in all; up is an answer of 2xx or 3xx (contract.md A.1).

    Never raises but to be cancelled: what goes wrong is the observation's verdict and sentence.
    """
    return await observed(deadline, lambda seen: _follow(check, guard, monotonic() + deadline, seen))


async def observed(deadline: float, look: Callable[[Observation], Awaitable[None]]) -> Observation:
    """What `look` saw within `deadline` seconds; what stops it becomes the verdict and the sentence."""
    seen = Observation()
    started = perf_counter()
    try:
        async with asyncio.timeout(deadline):
            await look(seen)
    except TimeoutError as error:
        if error.errno is not None:  # the kernel gave up first
            seen.verdict, seen.error = explain(error)
        else:
            # Our resolver's silence says nothing about the target, nor does a deadline that we noticed too late.
            ours = seen.doing == LOOKING_UP or perf_counter() - started > deadline + OVERSLEPT
            seen.verdict = Verdict.probe_error if ours else Verdict.target_fail
            seen.error = f"timed out after {perf_counter() - started:.1f} s while {seen.doing}"
    except Exception as error:  # noqa: BLE001  # a bug of ours must be told apart from the target's fault
        seen.verdict, seen.error = explain(error)
    seen.error = seen.error[:ERROR_LIMIT]  # a target can make us quote it
    seen.phases.total = (perf_counter() - started) * 1000
    return seen


async def _follow(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    try:
        request = Request(parse(check.url), check.method, check.headers, check.body.encode(errors="replace"))
    except ValueError as error:
        raise Forbidden(f"the URL cannot be probed: {error}") from error
    for _ in range(MAX_REDIRECTS + 1):
        exchange = await _ask(request, check, guard, deadline, seen)
        location = None if check.not_follow_redirect else exchange.location()
        if location is None:
            break
        request = request.redirected(exchange.status, location)
    else:
        raise Broken(f"more than {MAX_REDIRECTS} redirects")
    seen.body, seen.complete = exchange.body, True
    if not 200 <= exchange.status < 400:
        phrase = HTTPStatus(exchange.status).phrase if exchange.status in _KNOWN else ""
        raise Broken(f"answered {exchange.status} {phrase}".rstrip())


async def _ask(request: Request, check: Check, guard: Guard, deadline: float, seen: Observation) -> Exchange:
    """One request on its own connection; adds its times to `seen.phases`."""
    target, phases, wire = request.target, seen.phases, request.encode()
    addresses = await addresses_of(target.host, guard, seen)
    seen.doing, seen.address = "connecting", str(addresses[0])
    started = perf_counter()
    transport, exchange = await guard.connect(
        addresses,
        target.port,
        lambda: Exchange(request.method, follow=not check.not_follow_redirect),
        # A share for each address; the only one has the whole, which probe() already limits.
        deadline=deadline if len(addresses) > 1 else inf,
    )
    try:
        phases.connect = _add(phases.connect, exchange.connected_at - started)
        if len(addresses) > 1:
            seen.address = transport.get_extra_info("peername")[0]
        if target.tls:
            if exchange.first_byte_at:  # heard before start_tls could: in TLS the client speaks first
                raise Broken("TLS failed: the target spoke first")
            transport = await secured(transport, exchange, target.host, target.port, check, seen)
        seen.doing = "waiting for the first byte"
        sent = perf_counter()
        transport.write(wire)
        try:
            await exchange.over
        finally:
            if exchange.first_byte_at:
                seen.doing = "reading the answer"
                phases.first_byte = _add(phases.first_byte, exchange.first_byte_at - sent)
    finally:
        exchange.close(transport)
        seen.status_code, seen.headers = exchange.status or None, exchange.headers
    if exchange.failure is not None:
        raise exchange.failure
    return exchange


async def secured(
    transport: asyncio.Transport, protocol: asyncio.Protocol, host: str, port: int, check: Check, seen: Observation
) -> asyncio.Transport:
    """The connection with TLS on it; notes the time, and the first host's certificate, refused or not."""
    seen.doing = "shaking hands over TLS"
    verify, first = not check.skip_ssl_error, seen.phases.tls is None and seen.status_code is None
    peer = Peer(host.rstrip("."), port, seen.address, None, "" if verify else None)
    loop, started = asyncio.get_running_loop(), perf_counter()
    try:
        transport = (
            await loop.start_tls(transport, protocol, tls_context(verify=verify), server_hostname=peer.host)
            or transport
        )
        peer.connection = transport.get_extra_info("ssl_object")
    except ssl.SSLCertVerificationError as error:
        peer.problem = distrust(error)
        raise
    finally:
        if first and (peer.connection or peer.problem):
            seen.peer = peer
    seen.phases.tls = _add(seen.phases.tls, perf_counter() - started)
    return transport


async def addresses_of(host: str, guard: Guard, seen: Observation) -> list[Address]:
    """All addresses of a host, judged, with the time that took."""
    literal = guard.check_literal(host)
    if literal is not None:
        return [literal]
    seen.doing = LOOKING_UP
    started = perf_counter()
    try:
        return await guard.resolve(host)
    finally:
        seen.phases.dns = _add(seen.phases.dns, perf_counter() - started)


def _add(milliseconds: float | None, seconds: float) -> float:
    return (milliseconds or 0.0) + max(seconds, 0.0) * 1000


@cache
def tls_context(*, verify: bool) -> ssl.SSLContext:
    """The context that all probes share: verifying (TLS 1.2 or newer), or taking any certificate and old servers."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options |= 0x4  # SSL_OP_LEGACY_SERVER_CONNECT, named only from Python 3.12
    return context
