"""The heartbeats and channels of one service."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events.channel import Channel
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.service import Service
from pinghome_common.runtime_state import read_runtime

_FROM = "FROM heartbeat h JOIN runtime_state v ON v.heartbeat = h.id WHERE h.organisation = $1 AND h.service = $2"

_tags = "string_to_array(h.state->>'tags', ' ')"


class ServiceHeartbeats:
    """Reads what belongs to one service of an organisation."""

    def __init__(self, db: Connection, organisation: UUID, service: UUID) -> None:
        self._db, self._owner = db, (organisation, service)

    async def changed_at(self) -> int:
        """When anything that a list of the heartbeats shows has changed last (UNIX microseconds)."""
        at: int | None = await self._db.fetchval("SELECT changed_at FROM listed WHERE service = $1", self._owner[1])
        return at or 0

    async def find(self, key: UUID | str) -> Heartbeat | None:
        """The heartbeat with an id or a unique key; None if the service has none."""
        column = "h.id" if isinstance(key, UUID) else "h.unique_key"
        row = await self._db.fetchrow(f"SELECT * {_FROM} AND {column} = $3 ORDER BY h.id LIMIT 1", *self._owner, key)
        if row is None:
            return None
        it = _decode(row["state"])
        it.vitals = read_runtime(row)
        return it

    async def exists_anywhere(self, id_: UUID) -> bool:
        """True if any service of any organisation has the heartbeat."""
        found: bool = await self._db.fetchval("SELECT EXISTS (SELECT FROM heartbeat WHERE id = $1)", id_)
        return found

    async def rows(self, tags: Sequence[str] = (), slug: str | None = None) -> list[Any]:
        """Heartbeats that have all of `tags`, and the slug if there is one, oldest first.

        The columns: id, version, status, alert_after, last_ping, last_start, last_duration, n_pings.
        """
        conditions, args = "", list[Any](self._owner)
        for value, condition in ((list(tags), f"{_tags} @> $n::text[]"), (slug, "h.state->>'slug' = $n")):
            if value or value == "":
                args.append(value)
                conditions += " AND " + condition.replace("$n", f"${len(args)}")
        rows: list[Any] = await self._db.fetch(
            "SELECT h.id, h.version, v.status, v.alert_after, v.last_ping, v.last_start, v.last_duration, v.n_pings"
            f" {_FROM}{conditions} ORDER BY h.id",
            *args,
        )
        return rows

    async def states(self, ids: Iterable[UUID]) -> list[tuple[int, Heartbeat]]:
        """The given heartbeats with their versions, without their runtime state."""
        rows = await self._db.fetch(
            "SELECT version, state FROM heartbeat WHERE id = ANY($1::uuid[]) AND organisation = $2 AND service = $3",
            list(ids), *self._owner,
        )  # fmt: skip
        return [(row["version"], _decode(row["state"])) for row in rows]

    async def tags(self) -> list[str]:
        """The tags of all heartbeats, sorted."""
        rows = await self._db.fetch(f"SELECT DISTINCT unnest({_tags}) AS tag {_FROM}", *self._owner)
        return sorted(row["tag"] for row in rows if row["tag"])

    async def default_channels(self) -> list[UUID]:
        """The ids of the channels that are notified about a heartbeat without channels of its own."""
        state = await self._db.fetchval("SELECT state FROM service WHERE organisation = $1 AND id = $2", *self._owner)
        return _decode_service(state).channels if state else []

    async def channels(self) -> list[Channel]:
        """The service's channels, oldest first."""
        rows = await self._db.fetch(
            "SELECT state FROM channel WHERE organisation = $1 AND service = $2 ORDER BY id", *self._owner
        )
        return [_decode_channel(row["state"]) for row in rows]


async def organisation_of(db: Connection, service: UUID) -> UUID | None:
    """The organisation of a service, for requests without a key; None if there is no such service."""
    found: UUID | None = await db.fetchval("SELECT organisation FROM service WHERE id = $1", service)
    return found


_decode = msgspec.json.Decoder(Heartbeat).decode
_decode_service = msgspec.json.Decoder(Service).decode
_decode_channel = msgspec.json.Decoder(Channel).decode
