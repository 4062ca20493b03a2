"""What people do with single maintenance: the rules, the rows, and who is told; the page is locked before."""

from typing import Any

from uuid_utils.compat import uuid7

from pinghome_common.events.incident import Maintenance, MaintenanceStatus
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Row
from statuspage_cmd.command import Command
from statuspage_cmd.maintenance import maintenance as rules
from statuspage_cmd.subscriptions import announce

_TOLD = {MaintenanceStatus.scheduled: "scheduled", MaintenanceStatus.in_progress: "started"}


async def plan(command: Command, page: StatusPage, settings: dict[str, Any], *, past: bool = False) -> Row[Maintenance]:
    """Announces a maintenance; of one that is over already nobody is told.

    Raises:
        Invalid: as `maintenance.create`, or the page has too many.
    """
    state = rules.create(uuid7(), page, settings, command.author, command.now, past=past)
    await command.maintenances.check_limit(page.id)
    row = await command.maintenances.add(state)
    if what := _TOLD.get(state.status):
        await announce.maintenance(command.tx, page, state, what)
    return row


async def edit(command: Command, page: StatusPage, row: Row[Maintenance], settings: dict[str, Any]) -> None:
    """Changes a maintenance.

    Raises:
        Invalid, Conflict: as `maintenance.edit`.
    """
    row.state = rules.edit(row.state, page, settings, command.now)
    await command.maintenances.save(row)
    await announce.maintenance(command.tx, page, row.state, "edited")
