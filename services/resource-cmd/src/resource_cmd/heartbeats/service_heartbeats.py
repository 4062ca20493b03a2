"""The heartbeats of one service, for keys that are valid there only, and for pings that ask for new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from pinghome_common.errors import NotFound, PermissionDenied
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.service import Service
from pinghome_common.store import Row
from resource_cmd.heartbeats import heartbeat
from resource_cmd.heartbeats.store import Heartbeats

ANY_METHOD = ["GET", "HEAD", "POST"]
DEFAULTS: dict[str, Any] = {
    "name": "", "period": 86_400, "grace": 3_600, "methods": ANY_METHOD, "manual_resume": False, "channels": [],
}  # fmt: skip
"""What a heartbeat has where its creation says nothing else, whether a command or a ping makes it."""

_SAME = {
    "name": "name = $3",
    "slug": "state->>'slug' = $3",
    "tags": "state->>'tags' = $3",
    "period": "(state->>'period')::bigint = $3",
    "grace": "(state->>'grace')::bigint = $3",
}
"""What a heartbeat that is looked for must have."""


@dataclass(frozen=True, slots=True)
class Assignable:
    """A channel of the service, which may be named by its id or by its name."""

    id: UUID
    name: str


class ServiceHeartbeats(Heartbeats):
    """The caller's heartbeats in one service."""

    def __init__(self, tx: Any, actor: Any, on_event: Any, now: datetime, service: UUID) -> None:
        super().__init__(tx, actor, on_event, now)
        self._organisation: UUID = actor.organisation  # a worker has one here, too
        self._service = service

    async def mine(self, id_: UUID) -> Row[Heartbeat]:
        """Loads and locks one.

        Raises:
            NotFound: there is none, in any service of anybody.
            PermissionDenied: it is in another service.
        """
        rows = await self.edit_many([id_])
        if rows and rows[0].state.service_id == self._service:
            return rows[0]
        there = "SELECT EXISTS (SELECT FROM heartbeat WHERE id = $1)"
        if rows or await self._tx.fetchval(there, id_):
            raise PermissionDenied("The heartbeat belongs to another service")
        raise NotFound("Heartbeat not found")

    async def create(self, settings: dict[str, Any], *, most: int | None = None) -> Row[Heartbeat]:
        """Adds a new one with some settings; for the others it has the defaults.

        Raises:
            NotPermitted: the service may soon have `most`; in a transaction, `has_room` says whether it has.
        """
        if most is not None:
            roomy = f"SELECT service FROM n GROUP BY service HAVING has_room(service, {most} + 1 - count(*))"  # noqa: S608
            self.permitted = f"{Heartbeats.permitted} AND service IN ({roomy})"
        settings = DEFAULTS | settings | {"service_id": self._service}
        return await self.add(heartbeat.create(uuid7(), self._organisation, settings, self._now, enabled=True))

    async def has_room(self, most: int) -> bool:
        """Whether the service may have one more; near the limit, nobody else adds one until this transaction ends."""
        if await self._tx.fetchval("SELECT has_room($1, $2)", self._service, most):
            return True
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 3))", str(self._service))
        count: int = await self._tx.fetchval(
            "SELECT coalesce(sum(n), 0) FROM heartbeat_count WHERE service = $1", self._service
        )
        return count < most

    async def alone(self, same: Mapping[str, Any]) -> None:
        """Until this transaction ends, nobody else looks for one that could also have the values `same`, or makes it.

        Those with different names wait only for those who do not ask for a name.
        """
        service, name = str(self._service), f"{self._service} {same.get('name')}"
        if "name" in same:
            await self._tx.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 1)),"
                " pg_advisory_xact_lock(hashtextextended($2, 1))",
                service, name,
            )  # fmt: skip
        else:
            await self._tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", service)

    async def like(self, values: dict[str, Any]) -> Row[Heartbeat] | None:
        """Loads and locks the oldest that has all of some values."""
        conditions = [_SAME[name].replace("$3", f"${place}") for place, name in enumerate(values, 3)]
        id_ = await self._tx.fetchval(
            "SELECT id FROM heartbeat WHERE organisation = $1 AND service = $2 AND "  # noqa: S608  # our own words
            + " AND ".join(conditions) + " ORDER BY state->>'created_at', id LIMIT 1",
            self._organisation, self._service, *values.values(),
        )  # fmt: skip
        rows = [] if id_ is None else await self.edit_many([id_])
        return rows[0] if rows else None

    async def default_channels(self) -> list[UUID]:
        """The channels that are notified of heartbeats without channels of their own."""
        state = await self._tx.fetchval(
            "SELECT state FROM service WHERE organisation = $1 AND id = $2", self._organisation, self._service
        )
        return msgspec.json.decode(state, type=Service).channels if state else []

    async def assignable(self) -> list[Assignable]:
        """The channels of the service, oldest first."""
        rows = await self._tx.fetch(
            "SELECT id, state->>'name' AS name FROM channel WHERE organisation = $1 AND state->>'service_id' = $2"
            " ORDER BY id",
            self._organisation, str(self._service),
        )  # fmt: skip
        return [Assignable(row["id"], row["name"]) for row in rows]
