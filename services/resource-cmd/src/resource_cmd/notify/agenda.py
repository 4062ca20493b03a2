"""What is next for one channel: its open notifications, the plan for them, and the message to send now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection
from pinghome_common.events.notification import Notification, State
from resource_cmd.notify.ledger import OUTAGES, Notifications
from resource_cmd.notify.plan import HOUR, Held, Plan, Told, Waiting, one_by_one, plan
from resource_cmd.notify.shade import Family, Light, light
from resource_cmd.store import Actor, Row, unheard

NOTIFIER = Actor("notifier")

LOOK_AGAIN = timedelta(seconds=5)
"""After which a notification that waits for a parent is looked at again."""


@dataclass(slots=True)
class Open:
    """One open notification; `due` is when it must be looked at or tried again."""

    row: Row[Notification]
    due: datetime | None

    @property
    def it(self) -> Notification:
        """Its state."""
        return self.row.state


class Agenda:
    """The open notifications of one channel, inside a transaction of whoever holds the channel's lease."""

    def __init__(self, tx: Connection, channel: UUID, now: datetime) -> None:
        self._tx, self._channel, self._now = tx, channel, now
        self._store = Notifications(tx, NOTIFIER, unheard, now)

    async def next(self, *, follows: bool) -> list[Row[Notification]]:
        """Decides on all that is undecided; then the message that is due first, its leader before what it covers.

        Args:
            follows: the channel follows the monitors' state, so that it is told every change by itself.

        Returns:
            Nothing when there is nothing to do now.
        """
        found = await self._tx.fetch(
            "SELECT state, version, due FROM notification WHERE channel = $1 AND open ORDER BY place", self._channel
        )
        everything = [
            Open(Row(msgspec.json.decode(row["state"], type=Notification), row["version"]), row["due"]) for row in found
        ]
        under_way = {each.it.about for each in everything if each.it.planned}
        waiting = [each for each in everything if not each.it.planned]
        if waiting:
            await self._queue([each for each in waiting if each.it.about in under_way])
            waiting = await self._shaded([each for each in waiting if each.it.about not in under_way])
            undecided = [Waiting(id=each.it.id, about=each.it.about) for each in waiting]
            decided = one_by_one(undecided) if follows else plan(undecided, await self._told(), self._now)
            await self._decide({each.it.id: each for each in waiting}, decided)
        first = next((each for each in everything if each.due and each.due <= self._now and _leads(each.it)), None)
        if first is None:
            return []
        covered = set(first.it.covers)
        return [first.row, *(each.row for each in everything if each.it.id in covered)]

    async def _told(self) -> list[Told]:
        """The messages of the last hour."""
        rows = await self._tx.fetch(
            "SELECT planned, array_agg(about) AS abouts FROM notification WHERE channel = $1 AND planned > $2"
            " GROUP BY leader, planned",
            self._channel, self._now - HOUR,
        )  # fmt: skip
        return [Told(at=row["planned"], abouts=frozenset(row["abouts"])) for row in rows]

    async def _decide(self, waiting: dict[UUID, Open], decided: Plan) -> None:
        for ids in decided.messages:
            leader = waiting[ids[0]]
            for id_ in ids:
                each = waiting[id_]
                each.it.state, each.it.reason, each.it.parent, each.it.planned = State.waiting, "", None, self._now
                each.it.digest = None if each is leader else leader.it.id
                each.due = self._now if each is leader else None
            leader.it.covers = ids[1:]
            for id_ in ids:
                await self._store.save(waiting[id_].row, "planned")
        for id_, held in decided.held.items():
            await self._hold(waiting[id_], held)
        told = {id_ for ids in decided.messages for id_ in ids}
        await self._queue([each for id_, each in waiting.items() if id_ not in told | decided.held.keys()])
        await self._put_off([each for id_, each in waiting.items() if id_ in told | decided.held.keys()])

    async def _hold(self, each: Open, held: Held, parent: UUID | None = None) -> None:
        each.due = held.until
        if (each.it.state, each.it.reason) != (State.held, held.reason):
            each.it.state, each.it.reason, each.it.parent = State.held, held.reason, parent
            await self._store.save(each.row, "held")

    async def _queue(self, some: Sequence[Open]) -> None:
        """Those that come after another about the same monitor: whoever has delivered that one says when."""
        for each in some:
            each.due = None
        await self._put_off(some)

    async def _put_off(self, some: Sequence[Open]) -> None:
        await self._tx.execute(
            "UPDATE notification n SET due = m.due FROM unnest($1::uuid[], $2::timestamptz[]) AS m (id, due)"
            " WHERE n.id = m.id",
            [each.it.id for each in some], [each.due for each in some],
        )  # fmt: skip

    async def _shaded(self, waiting: list[Open]) -> list[Open]:
        """Those that need not wait for a parent; an outage that nobody had to hear of ends here, with its end."""
        families = await self._families({each.it.about for each in waiting if each.it.noun == "resource"})
        by_about: dict[UUID, list[Open]] = defaultdict(list)
        for each in waiting:
            by_about[each.it.about].append(each)
        shaded: list[Open] = []
        for about, mine in by_about.items():
            outage, family = _outage(mine), families.get(about)
            if not outage or family is None:
                continue
            fallen = outage[0].it
            how = light(family, fallen.at, self._now, shaded=fallen.parent is not None)
            if how is not Light.told:
                shaded += outage
                for each in outage:
                    await self._shade(each, family, needless=how is Light.needless)
        await self._put_off(shaded)
        apart = {each.it.id for each in shaded}
        return [each for each in waiting if each.it.id not in apart]

    async def _shade(self, each: Open, family: Family, *, needless: bool) -> None:
        name = family.parent_name
        if needless:
            each.due = None
            each.it.state, each.it.parent = State.suppressed, family.parent
            each.it.reason = f"it was down only while its parent {name} could not be reached"
            await self._store.save(each.row, "suppressed")
        else:
            reason = f"it waits for its parent {name}, without which it cannot be reached"
            await self._hold(each, Held(until=self._now + LOOK_AGAIN, reason=reason), family.parent)

    async def _families(self, resources: set[UUID]) -> dict[UUID, Family]:
        rows = await self._tx.fetch(_FAMILIES, list(resources)) if resources else []
        return {row["id"]: _family(row) for row in rows}


