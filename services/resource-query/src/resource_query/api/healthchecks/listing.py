"""Many checks at once: their settings are rendered once for each change, so a list costs little more than its rows."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from fastapi import Request

from pinghome_common.dialects.healthchecks_documents import Settled, settled
from pinghome_common.events.heartbeat import Status, Vitals, due
from resource_query.checks import Checks

MOST = 50_000
"""Checks whose settings are kept in memory; with more, all are made anew."""

Kept = dict[UUID, tuple[int, Settled]]
"""The settings of checks as they are sent, and the versions that they are of."""


class Line(NamedTuple):
    """One check of a list: the arguments of `View.check`."""

    id: UUID
    own: Settled
    stored: str
    expected: int | None
    last_ping: int | None
    last_start: int | None
    last_duration: float | None
    n_pings: int


async def lines(request: Request, checks: Checks, tags: Sequence[str] = (), slug: str | None = None) -> list[Line]:
    """Checks with all of some tags, and with a slug, oldest first."""
    kept: Kept = request.app.state.kept
    rows = await checks.listed(tags, slug)
    stale = [row["id"] for row in rows if kept.get(row["id"], _NONE)[0] != row["version"]]
    if len(kept) + len(stale) > MOST:
        kept.clear()
        stale = [row["id"] for row in rows]
    if stale:
        kept |= {it.id: (version, settled(it)) for version, it in await checks.states(stale)}
    # Of a schedule the deadline tells when a check is due, but while a run is under way: that has one of its own.
    unsure = [
        row["id"]
        for row in rows
        if row["last_start"] is not None and row["status"] == "up" and kept[row["id"]][1].period is None
    ]
    states = {it.id: it for _, it in await checks.states(unsure)} if unsure else {}
    found = []
    for id_, _, stored, deadline, last_ping, last_start, last_duration, n_pings in rows:
        if id_ not in kept:  # it was deleted between the two looks
            continue
        own, expected = kept[id_][1], None
        if stored == "up":
            if own.period is not None and last_ping is not None:
                expected = last_ping + own.period
            elif id_ in states:
                expected = due(states[id_], Vitals(status=Status.up, last_ping=last_ping))
            elif deadline is not None:
                expected = deadline - own.grace
        found.append(Line(id_, own, stored, expected, last_ping, last_start, last_duration, n_pings))
    return found


_NONE = (0, None)
