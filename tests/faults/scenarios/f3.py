"""F3: PostgreSQL is restarted fast, at once and with -9, and idle connections are cut; heartbeats do not notice."""

import asyncio
import signal
import time

import asyncpg
from catching_up import catch_up
from commanding import Commanding, Orders
from commands import Client, make_heartbeats
from ledger import Ledger, Outcome, Pinging
from run import Run
from under_test import Platform
from verdict import Verdict
from whole_oracle import judge_all
from wire import LostError, NotSentError

SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "-9": signal.SIGKILL}


async def play(run: Run, verdict: Verdict) -> None:
    """Ten restarts in the long form, each kind at least once in the short one."""
    platform, orders = run.platform, Orders()
    restarts, cuts, rate, pause, wanted = (10, 3, 600, 0.05, 5000) if run.long else (3, 1, 100, 0.3, 0)
    ledger = Ledger(f"f3-{run.seed}", await make_heartbeats(platform, "F3", 50))
    deaths, rng, waits = len(platform.deaths), run.rng("restarts"), {}
    async with Pinging(platform, ledger, rate, 32), Commanding(run, orders, "F3", 12, pause):
        await asyncio.sleep(1)
        for number in range(restarts):
            kind = list(SIGNALS)[number % 3]
            before = platform.pids["postgres"]
            platform.kill("postgres", SIGNALS[kind])
            back = await _accepts(platform, before)
            waits[f"{number + 1} {kind}"] = await _first_command(platform, f"F3 first {run.seed} {number}") - back
            run.say(f"restart {number + 1}, {kind}: first command {waits[f'{number + 1} {kind}']:.2f} s later")
            await asyncio.sleep(rng.uniform(1.0, 3.0) if run.long else rng.uniform(0.5, 1.5))
        for number in range(cuts):
            cut = await _cut_all(platform)
            begun = time.monotonic()
            waits[f"cut {number + 1}"] = await _first_command(platform, f"F3 cut {run.seed} {number}") - begun
            run.say(f"{cut} connections cut: first command {waits[f'cut {number + 1}']:.2f} s later")
            await asyncio.sleep(1)
        latest = time.monotonic() + 180
        while orders.done < wanted and time.monotonic() < latest:
            await asyncio.sleep(0.1)
        last = time.monotonic()
    caught, waited = await catch_up(platform, last)
    sent, acked = len(ledger.outcomes), ledger.count(Outcome.acked)
    verdict.told("restarts", f"{restarts}, and all connections cut {cuts} times")
    verdict.told("heartbeats", f"{sent}, answers {ledger.statuses}, slowest {max(ledger.took):.2f} s")
    verdict.at_least("heartbeats 2xx, %", 100 * acked / sent, 99.9)
    verdict.told("commands", f"{len(orders.sent)}, answers {dict(sorted(orders.statuses.items()))}")
    verdict.at_least("commands done", orders.done, wanted)
    verdict.none("commands answered 500", orders.statuses.get(500, 0))
    slowest = max(waits, key=lambda name: waits[name])
    verdict.at_most(f"seconds to the first command 2xx, at most ({slowest})", waits[slowest], run.seconds(5))
    others = [it.name for it in platform.deaths[deaths:] if it.name != "postgres"]
    verdict.none("other processes that died", others)
    verdict.at_most(f"seconds to catch up (behind: {waited})", caught, run.seconds(10))
    await judge_all(run, orders, ledger, verdict)


async def _accepts(platform: Platform, before: int) -> float:
    """When the next PostgreSQL accepts connections (monotonic)."""
    async with asyncio.timeout(60):
        while True:
            if platform.pids.get("postgres", before) != before:
                try:
                    async with platform.sql("resource_cmd"):
                        return time.monotonic()
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pass
            await asyncio.sleep(0.02)


async def _first_command(platform: Platform, name: str) -> float:
    """When a command is answered 2xx for the first time (monotonic)."""
    client, number = Client(platform), 0
    service = "6766163a-568d-47b4-a1fa-91a0957e06d4"
    async with asyncio.timeout(60):
        while True:
            number += 1
            body = {"service_id": service, "name": f"{name} {number}", "interval": 86400}
            try:
                if (await client.ask("POST", "/v1/heartbeat", body)).status == 201:
                    client.close()
                    return time.monotonic()
            except (LostError, NotSentError):
                pass
            await asyncio.sleep(0.02)


async def _cut_all(platform: Platform) -> int:
    async with platform.sql("postgres") as db:
        cut: int = await db.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    return cut
