"""An outage of NATS under steady load: what was answered meanwhile, and how everything comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from catching_up import catch_up
from commanding import Commanding, Orders
from commands import make_heartbeats
from ledger import Ledger, Outcome, Pinging
from run import Run
from verdict import Verdict
from whole_oracle import judge_all

from pinghome_common.stream import Broker

FIRST = 5.0
"""Seconds within which an outage may make a client wait (house 4)."""


async def judge_outage(  # one story
    run: Run,
    verdict: Verdict,
    seconds: float,
    begin: Callable[[], Awaitable[None]],
    meanwhile: Callable[[], Awaitable[None]],
    end: Callable[[], Awaitable[None]],
) -> None:
    """`begin` makes the outage and `end` ends it `seconds` later; `meanwhile` is called before that end."""
    platform, orders = run.platform, Orders()
    ledger = Ledger(f"{verdict.scenario}-{run.seed}", await make_heartbeats(platform, verdict.scenario, 50))
    deaths, rate, pause = len(platform.deaths), *((300, 0.2) if run.long else (100, 0.8))
    await asyncio.sleep(3)  # a snapshot of what the services know is two seconds old
    async with Pinging(platform, ledger, rate, 32), Commanding(run, orders, verdict.scenario, 4, pause):
        await asyncio.sleep(2)
        begun = time.monotonic()
        await begin()
        run.say(f"NATS is away for {seconds} s")
        while (gone := time.monotonic() - begun) < seconds:
            await asyncio.sleep(min(10, seconds - gone))
            run.say(f"{ledger.count(Outcome.acked)} check-ins acknowledged, {orders.done} commands done")
        spooled = sum(path.stat().st_size for path in (platform.data / "data-gateway" / "0" / "spool").glob("*"))
        ended = time.monotonic()
        await asyncio.sleep(1)  # for the answers to what was sent until now
        await meanwhile()
        await end()
        back = time.monotonic()
        reconnected, drained = await asyncio.gather(_all_ready(run, back), _drained(run, back))
        await asyncio.sleep(1)
        last = time.monotonic()
    caught, waited = await catch_up(platform, last)
    numbers = ledger.between(begun, ended)
    later = [ledger.took[number] for number in numbers if ledger.begun[number] > begun + FIRST]
    unanswered = [ledger.message(number) for number in numbers if ledger.outcomes[number] != Outcome.acked]
    commands = orders.between(begun, ended)
    verdict.told("check-ins while NATS was away", f"{len(numbers)}, {spooled >> 10} KiB in the spool")
    verdict.none("check-ins not answered 200 meanwhile", unanswered)
    slow = max(ledger.took[n] for n in numbers)
    verdict.at_most("seconds for an answer at the outage's beginning", slow, run.seconds(FIRST + 1))
    verdict.at_most(f"seconds for an answer from {FIRST:.0f} s on", max(later), run.seconds(1))
    refused = [f"{it.what} {it.noun} {it.status}" for it in commands if not 200 <= it.status < 300]
    verdict.none(f"of {len(commands)} commands not answered 2xx meanwhile", refused)
    verdict.at_most("seconds for a command meanwhile", max(it.took for it in commands), run.seconds(2))
    slowest = max(reconnected, key=lambda name: reconnected[name])
    verdict.at_most(f"seconds until all clients are back ({slowest} last)", reconnected[slowest], run.seconds(5))
    verdict.at_most("seconds until the spool is empty, under load", drained, run.seconds(30))
    others = [it.name for it in platform.deaths[deaths:] if not it.ours]
    verdict.none("processes that died by themselves", others)
    verdict.at_most(f"seconds to catch up after the load (behind: {waited})", caught, run.seconds(10))
    await _judge_patience(run, verdict)
    await judge_all(run, orders, ledger, verdict)


async def _all_ready(run: Run, since: float) -> dict[str, float]:
    """Seconds until each service said that it is ready."""
    found: dict[str, float] = {}
    while len(found) < len(run.platform.ports) and time.monotonic() - since < run.seconds(60):
        for name in run.platform.ports.keys() - found.keys():
            if await run.platform.ready(name):
                found[name] = time.monotonic() - since
        await asyncio.sleep(0.05)
    missing = dict.fromkeys(run.platform.ports.keys() - found.keys(), run.seconds(60))
    run.say(f"back: { {name: round(it, 2) for name, it in (found | missing).items()} }")
    return found | missing


async def _drained(run: Run, since: float) -> float:
    """Seconds until no check-in waits in the spool."""
    spool = run.platform.data / "data-gateway" / "0" / "spool"
    while any(spool.glob("*.spool")) and time.monotonic() - since < run.seconds(60):
        await asyncio.sleep(0.02)
    run.say(f"spool empty after {time.monotonic() - since:.2f} s")
    return time.monotonic() - since


async def _judge_patience(run: Run, verdict: Verdict) -> None:
    """Our clients are made to outlast nats-py's own patience of 60 attempts, two minutes."""
    async with Broker(run.platform.servers.nats_url("admin"), "faults") as broker:
        while not broker.connected:  # the broker has no event for it
            await asyncio.sleep(0.01)
        attempts = broker.client.options["max_reconnect_attempts"]
    verdict.true("attempts of our clients to reconnect", attempts, passed=attempts == -1, wanted="-1: no end")
