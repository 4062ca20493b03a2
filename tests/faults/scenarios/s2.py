"""S2: both command services, NATS and PostgreSQL are killed with -9 while both relays are at work."""

import asyncio
from uuid import UUID

from catching_up import catch_up
from command_oracle import judge_log, judge_stream
from commanding import Commanding, Orders
from commands import Client
from event_log import read_log
from kills import kill_at_random
from publishing import Publications, Publisher, judge_publications
from read_oracle import unlike
from run import Run
from verdict import Verdict

VICTIMS = ["resource-cmd", "statuspage-cmd", "statuspage-query", "nats", "postgres"]
APART = 0.3, 1.5
"""Seconds: time to start again and to do some commands."""
NOUNS = ("statuspage", "incident", "incident_update", "maintenance")


async def play(run: Run, verdict: Verdict) -> None:
    """60 kills in the long form, 12 in the short one."""
    platform, kills, found, done = run.platform, 60 if run.long else 12, Publications(), asyncio.Event()
    client = Client(platform, "statuspage-cmd")
    publishers = []
    for number in range(6):
        components = [{"name": name, "type": "manual"} for name in ("shop", "bank")]
        body = {"name": "S2", "description": "", "subdomain": f"s2-{run.seed}-{number}", "type": "public"}
        made = await client.until_done("POST", "/v1/statuspage", body | {"components": components})
        rng = run.rng(f"publisher {number}")
        publishers.append(Publisher(platform, found, made["statuspage"], rng, 0.1 if run.long else 0.3))
    client.close()
    async with Commanding(run, Orders(), "S2", 3, 0.1), asyncio.TaskGroup() as publishing:
        for each in publishers:
            publishing.create_task(each.publish(done))
        killed, last = await kill_at_random(
            platform, VICTIMS, APART, run.rng("kills"), lambda dead: dead >= kills, run.say,
        )  # fmt: skip
        done.set()
    caught, waited = await catch_up(platform, last)
    verdict.told("kills", f"{killed.total()}: " + ", ".join(f"{name} {count}" for name, count in killed.items()))
    verdict.told("answers", dict(sorted(found.statuses.items())))
    verdict.told("behind after the last kill", waited)
    verdict.at_most("seconds to catch up after the last kill", caught, run.seconds(10))
    for database, stream in (("resource_cmd", "EVENTS"), ("statuspage_cmd", "STATUS_EVENTS")):
        log = await read_log(platform, database)
        judge_log(log, verdict)
        await judge_stream(platform, log, verdict, database, stream)
    judge_publications(found, log, verdict)
    incidents = log.last("incident")
    for id_, update in log.last("incident_update").items():
        if UUID(update.state["incident"]) not in incidents:
            del log.of[id_]  # it went with its incident
    async with platform.sql("statuspage_query") as db:
        for noun in NOUNS:
            verdict.none(f"statuspage_query.{noun} unlike the fold of its events", await unlike(db, log, noun))
