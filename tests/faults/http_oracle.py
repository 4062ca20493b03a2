"""What a client reads of the things that it made is what it was answered."""

from random import Random

from command_oracle import rendered
from commanding import PATHS, Orders
from commands import Client
from event_log import EventLog
from under_test import Platform
from verdict import Verdict

SAMPLE = 300
LIVE = {"url", "state", "state_changed_at", "reason", "last_event_at", "last_duration"}
LIVE |= {"last_checked_at", "response_time"}
"""What check-ins and probes move without a command."""


async def judge_reads(platform: Platform, orders: Orders, log: EventLog, rng: Random, verdict: Verdict) -> None:
    """GET some of everything that was ever created."""
    client, wrong = Client(platform, "resource-query"), []
    made = sorted({(it.noun, id_) for it in orders.sent for id_ in it.ids})
    for noun, id_ in rng.sample(made, min(SAMPLE, len(made))):
        answer = await client.ask("GET", f"{PATHS[noun]}/{id_}")
        last = log.of[id_][-1]
        if last.event.deleted:
            if answer.status != 404:
                wrong.append(f"{noun} {id_} is deleted, and answers {answer.status}")
            continue
        if answer.status != 200 or answer.headers["etag"] != f'"v{last.event.version}"':
            wrong.append(f"{noun} {id_} v{last.event.version} answers {answer.status} {answer.headers.get('etag')}")
            continue
        document = answer.document
        if any(document[name] != value for name, value in rendered(last).items() if name not in LIVE):
            wrong.append(f"{noun} {id_} reads otherwise than it was answered")
    client.close()
    verdict.none(f"of {min(SAMPLE, len(made))} read back over HTTP, otherwise than answered", wrong)
