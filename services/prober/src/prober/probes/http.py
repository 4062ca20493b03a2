"""The HTTP probe: a fresh connection through the guard for every probe and every redirect, timed in phases."""

import asyncio
import ssl
from functools import cache
from http import HTTPStatus
from time import monotonic, perf_counter

import structlog

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Address, Forbidden, Guard
from prober.probes.check import Check, Observation
from prober.probes.exchange import Exchange
from prober.probes.failure import Broken, explain
from prober.probes.request import Request, Target, parse

MAX_REDIRECTS = 5
log = structlog.get_logger()


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Probes `check.url` once, within `deadline` seconds in all; up is an answer of 2xx or 3xx (contract.md A.1).

    Never raises but to be cancelled: what goes wrong is the observation's verdict and sentence.
    """
    seen = Observation()
    started = perf_counter()
    try:
        async with asyncio.timeout(deadline):
            await _follow(check, guard, monotonic() + deadline, seen)
    except TimeoutError as error:
        if error.errno is not None:  # the kernel gave up first
            seen.verdict, seen.error = explain(error)
        else:
            # Our resolver's silence says nothing about the target.
            silent = seen.doing == Observation().doing
            seen.verdict = Verdict.probe_error if silent else Verdict.target_fail
            seen.error = f"timed out after {deadline:g} s while {seen.doing}"
    except Exception as error:
        seen.verdict, seen.error = explain(error)
    seen.phases.total = (perf_counter() - started) * 1000
    return seen


async def _follow(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    """Asks, follows redirects, and judges the last answer."""
    ...


@cache
def tls_context(*, verify: bool) -> ssl.SSLContext:
    """The context that all probes share: verifying (TLS 1.2 or newer), or taking any certificate and old servers."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options |= ssl.OP_LEGACY_SERVER_CONNECT
    return context
