"""Entity tags of lists of checks: whether a list that a client has is still what it would get."""

import hashlib
import re
from collections.abc import Sequence
from importlib.metadata import version

from fastapi import Request

from pinghome_common.dialects.healthchecks import site
from pinghome_common.directory import Caller
from resource_query.api.healthchecks.listing import CheckArguments

_RELEASE = version("pinghome-resource-query")
_TAG = re.compile(r'"([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]{16})"')


def view(request: Request, caller: Caller) -> str:
    """What of the request and of the caller an answer depends on, besides the checks."""
    parts = (_RELEASE, site(request), request.scope["path"], request.url.query, caller.scope, caller.service)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def entity_tag(changed_at: int, until: int, seen: str) -> str:
    """The tag of a list.

    Args:
        changed_at: when the service's checks changed last, in UNIX microseconds.
        until: when the list changes by the clock; 0 if it does not.
        seen: the `view`.
    """
    return f'"{changed_at:x}-{until:x}-{seen}"'


def current(sent: str, changed_at: int, seen: str, now: int) -> str | None:
    """The one of the tags in an `If-None-Match` that is of what the client would get at `now` (UNIX microseconds)."""
    for found in _TAG.finditer(sent):
        changed, until, of = found.groups()
        if (int(changed, 16), of) == (changed_at, seen) and (until == "0" or now < int(until, 16)):
            return found[0]
    return None


def next_change(found: Sequence[CheckArguments], now: int) -> int:
    """When the first of some checks will show something else unless anything happens, in UNIX microseconds; or 0."""
    nearest = 0
    for settings, stored, expected, _, start, _, _ in found:
        for at in (
            start and start + settings.limit,
            expected if stored == "up" else None,
            expected + settings.grace if expected is not None and stored == "up" else None,
        ):
            if at is not None and now < at and (not nearest or at < nearest):
                nearest = at
    return nearest
