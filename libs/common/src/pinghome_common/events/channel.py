"""A channel: where people are notified about their monitors and heartbeats."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True, kw_only=True)
class Channel:
    """One channel of a service; `kind` is a key of resource-cmd's CHANNELS.

    `shown` is its configuration with secrets masked; the complete one is in `sealed`, encrypted with
    resource-cmd's key. `problem` says why deliveries are waiting.
    """

    id: UUID
    organisation: UUID
    service_id: UUID
    name: str
    kind: str
    shown: dict[str, str | list[str]] = field(default_factory=dict)
    sealed: bytes = b""
    problem: str = ""
    created_at: datetime
    updated_at: datetime
