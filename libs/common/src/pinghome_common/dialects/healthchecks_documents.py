"""Healthchecks' documents: how checks and channels are rendered (contract B.2, B.4, B10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, overload
from uuid import UUID

from fastapi import Request

from pinghome_common.dialects.healthchecks import encode, site, version_of
from pinghome_common.directory import Caller
from pinghome_common.events.channel import Channel
from pinghome_common.events.heartbeat import MICRO, Heartbeat, due, run_limit, unique_key
from pinghome_common.events.key import Scope


@dataclass(slots=True)
class RenderedSettings:
    """The settings of a check, rendered once per change: `text` holds members of a JSON object.

    Times are in microseconds; `period` is None with a schedule.
    """

    id: str
    text: str
    unique_key: str
    channels: str | None
    grace: int
    limit: int
    period: int | None


def render_settings(it: Heartbeat) -> RenderedSettings:
    """Renders the part of a check that only commands change (contract B.2)."""
    members: dict[str, Any] = {
        "name": it.name,
        "slug": it.slug,
        "tags": it.tags,
        "desc": it.desc,
        "grace": it.grace,
        "manual_resume": it.manual_resume,
        "methods": "POST" if it.methods == ["POST"] else "",
        "subject": it.subject,
        "subject_fail": it.subject_fail,
        **({"schedule": it.schedule, "tz": it.tz} if it.schedule else {"timeout": it.period}),
    }
    text = encode(members)[1:-1].decode()
    period = None if it.schedule else it.period * MICRO
    return RenderedSettings(
        str(it.id), text, unique_key(it.id), joined(it.channels), it.grace * MICRO, run_limit(it) * MICRO, period
    )


@overload
def joined(channels: Sequence[UUID]) -> str: ...
@overload
def joined(channels: Sequence[UUID] | None) -> str | None: ...
def joined(channels: Sequence[UUID] | None) -> str | None:
    """Channel ids, sorted and joined with commas; None for a check without channels of its own."""
    return None if channels is None else ",".join(sorted(map(str, channels)))


@dataclass(slots=True)
class CheckRenderer:
    """How a caller sees checks.

    Args:
        site: the public URL, without a slash at its end.
        version: of the API: 1, 2 or 3.
        now: UNIX microseconds.
        read_only: a read-only key sees fewer fields.
        default_channels: the ids of the service's channels, for checks without channels of their own.
    """

    site: str
    version: int
    now: int
    read_only: bool
    default_channels: str = ""

    def status(
        self,
        settings: RenderedSettings,
        stored: str,
        expected: int | None,
        last_start: int | None,
        *,
        started: bool = False,
    ) -> str:
        """new, up, grace, down or paused, or `started` in versions that have it (contract B.4).

        Args:
            settings: the check's settings.
            stored: its stored status.
            expected: when the next success is due, in UNIX microseconds; None unless it is up.
            last_start: when the current run started; None outside a run.
            started: whether to report a run as `started`.
        """
        if last_start is not None:
            if self.now >= last_start + settings.limit:
                return "down"
            if started:
                return "started"
        if stored != "up" or expected is None or self.now < expected:
            return stored
        return "grace" if self.now < expected + settings.grace else "down"

    def check(
        self,
        settings: RenderedSettings,
        stored: str,
        expected: int | None,
        last_ping: int | None,
        last_start: int | None,
        last_duration: float | None,
        n_pings: int,
    ) -> str:
        """A check as JSON (contract B.2); takes the arguments of `status` and the rest of the runtime state."""
        status = self.status(settings, stored, expected, last_start, started=self.version == 1)
        next_ping = expected
        if last_start is not None and stored != "down":  # during a run it is the start of the run (contract B.4)
            next_ping = last_start if expected is None else min(expected, last_start)
        duration = "" if last_duration is None else f',"last_duration":{int(last_duration)}'
        if self.read_only:
            urls = f'"unique_key":"{settings.unique_key}"'
        else:
            channels = self.default_channels if settings.channels is None else settings.channels
            update = f"{self.site}/api/v{self.version}/checks/{settings.id}"
            urls = (
                f'"uuid":"{settings.id}","ping_url":"{self.site}/ping/{settings.id}","update_url":"{update}",'
                f'"pause_url":"{update}/pause","resume_url":"{update}/resume","channels":"{channels}"'
            )
        return (
            f'{{{settings.text},"n_pings":{n_pings},"status":"{status}","started":{_BOOLS[last_start is not None]},'
            f'"last_ping":{_quoted(last_ping)},"next_ping":{_quoted(next_ping)}{duration},{urls}}}'
        )

    def whole(self, it: Heartbeat) -> str:
        """A heartbeat as a check in JSON."""
        state = it.vitals
        return self.check(
            render_settings(it), state.status.value, due(it, state),
            state.last_ping, state.last_start, state.last_duration, state.n_pings,
        )  # fmt: skip


_BOOLS = ("false", "true")


def _quoted(value: int | None) -> str:
    return "null" if value is None else _second(value // MICRO)


@lru_cache(maxsize=16_384)  # unless a check is pinged, its times are the same in the next list
def _second(value: int) -> str:
    return f'"{datetime.fromtimestamp(value, UTC).isoformat()}"'


def renderer(request: Request, caller: Caller, now: int, default_channels: Sequence[UUID] = ()) -> CheckRenderer:
    """How the caller of a request sees checks; `default_channels` are those of the service."""
    read_only = caller.scope is Scope.read
    return CheckRenderer(_json_safe(site(request)), version_of(request), now, read_only, joined(default_channels))


def _json_safe(text: str) -> str:
    """Escapes text for a JSON string; the client chooses the `Host` header."""
    return encode(text)[1:-1].decode()


def shows(example: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example answer of a route, for OpenAPI."""
    return {status: {"content": {"application/json": {"example": example}}}}


_SITE = "https://ping.terra-home.de"
_EXAMPLE_ID = "f618072a-7bde-4eee-af63-71a77c5723bc"
CHECK: dict[str, Any] = {
    "name": "Backups", "slug": "backups", "tags": "prod www", "desc": "", "grace": 60, "manual_resume": False,
    "methods": "", "subject": "", "subject_fail": "", "timeout": 3600, "n_pings": 0, "status": "new",
    "started": False, "last_ping": None, "next_ping": None, "uuid": _EXAMPLE_ID,
    "ping_url": f"{_SITE}/ping/{_EXAMPLE_ID}",
    "update_url": f"{_SITE}/api/v1/checks/{_EXAMPLE_ID}",
    "pause_url": f"{_SITE}/api/v1/checks/{_EXAMPLE_ID}/pause",
    "resume_url": f"{_SITE}/api/v1/checks/{_EXAMPLE_ID}/resume",
    "channels": "",
}  # fmt: skip
"""The example of the API documentation."""


def channel(it: Channel) -> dict[str, Any]:
    """A channel's document."""
    return {"id": it.id, "name": it.name, "kind": it.kind}
