"""The ledger: who was told what, with every attempt."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.events.notification import Notification

Told = tuple[Notification, Notification | None]
"""A notification, and the digest that it was sent in, if any."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Those in a state, for a channel or subscriber, and older than one of them; None: all."""

    state: str | None = None
    channel: UUID | None = None
    before: UUID | None = None


async def of(db: Database | Connection, column: str, value: UUID, limit: int) -> list[Told]:
    """Those about a monitor or of a page, newest first; the caller has seen that it is the organisation's."""
    rows = await db.fetch(f"{_TOLD} WHERE n.{column} = $1 ORDER BY n.at DESC, n.id LIMIT $2", value, limit)
    return [_told(row) for row in rows]


async def of_organisation(db: Database | Connection, organisation: UUID, wanted: Wanted, limit: int) -> list[Told]:
    """All of an organisation, newest first.

    Raises:
        NotFound: the one that they are older than is not there.
    """
    conditions, args = ["n.state->>'organisation' = $1"], [str(organisation), limit]
    for value, condition in (
        (wanted.state, "n.state->>'state' = ${}"), (wanted.channel, "n.state->>'channel' = ${}")
    ):  # fmt: skip
        if value:
            args.append(str(value))
            conditions.append(condition.format(len(args)))
    if wanted.before:
        last = await db.fetchrow(
            "SELECT at, id FROM notification WHERE id = $1 AND state->>'organisation' = $2",
            wanted.before, str(organisation),
        )  # fmt: skip
        if last is None:
            raise NotFound("Notification not found")
        args += last
        conditions.append(f"(n.at, n.id) < (${len(args) - 1}, ${len(args)})")
    rows = await db.fetch(f"{_TOLD} WHERE {' AND '.join(conditions)} ORDER BY n.at DESC, n.id DESC LIMIT $2", *args)
    return [_told(row) for row in rows]


_TOLD = """
SELECT n.state, d.state AS digest FROM notification n
LEFT JOIN notification d ON d.id = (n.state->>'digest')::uuid
"""


def _told(row: Any) -> Told:
    return _decode(row["state"]), _decode(row["digest"]) if row["digest"] else None


_decode = msgspec.json.Decoder(Notification).decode
