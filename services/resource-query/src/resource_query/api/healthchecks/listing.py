"""Lists of checks; settings are rendered once per version, so that a list costs little more than its rows."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Request

from pinghome_common.dialects.healthchecks_documents import RenderedSettings, render_settings
from pinghome_common.events.heartbeat import RuntimeState, Status, due
from resource_query.service_heartbeats import ServiceHeartbeats

MAX_CACHED = 50_000
"""Checks whose rendered settings are kept in memory; above that, the cache is emptied."""

Cache = dict[UUID, tuple[int, RenderedSettings]]
"""The rendered settings of checks, with their versions."""


CheckArguments = tuple[RenderedSettings, str, int | None, int | None, int | None, float | None, int]
"""The arguments of `CheckRenderer.check`."""


async def list_checks(
    request: Request, heartbeats: ServiceHeartbeats, tags: Sequence[str] = (), slug: str | None = None
) -> list[CheckArguments]:
    """Checks that have all of `tags`, and the slug if there is one, oldest first."""
    cache: Cache = request.app.state.rendered_settings
    rows = await heartbeats.rows(tags, slug)
    stale = [row["id"] for row in rows if cache.get(row["id"], _NONE)[0] != row["version"]]
    if len(cache) + len(stale) > MAX_CACHED:
        cache.clear()
        stale = [row["id"] for row in rows]
    if stale:
        cache |= {it.id: (version, render_settings(it)) for version, it in await heartbeats.states(stale)}
    # With a schedule the deadline tells when a check is due, except during a run, which has a deadline of its own.
    running = [row["id"] for row in rows if row["last_start"] is not None and row["status"] == "up"]
    states = {it.id: it for _, it in await heartbeats.states(running)} if running else {}
    found: list[CheckArguments] = []
    for id_, _, stored, deadline, last_ping, last_start, last_duration, n_pings in rows:
        if (entry := cache.get(id_)) is None:  # deleted between the two queries
            continue
        settings, expected = entry[1], None
        if stored == "up":
            if settings.period is not None and last_ping is not None:
                expected = last_ping + settings.period
            elif id_ in states:
                expected = due(states[id_], RuntimeState(status=Status.up, last_ping=last_ping))
            elif deadline is not None:
                expected = deadline - settings.grace
        found.append((settings, stored, expected, last_ping, last_start, last_duration, n_pings))
    return found


_NONE = (0, None)
