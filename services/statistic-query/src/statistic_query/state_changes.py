"""What an event says of a change of state: of monitors and servers each, of heartbeats flips and the rest apart."""

from datetime import datetime

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.events import Envelope

Row = tuple[object, ...]


class _Change(msgspec.Struct):
    """The last change of status of a monitor or server; only monitors have a status code and a region."""

    status: str
    previous: str | None
    at: datetime
    version: int
    reason: str = ""
    status_code: int | None = None
    region: str | None = None


class _Changed(msgspec.Struct):
    change: _Change


class _Status(msgspec.Struct, frozen=True):
    status: str = "new"
    changed_at: int = 0


class _Heartbeat(msgspec.Struct):
    """A heartbeat's status, and the version of the event that changed it last."""

    vitals: _Status = _Status()
    previous: str | None = None
    changed_version: int = 0


def change(event: Envelope) -> Row:
    """The last change of a monitor or server, which earlier events may have told of, too: a row for `STORE`."""
    it = msgspec.json.decode(event.data, type=_Changed).change
    return event.subject, it.version, it.at, it.status, it.previous, it.reason, it.status_code, it.region


def flip(event: Envelope) -> list[Row]:
    """A row for `STORE_FLIP` if this event of a heartbeat says that it went up or down."""
    it = msgspec.json.decode(event.data, type=_Heartbeat)
    if it.changed_version != event.version or it.vitals.status not in ("up", "down"):
        return []
    return [(event.subject, event.version, from_micros(it.vitals.changed_at), it.vitals.status == "up")]


def pause(event: Envelope) -> list[Row]:
    """A row for `STORE` if this event of a heartbeat says that nothing is expected of it, or nothing yet."""
    it = msgspec.json.decode(event.data, type=_Heartbeat)
    if it.changed_version != event.version or it.vitals.status in ("up", "down"):
        return []
    status = "pending" if it.vitals.status == "new" else it.vitals.status
    return [(event.subject, event.version, from_micros(it.vitals.changed_at), status, it.previous, "", None, None)]


STORE = """
INSERT INTO state_change
SELECT * FROM unnest(
    $1::text::uuid[], $2::text::int[], $3::text::timestamptz[], $4::text::text[], $5::text::text[], $6::text::text[],
    $7::text::int[], $8::text::text[]
)
ON CONFLICT (resource, version) DO NOTHING
"""

STORE_FLIP = """
INSERT INTO flip
SELECT * FROM unnest($1::text::uuid[], $2::text::int[], $3::text::timestamptz[], $4::text::boolean[])
ON CONFLICT (heartbeat, version) DO NOTHING
"""
