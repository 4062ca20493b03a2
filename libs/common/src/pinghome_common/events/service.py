"""A service: the folder of monitors and heartbeats inside an organisation (a Healthchecks project)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(slots=True, kw_only=True)
class Service:
    """One service; monitors may also name a `service_id` for which there is none (contract A.0)."""

    id: UUID
    organisation: UUID
    name: str
    created_at: datetime
    updated_at: datetime
