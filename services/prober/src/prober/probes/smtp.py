"""The SMTP probe: greeting, EHLO, STARTTLS if offered, QUIT (RFC 5321, RFC 3207)."""

from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.error_mapping import Broken
from prober.probes.line_protocol import LineProtocol
from prober.probes.probe_types import Observation, ProbeSpec

TLS_PORT = 465
NAME = "prober.pinghome.invalid"


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up is a server that sends a greeting (220), accepts EHLO (or HELO), and completes STARTTLS if it offers it.

    On port 465 the connection starts with TLS (RFC 8314). An invalid certificate is a failure unless `skip_ssl_error`.
    """
    return await attempt(partial(_run, spec, guard, monotonic() + deadline), deadline)


async def _run(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    server = await LineProtocol.open(spec, guard, deadline, seen, TLS_PORT)
    try:
        _expect("220", await _reply(server, await server.greeting()), "greeted")
        offers = await _hello(server)
        if "STARTTLS" in offers and spec.port != TLS_PORT:
            server.send("STARTTLS")
            _expect("220", await _reply(server), "answered STARTTLS")
            await server.secure(spec)
            await _hello(server)
        await server.quit("QUIT")
    finally:
        server.close()


async def _hello(server: LineProtocol) -> set[str]:
    """The keywords of the server's extensions; none if it does not support EHLO."""
    server.send(f"EHLO {NAME}")
    reply = await _reply(server)
    if reply[0].startswith("5"):
        server.send(f"HELO {NAME}")
        _expect("250", await _reply(server), "answered HELO")
        return set()
    _expect("250", reply, "answered EHLO")
    return {line[4:].partition(" ")[0].upper() for line in reply[1:]}


async def _reply(server: LineProtocol, first: str | None = None) -> list[str]:
    """The lines of one reply; a hyphen after the code means that more follow."""
    lines = [await server.line() if first is None else first]
    while lines[-1][3:4] == "-" and lines[-1][:3].isdigit():
        lines.append(await server.line())
    return lines


def _expect(code: str, reply: list[str], event: str) -> None:
    if reply[-1][:3] != code or reply[-1][3:4] not in ("", " "):
        raise Broken(f"{event} with {reply[-1][:200]!r}, not with {code}")
