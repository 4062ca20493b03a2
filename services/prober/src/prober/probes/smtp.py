"""The SMTP probe: greeting, EHLO, STARTTLS where it is offered, QUIT (RFC 5321, RFC 3207)."""

from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.error_mapping import Broken
from prober.probes.line_protocol import LineProtocol
from prober.probes.probe_types import Check, Observation

TLS_PORT = 465
NAME = "prober.pinghome.invalid"


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Up is a server that greets with 220, answers EHLO (or HELO), and keeps to TLS where it offers it.

    On port 465 TLS comes first (RFC 8314). A certificate that is not accepted is a failure unless `skip_ssl_error`.
    """
    return await attempt(partial(_converse, check, guard, monotonic() + deadline), deadline)


async def _converse(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    talk = await LineProtocol.begin(check, guard, deadline, seen, TLS_PORT)
    try:
        _expect("220", await _reply(talk, await talk.greeting()), "greeted")
        offers = await _hello(talk)
        if "STARTTLS" in offers and check.port != TLS_PORT:
            talk.say("STARTTLS")
            _expect("220", await _reply(talk), "offers STARTTLS and answered it")
            await talk.secure(check)
            await _hello(talk)
        await talk.goodbye("QUIT")
    finally:
        talk.close()


async def _hello(talk: LineProtocol) -> set[str]:
    """The first words of what the server offers; none from one that is too old for EHLO."""
    talk.say(f"EHLO {NAME}")
    reply = await _reply(talk)
    if reply[0].startswith("5"):
        talk.say(f"HELO {NAME}")
        _expect("250", await _reply(talk), "answered HELO")
        return set()
    _expect("250", reply, "answered EHLO")
    return {line[4:].partition(" ")[0].upper() for line in reply[1:]}


async def _reply(talk: LineProtocol, first: str | None = None) -> list[str]:
    """The lines of one reply: a hyphen after the code says that more follow."""
    lines = [await talk.line() if first is None else first]
    while lines[-1][3:4] == "-" and lines[-1][:3].isdigit():
        lines.append(await talk.line())
    return lines


def _expect(code: str, reply: list[str], what: str) -> None:
    if reply[-1][:3] != code or reply[-1][3:4] not in ("", " "):
        raise Broken(f"{what} with {reply[-1][:200]!r}, not with {code}")
