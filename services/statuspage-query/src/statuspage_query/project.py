"""Projects status pages from STATUS_EVENTS, and from EVENTS the states of what components may follow."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from pinghome_common.audit import Audit, actors
from pinghome_common.db import Connection, arrays
from pinghome_common.events import Envelope, followed
from pinghome_common.events.followed import last_change
from pinghome_common.events.incident import Incident, IncidentUpdate
from pinghome_common.events.point import Points
from pinghome_common.events.probe import Result
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.items import Item, by_type
from statuspage_query import points, response_times, subscriptions
from statuspage_query.incidents import course
from statuspage_query.response_times import monitor_of

NAME = "statuspage-query"
RECORDS = {
    "incident": ("page", ("occurred_at", "resolved_at")),
    "incident_update": ("incident", ()),
    "maintenance": ("page", ("scheduled_for", "ends_at", "started_at", "ended_at")),
    "recurrence": ("page", ()),
    "template": ("page", ()),
    "picture": ("page", ()),
    "metric": ("page", ()),
    "custom_metric": ("page", ()),
}
"""What a page tells of, what each belongs to, and its times that are columns."""
NOUNS = ("statuspage", "subscription", *RECORDS)
FOLLOWED = (*followed.NOUNS, "key")
"""Nouns of EVENTS: what components follow, and who may change pages."""


class Projector:
    """Applies events; the audit log has all of those about pages, and knows the keys that change them."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def pages(self, tx: Connection, items: list[Item]) -> None:
        """What happens to pages."""
        await self._audit.store(tx, items)
        await pages(tx, items)

    async def monitors(self, tx: Connection, items: list[Item]) -> None:
        """What happens to what they follow, and to keys."""
        await actors(tx, [item.value for item in items if item.value.noun == "key"])
        await monitors(tx, [item for item in items if item.value.noun in followed.NOUNS])


class _Update(msgspec.Struct):
    incident: UUID


async def monitors(tx: Connection, items: list[Item]) -> None:
    """Stores the states of monitors, heartbeats and servers; what is deleted leaves no data."""
    latest: dict[UUID, Envelope] = {item.value.subject: item.value for item in items}
    gone = [id_ for id_, event in latest.items() if event.deleted]
    if gone:
        await tx.execute("DELETE FROM followed WHERE id = ANY($1::uuid[])", gone)
    rows: dict[UUID, tuple[object, ...]] = {}
    changes, shown_since = [], []
    for event in (item.value for item in items if not latest[item.value.subject].deleted):
        change = last_change(event.data)
        rows[event.subject] = (event.subject, event.organisation, event.version, change.shown)
        own = change.version == event.version
        changes.append((event.subject, change.version, change.at, change.shown if own else change.status))
        if not own:
            shown_since.append((event.subject, event.version, event.time, change.shown))
    if rows:
        await tx.execute(_FOLLOWED, *arrays(rows.values()))
        await tx.execute(_FOLLOWED_CHANGE, *arrays(changes))
    if shown_since:
        await tx.executemany(_SHOWN_SINCE, shown_since)


async def pages(tx: Connection, items: list[Item]) -> None:
    """Stores pages, their components, what was set of these by hand, and what the pages tell of."""
    incidents = set()
    for item in items:
        event: Envelope = item.value
        if event.noun == "subscription":
            continue
        if event.noun in RECORDS:
            await _record(tx, event)
            if event.noun == "custom_metric" and event.deleted:
                await points.forget(tx, event.subject)
            if event.noun == "incident":
                incidents.add(event.subject)
            elif event.noun == "incident_update":
                incidents.add(msgspec.json.decode(event.data, type=_Update).incident)
            continue
        if event.deleted:
            await tx.execute("DELETE FROM statuspage WHERE id = $1", event.subject)
            continue
        it = msgspec.json.decode(event.data, type=StatusPage)
        state = bytes(event.data).decode()
        if not await tx.fetchval(_PAGE, event.subject, event.organisation, event.version, state):
            continue  # an older event than the one that is stored
        ids = [each.id for each in it.components]
        await tx.execute("DELETE FROM component WHERE page = $1 AND id <> ALL($2::uuid[])", it.id, ids)
        await tx.executemany(_COMPONENT, [(each.id, it.id, monitor_of(each)) for each in it.components])
        changes = [(each.id, event.time, each.status.value) for each in it.components]
        await tx.executemany(_COMPONENT_CHANGE, changes)
    await _retell(tx, incidents)
    await subscriptions.store(tx, [item.value for item in items if item.value.noun == "subscription"])


