"""The names of organisations, and which of them is the operator's."""

from uuid import UUID

import msgspec

from pinghome_common.directory import Caller
from pinghome_common.events import Envelope
from pinghome_common.events.key import Scope
from pinghome_common.events.organisation import Organisation


class Organisations:
    """All of them in memory, by the events that the directory follows."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, Organisation] = {}

    def apply(self, event: Envelope) -> None:
        """Applies one event."""
        self._by_id[event.subject] = msgspec.json.decode(event.data, type=Organisation)

    def name(self, id_: UUID) -> str:
        """The name of an organisation; empty as long as its event has not come."""
        found = self._by_id.get(id_)
        return found.name if found else ""

    def operates(self, caller: Caller) -> bool:
        """Whether somebody is the platform's operator: a token of the first organisation that may write."""
        found = self._by_id.get(caller.organisation)
        return found is not None and found.operator and caller.scope is Scope.write
