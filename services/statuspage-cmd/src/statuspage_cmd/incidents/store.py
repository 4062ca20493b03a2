"""The rows of incidents, of their updates, and of templates."""

from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.events.incident import Incident, IncidentStatus, IncidentUpdate, Template
from pinghome_common.store import Row
from statuspage_cmd.store import OfPage


class Incidents(OfPage[Incident]):
    """Incidents; the limit is about open ones."""

    noun, type = "incident", Incident
    columns: ClassVar = {"page": "uuid", "open": "boolean", "automatic": "boolean"}
    limit, current = 100, "open"

    def _values(self, state: Incident) -> list[Any]:
        return [state.page, state.status is not IncidentStatus.resolved, state.automatic]


class Updates(OfPage[IncidentUpdate]):
    """Updates of incidents."""

    noun, type = "incident_update", IncidentUpdate
    columns: ClassVar = {"page": "uuid", "incident": "uuid"}

    @property
    def _word(self) -> str:
        return "update"

    def _values(self, state: IncidentUpdate) -> list[Any]:
        return [state.page, state.incident]

    async def of_incident(self, incident: UUID, id_: UUID, version: int | None = None) -> Row[IncidentUpdate]:
        """Loads and locks one of an incident.

        Raises:
            NotFound: the incident has none with this id.
            PreconditionFailed: it has another version than the one wanted.
        """
        row = await self.edit(id_, version)
        if row.state.incident != incident:
            raise NotFound("Update not found")
        return row

    async def all_of(self, incident: UUID) -> list[Row[IncidentUpdate]]:
        """Loads and locks those of an incident, oldest first."""
        ids = await self._tx.fetch("SELECT id FROM incident_update WHERE incident = $1", incident)
        return await self.edit_many([row["id"] for row in ids])

    async def check_updates(self, incident: UUID, most: int) -> None:
        """Raises Invalid when an incident has as many as it may have."""
        if await self._tx.fetchval("SELECT count(*) FROM incident_update WHERE incident = $1", incident) >= most:
            raise Invalid(FieldError("message", f"an incident has at most {most} updates"))


class Templates(OfPage[Template]):
    """Templates of incidents."""

    noun, type = "template", Template
    limit = 100
