"""A key that authenticates a caller; only its hash leaves resource-cmd."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5


class Kind(StrEnum):
    """Bearer tokens are for PingHome's API, checks keys for Healthchecks' API, ping keys for pings by slug.

    An agent key is a server's own: whoever has it may send that server's figures. A status token is for PingPong's API
    and for one status page.
    """

    bearer = "bearer"
    checks = "checks"
    ping = "ping"
    agent = "agent"
    status = "status"


class Scope(StrEnum):
    """What a key may do."""

    read = "read"
    write = "write"


@dataclass(slots=True, kw_only=True)
class Key:
    """One key of an organisation; `hash` is the SHA-256 of the token.

    `service` is set for checks and ping keys, `server` for agent keys, `page` for status tokens. `folded` is the
    hash of a ping key in lower case, as mail relays change the case of addresses; empty for other keys.

    A session is a bearer key with an end, `expires_at`. It goes with its `parent`, the key that it was exchanged for;
    that of a one-time link has none.
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
    page: UUID | None = None
    parent: UUID | None = None
    expires_at: datetime | None = None
    created_at: datetime

    @property
    def is_of_first_page(self) -> bool:
        """Whether it names the first status page of the first organisation, which is made for it."""
        return self.page is not None and self.page == first_page(self.organisation)


def first_page(organisation: UUID) -> UUID:
    """The id of the first organisation's first status page, known before the page is made (contract I)."""
    return uuid5(organisation, "main")
