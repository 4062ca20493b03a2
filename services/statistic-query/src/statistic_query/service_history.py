"""The worst state of each service in each of 90 spans of time."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pinghome_common.db import Database

SPANS = 90
STATES = ("paused", "pending", "up", "maintenance", "unknown", "down")
"""Each is worse than those before it: that one monitor is paused, or has just been made, says nothing of the others."""


def begin(at: datetime, hours: int) -> tuple[datetime, timedelta]:
    """The start of the first span and their length, if `at` is in the last one; days begin at midnight (UTC)."""
    length = timedelta(hours=hours) / SPANS
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - epoch) % length - length * (SPANS - 1), length


async def read(db: Database, organisation: UUID, first: datetime, length: timedelta) -> dict[UUID, list[str | None]]:
    """By service that has anything, the worst state in each span; None where nothing is known."""
    found: dict[UUID, list[int]] = defaultdict(lambda: [0] * SPANS)
    for service, since, until, rank in await db.fetch(_WORST, organisation, first, length.total_seconds()):
        ranks = found[service]
        for span in range(since, until):
            ranks[span] = max(ranks[span], rank)
    return {service: [STATES[rank - 1] if rank else None for rank in ranks] for service, ranks in found.items()}


# A state goes on until the span of the next change. Equal stretches of a service, which most are, are one row.
_WORST = f"""
WITH ranked AS (
    SELECT m.service, m.id, extract(epoch FROM c.at)::float8 AS at, c.version,
        array_position(ARRAY{list(STATES)}, c.status) AS rank
    FROM monitor m CROSS JOIN LATERAL (
        SELECT at, version, status FROM state_change WHERE resource = m.id AND at >= $2
        UNION ALL
        SELECT at, version, CASE WHEN up THEN 'up' ELSE 'down' END FROM flip WHERE heartbeat = m.id AND at >= $2
        UNION ALL
        (SELECT at, version, status FROM (
            (SELECT at, version, status FROM state_change WHERE resource = m.id AND at < $2
            ORDER BY at DESC, version DESC LIMIT 1)
            UNION ALL
            (SELECT at, version, CASE WHEN up THEN 'up' ELSE 'down' END FROM flip
            WHERE heartbeat = m.id AND m.noun = 'heartbeat' AND at < $2 ORDER BY at DESC, version DESC LIMIT 1)
        ) before ORDER BY at DESC, version DESC LIMIT 1)
    ) c WHERE m.organisation = $1 AND m.service IS NOT NULL
),
by_span AS (
    SELECT service, id, greatest(floor((at - extract(epoch FROM $2)::float8) / $3), -1)::int AS span,
        max(rank) AS worst, (max(ARRAY[at, version, rank]))[3]::int AS last
    FROM ranked WHERE rank IS NOT NULL GROUP BY 1, 2, 3
),
stretch AS (
    SELECT service, span AS since, span + 1 AS until, worst AS rank FROM by_span WHERE span >= 0
    UNION ALL
    SELECT service, span + 1, coalesce(lead(span) OVER (PARTITION BY id ORDER BY span) + 1, {SPANS}), last FROM by_span
)
SELECT service, since, until, max(rank) FROM stretch GROUP BY 1, 2, 3
"""  # noqa: S608  # our own words
