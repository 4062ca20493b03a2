"""What people do with incidents: the rules, the rows, and who is told; the page is locked before."""

from typing import Any

from uuid_utils.compat import uuid7

from pinghome_common.events.incident import Incident, IncidentUpdate
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Row
from statuspage_cmd.command import Command
from statuspage_cmd.incidents import incident as rules
from statuspage_cmd.subscriptions import announce


async def open_(command: Command, page: StatusPage, settings: dict[str, Any]) -> Row[Incident]:
    """Opens an incident.

    Raises:
        Invalid: as `incident.create`, or the page has too many.
    """
    state = rules.create(uuid7(), page, settings, command.author, command.now)
    await command.incidents.check_limit(page.id)
    row = await command.incidents.add(state)
    await announce.incident(command.tx, page, state, None, "published")
    return row


async def edit(
    command: Command, page: StatusPage, row: Row[Incident], settings: dict[str, Any], *, notify: bool
) -> None:
    """Changes an incident; another status, or other components, make an update without a message.

    Args:
        command: the command.
        page: the incident's page.
        row: the incident.
        settings: what is to change.
        notify: whether subscribers are told of such an update.

    Raises:
        Invalid: as `incident.edit` and `write`.
    """
    changed = rules.changes(row.state, settings)
    row.state = rules.edit(row.state, settings, command.now)
    if changed:
        await write(command, page, row, changed | {"notify": notify, "silent": "status" not in changed})
        return
    if settings:
        await announce.incident(command.tx, page, row.state, None, "edited")
    await command.incidents.save(row)


async def write(command: Command, page: StatusPage, row: Row[Incident], settings: dict[str, Any]) -> IncidentUpdate:
    """Writes an update of a person, which ends the automatism.

    Raises:
        Invalid: as `incident.update`, or the incident has too many.
    """
    await command.updates.check_updates(row.state.id, command.settings.updates_limit)
    written = rules.update(uuid7(), row.state, page, settings, command.author, command.now)
    await command.updates.add(written)
    row.state.automatic = False
    row.state = rules.settle(row.state, written, page, command.now)
    await announce.incident(command.tx, page, row.state, written, "published")
    await command.incidents.save(row)
    return written


async def correct(
    command: Command, page: StatusPage, row: Row[Incident], changed: Row[IncidentUpdate], settings: dict[str, Any]
) -> None:
    """Corrects an update, from its own time on.

    Raises:
        Invalid: as `incident.edit_update`.
    """
    changed.state = rules.edit_update(changed.state, page, settings, command.now)
    await command.updates.save(changed)
    await _settle(command, page, row)
    await announce.incident(command.tx, page, row.state, changed.state, "edited")


async def take_back(command: Command, page: StatusPage, row: Row[Incident], update: Row[IncidentUpdate]) -> None:
    """Deletes an update; without the newest one the incident is as it was before."""
    await command.updates.remove(update)
    await _settle(command, page, row)


async def _settle(command: Command, page: StatusPage, row: Row[Incident]) -> None:
    """The incident as its updates say, after one has changed: silent ones follow those before them."""
    status, newest = row.state.opened_as, None
    for each in await command.updates.all_of(row.state.id):
        if each.state.silent and each.state.status is not status:
            each.state.status = status
            await command.updates.save(each)
        status, newest = each.state.status, each.state
    row.state.automatic = False
    row.state = rules.settle(row.state, newest, page, command.now)
    await command.incidents.save(row)
