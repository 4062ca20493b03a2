"""The ledger of deliveries: written in the transaction of what there is to tell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid5

from pinghome_common.clock import micros, now
from pinghome_common.db import Connection
from pinghome_common.event_log import EVENTS
from pinghome_common.events.notification import Notification, State
from resource_cmd.store import Actor, Store, no_wait

LEDGER = Actor("ledger")

OUTAGES = ("down", "up")
"""What a status page outside is told; channels are told everything."""


@dataclass(slots=True, kw_only=True)
class Notice:
    """Something to tell the channels of a monitor.

    `noun` is `resource` or `heartbeat`; `version` is the aggregate's version of the event that says it; `what` is
    `down`, `up`, `unknown`, `ssl-reminder`, `tld-reminder`; `title` is one line, `text` sentences.
    """

    organisation: UUID
    noun: str
    about: UUID
    version: int
    what: str
    at: datetime
    title: str
    text: str


class Notifications(Store[Notification]):
    """Deliveries, waiting and done."""

    noun, type = "notification", Notification
    columns: ClassVar = {"leader": "uuid", "planned": "timestamptz", "open": "boolean"}

    def _values(self, it: Notification) -> list[Any]:
        leader = (it.digest or it.id) if it.planned else None
        return [leader, it.planned, it.state in (State.waiting, State.held)]

    async def add_many(self, states: Sequence[Notification]) -> None:
        """Adds new ones in this order, each due at once; one that is there already stays as it is."""
        events = [self._event(it, 1, "created") for it in states]
        rows = [(it.id, it.organisation, self._json(it), it.channel, it.about) for it in states]
        if rows:
            await self._tx.execute(_ADD, *map(list, zip(*events, strict=True)), *map(list, zip(*rows, strict=True)))


_ADD = f"""
WITH made AS (
    INSERT INTO notification (id, organisation, version, state, channel, about, due, open)
    SELECT id, organisation, 1, state, channel, about, now(), true
    FROM unnest($6::uuid[], $7::uuid[], $8::jsonb[], $9::uuid[], $10::uuid[])
        WITH ORDINALITY AS n (id, organisation, state, channel, about, nth) ORDER BY nth
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO {EVENTS}
SELECT event_id, aggregate, version, address, body
FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bytea[])
    WITH ORDINALITY AS e (event_id, aggregate, version, address, body, nth)
JOIN made ON made.id = aggregate ORDER BY nth
"""  # noqa: S608  # our own name


def key(channel: UUID, notice: Notice) -> UUID:
    """A delivery's id and idempotency key: the same notice told twice to a channel is one delivery."""
    return uuid5(channel, f"{notice.about} {notice.version} {notice.what} {micros(notice.at)}")


async def announce(tx: Connection, notices: Sequence[Notice]) -> None:
    """Notes, in the caller's transaction, that the channels and integrations of some monitors have to be told."""
    if not notices:
        return
    stamp = now()
    reached = defaultdict(list)
    for row in await tx.fetch(_REACHED, list({notice.about for notice in notices})):
        reached[row["about"]].append(row)
    found = (
        Notification(
            id=key(to["id"], notice),
            organisation=notice.organisation,
            channel=to["id"],
            channel_name=to["name"],
            channel_kind=to["kind"],
            noun=notice.noun,
            about=notice.about,
            about_version=notice.version,
            what=notice.what,
            at=notice.at,
            title=notice.title,
            text=notice.text,
            created_at=stamp,
        )
        for notice in notices
        for to in reached[notice.about]
        if to["kind"] != "statuspageIo" or notice.what in OUTAGES
    )
    await Notifications(tx, LEDGER, no_wait, stamp).add_many(list({it.id: it for it in found}.values()))


# A monitor's own channels, or where it names none, not even an empty list, those of its service.
_REACHED = """
WITH told AS (
    SELECT id, organisation, service, state FROM resource WHERE id = ANY($1::uuid[])
    UNION ALL SELECT id, organisation, service, state FROM heartbeat WHERE id = ANY($1::uuid[])
)
SELECT t.id AS about, c.id, c.state->>'name' AS name, c.state->>'kind' AS kind
FROM told t LEFT JOIN service s ON s.id = t.service AND s.organisation = t.organisation
JOIN channel c ON c.organisation = t.organisation
    AND coalesce(nullif(t.state->'channels', 'null'), s.state->'channels') @> to_jsonb(c.id::text)
UNION ALL
SELECT t.id, i.id, i.state->>'name', i.type FROM told t JOIN integration i ON i.resource = t.id
"""
