"""The IMAP probe: greeting, CAPABILITY, STARTTLS where it is offered, LOGOUT (RFC 9051)."""

from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.error_mapping import Broken
from prober.probes.line_protocol import LineProtocol
from prober.probes.probe_types import Check, Observation

TLS_PORT = 993


async def probe(check: Check, guard: Guard, deadline: float) -> Observation:
    """Up is a server that greets with OK (or PREAUTH), tells its capabilities, and keeps to TLS where it offers it.

    On port 993 TLS comes first. A certificate that is not accepted is a failure unless `skip_ssl_error`.
    """
    return await attempt(partial(_converse, check, guard, monotonic() + deadline), deadline)


async def _converse(check: Check, guard: Guard, deadline: float, seen: Observation) -> None:
    talk = await LineProtocol.begin(check, guard, deadline, seen, TLS_PORT)
    try:
        greeting = await talk.greeting()
        if greeting.upper().split(" ")[:2] not in (["*", "OK"], ["*", "PREAUTH"]):
            raise Broken(f"greeted with {greeting[:200]!r}, not with * OK")
        offers = await _command(talk, "p1", "CAPABILITY")
        if "STARTTLS" in offers and check.port != TLS_PORT:
            await _command(talk, "p2", "STARTTLS")
            await talk.secure(check)
            await _command(talk, "p3", "CAPABILITY")
        await talk.goodbye("p4 LOGOUT")
    finally:
        talk.close()


async def _command(talk: LineProtocol, tag: str, words: str) -> set[str]:
    """The words of the untagged answers to a command, in capitals.

    Raises:
        Broken: its end is not OK.
    """
    talk.say(f"{tag} {words}")
    said: set[str] = set()
    while not (line := await talk.line()).startswith(f"{tag} "):
        said |= set(line.upper().split())
    if line.upper().split(" ")[1:2] != ["OK"]:
        raise Broken(f"answered {words} with {line[:200]!r}, not with OK")
    return said
