"""The rows of servers, and the keys of their agents."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.events.server_resource import ServerResource
from pinghome_common.secret import new_token, token_hash
from pinghome_common.store import Row
from pinghome_delivery.outbox import ENDED
from resource_cmd.accounts.store import Keys
from resource_cmd.store import DependentStore

_LOCK = "SELECT FROM server_runtime WHERE server = ANY($1::uuid[]) ORDER BY server FOR UPDATE"


class Servers(DependentStore[ServerResource]):
    """Servers; what samples change is a row of its own, which they rewrite without touching the settings."""

    noun, type = "server_resource", ServerResource
    columns: ClassVar = {"service": "uuid", "name": "text", "status": "text"}
    duplicate = "t.organisation = n.organisation AND t.service = n.service AND t.name = n.name"
    on_deletion = ENDED
    on_creation = ", alive AS (INSERT INTO server_runtime (server) SELECT id FROM made)"

    def _values(self, state: ServerResource) -> list[Any]:
        return [state.service_id, state.name, state.change.status.value]

    async def edit_many(self, ids: Sequence[UUID]) -> list[Row[ServerResource]]:
        """As everywhere."""
        # Everybody locks runtime states first, as samples begin with them: no two can wait for each other.
        await self._tx.execute(_LOCK, ids)
        return await super().edit_many(ids)


class AgentKeys(Keys):
    """The keys of servers' agents."""

    async def issue(self, it: ServerResource) -> str:
        """Adds a key for a server in place of those that it has; its token is known to nobody but the caller."""
        await self.withdraw([it.id])
        token = new_token()
        key = Key(
            id=uuid7(), organisation=it.organisation, name=it.name, kind=Kind.agent, scope=Scope.write,
            hash=token_hash(token), server=it.id, created_at=self._now,
        )  # fmt: skip
        await self.add(key)
        return token

    async def withdraw(self, servers: Sequence[UUID]) -> None:
        """Removes the keys of some servers."""
        found = await self._tx.fetch(
            "SELECT id FROM key WHERE state->>'server' = ANY($1::text[]) AND organisation = $2",
            list(map(str, servers)), self._actor.organisation,
        )  # fmt: skip
        await self.remove(*await self.edit_many([each["id"] for each in found]))
