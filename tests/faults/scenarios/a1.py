"""A1: the gateway is killed and away while a real agent measures; every sample arrives with its own time."""

# ruff: noqa: S603  # our own program

import asyncio
import re
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from subprocess import DEVNULL, Popen
from uuid import UUID, uuid4

from commands import Client
from run import Run
from streams import admin, read
from verdict import Verdict

from pinghome_common.events.metric import Sample, decode_batch

EPOCH = datetime.fromtimestamp(0, UTC)
KEPT = re.compile(r"sample_kept .*?at=\"?([0-9T:.Z+-]+)")


async def play(run: Run, verdict: Verdict) -> None:
    """Ten minutes, five kills and two minutes away in the long form."""
    kills, away, seconds = (5, 120.0, 600.0) if run.long else (2, 10.0, 35.0)
    platform, rng = run.platform, run.rng("kills")
    server, token = await make_server(run)
    folder = platform.data / f"a1-{server}"
    folder.mkdir()
    url = f"http://127.0.0.1:{platform.ports['data-gateway']}"
    command = [sys.executable, "-m", "pinghome_agent", "--url", url, "--token", token, "--interval", "1"]
    log = folder / "agent.log"
    with log.open("wb") as out:
        agent = Popen([*command, "--spool", folder / "spool", "--log-level", "debug"], stdout=DEVNULL, stderr=out)  # noqa: ASYNC220
    try:
        begun = time.monotonic()
        for _ in range(kills):
            await asyncio.sleep(rng.uniform(0.5, 1.5) * (seconds - away) / (2 * kills))
            platform.kill("data-gateway")
            run.say("killed data-gateway")
        await asyncio.sleep(2)
        await platform.hold_down("data-gateway")
        run.say(f"data-gateway is away for {away:g} s")
        await asyncio.sleep(away)
        await platform.let_up("data-gateway")
        await asyncio.sleep(max(5.0, begun + seconds - time.monotonic()))
        kept = times(log.read_text())
        found = await until_stored(run, server, kept, 120)
    finally:
        agent.kill()
        agent.wait()
    stored: dict[int, list[Sample]] = defaultdict(list)
    for it in found:
        stored[it.at].append(it)
    verdict.told("samples kept by the agent", len(kept))
    verdict.at_least("samples in a second", len(kept) / seconds, 0.5)
    verdict.none("kept and not in the stream", sorted(kept - stored.keys()))
    verdict.none("in the stream at a time that was not measured", sorted(stored.keys() - times(log.read_text())))
    verdict.told("sent again, for no answer had come", sum(len(each) - 1 for each in stored.values()))
    verdict.none(
        "sent again with other figures",
        [at for at, each in stored.items() if any(it.figures != each[0].figures for it in each)],
    )
    latest = max((it.received_at - it.at) / 1e6 for it in found)
    verdict.at_least("seconds after its time the oldest sample was received", latest, away / 2)


async def make_server(run: Run) -> tuple[UUID, str]:
    """A server and its agent's token."""
    client = Client(run.platform)
    body = {"name": f"a1-{run.seed}", "service_id": str(uuid4())}
    made = await client.until_done("POST", "/v1/server-resource", body)
    client.close()
    return UUID(made["id"]), made["agent_token"]


def times(log: str) -> set[int]:
    """When the samples were measured that the agent has on disk, in UNIX microseconds."""
    return {(datetime.fromisoformat(at) - EPOCH) // timedelta(microseconds=1) for at in KEPT.findall(log)}


async def until_stored(run: Run, server: UUID, wanted: set[int], seconds: float) -> list[Sample]:
    """The samples of a server in the stream, when all that are wanted are there, or in the end."""
    deadline = time.monotonic() + seconds
    while True:
        async with admin(run.platform) as client:
            batches = [decode_batch(it.data) for it in await read(client, "TELEMETRY", "telemetry.metric.>")]
        known = {(it.boot, it.number): it.samples for it in batches}
        found = [it for samples in known.values() for it in samples if it.server == server.bytes]
        if wanted <= {it.at for it in found} or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)
