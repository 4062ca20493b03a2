"""The rows of what belongs to a service, which is one organisation's."""

from typing import TypeVar
from uuid import UUID

from pinghome_common.errors import NotFound
from pinghome_common.store import Aggregate, Store

S = TypeVar("S", bound=Aggregate)


class ServiceStore(Store[S]):
    """Aggregates with a `service_id`: whoever is the first to use one owns the service."""

    permitted = (
        "EXISTS (SELECT FROM service_owner o"
        " WHERE o.service = (n.state->>'service_id')::uuid AND o.organisation = n.organisation)"
    )

    def _owned(self, state: S) -> UUID | None:
        service: UUID | None = getattr(state, "service_id", None)
        return service

    async def _claim(self, state: S) -> None:
        owner = await self._tx.fetchval(
            "INSERT INTO service_owner AS old VALUES ($1, $2)"
            " ON CONFLICT (service) DO UPDATE SET organisation = old.organisation RETURNING organisation",
            self._owned(state), state.organisation,
        )  # fmt: skip
        if owner != state.organisation:
            raise NotFound("Service not found")
