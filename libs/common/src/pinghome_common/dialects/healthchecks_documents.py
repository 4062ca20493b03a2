"""Healthchecks' documents: what a check and a channel look like when read (contract B.2, B.4, B10)."""

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
from pinghome_common.events.heartbeat import MICRO, Heartbeat, due, unique_key
from pinghome_common.events.key import Scope


@dataclass(slots=True)
class Settled:
    """The part of a check that only commands change, encoded: `text` holds members of a JSON object.

    Times are in microseconds; `period` is None with a schedule. Lists encode it once per change.
    """

    id: str
    text: str
    unique_key: str
    channels: str | None
    grace: int
    limit: int
    period: int | None


def settled(it: Heartbeat) -> Settled:
    """The part of a check's document that comes from its settings (contract B.2)."""
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
    return Settled(
        str(it.id), text, unique_key(it.id), joined(it.channels), it.grace * MICRO, it.run_limit * MICRO, period
    )


@overload
def joined(channels: Sequence[UUID]) -> str: ...
@overload
def joined(channels: Sequence[UUID] | None) -> str | None: ...
def joined(channels: Sequence[UUID] | None) -> str | None:
    """The ids of channels as a check has them: sorted and joined; None where it names none of its own."""
    return None if channels is None else ",".join(sorted(map(str, channels)))


@dataclass(slots=True)
class View:
    """How a caller sees checks: `now` is UNIX microseconds, `version` 1, 2 or 3; a read-only key sees less.

    `told` are the service's own channels, for a check that names none.
    """

    site: str
    version: int
    now: int
    read_only: bool
    told: str = ""

    def status(
        self, own: Settled, stored: str, expected: int | None, last_start: int | None, *, started: bool = False
    ) -> str:
        """new, up, grace, down or paused; and `started` for versions that know it (contract B.4).

        Args:
            own: the check's settings.
            stored: its stored status.
            expected: when the next success is, in UNIX microseconds, if it is up.
            last_start: of the run under way, if there is one.
            started: whether to report such a run as `started`.
        """
        if last_start is not None:
            if self.now >= last_start + own.limit:
                return "down"
            if started:
                return "started"
        if stored != "up" or expected is None or self.now < expected:
            return stored
        return "grace" if self.now < expected + own.grace else "down"

    def check(
        self,
        own: Settled,
        stored: str,
        expected: int | None,
        last_ping: int | None,
        last_start: int | None,
        last_duration: float | None,
        n_pings: int,
    ) -> str:
        """A check as JSON (contract B.2); the arguments are those of `status`, and the rest of its runtime state."""
        status = self.status(own, stored, expected, last_start, started=self.version == 1)
        following = expected
        if last_start is not None and stored != "down":  # a run under way is expected at its start (contract B.4)
            following = last_start if expected is None else min(expected, last_start)
        took = "" if last_duration is None else f',"last_duration":{int(last_duration)}'
        if self.read_only:
            urls = f'"unique_key":"{own.unique_key}"'
        else:
            told = self.told if own.channels is None else own.channels
            update = f"{self.site}/api/v{self.version}/checks/{own.id}"
            urls = (
                f'"uuid":"{own.id}","ping_url":"{self.site}/ping/{own.id}","update_url":"{update}",'
                f'"pause_url":"{update}/pause","resume_url":"{update}/resume","channels":"{told}"'
            )
        return (
            f'{{{own.text},"n_pings":{n_pings},"status":"{status}","started":{_BOOLS[last_start is not None]},'
            f'"last_ping":{_quoted(last_ping)},"next_ping":{_quoted(following)}{took},{urls}}}'
        )

    def whole(self, it: Heartbeat) -> str:
        """The same for a complete heartbeat."""
        vitals = it.vitals
        return self.check(
            settled(it), vitals.status.value, due(it, vitals),
            vitals.last_ping, vitals.last_start, vitals.last_duration, vitals.n_pings,
        )  # fmt: skip


_BOOLS = ("false", "true")


def _quoted(value: int | None) -> str:
    return "null" if value is None else _second(value // MICRO)


@lru_cache(maxsize=16_384)  # checks that were not pinged since have the same times in the next list
def _second(value: int) -> str:
    return f'"{datetime.fromtimestamp(value, UTC).isoformat()}"'


def view(request: Request, caller: Caller, now: int, told: Sequence[UUID] = ()) -> View:
    """How the caller of a request sees checks; `told` are the channels of the service."""
    return View(_json_safe(site(request)), version_of(request), now, caller.scope is Scope.read, joined(told))


def _json_safe(text: str) -> str:
    """The text escaped for a JSON string: the client chooses the host of a request."""
    return encode(text)[1:-1].decode()


def shows(example: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """A route's answer for the OpenAPI page."""
    return {status: {"content": {"application/json": {"example": example}}}}


_HERE = "https://ping.terra-home.de"
_ID_OF_IT = "f618072a-7bde-4eee-af63-71a77c5723bc"
CHECK: dict[str, Any] = {
    "name": "Backups", "slug": "backups", "tags": "prod www", "desc": "", "grace": 60, "manual_resume": False,
    "methods": "", "subject": "", "subject_fail": "", "timeout": 3600, "n_pings": 0, "status": "new",
    "started": False, "last_ping": None, "next_ping": None, "uuid": _ID_OF_IT,
    "ping_url": f"{_HERE}/ping/{_ID_OF_IT}",
    "update_url": f"{_HERE}/api/v1/checks/{_ID_OF_IT}",
    "pause_url": f"{_HERE}/api/v1/checks/{_ID_OF_IT}/pause",
    "resume_url": f"{_HERE}/api/v1/checks/{_ID_OF_IT}/resume",
    "channels": "",
}  # fmt: skip
"""The documents' own example, for the OpenAPI pages."""


def channel(it: Channel) -> dict[str, Any]:
    """A channel, which Healthchecks calls an integration."""
    return {"id": it.id, "name": it.name, "kind": it.kind}
