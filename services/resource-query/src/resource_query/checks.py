"""The heartbeats of one service as Healthchecks' dialect reads them: its checks (contract B)."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.errors import no_check
from pinghome_common.events.channel import Channel
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.service import Service
from pinghome_common.runtime_state import read_runtime

_OF_SERVICE = "FROM heartbeat h JOIN runtime_state v ON v.heartbeat = h.id WHERE h.organisation = $1 AND h.service = $2"

_LISTED = """
SELECT h.id, h.version, v.status, v.alert_after, v.last_ping, v.last_start, v.last_duration, v.n_pings
"""

_tags = "string_to_array(h.state->>'tags', ' ')"


class Checks:
    """What the holder of a service's key may see."""

    def __init__(self, db: Connection, organisation: UUID, service: UUID) -> None:
        self._db, self._of = db, (organisation, service)

    async def one(self, named: UUID | str) -> Heartbeat:
        """A check by its id, or by its unique key.

        Raises:
            NotFound: there is none.
            PermissionDenied: the id is that of another service's; unique keys are looked for in this one only.
        """
        by = "h.id" if isinstance(named, UUID) else "h.unique_key"
        rows = await self._db.fetch(
            f"SELECT * FROM heartbeat h JOIN runtime_state v ON v.heartbeat = h.id WHERE {by} = $1 ORDER BY h.id",  # noqa: S608
            named,
        )
        mine = [row for row in rows if (row["organisation"], row["service"]) == self._of]
        if mine:
            it = _decode(mine[0]["state"])
            it.vitals = read_runtime(mine[0])
            return it
        raise no_check(elsewhere=bool(rows) and isinstance(named, UUID))

    async def listed(self, tags: Sequence[str] = (), slug: str | None = None) -> list[Any]:
        """Those with all of some tags, and with a slug, oldest first: id, version, and what their vitals say.

        The columns: id, version, status, alert_after, last_ping, last_start, last_duration, n_pings.
        """
        conditions, args = "", list[Any](self._of)
        for value, condition in ((list(tags), f"{_tags} @> $n::text[]"), (slug, "h.state->>'slug' = $n")):
            if value or value == "":
                args.append(value)
                conditions += " AND " + condition.replace("$n", f"${len(args)}")
        rows: list[Any] = await self._db.fetch(f"{_LISTED}{_OF_SERVICE}{conditions} ORDER BY h.id", *args)
        return rows

    async def states(self, ids: Iterable[UUID]) -> list[tuple[int, Heartbeat]]:
        """Some of them in full, without their vitals, each with its version."""
        rows = await self._db.fetch(
            "SELECT version, state FROM heartbeat WHERE id = ANY($1::uuid[]) AND organisation = $2 AND service = $3",
            list(ids), *self._of,
        )  # fmt: skip
        return [(row["version"], _decode(row["state"])) for row in rows]

    async def tags(self) -> list[str]:
        """Every tag of every check, in order."""
        rows = await self._db.fetch(
            f"SELECT DISTINCT unnest({_tags}) AS tag {_OF_SERVICE}",  # our own names
            *self._of,
        )
        return sorted(row["tag"] for row in rows if row["tag"])

    async def told(self) -> list[UUID]:
        """The ids of the channels that are told of what names none of its own."""
        state = await self._db.fetchval("SELECT state FROM service WHERE organisation = $1 AND id = $2", *self._of)
        return _decode_service(state).channels if state else []

    async def channels(self) -> list[Channel]:
        """The service's channels, oldest first."""
        rows = await self._db.fetch(
            "SELECT state FROM channel WHERE organisation = $1 AND service = $2 ORDER BY id", *self._of
        )
        return [_decode_channel(row["state"]) for row in rows]


async def owner(db: Connection, service: UUID) -> UUID | None:
    """The organisation of a service, for those who come without a key; None when there is no such service."""
    found: UUID | None = await db.fetchval("SELECT organisation FROM service WHERE id = $1", service)
    return found


_decode = msgspec.json.Decoder(Heartbeat).decode
_decode_service = msgspec.json.Decoder(Service).decode
_decode_channel = msgspec.json.Decoder(Channel).decode
