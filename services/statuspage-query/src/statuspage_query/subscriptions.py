"""Projects subscriptions, of which there may be thousands at once."""

from typing import cast

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.events.subscription import Subscription

_decode = msgspec.json.Decoder(Subscription).decode


async def store(tx: Connection, events: list[Envelope]) -> None:
    """Stores each subscription as it is after the last of some events, and the pages that it is to."""
    last = {event.subject: event for event in events}
    if gone := [event.subject for event in last.values() if event.deleted]:
        await tx.execute("DELETE FROM subscription WHERE id = ANY($1::uuid[])", gone)
    kept = [event for event in last.values() if not event.deleted]
    if kept:
        states = [_decode(cast("bytes", event.data)) for event in kept]
        rows = [(event.subject, event.version, bytes(event.data).decode()) for event in kept]
        await tx.executemany(_SUBSCRIPTION, rows)
        to = [(it.id, it.created_at, it.pages) for it in states]
        await tx.executemany(_NO_LONGER, [(id_, pages) for id_, _, pages in to])
        await tx.executemany(_SUBSCRIBED, to)


_SUBSCRIPTION = """
INSERT INTO subscription AS old (id, version, state) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET version = $2, state = $3 WHERE old.version < $2
"""
_NO_LONGER = "DELETE FROM subscribed WHERE subscription = $1 AND page <> ALL($2::uuid[])"
_SUBSCRIBED = """
INSERT INTO subscribed (page, created_at, subscription)
SELECT id, $2, $1 FROM statuspage WHERE id = ANY($3::uuid[]) ON CONFLICT DO NOTHING
"""