async def telemetry(tx: Connection, items: list[Item]) -> None:
    """Stores response times of monitors, and points of custom metrics."""
    found = by_type(items)
    if results := found[Result]:
        await response_times.store(tx, results)
    if sent := found[Points]:
        await points.store(tx, sent)


async def _record(tx: Connection, event: Envelope) -> None:
    """Stores what a page tells of; nothing when its page, or its incident, is gone."""
    noun = event.noun
    if event.deleted:
        await tx.execute(f"DELETE FROM {noun} WHERE id = $1", event.subject)
        return
    owner, times = RECORDS[noun]
    names = ["version", "state", *times]
    values = ["$2", "$3::jsonb", *(f"($3::jsonb->>'{each}')::timestamptz" for each in times)]
    await tx.execute(
        f"INSERT INTO {noun} AS old (id, {owner}, {', '.join(names)})"
        f" SELECT $1, o.id, {', '.join(values)} FROM {_TABLES[owner]} o WHERE o.id = ($3::jsonb->>'{owner}')::uuid"
        f" ON CONFLICT (id) DO UPDATE SET ({', '.join(names)}) = ROW({', '.join(values)}) WHERE old.version < $2",
        event.subject, event.version, bytes(event.data).decode(),
    )  # fmt: skip


async def _retell(tx: Connection, incidents: Iterable[UUID]) -> None:
    """Stores anew what some incidents have given components: updates may have been edited or deleted."""
    for id_ in incidents:
        await tx.execute("DELETE FROM incident_change WHERE incident = $1", id_)
        state = await tx.fetchval("SELECT state FROM incident WHERE id = $1", id_)
        if state is None:
            continue
        rows = await tx.fetch(
            "SELECT state - 'message' AS state FROM incident_update WHERE incident = $1 ORDER BY id", id_
        )
        updates = [msgspec.json.decode(row["state"], type=IncidentUpdate) for row in rows]
        changes = course(msgspec.json.decode(state, type=Incident), updates)
        await tx.executemany(
            "INSERT INTO incident_change VALUES ($1, $2, $3, $4)",
            [(id_, component, at, status) for component, at, status in changes],
        )


_TABLES = {"page": "statuspage", "incident": "incident"}

_PAGE = """
INSERT INTO statuspage AS old (id, organisation, version, state) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET version = $3, state = $4 WHERE old.version < $3
RETURNING true
"""

_COMPONENT = """
INSERT INTO component AS old VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET monitor = $3 WHERE old.page = $2
"""

_COMPONENT_CHANGE = """
INSERT INTO component_change SELECT $1, $2, $3
WHERE $3 IS DISTINCT FROM (SELECT status FROM component_change WHERE component = $1 ORDER BY at DESC LIMIT 1)
ON CONFLICT (component, at) DO UPDATE SET status = $3
"""

_FOLLOWED = """
INSERT INTO followed AS old
SELECT * FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text::int[], $4::text::text[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, status = excluded.status WHERE old.version < excluded.version
"""

# Regions fail, or are well again, without a change of status.
_SHOWN_SINCE = """
INSERT INTO followed_change SELECT $1, $2, $3, $4
WHERE $4 <> (SELECT status FROM followed_change WHERE followed = $1 AND version < $2 ORDER BY version DESC LIMIT 1)
ON CONFLICT DO NOTHING
"""

_FOLLOWED_CHANGE = """
INSERT INTO followed_change
SELECT * FROM unnest($1::text::uuid[], $2::text::int[], $3::text::timestamptz[], $4::text::text[])
ON CONFLICT DO NOTHING
"""
