"""F4: NATS is down for long; check-ins go to the spool, commands go on, all clients come back and nothing is lost."""

import asyncio
import signal
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
        deaf = await _told_to_end(
            run, [name for name in platform.ports if name not in ("data-gateway", "resource-cmd")]
        )
        verdict.none("services that do not end by themselves when told so while NATS is away", deaf)
        await asyncio.gather(*(_listens(run, name) for name in platform.ports))
        for name in ("data-gateway", "resource-cmd"):
            before, begun = platform.pids[name], time.monotonic()
            platform.kill(name)
            while platform.pids.get(name, before) == before or not await _serves(run, name, spare):
                await asyncio.sleep(0.05)
                if time.monotonic() - begun > run.seconds(10):
                    break
            took = time.monotonic() - begun
            verdict.at_most(f"seconds until {name} serves again, killed while NATS is away", took, run.seconds(10))

    await judge_outage(run, verdict, LONG if run.long else SHORT, begin, meanwhile, end)


async def _told_to_end(run: Run, names: list[str]) -> list[str]:
    """SIGTERM; returns those that did not exit with 0 in time; open requests have 10 s."""
    platform, before, begun = run.platform, len(run.platform.deaths), time.monotonic()
    for name in names:
        platform.kill(name, signal.SIGTERM)
    while time.monotonic() - begun < run.seconds(12):
        ended = {it.name for it in platform.deaths[before:] if it.code == 0}
        if ended >= set(names):
            break
        await asyncio.sleep(0.05)
    for name in set(names) - ended:
        platform.kill(name)
    return sorted(set(names) - ended)


async def _listens(run: Run, name: str) -> None:
    """Returns when a service has started again; it is not ready as long as NATS is away."""
    wire, latest = Wire(run.platform.ports[name]), time.monotonic() + run.seconds(30)
    while time.monotonic() < latest:
        try:
            await wire.ask("GET", "/healthz")
            break
        except (LostError, NotSentError):
            await asyncio.sleep(0.05)
    wire.close()


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
