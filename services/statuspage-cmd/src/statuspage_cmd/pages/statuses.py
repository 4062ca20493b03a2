"""What the components of a page show now, as the transaction that asks sees it."""

from collections import defaultdict
from uuid import UUID

from pinghome_common.db import Connection
from pinghome_common.events.statuspage import ComponentStatus, StatusPage
from pinghome_common.events.statuspage import statuses as shown_statuses


async def statuses(tx: Connection, page: StatusPage) -> dict[UUID, ComponentStatus]:
    """What each component shows; what is followed and not the page's organisation's is unknown."""
    followed = {row["id"]: ComponentStatus(row["status"]) for row in await tx.fetch(
        "SELECT id, status FROM followed WHERE id = ANY($1::uuid[]) AND organisation = $2",
        [each.resource_id for each in page.components if each.resource_id], page.organisation,
    )}  # fmt: skip
    given = defaultdict(list)
    for row in await tx.fetch(_GIVEN, page.id):
        if row["status"] != ComponentStatus.operational:  # an incident hides no outage
            given[row["component"]].append(ComponentStatus(row["status"]))
    maintained = {row["component"] for row in await tx.fetch(_MAINTAINED, page.id)}
    return shown_statuses(page, followed, given, maintained)


# What nobody reported gives components no status: they show what they follow.
_GIVEN = """
SELECT (c->>'component')::uuid AS component, c->>'status' AS status
FROM incident i, jsonb_array_elements(i.state->'components') c
WHERE i.page = $1 AND i.open AND coalesce((
    SELECT u.state->>'reported_by' FROM incident_update u WHERE u.incident = i.id ORDER BY u.id DESC LIMIT 1
), i.state->>'reported_by') <> ''
"""

_MAINTAINED = """
SELECT jsonb_array_elements_text(state->'components')::uuid AS component FROM maintenance
WHERE page = $1 AND due IS NOT NULL AND state->>'status' = 'in_progress'
"""
