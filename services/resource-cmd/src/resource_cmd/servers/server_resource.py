"""What may be done with a server; no I/O, the time is an argument."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pinghome_common.events.server_resource import Change, ServerResource, Status, Threshold


def create(id_: UUID, organisation: UUID, settings: dict[str, Any], now: datetime) -> ServerResource:
    """A new server: nothing has been heard of it yet."""
    status = Status.pending if settings.get("enabled", True) else Status.paused
    change = Change(status=status, previous=None, at=now, version=1)
    return ServerResource(id=id_, organisation=organisation, change=change, created_at=now, updated_at=now, **settings)


def edit(it: ServerResource, settings: dict[str, Any], version: int, now: datetime) -> ServerResource:
    """The server with other settings, perhaps switched on or off; `version` is the one that this change makes."""
    after = replace(it, **settings, updated_at=now)
    breached = {key(each): each.breached_since for each in it.thresholds}
    after.thresholds = [replace(each, breached_since=breached.get(key(each))) for each in after.thresholds]
    if after.enabled is it.enabled:
        return after
    status = Status.pending if after.enabled else Status.paused
    after.change = Change(status=status, previous=it.change.status, at=now, version=version)
    return after


def key(it: Threshold) -> str:
    """What makes a threshold the same as before, whatever becomes of the others."""
    return f"{it.type} {it.field} {it.operator} {it.value!r} {it.minutes}"
