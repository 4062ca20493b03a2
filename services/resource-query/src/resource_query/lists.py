"""Lists of monitors, heartbeats, servers, channels and services that are searched, filtered and sorted (contract K)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pinghome_common.clock import micros, now
from pinghome_common.events.heartbeat import MICRO

_SEARCHED = (
    "lower((r.state->>'name') || E'\\n' || coalesce(r.state->>'url', '') || E'\\n' || coalesce(r.state->>'host', '')"
    " || E'\\n' || replace(coalesce(r.state->>'tags', ''), ' ', E'\\n'))"
)
_TAGS = "string_to_array(r.state->>'tags', ' ')"
"""As the indexes of migration 0012 have them."""


@dataclass(frozen=True, slots=True)
class Noun:
    """How a noun is listed.

    Attributes:
        states: it may be in.
        types: there are of it.
        sorts: by name, SQL of what it is sorted by; of `state` in any case what it is filtered by. `{now}` is the
            present in UNIX microseconds.
        join: SQL of what is joined to its row `r`.
    """

    states: Sequence[str] = ()
    types: Sequence[str] = ()
    sorts: Mapping[str, str] = field(default_factory=dict)
    join: str = ""


_NAMED = {"name": "lower(r.state->>'name')", "created_at": "(r.state->>'created_at')::timestamptz"}
_CHANGED = {"state": "r.state->'change'->>'status'", "state_changed_at": "(r.state->'change'->>'at')::timestamptz"}
_RUN_LIMIT = f"coalesce(nullif((r.state->>'grace')::bigint, 0), (r.state->>'period')::bigint) * {MICRO}"
_SHOWN = (
    "CASE WHEN v.status = 'paused' THEN 'paused'"
    " WHEN v.last_start IS NOT NULL THEN"
    f" CASE WHEN {{now}}::bigint < v.last_start + {_RUN_LIMIT} THEN 'running' ELSE 'down' END"
    " WHEN v.status = 'new' THEN 'pending' ELSE v.status END"
)
"""As `events.heartbeat.shown` says it."""

NOUNS = {
    "resource": Noun(
        states=("pending", "up", "down", "unknown", "paused", "maintenance"),
        types=("http", "tcp", "udp", "icmp", "tls", "smtp", "pop", "imap", "dns"),
        sorts=_NAMED | _CHANGED | {"last_checked_at": "latest.checked_at"},
        join="LEFT JOIN LATERAL (SELECT checked_at, response_time FROM region_observation v WHERE v.resource = r.id"
        " ORDER BY checked_at DESC LIMIT 1) AS latest ON true",
    ),
    "heartbeat": Noun(
        states=("pending", "up", "running", "down", "paused"),
        sorts=_NAMED | {"state": _SHOWN, "state_changed_at": "v.changed_at", "last_event_at": "v.last_event"},
        join="JOIN runtime_state v ON v.heartbeat = r.id",
    ),
    "server_resource": Noun(
        states=("pending", "up", "down", "unknown", "paused"),
        sorts=_NAMED | _CHANGED,
        join="LEFT JOIN server_newest ON server = r.id",
    ),
    "channel": Noun(sorts=_NAMED),
    "service": Noun(sorts=_NAMED),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shows: all of the organisation, oldest first, unless something is said.

    `ids`, `services`, `states` and `types`: any of them; `tags`: all of them; `q`: a part of name, url, host or tag in
    any case; `sort`: one of the noun's, with `-` in front descending.
    """

    services: Sequence[UUID] = ()
    ids: Sequence[UUID] = ()
    q: str = ""
    states: Sequence[str] = ()
    types: Sequence[str] = ()
    tags: Sequence[str] = ()
    sort: str = ""

    @property
    def filters(self) -> bool:
        """True if it leaves out more than services."""
        return bool(self.ids or self.q or self.states or self.types or self.tags)


class Statements:
    """The SQL of one list: `page` with `args` and then limit and offset, `total` with `args`."""

    def __init__(self, table: str, organisation: UUID, wanted: Wanted) -> None:
        noun, self.args = NOUNS[table], [organisation]
        state, key = noun.sorts.get("state", ""), noun.sorts.get(wanted.sort.removeprefix("-"), "")
        if "{now}" in key or (wanted.states and "{now}" in state):
            present = self._bound(micros(now()))
            state, key = state.format(now=present), key.format(now=present)
        where = " AND ".join(["r.organisation = $1", *self._conditions(wanted, state)])
        direction = "DESC" if wanted.sort.startswith("-") else "ASC"
        order = f"{key} {direction} NULLS LAST, r.id" if key else "r.id"
        # What a page leaves out is joined only where that says whether it is left out.
        rows = f"FROM {table} r {noun.join if wanted.states or wanted.sort else ''} WHERE {where}"
        self.total = f"SELECT count(*) {rows}"  # our own words
        limit, offset = len(self.args) + 1, len(self.args) + 2
        self.page = (
            f"SELECT * FROM (SELECT r.* {rows} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}) r"  # noqa: S608
            f" {noun.join} ORDER BY {order}"
        )

    def _bound(self, value: Any) -> str:
        self.args.append(value)
        return f"${len(self.args)}"

    def _conditions(self, wanted: Wanted, state: str) -> list[str]:
        found = []
        if len(wanted.services) == 1:  # so that an index has them in order
            found.append(f"r.service = {self._bound(wanted.services[0])}")
        elif wanted.services:
            found.append(f"r.service = ANY({self._bound(list(wanted.services))}::uuid[])")
        if wanted.ids:
            found.append(f"r.id = ANY({self._bound(list(wanted.ids))}::uuid[])")
        if wanted.q:
            found.append(f"{_SEARCHED} LIKE '%' || lower({self._bound(_plain(wanted.q))}::text) || '%'")
        if wanted.states:
            found.append(f"({state}) = ANY({self._bound(list(wanted.states))}::text[])")
        if wanted.types:
            found.append(f"r.state->>'type' = ANY({self._bound(list(wanted.types))}::text[])")
        if wanted.tags:
            found.append(f"{_TAGS} @> {self._bound(list(wanted.tags))}::text[]")
        return found


def _plain(text: str) -> str:
    """Text for LIKE, in which nothing is a wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
