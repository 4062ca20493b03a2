"""The POP3 probe: greeting, CAPA, STLS if offered, QUIT (RFC 1939, RFC 2449, RFC 2595)."""

from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.error_mapping import Broken
from prober.probes.line_protocol import LineProtocol
from prober.probes.probe_types import Observation, ProbeSpec

TLS_PORT = 995


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up is a server that sends a greeting (+OK) and completes STLS if it offers it.

    On port 995 the connection starts with TLS. An invalid certificate is a failure unless `skip_ssl_error`.
    """
    return await attempt(partial(_run, spec, guard, monotonic() + deadline), deadline)


async def _run(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    server = await LineProtocol.open(spec, guard, deadline, seen, TLS_PORT)
    try:
        _expect_ok(await server.greeting(), "greeted")
        server.send("CAPA")
        if (await server.line()).startswith("+OK"):  # CAPA is optional (RFC 2449)
            offers = set()
            while (line := await server.line()) != ".":
                offers.add(line.strip().upper())
            if "STLS" in offers and spec.port != TLS_PORT:
                server.send("STLS")
                _expect_ok(await server.line(), "answered STLS")
                await server.secure(spec)
        await server.quit("QUIT")
    finally:
        server.close()


def _expect_ok(line: str, event: str) -> None:
    if line.split(" ", 1)[0] != "+OK":
        raise Broken(f"{event} with {line[:200]!r}, not with +OK")
