"""Many aggregates in one statement, however many there are: rows and events are made by PostgreSQL."""

from datetime import datetime
from uuid import UUID

from pinghome_common.event_log import EVENTS
from pinghome_common.events import Event, encode
from pinghome_common.store import Actor

TIMEOUT = 120.0
"""Seconds; 50,000 rows take a few."""

_NOBODY = UUID(int=0)

# `made` are the rows, `$1` is the event without what is each one's own.
LOGGED = f"""
INSERT INTO {EVENTS}
SELECT e.event_id, e.id, e.version, 'status.' || split_part(e.event->>'type', '.', 1) || '.' || e.id,
    convert_to((e.event || jsonb_build_object('id', e.event_id, 'subject', e.id, 'organisation', e.organisation,
        'version', e.version, 'data', e.state))::text, 'UTF8')
FROM (
    SELECT gen_random_uuid() AS event_id, $1::jsonb AS event, id, organisation, version, state FROM made
) AS e
RETURNING id, event_id
"""  # noqa: S608  # our own name


def event(type_: str, actor: Actor, now: datetime) -> str:
    """An event for `LOGGED`."""
    made = Event(
        type=type_, source="statuspage-cmd", time=now, subject=_NOBODY, organisation=_NOBODY, version=1,
        actor=actor.name, correlationid=actor.request, data=None,
    )  # fmt: skip
    return encode(made).decode()
