"""The messages that services exchange over NATS, one file per noun."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec


@dataclass(slots=True, kw_only=True)
class Event:
    """One thing that happened to one aggregate, with the aggregate's whole state after it (CloudEvents 1.0 names).

    `subject` is the aggregate's id, `version` counts its events from 1 without gaps, `type` is `<noun>.<what>`,
    `actor` is who caused it: a key's id, or a worker's name.
    """

    id: UUID = field(default_factory=uuid4)
    type: str
    source: str = "resource-cmd"
    time: datetime
    subject: UUID
    organisation: UUID
    version: int
    actor: str
    correlationid: str = ""
    specversion: str = "1.0"
    data: Any

    @property
    def noun(self) -> str:
        """The kind of aggregate: `resource`, `heartbeat`, `service`, `key`."""
        return self.type.partition(".")[0]

    def address(self, prefix: str = "events") -> str:
        """The NATS subject: `<prefix>.<noun>.<id>`; no part is ever a user's text."""
        return f"{prefix}.{self.noun}.{self.subject}"


class Envelope(msgspec.Struct):
    """An event as it arrives: its data stays raw until a projection knows the noun."""

    id: UUID
    type: str
    time: datetime
    subject: UUID
    organisation: UUID
    version: int
    data: msgspec.Raw
    actor: str = ""

    @property
    def noun(self) -> str:
        """The kind of aggregate."""
        return self.type.partition(".")[0]

    @property
    def address(self) -> str:
        """The NATS subject."""
        return f"events.{self.noun}.{self.subject}"

    @property
    def deleted(self) -> bool:
        """True when the aggregate was deleted."""
        return self.type.endswith(".deleted")


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Envelope).decode
