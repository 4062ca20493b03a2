"""An integration: another system that follows one monitor (contract A12 to A14, A22)."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True, kw_only=True)
class Integration:
    """One integration of a monitor.

    `key` is the id that the documents show: 12 characters of `[a-z0-9]`. `integration` names the target: a page's
    id for `statuspageIo`, else the public part of a URL or an address; `items` are ids of components there.
    `target` is the target's fingerprint, `sealed` holds its secrets, encrypted with resource-cmd's key.
    `problem` says why deliveries are waiting.
    """

    id: UUID
    organisation: UUID
    resource: UUID
    key: str
    type: str
    integration: str
    target: bytes
    name: str
    status: str = ""
    message: str = ""
    items: list[str] = field(default_factory=list)
    has_token: bool = False
    sealed: bytes = b""
    problem: str = ""
    created_at: datetime
    updated_at: datetime
