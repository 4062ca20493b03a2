"""A notification: one message about one thing for one channel, with every attempt to deliver it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    """`suppressed` means made obsolete by a parent's outage or a deletion; all others end as sent or failed."""

    waiting = "waiting"
    held = "held"
    sent = "sent"
    failed = "failed"
    suppressed = "suppressed"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One delivery attempt; `error` is a sentence without secrets, empty on success."""

    at: datetime
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Notification:
    """One delivery; its id is the idempotency key that receivers see.

    `about` is what it tells of, such as a monitor or an incident (`noun`), `about_version` the aggregate's version that
    caused it, `page` the status page that it belongs to, if any. One that is told `at_once` is neither damped nor
    together with others. `planned` is when it was decided how to send it. A digest is sent as its first notification,
    which `covers` the others; those name it in `digest` and share its attempts. `recipient` is set for a retry to one
    address of the channel after the others were accepted. `reason` says why it is held, suppressed or failed; `parent`
    is the monitor whose outage caused that, if any.
    """

    id: UUID
    organisation: UUID
    channel: UUID
    channel_name: str
    channel_kind: str
    noun: str
    about: UUID
    about_version: int
    what: str
    at: datetime
    title: str
    text: str
    page: UUID | None = None
    at_once: bool = False
    state: State = State.waiting
    reason: str = ""
    parent: UUID | None = None
    planned: datetime | None = None
    digest: UUID | None = None
    covers: list[UUID] = field(default_factory=list)
    recipient: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    created_at: datetime
