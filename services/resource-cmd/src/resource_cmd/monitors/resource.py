"""What may be done with a monitor; no I/O, the time is an argument."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pinghome_common.errors import Conflict, FieldError, Invalid
from pinghome_common.events.resource import Change, Resource, Status
from pinghome_common.secret import seal, unseal

Secrets = tuple[dict[str, str], str]
"""A monitor's request headers and body."""


def open_secrets(key: bytes, sealed: bytes) -> Secrets:
    """The headers and the body that a monitor sends."""
    if not sealed:
        return {}, ""
    headers, body = json.loads(unseal(key, sealed))
    return headers, body


OPEN = ("accept", "accept-language", "user-agent")
"""Headers that tell no secret."""


def with_secrets(
    it: Resource, key: bytes, headers: dict[str, str | None] | None, body: str | None, *, moved: bool = False
) -> Resource:
    """The monitor with other headers or another body; None, for all or for one header, means unchanged.

    Args:
        it: the monitor, its target changed already.
        key: that seals them.
        headers: as they were sent.
        body: as it was sent.
        moved: the target is another one, to which nothing secret may follow.

    Raises:
        Invalid: a header to be left as it is, which there was not; or one that has to be sent anew.
    """
    old_headers, old_body = open_secrets(key, it.sealed)
    merged = (
        old_headers
        if headers is None
        else {name: old_headers.get(name) if value is None else value for name, value in headers.items()}
    )
    present = {name: value for name, value in merged.items() if value is not None}
    if lost := merged.keys() - present.keys():
        raise Invalid(FieldError("headers", f"there is no earlier value of {min(lost)} to keep"))
    unsent = [name for name in present if headers is None or headers[name] is None]
    if moved and (secret := [name for name in unsent if name.lower() not in OPEN]):
        raise Invalid(FieldError("headers", f"{min(secret)} has to be sent anew, for the target is another one"))
    if moved and body is None and old_body:
        raise Invalid(FieldError("body", "has to be sent anew, for the target is another one"))
    text = old_body if body is None else body
    if (present, text) == (old_headers, old_body):
        return it  # sealed anew it would look like a change
    sealed = seal(key, json.dumps([present, text]).encode()) if present or text else b""
    return replace(it, header_names=list(present), has_body=bool(text), sealed=sealed)


def create(id_: UUID, organisation: UUID, settings: dict[str, Any], now: datetime, version: int = 1) -> Resource:
    """A new monitor: nothing is known of its target yet."""
    change = Change(status=Status.pending, previous=None, at=now, version=version)
    return Resource(id=id_, organisation=organisation, change=change, created_at=now, updated_at=now, **settings)


def edit(it: Resource, settings: dict[str, Any], now: datetime) -> Resource:
    """The monitor with other settings.

    Raises:
        Invalid: the type may not change (contract A1).
    """
    if settings.get("type", it.type) != it.type:
        raise Invalid(FieldError("type", f"cannot change from {it.type}: create another monitor instead"))
    return replace(it, **settings, updated_at=now)


def check_own(it: Resource) -> None:
    """Raises Conflict for a monitor that belongs to a metric of a status page, which alone changes it."""
    if it.managed_by:
        raise Conflict(
            f"The monitor is that of the metric {it.name} of a status page ({it.id}); change the metric instead"
        )


def enable(it: Resource, version: int, now: datetime, *, enabled: bool) -> Resource:
    """The monitor switched on or off; `version` is the one that this change makes. Twice is the same as once."""
    if it.enabled is enabled:
        return it
    status = Status.pending if enabled else Status.paused
    change = Change(status=status, previous=it.change.status, at=now, version=version)
    return replace(it, enabled=enabled, change=change, updated_at=now)
