"""What followers hear of a change."""

import msgspec

from pinghome_common.clock import micros, now
from pinghome_common.events import Envelope
from pinghome_common.events.heartbeat import Heartbeat, shown
from pinghome_common.feed import said

NOUNS = ("service", "resource", "heartbeat", "server_resource", "channel", "integration")
"""Whose changes are told: all but the platform's own."""


class _Change(msgspec.Struct):
    status: str


class _Judged(msgspec.Struct):
    change: _Change


def describe(event: Envelope) -> bytes:
    """What is said of an event: the state after it, too, of what has one."""
    return said(event, None if event.deleted else _state(event))


def _state(event: Envelope) -> str | None:
    match event.noun:
        case "heartbeat":
            it = msgspec.json.decode(event.data, type=Heartbeat)
            return shown(it, it.vitals, micros(now()))
        case "resource" | "server_resource":
            return msgspec.json.decode(event.data, type=_Judged).change.status
    return None
