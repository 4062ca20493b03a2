"""What is known of registered domains and when to ask again; no I/O, the time is an argument."""

import re
from datetime import datetime, timedelta
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from pinghome_common.events.resource import Resource, target

KEPT = timedelta(days=1)
"""How long an answer is good for."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
"""Between two tries that fail; each pause is twice the one before."""

_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True, accept_unknown=False)


@lru_cache(1 << 14)
def registrable(host: str) -> str:
    """The domain that somebody registered, such as `example.co.uk` for `www.example.co.uk`.

    Empty for an address, a single label, a public suffix itself, a name below none (`db.internal`) and what is no name:
    what this returns is sent to registries.
    """
    return _suffixes().privatesuffix(host) or "" if _NAME.fullmatch(host) else ""


def domain_name(it: Resource) -> str:
    """The registered domain below which a monitor's host lies; empty when there is none."""
    return registrable(target(it))


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries that failed, 1 or more."""
    return min(FIRST_PAUSE * (1 << min(tries - 1, 20)), LONGEST_PAUSE)


def ask_again(expires_at: datetime | None, now: datetime) -> datetime:
    """When to ask about a domain after an answer: in a day, or right after it should have been renewed."""
    due = now + KEPT
    return min(due, expires_at + timedelta(minutes=1)) if expires_at and expires_at > now else due
