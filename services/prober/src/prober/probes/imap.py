"""The IMAP probe: greeting, CAPABILITY, STARTTLS if offered, LOGOUT (RFC 9051)."""

from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.error_mapping import Broken
from prober.probes.line_protocol import LineProtocol
from prober.probes.probe_types import Observation, ProbeSpec

TLS_PORT = 993


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up is a server that sends a greeting (OK or PREAUTH), lists its capabilities, and completes STARTTLS if offered.

    On port 993 the connection starts with TLS. An invalid certificate is a failure unless `skip_ssl_error`.
    """
    return await attempt(partial(_run, spec, guard, monotonic() + deadline), deadline)


async def _run(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    server = await LineProtocol.open(spec, guard, deadline, seen, TLS_PORT)
    try:
        greeting = await server.greeting()
        if greeting.upper().split(" ")[:2] not in (["*", "OK"], ["*", "PREAUTH"]):
            raise Broken(f"greeted with {greeting[:200]!r}, not with * OK")
        offers = await _command(server, "p1", "CAPABILITY")
        if "STARTTLS" in offers and spec.port != TLS_PORT:
            await _command(server, "p2", "STARTTLS")
            await server.secure(spec)
            await _command(server, "p3", "CAPABILITY")
        await server.quit("p4 LOGOUT")
    finally:
        server.close()


async def _command(server: LineProtocol, tag: str, command: str) -> set[str]:
    """The words of the untagged responses to a command, in capitals.

    Raises:
        Broken: the command did not complete with OK.
    """
    server.send(f"{tag} {command}")
    words: set[str] = set()
    while not (line := await server.line()).startswith(f"{tag} "):
        words |= set(line.upper().split())
    if line.upper().split(" ")[1:2] != ["OK"]:
        raise Broken(f"answered {command} with {line[:200]!r}, not with OK")
    return words
