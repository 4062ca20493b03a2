"""A service: a group of monitors and heartbeats in an organisation."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True, kw_only=True)
class Service:
    """One service; monitors may also name a `service_id` that does not exist (contract A.0).

    `channels` are notified about monitors and heartbeats without channels of their own.
    """

    id: UUID
    organisation: UUID
    name: str
    channels: list[UUID] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime
