"""Projects from EVENTS what monitors, heartbeats and servers show, and has the pages looked at that follow them."""

import json

from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.events.followed import last_change
from pinghome_common.items import Item


async def follow(tx: Connection, items: list[Item]) -> None:
    """Stores the states of what components may follow; what is deleted is no longer down."""
    for item in items:
        event: Envelope = item.value
        if event.deleted:
            changed = await tx.fetchval("DELETE FROM followed WHERE id = $1 RETURNING true", event.subject)
        else:
            change = last_change(event.data)
            changed = await tx.fetchval(
                _FOLLOWED, event.subject, event.organisation, event.version, change.shown, change.at
            )
        if changed:
            follower = json.dumps([{"resource_id": str(event.subject)}])
            await tx.execute(_LOOK, event.organisation, follower)


_FOLLOWED = """
WITH before AS (SELECT status, at FROM followed WHERE id = $1)
INSERT INTO followed AS old VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET version = $3, status = $4, at = $5 WHERE old.version < $3
RETURNING (SELECT (status, at) FROM before) IS DISTINCT FROM (status, at)
"""

_LOOK = "UPDATE statuspage SET look_at = now() WHERE organisation = $1 AND state->'components' @> $2::jsonb"
