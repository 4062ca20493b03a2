"""A notification: one thing that one channel has to be told of one monitor, and every attempt to."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    """`suppressed` is what a parent's outage or a deletion made needless; everything else ends as sent or failed."""

    waiting = "waiting"
    held = "held"
    sent = "sent"
    failed = "failed"
    suppressed = "suppressed"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try to deliver it; `error` is a sentence without secrets, empty when it was delivered."""

    at: datetime
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Notification:
    """One delivery; its id is the idempotency key that receivers see.

    `about` is the monitor or heartbeat (`noun`), `about_version` that aggregate's version which says it. `planned` is
    when it was decided how to send it. A digest is sent as its first notification, the one that `covers` the others;
    those name it in `digest` and share its attempts. `recipient` is the one address of the channel that this is for,
    where the others were told and it was refused. `reason` says why it is held, suppressed or failed; `parent` is
    the monitor whose outage did that, if one did.
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
    state: State = State.waiting
    reason: str = ""
    parent: UUID | None = None
    planned: datetime | None = None
    digest: UUID | None = None
    covers: list[UUID] = field(default_factory=list)
    recipient: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    created_at: datetime
