"""Every answered command is in the log, in the stream and in the read models, once and as answered."""

import asyncio
import time
from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

import msgspec
from commanding import Orders, Sent
from event_log import EventLog, Logged, read_log
from streams import admin, read
from under_test import Platform
from verdict import Verdict

from pinghome_common.clock import micros
from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.events import decode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.resource import Resource


def judge_log(log: EventLog, verdict: Verdict) -> None:
    """I4: the versions of each aggregate are 1..n, and nothing comes after its end."""
    verdict.told("events, aggregates", f"{len(log.all)}, {len(log.of)}")
    gaps, after_end = [], []
    for id_, logged in log.of.items():
        if [it.event.version for it in logged] != list(range(1, len(logged) + 1)):
            gaps.append(id_)
        if any(it.event.deleted for it in logged[:-1]):
            after_end.append(id_)
    verdict.none("aggregates whose versions have gaps", gaps)
    verdict.none("aggregates that lived on after their end", after_end)


def judge_answers(orders: Orders, log: EventLog, verdict: Verdict) -> None:
    """I1: every 2xx is an event, with the state that was answered."""
    by_request: dict[str, list[Logged]] = defaultdict(list)
    for it in log.all.values():
        by_request[it.request].append(it)
    missing, different = [], []
    for sent in orders.sent:
        if 200 <= sent.status < 300:
            events = [log.of[id_][sent.version - 1 if sent.version else -1] for id_ in sent.ids if _has(log, id_, sent)]
            same_request = sent.replayed or len(by_request[sent.request]) == len(sent.ids)
            if len(events) != len(sent.ids) or not same_request:
                missing.append(f"{sent.what} {sent.noun} {sent.ids} {sent.status}")
            elif sent.what != "delete" and (found := _differs(sent, events[0])):
                different.append(found)
    verdict.none("commands answered 2xx that are not in the log", missing)
    verdict.none("answers that differ from their event", different)
    verdict.none("bulk deletions done by half", [it.ids for it in orders.sent if _half(it, log)])
    own = ("resource", "heartbeat")
    created = Counter(logged[0].state["name"] for logged in log.of.values() if logged[0].event.noun in own)
    verdict.none("creations that were done twice", [name for name, count in created.items() if count > 1])
    verdict.none("keyed creations that were not done", [name for name in orders.keyed if not created[name]])
    verdict.none("answers that cannot be", orders.wrong)


def _has(log: EventLog, id_: UUID, sent: Sent) -> bool:
    logged = log.of.get(id_, [])
    return bool(logged) and logged[-1].event.deleted if sent.what == "delete" else len(logged) >= sent.version > 0


def _half(sent: Sent, log: EventLog) -> bool:
    """True when some and not all of the ids of one bulk deletion were deleted by it."""
    if sent.what != "delete" or len(sent.ids) == 1:
        return False
    ends = [log.of[id_][-1] for id_ in sent.ids]
    return len({it.request if it.event.deleted else "" for it in ends}) > 1


def rendered(it: Logged) -> dict[str, Any]:
    """The document of an aggregate as an event left it, without its address."""
    if it.event.noun == "heartbeat":
        found = documents.heartbeat(msgspec.json.decode(it.event.data, type=Heartbeat), "", micros(it.event.time))
    else:
        found = documents.resource(msgspec.json.decode(it.event.data, type=Resource))
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return {name: value for name, value in plain.items() if not (name == "url" and it.event.noun == "heartbeat")}


def _differs(sent: Sent, it: Logged) -> str:
    answered, wanted = sent.document[sent.noun], rendered(it)
    names = [name for name, value in wanted.items() if answered.get(name) != value]
    return f"{sent.noun} {it.event.subject} v{sent.version}: {names}" if names else ""


async def judge_stream(
    platform: Platform, log: EventLog, verdict: Verdict, database: str = "resource_cmd", stream: str = "EVENTS"
) -> None:
    """The stream of a log holds every event once, byte for byte, each aggregate's in order.

    Somebody may still be writing: what the log has must come, and what has come must be in the log as it is then.
    """
    deadline = time.monotonic() + 60
    while True:
        async with admin(platform) as client:
            streamed = [each for each in await read(client, stream, ">") if not each.subject.endswith(".skipped")]
        if log.all.keys() <= {decode(each.data).id for each in streamed} or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    later = await read_log(platform, database)
    seen: Counter[UUID] = Counter()
    last: dict[UUID, int] = {}
    other, disorder = [], []
    for message in streamed:
        event = decode(message.data)
        seen[event.id] += 1
        if event.id not in later.all or later.all[event.id].body != message.data:
            other.append(f"{message.subject} {event.id}")
        if seen[event.id] == 1 and event.version != last.get(event.subject, 0) + 1:
            disorder.append(f"{event.subject} v{event.version}")
        last[event.subject] = max(last.get(event.subject, 0), event.version)
    verdict.none("events that are not in the stream", log.all.keys() - seen.keys())
    verdict.none("events in the stream more than once", [id_ for id_, count in seen.items() if count > 1])
    verdict.none("messages in the stream that are no event of ours", other)
    verdict.none("events in the stream out of order", disorder)
