"""The POP3 probe: greeting, CAPA, STLS where it is offered, QUIT (RFC 1939, RFC 2449, RFC 2595)."""

from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.error_mapping import Broken
from prober.probes.line_protocol import LineProtocol
from prober.probes.probe_types import Check, Observation

TLS_PORT = 995


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Up is a server that greets with +OK and keeps to TLS where it offers it; on port 995 TLS comes first.

    A certificate that is not accepted is a failure unless `skip_ssl_error`.
    """
    return await attempt(partial(_converse, check, guard, monotonic() + deadline), deadline)


async def _converse(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    talk = await LineProtocol.begin(check, guard, deadline, seen, TLS_PORT)
    try:
        _expect_ok(await talk.greeting(), "greeted")
        talk.say("CAPA")
        if (await talk.line()).startswith("+OK"):  # else it is from before RFC 2449, and well all the same
            offers = set()
            while (line := await talk.line()) != ".":
                offers.add(line.strip().upper())
            if "STLS" in offers and check.port != TLS_PORT:
                talk.say("STLS")
                _expect_ok(await talk.line(), "offers STLS and answered it")
                await talk.secure(check)
        await talk.goodbye("QUIT")
    finally:
        talk.close()


def _expect_ok(line: str, what: str) -> None:
    if line.split(" ", 1)[0] != "+OK":
        raise Broken(f"{what} with {line[:200]!r}, not with +OK")
