"""Reads of one organisation; every statement filters by it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import micros, now
from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.events.channel import Channel
from pinghome_common.events.heartbeat import MICRO, Heartbeat
from pinghome_common.events.integration import Integration
from pinghome_common.events.resource import Resource
from pinghome_common.events.server_resource import Heard, ServerResource
from pinghome_common.events.service import Service
from pinghome_common.runtime_state import read_runtime
from resource_query.lists import NOUNS, Statements, Wanted
from resource_query.newest import heard

_HAS = "SELECT " + " OR ".join(
    f"EXISTS (SELECT FROM {noun} WHERE organisation = $1 AND {column} = $2)"  # our own names
    for noun, column in (
        ("service", "id"), ("resource", "service"), ("heartbeat", "service"), ("server_resource", "service"),
    )
)  # fmt: skip


_ALL = UUID(int=0)
"""Stands for all services in `counted`."""


class Read:
    """Reads limited to one organisation.

    Args:
        db: a database or one of its connections.
        organisation: the caller's.
    """

    def __init__(self, db: Database | Connection, organisation: UUID) -> None:
        self._db, self._organisation = db, organisation

    async def _page(self, noun: str, wanted: Wanted, limit: int, offset: int) -> list[Any]:
        it = Statements(noun, self._organisation, wanted)
        rows: list[Any] = await self._db.fetch(it.page, *it.args, limit, offset)
        return rows

    async def count(self, noun: str, wanted: Wanted) -> int:
        """The number of rows of a list; it is kept, unless the list is filtered."""
        if wanted.filters:
            it = Statements(noun, self._organisation, replace(wanted, sort=""))
            found: int = await self._db.fetchval(it.total, *it.args)
            return found
        total: int = await self._db.fetchval(
            "SELECT coalesce(sum(n), 0)::bigint FROM counted"
            " WHERE organisation = $1 AND noun = $2 AND service = ANY($3::uuid[])",
            self._organisation, noun, list(wanted.services) or [_ALL],
        )  # fmt: skip
        return total

    async def resource(self, id_: UUID) -> tuple[Resource, int, int | None, float | None]:
        """A monitor, its version, when it was last checked (UNIX microseconds) and its response time (ms).

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        row = await self._db.fetchrow(
            f"SELECT * FROM resource r {NOUNS['resource'].join} WHERE r.id = $1 AND r.organisation = $2",
            id_,
            self._organisation,
        )
        if row is None:
            raise NotFound("Resource not found")
        return _resource(row)

    async def resources(
        self, wanted: Wanted, limit: int, offset: int
    ) -> list[tuple[Resource, int, int | None, float | None]]:
        """Monitors."""
        return [_resource(row) for row in await self._page("resource", wanted, limit, offset)]

    async def region_observations(self, it: Resource) -> list[dict[str, Any]]:
        """Each region's last observation of a monitor; without any it is pending, silent for two intervals unknown."""
        rows = {
            row["region"]: row
            for row in await self._db.fetch("SELECT * FROM region_observation WHERE resource = $1", it.id)
        }
        pending = {"state": "pending", "checked_at": None, "response_time": None, "error": ""}
        found = [{**pending, **dict(rows.get(region, {})), "region": region} for region in it.regions]
        for each in found:
            if it.enabled and each["checked_at"] and micros(now()) - each["slot"] > 2 * it.interval * MICRO:
                each["state"] = "unknown"
        return found

    async def heartbeat(self, id_: UUID) -> tuple[Heartbeat, int]:
        """A heartbeat and its version.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        row = await self._db.fetchrow(
            "SELECT * FROM runtime_state JOIN heartbeat r ON r.id = heartbeat WHERE r.id = $1 AND r.organisation = $2",
            id_, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound("Heartbeat not found")
        return _heartbeat(row), row["version"]

    async def heartbeats(self, wanted: Wanted, limit: int, offset: int) -> list[Heartbeat]:
        """Heartbeats."""
        return [_heartbeat(row) for row in await self._page("heartbeat", wanted, limit, offset)]

    async def server(self, id_: UUID) -> tuple[ServerResource, int, Heard | None]:
        """A server, its version, and what was last heard of it.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        row = await self._db.fetchrow(
            f"SELECT * FROM server_resource r {NOUNS['server_resource'].join} WHERE r.id = $1 AND r.organisation = $2",
            id_, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound("Server resource not found")
        return _decode_server(row["state"]), row["version"], heard(row["newest"])

    async def servers(self, wanted: Wanted, limit: int, offset: int) -> list[tuple[ServerResource, Heard | None]]:
        """Servers, each with what was last heard of it."""
        rows = await self._page("server_resource", wanted, limit, offset)
        return [(_decode_server(row["state"]), heard(row["newest"])) for row in rows]

    async def has(self, service: UUID) -> bool:
        """Whether the organisation has the service, or anything in it."""
        found: bool = await self._db.fetchval(_HAS, self._organisation, service)
        return found

    async def services(self, wanted: Wanted, limit: int, offset: int) -> list[Service]:
        """Services."""
        return [_decode_service(row["state"]) for row in await self._page("service", wanted, limit, offset)]

    async def channel(self, id_: UUID) -> tuple[Channel, int]:
        """A channel and its version.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        row = await self._db.fetchrow(
            "SELECT * FROM channel WHERE id = $1 AND organisation = $2", id_, self._organisation
        )
        if row is None:
            raise NotFound("Channel not found")
        return _decode_channel(row["state"]), row["version"]

    async def channels(self, wanted: Wanted, limit: int, offset: int) -> list[Channel]:
        """Channels."""
        return [_decode_channel(row["state"]) for row in await self._page("channel", wanted, limit, offset)]

    async def integrations(self, it: Resource) -> list[Integration]:
        """A monitor's integrations, oldest first."""
        rows = await self._db.fetch("SELECT state FROM integration WHERE resource = $1 ORDER BY id", it.id)
        return [_decode_integration(row["state"]) for row in rows]


def _resource(row: Any) -> tuple[Resource, int, int | None, float | None]:
    return _decode_resource(row["state"]), row["version"], row["checked_at"], row["response_time"]


def _heartbeat(row: Any) -> Heartbeat:
    it = _decode_heartbeat(row["state"])
    it.vitals = read_runtime(row)
    return it


_decode_resource = msgspec.json.Decoder(Resource).decode
_decode_heartbeat = msgspec.json.Decoder(Heartbeat).decode
_decode_server = msgspec.json.Decoder(ServerResource).decode
_decode_channel = msgspec.json.Decoder(Channel).decode
_decode_integration = msgspec.json.Decoder(Integration).decode
_decode_service = msgspec.json.Decoder(Service).decode
