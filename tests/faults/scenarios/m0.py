"""M0: targets go away for a time; every real outage is alerted in time, and no blip ever is."""

import asyncio
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID, uuid4

from commands import make_all, unmake_all
from run import Run
from under_test import REGION, Platform
from verdict import Verdict

INTERVAL = 5
"""Seconds between two probes, and in one unit of grace of the platform under test."""

SLACK = 5.0
"""Seconds that the platform may need besides (reliability.md, M0)."""


@dataclass(frozen=True)
class Outage:
    """A kind of trial: how long the target is away, and whether that must be alerted."""

    grace: int
    away: float
    alerted: bool

    @property
    def within(self) -> float:
        """Seconds in which it must be detected."""
        return INTERVAL * (1.5 + self.grace) + SLACK


KINDS = (
    Outage(grace=1, away=0.5 * INTERVAL, alerted=False),
    Outage(grace=2, away=1.0 * INTERVAL, alerted=False),
    Outage(grace=2, away=1.5 * INTERVAL, alerted=False),
    Outage(grace=0, away=1.6 * INTERVAL, alerted=True),
    Outage(grace=1, away=(1.6 + 1) * INTERVAL, alerted=True),
    Outage(grace=0, away=3.0 * INTERVAL, alerted=True),
)


@dataclass
class Trial:
    """A target of its own, and the monitor that watches it; `down_at` is in UNIX seconds."""

    kind: Outage
    resource: UUID = field(default_factory=uuid4)
    down_at: float = 0.0
    port: int = 0
    _server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Answers, on the same port as before."""
        self._server = await asyncio.start_server(answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def away(self, delay: float) -> None:
        """After some seconds it refuses connections for its time, and is back."""
        await asyncio.sleep(delay)
        self.close()
        self.down_at = time.time()
        await asyncio.sleep(self.kind.away)
        await self.listen()

    def close(self) -> None:
        """Refuses connections from now on."""
        assert self._server
        self._server.close()


async def play(run: Run, verdict: Verdict) -> None:
    """200 trials side by side in the long form, in three rounds; 60 in the short one."""
    trials = [Trial(KINDS[number % len(KINDS)]) for number in range(200 if run.long else 60)]
    rng, late, found, false, missed = run.rng("outages"), [], 0, [], []
    try:
        await asyncio.gather(*(trial.listen() for trial in trials))
        await _watch(run.platform, trials)
        for number in range(3 if run.long else 1):
            await _settled(run, trials)
            begun = time.time()
            await _round(trials, rng)
            alerted = {trial.resource for trial in trials if trial.kind.alerted}
            latest = time.monotonic() + run.seconds(SLACK)
            while (downs := await _downs(run.platform, trials, begun)).keys() & alerted < alerted:
                if time.monotonic() > latest:
                    break
                await asyncio.sleep(0.5)
            for trial in trials:
                at = downs.get(trial.resource)
                if at and trial.kind.alerted:
                    found += 1
                    late.append(at - trial.down_at - trial.kind.within + SLACK)
                elif at:
                    false.append(f"{trial.kind} after {at - trial.down_at:.1f} s")
                elif trial.kind.alerted:
                    missed.append(trial.kind)
            run.say(f"round {number + 1}: {len(downs)} of {len(trials)} monitors went down")
    finally:
        for trial in trials:
            trial.close()
    await unmake_all(run.platform, "/v1/resource", [trial.resource for trial in trials])
    late.sort()
    verdict.told("outages of more than 1.5 intervals and grace found", found)
    verdict.none("of these not found", missed)
    verdict.none("blips shorter than the confirmation that were taken for outages", false)
    verdict.at_most(
        "seconds from the outage to the verdict beyond 1.5 intervals and grace, p99",
        late[int(len(late) * 0.99)] if late else 0.0,
        run.seconds(SLACK),
    )


async def _watch(platform: Platform, trials: list[Trial]) -> None:
    ids = await make_all(platform, "/v1/resource", (_monitor(trial) for trial in trials))
    for trial, id_ in zip(trials, ids, strict=True):
        trial.resource = id_


def _monitor(trial: Trial) -> dict[str, Any]:
    return {
        "name": f"M0 {trial.port}",
        "type": "http",
        "url": f"http://127.0.0.1:{trial.port}/",
        "regions": [REGION],
        "interval": INTERVAL,
        "grace_period": trial.kind.grace,
    }


async def _settled(run: Run, trials: list[Trial]) -> None:
    """Returns when all are up.

    Raises:
        TimeoutError: some are not after half a minute.
    """
    ids = [trial.resource for trial in trials]
    async with asyncio.timeout(run.seconds(30)), run.platform.sql("resource_cmd") as db:
        while await db.fetchval("SELECT count(*) FROM resource WHERE id = ANY($1) AND status <> 'up'", ids):
            await asyncio.sleep(0.2)


async def _round(trials: list[Trial], rng: Random) -> None:
    """Every target goes away once, and whoever must be alerted had the time for it."""
    await asyncio.gather(*(trial.away(rng.uniform(0, INTERVAL)) for trial in trials))
    latest = max(trial.down_at + trial.kind.within for trial in trials)
    await asyncio.sleep(max(latest - time.time(), 0) + 1)


async def _downs(platform: Platform, trials: list[Trial], since: float) -> dict[UUID, float]:
    """When each monitor was found down, in UNIX seconds."""
    async with platform.sql("resource_cmd") as db:
        rows = await db.fetch(
            "SELECT aggregate, min(extract(epoch FROM (body->>'time')::timestamptz))::float8 AS at FROM ("
            "  SELECT aggregate, convert_from(body, 'utf8')::jsonb AS body FROM events WHERE aggregate = ANY($1)"
            ") e WHERE body->'data'->'change'->>'status' = 'down' AND (body->>'time')::timestamptz > to_timestamp($2)"
            " AND body->>'type' = 'resource.status-changed' GROUP BY 1",
            [trial.resource for trial in trials], since,
        )  # fmt: skip
    return {row["aggregate"]: row["at"] for row in rows}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one request with 200."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()
