"""Regions and what their probers say of themselves; they are the platform's, and the same for every organisation."""

from dataclasses import dataclass, field
from typing import Any

from pinghome_common.clock import micros, now
from pinghome_common.db import Connection, Database
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.items import Item

KEPT = 86_400 * MICRO
"""Microseconds after which a prober that says nothing is no longer shown."""


@dataclass(slots=True)
class Shown:
    """A region and its probers, each a row of the table."""

    name: str
    probers: list[Any] = field(default_factory=list)


async def store(tx: Connection, items: list[Item]) -> None:
    """Keeps the newest sign of life of each prober; `heard_at` is when the broker received it (UNIX microseconds)."""
    newest = {(item.sender, item.value.name): item for item in items}
    for (region, name), item in sorted(newest.items()):
        await tx.execute(_HEARD, region, name[:100], item.value.version[:100], item.value.monitors, item.at)
    if newest:
        await tx.execute("DELETE FROM prober WHERE heard_at < $1", max(it.at for it in newest.values()) - KEPT)


async def read(db: Database) -> list[Shown]:
    """All regions by name, with the probers that were heard in the last day."""
    found = {row["name"]: Shown(row["name"]) for row in await db.fetch(_REGIONS)}
    for row in await db.fetch("SELECT * FROM prober WHERE heard_at > $1 ORDER BY region, name", micros(now()) - KEPT):
        if row["region"] in found:
            found[row["region"]].probers.append(row)
    return list(found.values())


_HEARD = """
INSERT INTO prober VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (region, name) DO UPDATE SET version = $3, monitors = $4, heard_at = greatest(prober.heard_at, $5)
"""

_REGIONS = "SELECT state->>'name' AS name FROM region WHERE NOT (state->>'removed')::bool ORDER BY 1"
