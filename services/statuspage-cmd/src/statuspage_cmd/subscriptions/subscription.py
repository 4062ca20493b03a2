"""What may be done with a subscription; no I/O, the time is an argument."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.events.subscription import ChannelType, Chosen, Subscription

VALID = timedelta(hours=24)
"""For how long after a request it can be verified."""
TRIES = 8
"""Attempts to ask an address whether it wants to be told."""
EXPIRED = "The link is no longer valid: it works for 24 hours. Subscribe again to be sent a new one."


def fingerprint(channel_type: ChannelType, value: str) -> bytes:
    """What tells addresses apart; mail addresses do not differ by case."""
    same = value.lower() if channel_type is ChannelType.email else value
    return hashlib.sha256(f"{channel_type}\n{same}".encode()).digest()


def create(id_: UUID, pages: Sequence[StatusPage], wanted: Chosen, now: datetime, **address: Any) -> Subscription:
    """A new one, not yet verified; `address` are the fields that say whom to tell."""
    return Subscription(
        id=id_,
        organisation=pages[0].organisation,
        pages=[page.id for page in pages],
        wanted=wanted,
        requested_at=now,
        created_at=now,
        updated_at=now,
        **address,
    )


def request(it: Subscription, wanted: Chosen, now: datetime) -> Subscription:
    """The subscription when somebody asks for it again: what is wanted now counts once it is verified anew."""
    return replace(it, wanted=wanted, requested_at=now, updated_at=now)


def verify(it: Subscription, now: datetime) -> Subscription:
    """The subscription when somebody at its address has said yes.

    Raises:
        Invalid: too late, unless it was verified before.
    """
    if now <= it.requested_at + VALID:
        again = it.verified_at is not None and it.chosen == it.wanted
        return it if again else replace(it, chosen=it.wanted, verified_at=it.verified_at or now, updated_at=now)
    if it.verified_at is None:
        raise Invalid(FieldError("token", EXPIRED))
    return it


def ask_again(tries: int) -> timedelta | None:
    """When an address is asked again that could not be asked `tries` times; None: never, for anybody may have named it.

    2 s later, then five times as long each time: the last time after eleven hours.
    """
    return timedelta(seconds=2 * 5 ** (tries - 1)) if tries < TRIES else None


def without(it: Subscription, pages: Sequence[UUID], now: datetime) -> Subscription:
    """The subscription when some pages are no longer subscribed to."""
    return replace(it, pages=[page for page in it.pages if page not in pages], updated_at=now)


def check(wanted: Chosen, pages: Sequence[StatusPage]) -> None:
    """Raises Invalid when something is chosen that the pages do not show."""
    components = {each.id for page in pages for each in page.components if each.showcased}
    groups = {each.id for page in pages for each in page.groups}
    errors = [
        FieldError(f"{field}.{place}", f"the status page has no such {field[:-1]}")
        for field, ids, known in (("components", wanted.components, components), ("groups", wanted.groups, groups))
        for place, id_ in enumerate(ids)
        if id_ not in known
    ]
    if errors:
        raise Invalid(*errors)
