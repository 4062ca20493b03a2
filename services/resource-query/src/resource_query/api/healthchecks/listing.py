"""Many checks at once: their settings are rendered once for each change, so a list costs little more than its rows."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Request

from pinghome_common.dialects.healthchecks_documents import Settled, settled
from pinghome_common.events.heartbeat import RuntimeState, Status, due
from resource_query.checks import Checks

MOST = 50_000
"""Checks whose settings are kept in memory; with more, all are made anew."""

Rendered = dict[UUID, tuple[int, Settled]]
"""The settings of checks as they are sent, and the versions that they are of."""


Line = tuple[Settled, str, int | None, int | None, int | None, float | None, int]
"""One check of a list: the arguments of `View.check`."""


async def lines(request: Request, checks: Checks, tags: Sequence[str] = (), slug: str | None = None) -> list[Line]:
    """Checks with all of some tags, and with a slug, oldest first."""
    kept: Rendered = request.app.state.kept
    rows = await checks.listed(tags, slug)
    stale = [row[0] for row in rows if kept.get(row[0], _NONE)[0] != row[1]]
    if len(kept) + len(stale) > MOST:
        kept.clear()
        stale = [row["id"] for row in rows]
    if stale:
        kept |= {it.id: (version, settled(it)) for version, it in await checks.states(stale)}
    # Of a schedule the deadline tells when a check is due, but while a run is under way: that has one of its own.
    unsure = [row["id"] for row in rows if row[5] is not None and row[2] == "up"]
    states = {it.id: it for _, it in await checks.states(unsure)} if unsure else {}
    found: list[Line] = []
    for id_, _, stored, deadline, last_ping, last_start, last_duration, n_pings in rows:
        if (entry := kept.get(id_)) is None:  # it was deleted between the two looks
            continue
        own, expected = entry[1], None
        if stored == "up":
            if own.period is not None and last_ping is not None:
                expected = last_ping + own.period
            elif id_ in states:
                expected = due(states[id_], RuntimeState(status=Status.up, last_ping=last_ping))
            elif deadline is not None:
                expected = deadline - own.grace
        found.append((own, stored, expected, last_ping, last_start, last_duration, n_pings))
    return found


_NONE = (0, None)
