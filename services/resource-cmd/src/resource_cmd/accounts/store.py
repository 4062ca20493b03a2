"""The rows of services and keys."""

from typing import Any, ClassVar

from pinghome_common.events.key import Key
from pinghome_common.events.service import Service
from resource_cmd.store import Store


class Services(Store[Service]):
    """Services."""

    noun, type = "service", Service

    def _values(self, state: Service) -> list[Any]:  # noqa: ARG002  # a service has no columns of its own
        return []


class Keys(Store[Key]):
    """Keys."""

    noun, type = "key", Key
    columns: ClassVar = {"hash": "bytea"}

    def _values(self, state: Key) -> list[Any]:
        return [state.hash]
