"""The TCP probe: a connection, and the payload if there is one."""

import asyncio
from functools import partial
from time import monotonic

from pinghome_common.guard import Guard
from prober.probes.attempt import attempt
from prober.probes.connecting import connect
from prober.probes.payload import payload
from prober.probes.probe_types import Observation, ProbeSpec


async def probe(spec: ProbeSpec, guard: Guard, deadline: float) -> Observation:
    """Up if the target accepts the connection; `data` is sent, and no answer is required."""
    return await attempt(partial(_connect, spec, guard, monotonic() + deadline), deadline)


async def _connect(spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation) -> None:
    transport, _ = await connect(spec, guard, deadline, seen, asyncio.Protocol)
    transport.write(payload(spec.data))
    transport.close()  # after everything is written
