"""S1: statuspage-cmd is killed -9 while it tells the subscribers of an incident; each hears all, in order."""

import asyncio
import time
from collections import Counter, defaultdict
from pathlib import Path

from commands import Client
from inbox import Inbox, inbox, make_page
from kills import kill_at_random
from run import Run
from under_test import Platform
from verdict import Verdict

APART = 2.0, 4.5
"""Seconds between two kills."""
IN_FLIGHT = 50
"""Messages of one organisation that one process has under way."""
GROWTH = 96 << 10
"""KiB by which telling thousands may make the process larger."""
MESSAGES = ("Investigating: It fails", "Identified: It fails", "Resolved: It fails")


async def play(run: Run, verdict: Verdict) -> None:
    """2,000 subscribers and 30 kills in the long form."""
    platform, name = run.platform, f"s1-{run.seed}"
    count, kills = (2000, 30) if run.long else (150, 4)
    addresses = [f"{number}@{name}.example.com" for number in range(count)]
    async with inbox(platform.smtp_port) as it:
        it.pause = 0.05  # so that kills find messages under way
        page = await make_page(platform, name, addresses)
        run.say(f"{count} subscribers")
        seen = [memory(platform)]
        watching = asyncio.create_task(watch(platform, seen))
        publishing = asyncio.create_task(publish(platform, page, kills))
        killed, last = await kill_at_random(
            platform, ["statuspage-cmd"], APART, run.rng("kills"),
            lambda dead: dead >= kills, run.say,
        )  # fmt: skip
        await publishing
        subjects = [f"[{name}] {message}" for message in MESSAGES]
        lost = await it.until(addresses, subjects, 600 if run.long else 180)
        told = time.monotonic()
        while (left := await still_open(platform)) and time.monotonic() < told + 60:
            await asyncio.sleep(0.2)
        watching.cancel()
        verdict.told("kills", killed.total())
        verdict.told("from the last kill to the last message", f"{it.mails[-1].at - last:.1f} s")
        verdict.none("deliveries still open", left)
        verdict.none(f"of {len(MESSAGES) * count} messages, not told", lost)
        judge(verdict, it, killed.total(), subjects)
        verdict.at_most("KiB by which statuspage-cmd grew", max(seen) - seen[0], GROWTH)


def judge(verdict: Verdict, it: Inbox, kills: int, subjects: list[str]) -> None:
    """Repeated messages are the same, and few; nobody hears of the end first."""
    keys, bodies, known = Counter(each.key for each in it.mails), defaultdict(set), defaultdict(set)
    order: dict[str, list[str]] = defaultdict(list)
    for each in it.mails:
        bodies[each.key].add(each.body)
        known[each.to, each.subject].add(each.key)
        if each.subject not in order[each.to]:
            order[each.to].append(each.subject)
    verdict.at_most("messages that came again", keys.total() - len(keys), kills * IN_FLIGHT)
    verdict.none("messages that came again otherwise", [key for key, seen in bodies.items() if len(seen) > 1])
    verdict.none("messages told under two keys", [of for of, seen in known.items() if len(seen) > 1])
    verdict.none("told out of order", [to for to, said in order.items() if said != subjects])


async def publish(platform: Platform, page: str, kills: int) -> None:
    """The incident and two updates, while so many kills happen."""
    client = Client(platform, "statuspage-cmd")
    incident = await client.until_done("POST", f"{page}/incident", {"title": "It fails"}, 120)
    for status in ("identified", "resolved"):
        await asyncio.sleep(kills * sum(APART) / 2 / len(MESSAGES))
        await client.until_done("POST", f"{page}/incident/{incident['id']}/update", {"status": status}, 120)
    client.close()


async def still_open(platform: Platform) -> list[str]:
    """Deliveries that are not over."""
    async with platform.sql("statuspage_cmd") as db:
        return [row["id"] for row in await db.fetch("SELECT id::text FROM notification WHERE open LIMIT 10")]


def memory(platform: Platform) -> int:
    """KiB that statuspage-cmd has in memory; 0 while it is dead."""
    try:
        status = Path(f"/proc/{platform.pids['statuspage-cmd']}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])
    except (KeyError, OSError, IndexError):
        return 0


async def watch(platform: Platform, seen: list[int]) -> None:
    """Notes what it has in memory, until cancelled."""
    while True:
        seen.append(memory(platform))
        await asyncio.sleep(0.05)
