"""F4: NATS is down for long; check-ins go to the spool, commands go on, all clients come back and nothing is lost."""

import asyncio
import time
from uuid import UUID

from commands import Client, make_heartbeats
from outage import judge_outage
from run import Run
from verdict import Verdict
from wire import LostError, NotSentError, Wire

LONG, SHORT = 300, 30
"""Seconds. nats-py's own patience ends after 60 attempts, 2 s apart."""


async def play(run: Run, verdict: Verdict) -> None:
    """Five minutes in the long form; towards the end gateway and resource-cmd are killed, too, and know their own."""
    platform = run.platform
    spare = (await make_heartbeats(platform, "F4 spare", 1))[0]

    async def begin() -> None:
        await platform.hold_down("nats")

    async def end() -> None:
        await platform.let_up("nats")

    async def meanwhile() -> None:
        for name in ("data-gateway", "resource-cmd"):
            before, begun = platform.pids[name], time.monotonic()
            platform.kill(name)
            while platform.pids.get(name, before) == before or not await _serves(run, name, spare):
                await asyncio.sleep(0.05)
                if time.monotonic() - begun > 20:
                    break
            took = time.monotonic() - begun
            verdict.at_most(f"seconds until {name} serves again, killed while NATS is away", took, 10)

    await judge_outage(run, verdict, LONG if run.long else SHORT, begin, meanwhile, end)


async def _serves(run: Run, name: str, heartbeat: UUID) -> bool:
    """True when the gateway takes a check-in of a heartbeat that it must know, or a command is carried out."""
    try:
        if name == "resource-cmd":
            client = Client(run.platform)
            answer = await client.ask("POST", "/v1/service", {"name": "made while NATS is away"})
            client.close()
            return answer.status == 201
        wire = Wire(run.platform.ports[name])
        answer = await wire.ask("GET", f"/v1/heartbeat/{heartbeat}")
        wire.close()
    except (LostError, NotSentError):
        return False
    return answer.status == 200
