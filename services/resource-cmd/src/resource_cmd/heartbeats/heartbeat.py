"""What may be done with a heartbeat; no I/O, the time is an argument."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import structs

from pinghome_common.clock import micros
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status, slug_of


def create(id_: UUID, organisation: UUID, settings: dict[str, Any], now: datetime, *, enabled: bool) -> Heartbeat:
    """A new heartbeat: nothing is awaited before its first ping."""
    status = Status.new if enabled else Status.paused
    return Heartbeat(
        id=id_,
        organisation=organisation,
        vitals=RuntimeState(status=status, changed_at=micros(now)),
        created_at=now,
        updated_at=now,
        **settings,
    )


def edit(it: Heartbeat, settings: dict[str, Any], now: datetime) -> Heartbeat:
    """The heartbeat with other settings."""
    return replace(it, **settings, updated_at=now)


def with_slug(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with the slug of the name, if they have a name: who cannot name a slug gets this one."""
    return settings | ({"slug": slug_of(settings["name"])} if "name" in settings else {})


def enable(it: Heartbeat, version: int, now: datetime, *, enabled: bool) -> Heartbeat:
    """The heartbeat switched on or off by hand; `version` is the one that this change makes."""
    if (it.vitals.status is not Status.paused) is enabled:
        return it
    stopped = structs.replace(_stopped(it.vitals, Status.new if enabled else Status.paused, now), last_ping=None)
    return replace(it, manual_resume=True, updated_at=now).with_runtime(stopped, version)


def halt(it: Heartbeat, status: Status, version: int, now: datetime) -> Heartbeat:
    """The heartbeat paused, or new as after a pause: nothing is awaited before its next ping (contract B6, B13)."""
    last_ping = None if status is Status.new else it.vitals.last_ping
    stopped = structs.replace(_stopped(it.vitals, status, now), last_ping=last_ping)
    return replace(it, updated_at=now).with_runtime(stopped, version)


def _stopped(runtime: RuntimeState, status: Status, now: datetime) -> RuntimeState:
    return structs.replace(runtime, status=status, changed_at=micros(now), reason="", last_start=None, run_id=None)
