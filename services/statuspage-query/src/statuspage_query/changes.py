"""What followers hear of a change."""

import msgspec

from pinghome_common.events import Envelope
from pinghome_common.feed import said

NOUNS = ("statuspage", "incident", "incident_update", "maintenance", "template")
"""Whose changes are told."""


class _Told(msgspec.Struct):
    status: str | None = None


def describe(event: Envelope) -> bytes:
    """What is said of an event: the status after it, too, of what has one."""
    return said(event, None if event.deleted else msgspec.json.decode(event.data, type=_Told).status)
