"""The rows of organisations, services and keys."""

from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.events.key import Key
from pinghome_common.events.organisation import Organisation
from pinghome_common.events.service import Service
from pinghome_common.store import Row, Store
from resource_cmd.store import ServiceStore


class Organisations(Store[Organisation]):
    """Organisations."""

    noun, type = "organisation", Organisation
    columns: ClassVar = {"name": "text"}

    def _values(self, state: Organisation) -> list[Any]:
        return [state.name]


class Services(ServiceStore[Service]):
    """Services."""

    noun, type = "service", Service
    permitted = "EXISTS (SELECT FROM service_owner o WHERE o.service = n.id AND o.organisation = n.organisation)"

    def _owned(self, state: Service) -> UUID | None:
        return state.id


class Keys(Store[Key]):
    """Keys, sessions among them."""

    noun, type = "key", Key
    columns: ClassVar = {"hash": "bytea", "parent": "uuid", "expires_at": "timestamptz"}
    counted = "expires_at IS NULL AND state->>'server' IS NULL"

    def _values(self, state: Key) -> list[Any]:
        return [state.hash, state.parent, state.expires_at]

    async def revoke(self, row: Row[Key]) -> None:
        """Removes a key for ever, with its sessions: no later start makes it again."""
        await self._tx.execute("INSERT INTO revoked (hash) VALUES ($1) ON CONFLICT DO NOTHING", row.state.hash)
        await self.end(row)

    async def end(self, row: Row[Key]) -> None:
        """Removes a key with its sessions."""
        await self.end_sessions(row.state.id)
        await self.remove(row)

    async def end_sessions(self, key: UUID, but: int = 0) -> None:
        """Ends the sessions of a key, but for some of the newest."""
        found = await self._tx.fetch("SELECT id FROM key WHERE parent = $1 ORDER BY id DESC OFFSET $2", key, but)
        await self.remove(*await self.edit_many([each["id"] for each in found]))
