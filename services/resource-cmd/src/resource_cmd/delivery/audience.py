"""Whom resource-cmd's outbox tells: the channels and integrations of monitors, heartbeats and servers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros, now
from pinghome_common.containment import is_items_own
from pinghome_common.db import Connection, Database
from pinghome_common.events.channel import Channel
from pinghome_common.events.integration import Integration
from pinghome_common.events.notification import Notification
from pinghome_common.logs import log
from pinghome_common.store import Store, no_wait
from pinghome_delivery.dependencies import ParentState
from pinghome_delivery.dispatcher import OUR_FAULT
from pinghome_delivery.message import Allowed, Kind, Transports
from pinghome_delivery.outbox import OUTAGES, OUTBOX, Notice, Notifications, Target, key
from pinghome_delivery.providers import opened
from pinghome_delivery.throttling import backoff
from resource_cmd.delivery.store import Channels, Integrations


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
    await Notifications(tx, OUTBOX, no_wait, stamp).add_many(list({it.id: it for it in found}.values()))


class MonitorAudience:
    """Channels and integrations, with their configurations opened.

    Args:
        db: of this service.
        transports: what kinds of channels send with.
        key: that opens their configurations.
    """

    store = Notifications
    gone = (
        "(n.state->>'noun' IN ('resource', 'heartbeat', 'server_resource')"
        " AND NOT EXISTS (SELECT FROM resource r WHERE r.id = n.about)"
        " AND NOT EXISTS (SELECT FROM heartbeat h WHERE h.id = n.about)"
        " AND NOT EXISTS (SELECT FROM server_resource s WHERE s.id = n.about))"
    )
    dependents: tuple[str, ...] = ("resource", "server_resource")

    def __init__(self, db: Database, transports: Transports, key: bytes) -> None:
        self._db, self._transports, self._key = db, transports, key

    async def prepare(self) -> None:
        """Notes what channels wait for: since the operator has changed settings it may be another thing."""
        for row in await self._db.fetch(_OWNERS):
            try:
                async with self._db.transaction() as tx:
                    await refresh(tx, self._key, self._transports, row["organisation"])
            except Exception as error:  # one organisation's, which keeps no other from being told
                if not is_items_own(error):
                    raise
                log.exception("channels_not_refreshed", organisation=str(row["organisation"]))

    async def target(self, tx: Connection, channel: UUID) -> Target | None:
        """Where the notifications of a channel or an integration go; None when it was deleted."""
        row = await tx.fetchrow(_TARGET, channel)
        if row is None:
            return None
        type_: type[Channel | Integration] = Channel if row["noun"] == "channel" else Integration
        it = msgspec.json.decode(row["state"], type=type_)
        follows = isinstance(it, Integration) and it.type == "statuspageIo"
        try:
            kind, problem = await opened_usable(tx, it, self._key, self._transports)
        except ValueError:
            log.exception("channel_configuration_not_opened", channel=str(channel))
            return Target(kind=None, problem=OUR_FAULT, follows=follows)
        return Target(kind=kind, problem=problem, waits=kind is None, follows=follows)

    async def parents(self, tx: Connection, abouts: set[UUID]) -> dict[UUID, ParentState]:
        """Those of some monitors that depend on another one."""
        return {row["id"]: _parent(row) for row in await tx.fetch(_PARENTS, list(abouts))}

    def retry(self, it: Notification) -> timedelta:
        """Again and again, until it is too old."""
        return backoff(len(it.attempts))


async def usable(tx: Connection, kind: Kind, organisation: UUID, transports: Transports) -> tuple[Kind | None, str]:
    """The part of a kind that can be delivered with, None while deliveries wait; and its `problem`, if any."""
    if not kind.limited:
        return kind, ""
    row = await tx.fetchrow(_ALLOWED, organisation)
    allowed = Allowed(organisation=organisation, confirmed=frozenset(row["confirmed"]), first=row["first"])
    return kind.ready(transports, allowed), kind.problem(transports, allowed)


async def opened_usable(
    tx: Connection, target: Channel | Integration, key: bytes, transports: Transports
) -> tuple[Kind | None, str]:
    """The same of a channel or an integration as it is kept.

    Raises:
        ValueError: the key is another one.
    """
    return await usable(tx, opened(key, target), target.organisation, transports)


async def refresh(tx: Connection, key: bytes, transports: Transports, organisation: UUID | None = None) -> None:
    """Notes the problem of each channel and integration of an organisation, or of all, as it is now.

    What waited for one that is solved is due at once.
    """
    stores: list[tuple[Store[Any], str]] = [
        (Channels(tx, OUTBOX, no_wait, now()), "state->>'kind' = 'email'"),
        (Integrations(tx, OUTBOX, no_wait, now()), "type IN ('email', 'statuspageIo')"),
    ]
    for store, kinds in stores:
        found = await tx.fetch(
            f"SELECT id FROM {store.noun} WHERE {kinds} AND ($1::uuid IS NULL OR organisation = $1)",  # noqa: S608
            organisation,
        )
        for row in await store.edit_many([each["id"] for each in found]):
            try:
                kind, problem = await opened_usable(tx, row.state, key, transports)
            except ValueError:  # the dispatcher logs it
                continue
            if problem != row.state.problem:
                row.state.problem = problem
                await store.save(row, "problem-changed")
                if kind is not None:
                    await tx.execute(AT_ONCE, row.state.id)


def _parent(row: Any) -> ParentState:
    return ParentState(
        status=row["status"],
        checked=row["checked"] and from_micros(row["checked"]),
        parent=row["parent"],
        parent_name=row["parent_name"],
        parent_status=row["parent_status"],
        parent_since=row["parent_since"],
        parent_checked=row["parent_checked"] and from_micros(row["parent_checked"]),
        patience=timedelta(seconds=row["patience"]),
    )


# A monitor's own channels, or where it names none, not even an empty list, those of its service. Each is looked up by
# its id (LIMIT): all of an organisation's would be read for a few.
_REACHED = """
WITH noticed AS (
    SELECT id, organisation, service, state FROM resource WHERE id = ANY($1::uuid[])
    UNION ALL SELECT id, organisation, service, state FROM heartbeat WHERE id = ANY($1::uuid[])
    UNION ALL SELECT id, organisation, service, state FROM server_resource WHERE id = ANY($1::uuid[])
)
SELECT t.id AS about, c.id, c.state->>'name' AS name, c.state->>'kind' AS kind
FROM noticed t LEFT JOIN service s ON s.id = t.service AND s.organisation = t.organisation
CROSS JOIN LATERAL (
    SELECT DISTINCT jsonb_array_elements_text(coalesce(nullif(t.state->'channels', 'null'), s.state->'channels')) AS id
) named
CROSS JOIN LATERAL (
    SELECT id, state FROM channel WHERE id = named.id::uuid AND organisation = t.organisation LIMIT 1
) c
UNION ALL
SELECT t.id, i.id, i.state->>'name', i.type FROM noticed t JOIN integration i ON i.resource = t.id
"""

_OWNERS = "SELECT organisation FROM channel UNION SELECT organisation FROM integration"

_TARGET = """
SELECT 'channel' AS noun, state FROM channel WHERE id = $1
UNION ALL SELECT 'integration', state FROM integration WHERE id = $1
"""

_PARENTS = """
WITH families AS (
    SELECT id, (state->>'parent_id')::uuid AS parent FROM resource WHERE id = ANY($1::uuid[])
    UNION ALL SELECT id, (state->>'parent_id')::uuid FROM server_resource WHERE id = ANY($1::uuid[])
), judged AS (
    SELECT id, organisation, name, status, state, 2 * interval + 10 AS patience,
        (SELECT max(checked_at) FROM region_observation v WHERE v.resource = r.id) AS checked
    FROM resource r WHERE id = ANY(ARRAY(SELECT id FROM families UNION SELECT parent FROM families))
    UNION ALL SELECT id, organisation, name, status, state, m.patience + 10, m.seen_at
    FROM server_resource JOIN server_runtime m ON m.server = id
    WHERE id = ANY(ARRAY(SELECT id FROM families UNION SELECT parent FROM families))
)
SELECT c.id, c.status, c.checked, p.id AS parent, p.name AS parent_name, p.status AS parent_status,
    (p.state->'change'->>'at')::timestamptz AS parent_since, p.checked AS parent_checked,
    greatest(c.patience, p.patience) AS patience
FROM families f JOIN judged c ON c.id = f.id JOIN judged p ON p.id = f.parent AND p.organisation = c.organisation
"""

# What a channel waits with is looked at now; rows that the dispatcher has locked are passed over.
AT_ONCE = """
UPDATE notification SET due = now() WHERE id IN (
    SELECT id FROM notification WHERE channel = $1 AND open AND due IS NOT NULL FOR UPDATE SKIP LOCKED
)
"""

_ALLOWED = """
SELECT ARRAY(SELECT address FROM mail_address WHERE organisation = $1 AND confirmed_at IS NOT NULL) AS confirmed,
    $1 = (SELECT id FROM organisation ORDER BY created_at, id LIMIT 1) IS TRUE AS first
"""
