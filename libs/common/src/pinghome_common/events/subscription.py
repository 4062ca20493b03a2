"""A subscription: somebody who wants to be told what status pages tell of (contract A50 to A53, H)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ChannelType(StrEnum):
    """How a subscriber is told."""

    email = "email"
    webhook = "webhook"
    slack = "slack"


@dataclass(slots=True, kw_only=True)
class Chosen:
    """Components and groups that a subscriber wants to hear of; everything when none is named."""

    components: list[UUID] = field(default_factory=list)
    groups: list[UUID] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A subscription to one page, or to all public pages that there were when nobody said which (contract A.5).

    `channel_value` is as it may be read: a mail address, or a URL without its path; `sealed` is the whole URL,
    encrypted with statuspage-cmd's key; `target` is the address' fingerprint. `requested_at` is when it was last asked
    for: what was `wanted` then is `chosen` as soon as somebody there verifies it. `organisation` is that of the first
    page.
    """

    id: UUID
    organisation: UUID
    pages: list[UUID]
    chosen: Chosen = field(default_factory=Chosen)
    wanted: Chosen = field(default_factory=Chosen)
    channel_type: ChannelType
    channel_value: str
    target: bytes
    sealed: bytes = b""
    requested_at: datetime
    verified_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
