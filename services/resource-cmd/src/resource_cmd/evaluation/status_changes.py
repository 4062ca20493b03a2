"""A change of status: the new state, its event and the notice of it, written in one transaction."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pinghome_common.clock import from_micros, now
from pinghome_common.db import Connection
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState
from pinghome_common.events.ping import Ping
from pinghome_common.events.resource import Change, Resource
from pinghome_common.events.server_resource import Change as ServerChange
from pinghome_common.events.server_resource import ServerResource
from pinghome_common.store import Row, Store
from pinghome_common.text import clean, one_line
from pinghome_delivery.outbox import Notice
from resource_cmd.delivery.audience import announce
from resource_cmd.delivery.mutes import Mutes
from resource_cmd.evaluation.thresholds import Crossing, crossed, words
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources
from resource_cmd.servers.store import Servers

MESSAGE, OUTPUT = 500, 1000
"""Characters of a job's message and of its body that are told."""

SWITCHED_ON = ("pending", "new")
"""What a monitor, a heartbeat or a server is right after it was made or switched on by hand."""


S = TypeVar("S", Resource, Heartbeat, ServerResource)


class StatusChanges:
    """The changes of status of one transaction, whoever found them: pings, results, samples or silence."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._mutes = Mutes(tx, now())
        self._notices: list[Notice] = []

    async def monitor(self, store: Resources, row: Row[Resource], change: Change) -> None:
        """Saves a monitor with its change."""
        row.state = await self._note(store, row.state, *of_monitor(row.state, change, row.version + 1))
        await store.save(row, "status-changed")

    async def heartbeat(
        self, store: Heartbeats, row: Row[Heartbeat], runtime: RuntimeState, ping: Ping | None = None
    ) -> None:
        """Saves a heartbeat whose runtime state has another status; `ping` changed it, None when silence did."""
        row.state = await self._note(store, row.state, *of_heartbeat(row.state, runtime, row.version + 1, ping))
        await store.save(row, "status-changed")

    async def server(
        self, store: Servers, row: Row[ServerResource], change: ServerChange, booted: datetime | None = None
    ) -> None:
        """Saves a server with its change; `booted` when that tells of a reboot, which is none of status by itself."""
        row.state = await self._note(store, row.state, *of_server(row.state, change, row.version + 1, booted))
        await store.save(row, "status-changed")

    async def threshold(self, store: Servers, row: Row[ServerResource], crossing: Crossing) -> None:
        """Saves a server of which a threshold is broken or cleared; not while it is muted: a sample after that will."""
        if await self._mutes.cover(row.state):
            return
        row.state, notice = of_threshold(row.state, crossing, row.version + 1)
        self._notices.append(notice)
        await store.save(row, "threshold-broken" if crossing.broken else "threshold-cleared")

    async def catch_up(self, store: Store[Any], row: Row[Any]) -> None:
        """Saves and tells what one is that was muted, unless that is what was told last."""
        it, version = row.state, row.version + 1
        if isinstance(it, Resource):
            row.state, notices = of_monitor(it, it.change, version)
        elif isinstance(it, Heartbeat):
            row.state, notices = of_heartbeat(it, it.vitals, version)
        else:
            row.state, notices = of_server(it, it.change, version)
        if notices:
            self._notices += notices
            await store.save(row, "status-changed")

    async def _note(self, store: Store[S], before: S, after: S, notices: list[Notice]) -> S:
        """Notes what there is to tell; while that is muted, the state remembers that it was not told."""
        if notices and await self._mutes.cover(after):
            await self._mutes.note(store.noun, after)
            return replace(after, down_since=before.down_since)
        self._notices += notices
        return after

    async def announce(self) -> None:
        """Puts what there is to tell into the outbox."""
        await announce(self._tx, self._notices)


def is_told(previous: str | None, new: str, *, told: bool) -> bool:
    """True when a change of status is told.

    Down is told once in an outage, whatever it passes through meanwhile (unknown, maintenance), and once more when
    somebody switches it on and it is still down. Up is told only to those who were told down.

    Args:
        previous: the status until now.
        new: the status from now on.
        told: True when down was told and up was not yet.
    """
    if new == "down":
        return not told or previous in SWITCHED_ON
    return new == "up" and told


def since(status: str, at: datetime, before: datetime | None) -> datetime | None:
    """The beginning of the outage that was told, after a change to `status` at `at`; None when there is none."""
    return None if status == "up" else before or at if status == "down" else before


def of_monitor(it: Resource, change: Change, version: int) -> tuple[Resource, list[Notice]]:
    """The monitor after a change, which remembers what was told; and what there is to tell."""
    begun = it.down_since
    after = replace(it, change=change, down_since=since(change.status, change.at, begun))
    if not is_told(change.previous, change.status, told=begun is not None):
        return after, []
    where = f" from {change.region}" if change.region else ""
    target = it.url or it.host
    over = begun if change.status == "up" else None
    title, text = _words(it.name, f" ({target})" if target else "", change.at, over, f"{change.reason}{where}")
    return after, [_notice(it, "resource", version, change.status, change.at, title, text)]


def of_unjudged(it: Resource, version: int) -> Notice:
    """That a monitor cannot be judged, since when and why."""
    name, target = one_line(it.name), it.url or it.host
    where = f" ({target})" if target else ""
    begin = f"{it.change.at:%Y-%m-%d %H:%M:%S} UTC"
    text = f"{name}{where} cannot be judged since {begin}: {it.change.reason}."
    return _notice(it, "resource", version, "unknown", it.change.at, f"{name} cannot be judged", text)


def of_heartbeat(
    it: Heartbeat, runtime: RuntimeState, version: int, ping: Ping | None = None
) -> tuple[Heartbeat, list[Notice]]:
    """The same for a heartbeat; `ping` is the one that changed it, None when silence did."""
    status, at, begun = runtime.status, from_micros(runtime.changed_at), it.down_since
    after = replace(it.with_runtime(runtime, version), down_since=since(status, at, begun))
    if not is_told(it.vitals.status, status, told=begun is not None):
        return after, []
    over = begun if status == "up" else None
    reason, output = runtime.reason, ""
    if ping and status == "down":
        reason, output = f"{reason}{_ended(ping)}", _output(ping)
    title, text = _words(it.name, "", at, over, reason)
    return after, [_notice(it, "heartbeat", version, status, at, title, text + output)]


def of_server(
    it: ServerResource, change: ServerChange, version: int, booted: datetime | None = None
) -> tuple[ServerResource, list[Notice]]:
    """The same for a server, which may also have been booted."""
    begun, notices = it.down_since, list[Notice]()
    after = replace(it, change=change, down_since=since(change.status, change.at, begun))
    if is_told(change.previous, change.status, told=begun is not None):
        title, text = _words(it.name, "", change.at, begun if change.status == "up" else None, change.reason)
        notices.append(_notice(it, "server_resource", version, change.status, change.at, title, text))
    if booted and it.reboot_alert:
        name, clock = one_line(it.name), f"{booted:%Y-%m-%d %H:%M:%S} UTC"
        title, text = f"{name} was rebooted", f"{name} was rebooted at {clock}."
        notices.append(_notice(it, "server_resource", version, "rebooted", change.at, title, text))
    return after, notices


def of_threshold(it: ServerResource, crossing: Crossing, version: int) -> tuple[ServerResource, Notice]:
    """A server after one of its thresholds was broken or cleared, and the notice of that."""
    threshold, name = it.thresholds[crossing.place], one_line(it.name)
    title, text = words(threshold, crossing)
    if not crossing.broken and threshold.breached_since:
        text += f", after {duration(crossing.since - threshold.breached_since)}"
    what = "threshold-broken" if crossing.broken else "threshold-cleared"
    notice = _notice(it, "server_resource", version, what, crossing.at, f"{name}: {title}", f"{name}: {text}.")
    return crossed(it, crossing), notice


def _ended(ping: Ping) -> str:
    """The exit status and the message of a job that failed."""
    status = "" if ping.exit_status is None else f" with exit status {ping.exit_status}"
    message = one_line(ping.message[:MESSAGE]).rstrip(".")
    return status + (f": {message}" if message else "")


def _output(ping: Ping) -> str:
    """The beginning of what it sent, in lines of its own; a mail's headers say nothing to people."""
    if ping.scheme == "email":
        return ""
    text = ping.body[: 4 * OUTPUT].decode("utf-8", "replace").replace("\r\n", "\n")
    shown = clean(text, OUTPUT, lines=True).strip()
    more = "\n…" if shown and (len(text) > OUTPUT or len(ping.body) > 4 * OUTPUT) else ""
    return f"\n\n{shown}{more}" if shown else ""


def _words(name: str, target: str, at: datetime, begun: datetime | None, reason: str) -> tuple[str, str]:
    name, clock = one_line(name), f"{at:%Y-%m-%d %H:%M:%S} UTC"
    if begun is None:
        return f"{name} is down", f"{name}{target} is down since {clock}" + (f": {reason}." if reason else ".")
    return f"{name} is up again", f"{name}{target} is up again since {clock}, after {duration(at - begun)}."


def _notice(
    it: Resource | Heartbeat | ServerResource, noun: str, version: int, what: str, at: datetime, title: str, text: str
) -> Notice:
    return Notice(
        organisation=it.organisation,
        noun=noun,
        about=it.id,
        version=version,
        what=str(what),
        at=at,
        title=title,
        text=text,
    )


def duration(span: timedelta) -> str:
    """Such as `1 h 5 min`, in the two largest units."""
    seconds = max(round(span.total_seconds()), 0)
    parts = [("d", seconds // 86400), ("h", seconds // 3600 % 24), ("min", seconds // 60 % 60), ("s", seconds % 60)]
    first = next((place for place, (_, count) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for unit, count in parts[first : first + 2] if count) or "0 s"
