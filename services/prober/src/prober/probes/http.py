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
from prober.probes.probe_types import Check, Observation, Peer
from prober.probes.request import Request, parse

LEFT_OUT = "the monitor's own headers and body were left out where a redirect led to another site"
_KNOWN = frozenset(HTTPStatus)


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Probes `check.url` once, within `deadline` seconds in all; up is an answer of 2xx or 3xx (contract.md A.1).

    Never raises but to be cancelled: what goes wrong is the observation's verdict and sentence.
    """
    return await attempt(partial(_follow, check, guard, monotonic() + deadline), deadline)


async def _follow(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    try:
        request = Request(parse(check.url), check.method, check.headers, check.body.encode(errors="replace"))
    except ValueError as error:
        raise AddressForbidden(f"the URL cannot be probed: {error}") from error
    jar = Jar()
    for followed in count():
        exchange = await _ask(request, check, guard, deadline, seen)
        location = None if check.not_follow_redirect else exchange.location()
        if location is None:
            break
        if followed == check.max_redirects:
            raise Broken(f"more than {check.max_redirects} redirects")
        jar.take(exchange.headers, request.target.host, request.target.path)
        request, left_out = request.redirected(exchange.status, location)
        request.cookies = jar.header(request.target.host, request.target.path, tls=request.target.tls)
        if left_out:
            _note(seen, LEFT_OUT)
    if exchange.status in REDIRECTS and exchange.location() is None:
        _note(seen, "the redirect does not say where it leads")
    seen.complete = True
    if not 200 <= exchange.status < 400:
        phrase = HTTPStatus(exchange.status).phrase if exchange.status in _KNOWN else ""
        raise Broken(f"answered {exchange.status} {phrase}".rstrip())


async def _ask(request: Request, check: Check, guard: Guard, deadline: float, seen: Observation) -> Exchange:
    """One request on its own connection; adds its times to `seen.phases`."""
    target, phases, wire = request.target, seen.phases, request.encode()
    addresses = await look_up(target.host, guard, seen)
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
            peer = Peer(target.host.rstrip("."), target.port, seen.address)
            if target.url == check.url:
                seen.peer = peer
            transport = await secure(transport, exchange, check, seen, peer)
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
