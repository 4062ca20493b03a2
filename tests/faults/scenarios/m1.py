"""M1: nobody can check in, for the gateway is away; none of the jobs that are well is called down for that."""

import asyncio
import time
from uuid import UUID

from commands import make_all, unmake_all
from run import Run
from under_test import Platform
from verdict import Verdict
from wire import LostError, NotSentError, Wire

INTERVAL = 20
"""Seconds that a job may be silent."""

EVERY = 5.0
"""Seconds between two check-ins of a job that is well."""

EXCUSED = 60.0
"""Seconds that a job without grace time gets after an outage of ours."""


async def play(run: Run, verdict: Verdict) -> None:
    """1,000 jobs and five minutes in the long form, 200 and half a minute in the short one, which ends with it."""
    platform, (jobs, away) = run.platform, (1000, 300) if run.long else (200, 30)
    bodies = ({"name": f"M1 {number}", "interval": INTERVAL} for number in range(jobs))
    ids = await make_all(platform, "/v1/heartbeat", bodies)
    ill, well = set(ids[: jobs // 10]), ids[jobs // 10 :]
    for id_ in ids:
        await _check_in(platform, [id_])
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for part in range(8):
            tasks.create_task(_keep_checking_in(platform, well[part::8], stop))
        await asyncio.sleep(2)
        await platform.hold_down("data-gateway")
        run.say(f"no gateway for {away} s; {len(ill)} jobs have stopped meanwhile")
        await asyncio.sleep(away)
        await platform.let_up("data-gateway")
        back = time.time()
        await asyncio.sleep(EXCUSED + 10 if run.long else 10)
        stop.set()
    downs = await _downs(platform, ids)
    verdict.none(f"of {len(well)} jobs that were well called down", sorted(downs.keys() & set(well)))
    early = [id_ for id_ in ill if id_ in downs and downs[id_] < back]
    verdict.none("jobs called down while nobody could check in", early)
    if run.long:
        verdict.none(f"of {len(ill)} jobs that had stopped not found", ill - downs.keys())
        slowest = max((downs[id_] - back for id_ in ill if id_ in downs), default=0.0)
        verdict.at_most("seconds after the outage until the last of them was", slowest, EXCUSED + 5)
    await unmake_all(platform, "/v1/heartbeat", ids)


async def _keep_checking_in(platform: Platform, ids: list[UUID], stop: asyncio.Event) -> None:
    while not stop.is_set():
        begun = time.monotonic()
        await _check_in(platform, ids)
        await asyncio.sleep(max(EVERY - (time.monotonic() - begun), 0.1))


async def _check_in(platform: Platform, ids: list[UUID]) -> None:
    """Each once, as `curl` without retries would."""
    wire = Wire(platform.ports["data-gateway"])
    for id_ in ids:
        try:
            await wire.ask("GET", f"/v1/heartbeat/{id_}", wait=5)
        except (LostError, NotSentError):
            await asyncio.sleep(0.01)
    wire.close()


async def _downs(platform: Platform, ids: list[UUID]) -> dict[UUID, float]:
    """When each heartbeat was called down, in UNIX seconds."""
    async with platform.sql("resource_cmd") as db:
        rows = await db.fetch(
            "SELECT aggregate, min(extract(epoch FROM created_at))::float8 AS at FROM events WHERE aggregate = ANY($1)"
            " AND convert_from(body, 'utf8')::jsonb->'data'->'vitals'->>'status' = 'down' GROUP BY 1",
            ids,
        )
    return {row["aggregate"]: row["at"] for row in rows}
