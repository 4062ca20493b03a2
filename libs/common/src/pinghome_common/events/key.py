"""A key that authenticates a caller; only its hash leaves resource-cmd."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """Bearer tokens are for PingHome's API, checks keys for Healthchecks' API, ping keys for pings by slug.

    An agent key is a server's own: whoever has it may send that server's figures.
    """

    bearer = "bearer"
    checks = "checks"
    ping = "ping"
    agent = "agent"


class Scope(StrEnum):
    """What a key may do."""

    read = "read"
    write = "write"


@dataclass(slots=True, kw_only=True)
class Key:
    """One key of an organisation; `hash` is the SHA-256 of the token.

    `service` is set for checks and ping keys, `server` for agent keys. `folded` is the hash of a ping key in lower
    case, as mail relays change the case of addresses; empty for other keys.
    """

    id: UUID
    organisation: UUID
    name: str
    kind: Kind
    scope: Scope
    hash: bytes
    folded: bytes = b""
    service: UUID | None = None
    server: UUID | None = None
    created_at: datetime
