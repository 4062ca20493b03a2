"""The rows of services and keys."""

from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.events.key import Key
from pinghome_common.events.service import Service
from pinghome_common.store import Store
from resource_cmd.store import ServiceStore


class Services(ServiceStore[Service]):
    """Services."""

    noun, type = "service", Service
    permitted = "EXISTS (SELECT FROM service_owner o WHERE o.service = n.id AND o.organisation = n.organisation)"

    def _owned(self, state: Service) -> UUID | None:
        return state.id


class Keys(Store[Key]):
    """Keys."""

    noun, type = "key", Key
    columns: ClassVar = {"hash": "bytea"}

    def _values(self, state: Key) -> list[Any]:
        return [state.hash]
