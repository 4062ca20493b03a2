"""Monitors of status pages' metrics: resource-cmd adopts them by the pages' events, once each (contract I)."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.events.page_metric import Metric
from pinghome_common.events.resource import MANAGED_BY_PAGES
from pinghome_common.events.service import Service
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.items import Item
from pinghome_common.store import Actor, no_wait
from resource_cmd.accounts.store import Services
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

NOUNS = ("statuspage", "metric")

ACTOR = Actor("pages")


async def hear(tx: Connection, items: list[Item]) -> None:
    """Makes, changes or deletes the monitors of some metrics, and the services of their pages."""
    for item in items:
        event: Envelope = item.value
        if event.noun == "metric":
            await _metric(tx, event)
        elif event.noun == "statuspage":
            await _page(tx, event)


async def _metric(tx: Connection, event: Envelope) -> None:
    it = msgspec.json.decode(event.data, type=Metric)
    if not await tx.fetchval(_HEARD, it.id, event.version):
        return  # the broker tells older events again
    resources = Resources(tx, ACTOR, no_wait, now())
    rows = await resources.edit_many([it.id])
    if event.deleted or not it.url:
        for row in rows:
            await resources.orphan([it.id])
            await resources.remove(row)
    else:
        service = await _service(tx, it)
        settings = {"name": it.name, "url": it.url, "interval": it.frequency, "regions": it.regions}
        for row in rows:
            row.state = resource.edit(row.state, settings, resources.now)
            await resources.save(row)
        if not rows:
            own: dict[str, Any] = {
                "type": "http",
                "service_id": service,
                "channels": [],
                "managed_by": MANAGED_BY_PAGES,
            }
            # One that has had no URL for a while goes on counting its versions.
            version = 1 + (await tx.fetchval(_LAST, it.id) or 0)
            made = resource.create(it.id, it.organisation, own | settings, resources.now, version)
            await resources.add(made, version=version)
    await resources.reschedule([it.id])


async def _service(tx: Connection, it: Metric) -> UUID:
    """The service of a page's monitors, which is made once; somebody may have deleted it."""
    id_ = service_of(it.page)
    if not await tx.fetchval(_LAST, id_):
        services = Services(tx, ACTOR, no_wait, now())
        await services.add(
            Service(
                id=id_, organisation=it.organisation, name=f"Status page {it.page_name}", created_at=services.now,
                updated_at=services.now,
            )
        )  # fmt: skip
    return id_


async def _page(tx: Connection, event: Envelope) -> None:
    services = Services(tx, ACTOR, no_wait, now())
    for row in await services.edit_many([service_of(event.subject)]):
        name = f"Status page {msgspec.json.decode(event.data, type=StatusPage).name}"
        if event.deleted:
            await services.remove(row)
        elif row.state.name != name:
            row.state = replace(row.state, name=name, updated_at=services.now)
            await services.save(row)


def service_of(page: UUID) -> UUID:
    """The id of the service in which the monitors of a page's metrics are."""
    return uuid5(page, "service")


_HEARD = """
INSERT INTO page_metric AS old VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET version = $2 WHERE old.version < $2
RETURNING true
"""
_LAST = "SELECT max(version) FROM events WHERE aggregate = $1"
