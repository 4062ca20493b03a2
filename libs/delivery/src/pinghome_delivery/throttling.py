"""What a channel is told now, what together and what later: pure rules, the time is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
AN_HOUR = 2
"""Messages about one monitor in any hour."""
A_MINUTE = 5
"""Messages to one channel in any minute; what is more comes as a summary."""
LARGEST = 500
"""Notifications in one summary."""

DAMPED = "at most two notifications an hour about one monitor; what is more is told together when the hour is over"
SUMMED_UP = "more than five changes a minute; what is more follows within a minute, together where it is many"


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A notification of which nobody has decided how it is told."""

    id: UUID
    about: UUID


@dataclass(slots=True, kw_only=True)
class PastMessage:
    """A message that was decided on: when, and what it is about."""

    at: datetime
    abouts: frozenset[UUID]


@dataclass(slots=True, kw_only=True)
class Held:
    """Until when nothing is said, and why."""

    until: datetime
    reason: str


@dataclass(slots=True, kw_only=True)
class Plan:
    """Messages of one or more notifications; every other one that was waiting is held."""

    messages: list[list[UUID]] = field(default_factory=list)
    held: dict[UUID, Held] = field(default_factory=dict)


def plan(waiting: Sequence[Waiting], past: Sequence[PastMessage], now: datetime) -> Plan:
    """What to tell one channel.

    What waits about one monitor is told in one message, in its order. No monitor is in more than two messages in any
    hour, no channel gets more than five messages in any minute.

    Args:
        waiting: in their order; nothing about a monitor of which an earlier message is still under way.
        past: the messages of the last hour, in any order.
        now: the present.
    """
    found = Plan()
    groups: dict[UUID, list[UUID]] = {}
    for it in waiting:
        groups.setdefault(it.about, []).append(it.id)
    for about, ids in list(groups.items()):
        times = sorted(each.at for each in past if about in each.abouts and each.at > now - HOUR)
        if len(times) >= AN_HOUR:
            del groups[about]
            found.held |= dict.fromkeys(ids, Held(until=times[-AN_HOUR] + HOUR, reason=DAMPED))
    if not groups:
        return found
    recent = sorted((each for each in past if each.at > now - MINUTE), key=lambda each: each.at)
    if len(recent) + len(groups) <= A_MINUTE:
        found.messages = list(groups.values())
        return found
    summaries = [each.at for each in recent if len(each.abouts) > 1]
    if summaries or len(recent) >= A_MINUTE:
        until = max(summaries[-1:] + [each.at for each in recent[-A_MINUTE:][:1] if len(recent) >= A_MINUTE]) + MINUTE
        found.held |= {id_: Held(until=until, reason=SUMMED_UP) for ids in groups.values() for id_ in ids}
        return found
    return _summed_up(found, groups, A_MINUTE - len(recent), now)


def _summed_up(found: Plan, groups: dict[UUID, list[UUID]], most: int, now: datetime) -> Plan:
    """At most `most` summaries; what one monitor has is never parted."""
    parts: list[list[UUID]] = [[]]
    for ids in groups.values():
        if parts[-1] and len(parts[-1]) + len(ids) > LARGEST:
            parts.append([])
        parts[-1] += ids
    found.messages = parts[:most]
    found.held |= {id_: Held(until=now + MINUTE, reason=SUMMED_UP) for part in parts[most:] for id_ in part}
    return found


def one_by_one(waiting: Sequence[Waiting]) -> Plan:
    """For systems that follow a monitor's state: every change, each about a monitor after the one before."""
    first: dict[UUID, UUID] = {}
    for it in waiting:
        first.setdefault(it.about, it.id)
    return Plan(messages=[[id_] for id_ in first.values()])


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 1 s, doubled each time, at most 15 minutes."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 20)), timedelta(minutes=15))


GIVE_UP = timedelta(hours=24)
"""After which a message that nobody takes has failed."""
