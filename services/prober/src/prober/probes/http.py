"""The HTTP probe: a fresh connection through the guard for every probe and every redirect, timed in phases."""

from functools import partial
from http import HTTPStatus
from itertools import count
from math import inf
from time import monotonic, perf_counter

from pinghome_common.guard import AddressForbidden, Guard
from prober.probes.attempt import attempt
from prober.probes.connecting import look_up, secure
from prober.probes.cookies import Jar
from prober.probes.error_mapping import Broken
from prober.probes.http_exchange import REDIRECTS, Exchange
from prober.probes.probe_types import Observation, Peer, ProbeSpec
from prober.probes.request import Request, parse

SECRETS_WITHHELD = "a redirect led to another site, which was not sent the monitor's own headers and body"
_KNOWN = frozenset(HTTPStatus)


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Probes `spec.url` once within `deadline` seconds; up is a status of 2xx or 3xx (contract.md A.1).

    Raises only CancelledError; other errors become the verdict and sentence of the observation.
    """
    return await attempt(partial(_follow, spec, guard, monotonic() + deadline), deadline)


async def _follow(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    try:
        request = Request(parse(spec.url), spec.method, spec.headers, spec.body.encode(errors="replace"))
    except ValueError as error:
        raise AddressForbidden(f"the URL cannot be probed: {error}") from error
    jar = Jar()
    for followed in count():
        exchange = await _request(request, spec, guard, deadline, seen)
        location = None if spec.not_follow_redirect else exchange.location()
        if location is None:
            break
        if followed == spec.max_redirects:
            raise Broken(f"more than {spec.max_redirects} redirects")
        jar.take(exchange.headers, request.target.host, request.target.path)
        request, withheld = request.redirected(exchange.status, location)
        request.cookies = jar.header(request.target.host, request.target.path, tls=request.target.tls)
        if withheld:
            _note(seen, SECRETS_WITHHELD)
    if exchange.status in REDIRECTS and exchange.location() is None:
        _note(seen, "the redirect has no Location header")
    seen.complete = True
    if not 200 <= exchange.status < 400:
        phrase = HTTPStatus(exchange.status).phrase if exchange.status in _KNOWN else ""
        raise Broken(f"answered {exchange.status} {phrase}".rstrip())


async def _request(request: Request, spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> Exchange:
    """Sends one request on its own connection; adds its times to `seen.phases`."""
    target, phases, wire = request.target, seen.phases, request.encode()
    addresses = await look_up(target.host, guard, seen)
    seen.doing, seen.address = "connecting", str(addresses[0])
    started = perf_counter()
    transport, exchange = await guard.connect(
        addresses,
        target.port,
        lambda: Exchange(request.method, follow=not spec.not_follow_redirect),
        # Each address gets a share of the time; a single one is limited by probe() anyway.
        deadline=deadline if len(addresses) > 1 else inf,
    )
    try:
        phases.connect = _add(phases.connect, exchange.connected_at - started)
        if len(addresses) > 1:
            seen.address = transport.get_extra_info("peername")[0]
        if target.tls:
            if exchange.first_byte_at:  # received before start_tls, although in TLS the client speaks first
                raise Broken("TLS failed: the target sent data before the handshake")
            peer = Peer(target.host.rstrip("."), target.port, seen.address)
            if target.url == spec.url:
                seen.peer = peer
            transport = await secure(transport, exchange, spec, seen, peer)
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
        seen.status_code, seen.headers, seen.body = exchange.status or None, exchange.headers, exchange.body
        seen.cut = exchange.cut
        seen.endless = exchange.in_body and exchange.over.cancelled()
        for sentence in exchange.tolerated:
            _note(seen, sentence)
    if exchange.failure is not None:
        raise exchange.failure
    return exchange


def _note(seen: Observation, sentence: str) -> None:
    if sentence not in seen.tolerated:
        seen.tolerated.append(sentence)


def _add(milliseconds: float | None, seconds: float) -> float:
    return (milliseconds or 0.0) + max(seconds, 0.0) * 1000