def _outage(mine: list[Open]) -> list[Open]:
    """Of what waits about one monitor, the outage that its parent may be to blame for: its last, and its end."""
    said = [each for each in mine if each.it.what in OUTAGES]
    begins = [place for place, each in enumerate(said) if each.it.what == "down"]
    first = next((place for place in begins if said[place].it.parent), begins[-1] if begins else len(said))
    return said[first:]


def _leads(it: Notification) -> bool:
    return it.planned is not None and it.digest is None and it.state is State.waiting


def _family(row: Any) -> Family:
    return Family(
        status=row["status"],
        checked=row["checked"] and from_micros(row["checked"]),
        parent=row["parent"],
        parent_name=row["parent_name"],
        parent_status=row["parent_status"],
        parent_since=row["parent_since"],
        parent_checked=row["parent_checked"] and from_micros(row["parent_checked"]),
        patience=timedelta(seconds=2 * row["interval"] + 10),
    )


_FAMILIES = """
SELECT r.id, r.status, p.id AS parent, p.name AS parent_name, p.status AS parent_status,
    (p.state->'change'->>'at')::timestamptz AS parent_since, greatest(r.interval, p.interval) AS interval,
    (SELECT max(checked_at) FROM view v WHERE v.resource = r.id) AS checked,
    (SELECT max(checked_at) FROM view v WHERE v.resource = p.id) AS parent_checked
FROM resource r JOIN resource p ON p.id = (r.state->>'parent_id')::uuid AND p.organisation = r.organisation
WHERE r.id = ANY($1::uuid[])
"""
