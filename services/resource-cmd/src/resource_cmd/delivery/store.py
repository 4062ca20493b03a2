"""The rows of channels and integrations."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.events.channel import Channel
from pinghome_common.events.integration import Integration
from pinghome_common.store import Row, Store
from resource_cmd.store import ServiceStore


class Channels(ServiceStore[Channel]):
    """Channels."""

    noun, type = "channel", Channel

    async def check(self, ids: Sequence[UUID] | None) -> None:
        """Raises Invalid when one of `channels` is not the actor's."""
        if not ids:
            return
        found = await self._tx.fetch(
            "SELECT id FROM channel WHERE id = ANY($1::uuid[]) AND organisation = $2",
            ids, self._actor.organisation,
        )  # fmt: skip
        known = {row["id"] for row in found}
        errors = [
            FieldError(f"channels.{n}", f"there is no channel {id_}") for n, id_ in enumerate(ids) if id_ not in known
        ]
        if errors:
            raise Invalid(*errors)

    async def withdraw(self, channel: UUID, *stores: Store[Any]) -> None:
        """Takes a channel that is about to go out of whatever names it."""
        for store in stores:
            found = await self._tx.fetch(
                f"SELECT id FROM {store.noun} WHERE organisation = $1"  # our own name
                " AND state->'channels' @> to_jsonb($2::text)",
                self._actor.organisation, str(channel),
            )  # fmt: skip
            for row in (rows := await store.edit_many([each["id"] for each in found])):
                row.state.channels = [each for each in row.state.channels if each != channel]
            await store.save_many(rows)


class Integrations(Store[Integration]):
    """Integrations of monitors."""

    noun, type = "integration", Integration
    columns: ClassVar = {"resource": "uuid", "key": "text", "type": "text", "target": "bytea"}
    duplicate = "t.resource = n.resource AND t.type = n.type AND t.target = n.target"

    def _values(self, state: Integration) -> list[Any]:
        return [state.resource, state.key, state.type, state.target]

    async def of(self, resource: UUID, key: str, target: bytes) -> Row[Integration]:
        """Loads and locks one of a monitor, by our id or by the fingerprint of the place outside (contract A.1).

        Raises:
            NotFound: there is none.
        """
        found = await self._tx.fetchval(
            "SELECT id FROM integration WHERE resource = $1 AND (key = $2 OR target = $3) ORDER BY key <> $2 LIMIT 1",
            resource, key, target,
        )  # fmt: skip
        if found is None:
            raise NotFound("Integration not found")
        return await self.edit(found)
