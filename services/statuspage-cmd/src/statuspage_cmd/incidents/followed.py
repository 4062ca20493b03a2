"""Projects from EVENTS what monitors, heartbeats and servers show, and has the pages looked at that follow them."""

from pinghome_common.db import Connection, array
from pinghome_common.events import Envelope
from pinghome_common.events.followed import last_change
from pinghome_common.items import Item


async def follow(tx: Connection, items: list[Item]) -> None:
    """Stores the states of what components may follow; what is deleted is no longer down."""
    latest: dict[object, Envelope] = {item.value.subject: item.value for item in items}
    rows, gone = [], []
    for event in latest.values():
        if event.deleted:
            gone.append(event.subject)
        else:
            change = last_change(event.data)
            rows.append((event.subject, event.organisation, event.version, change.shown, change.at))
    columns = [array(column) for column in zip(*rows, strict=True)] or ["{}"] * 5
    await tx.execute(_FOLLOW, *columns, array(gone))


_FOLLOW = """
WITH n AS (
    SELECT * FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text::int[], $4::text::text[],
        $5::text::timestamptz[]) n (id, organisation, version, status, at)
), stored AS (
    INSERT INTO followed AS old SELECT * FROM n
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, status = excluded.status, at = excluded.at
    WHERE old.version < excluded.version
    RETURNING *
), gone AS (
    DELETE FROM followed WHERE id = ANY($6::text::uuid[]) RETURNING *
), changed AS (
    SELECT s.id, s.organisation FROM stored s LEFT JOIN followed before USING (id)
    WHERE (before.status, before.at) IS DISTINCT FROM (s.status, s.at)
    UNION ALL SELECT id, organisation FROM gone
)
UPDATE statuspage p SET look_at = now() FROM changed c
WHERE p.organisation = c.organisation
    AND p.state->'components' @> jsonb_build_array(jsonb_build_object('resource_id', c.id))
"""
