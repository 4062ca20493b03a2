"""What of a channel's configuration can be delivered with now, and what the rest waits for."""

from typing import Any
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.events.channel import Channel
from pinghome_common.events.integration import Integration
from pinghome_delivery.message import Allowed, Kind, Transports
from pinghome_delivery.providers import opened
from resource_cmd.delivery.outbox import LEDGER
from resource_cmd.delivery.store import Channels, Integrations
from resource_cmd.store import Store, no_wait


async def usable(tx: Connection, kind: Kind, organisation: UUID, means: Transports) -> tuple[Kind | None, str]:
    """The part of a kind that can be delivered with, None while deliveries wait; and its `problem`, if any."""
    if not kind.limited:
        return kind, ""
    row = await tx.fetchrow(_ALLOWED, organisation)
    allowed = Allowed(organisation=organisation, confirmed=frozenset(row["confirmed"]), first=row["first"])
    return kind.ready(means, allowed), kind.problem(means, allowed)


async def opened_usable(
    tx: Connection, target: Channel | Integration, key: bytes, means: Transports
) -> tuple[Kind | None, str]:
    """The same of a channel or an integration as it is kept.

    Raises:
        ValueError: the key is another one.
    """
    return await usable(tx, opened(key, target), target.organisation, means)


async def refresh(tx: Connection, key: bytes, means: Transports, organisation: UUID | None = None) -> None:
    """Notes the problem of each channel and integration of an organisation, or of all, as it is now.

    What waited for one that is solved is due at once.
    """
    stores: list[tuple[Store[Any], str]] = [
        (Channels(tx, LEDGER, no_wait, now()), "state->>'kind' = 'email'"),
        (Integrations(tx, LEDGER, no_wait, now()), "type IN ('email', 'statuspageIo')"),
    ]
    for store, kinds in stores:
        found = await tx.fetch(
            f"SELECT id FROM {store.noun} WHERE {kinds} AND ($1::uuid IS NULL OR organisation = $1)",  # noqa: S608
            organisation,
        )
        for row in await store.edit_many([each["id"] for each in found]):
            try:
                kind, problem = await opened_usable(tx, row.state, key, means)
            except ValueError:  # the notifier says so
                continue
            if problem != row.state.problem:
                row.state.problem = problem
                await store.save(row, "problem-changed")
                if kind is not None:
                    await tx.execute(AT_ONCE, row.state.id)


# What a channel waits with is looked at now; rows that the notifier holds just now are passed over.
AT_ONCE = """
UPDATE notification SET due = now() WHERE id IN (
    SELECT id FROM notification WHERE channel = $1 AND open AND due IS NOT NULL FOR UPDATE SKIP LOCKED
)
"""

_ALLOWED = """
SELECT ARRAY(SELECT address FROM mail_address WHERE organisation = $1 AND confirmed_at IS NOT NULL) AS confirmed,
    $1 = (SELECT id FROM organisation ORDER BY created_at, id LIMIT 1) IS TRUE AS first
"""
