"""Commands on status pages: contract A46 to A49 and H, pinghome-statuspages.txt lines 233 to 506."""

from urllib.parse import urlsplit

from fastapi import Request, Response
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_pages as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import gone
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.api.pinghome.command import Commanded, PageCommand
from statuspage_cmd.api.pinghome.page_body import CreatePage, Enabled, UpdatePage
from statuspage_cmd.pages import page, subdomain
from statuspage_cmd.pages.password import hashed

routes = Router(tags=["Status pages"], bare=True)


@routes.post("/v1/statuspage", status_code=201, responses=documents.made("created", 201))
async def create(body: CreatePage, command: Commanded, request: Request) -> Response:
    """Creates a status page with its components (A46)."""
    state = page.create(uuid7(), command.caller.organisation, body.sent(), command.now)
    _name_domain(state, request)
    state = page.arrange(state, *body.arrangement(), command.now, command.settings.components_limit)
    hash_ = await hashed(body.password) if _keeps_password(state, body.password) else None
    state.password_version = 1 if hash_ else 0
    _check_private(state)
    await command.pages.check_count(command.settings.pages_limit, "subdomain")
    await command.pages.claim(state, command.settings.domains_per_day)
    row = await command.pages.add(state)
    await command.pages.set_password(state.id, hash_)
    answer = {"message": "Status page created", "statuspage": documents.unified(state, {}), "id": state.id}
    return command.answer(answer, 201, row.version)


@routes.put("/v1/statuspage/{id}", responses=documents.made("updated"))
async def update(id: Id, body: UpdatePage, command: Commanded, request: Request) -> Response:  # noqa: A002
    """Changes the settings that are sent; the password only with `update_password` (A47)."""
    row = await command.pages.edit(id, command.wanted)
    before = {each.id for each in row.state.components}
    row.state = page.edit(row.state, body.sent(), command.now)
    _name_domain(row.state, request)
    row.state = page.arrange(row.state, *body.arrangement(), command.now, command.settings.components_limit)
    if row.state.type == "public":
        await _set_password(command, row.state, "")
    elif body.update_password:
        await _set_password(command, row.state, body.password)
    _check_private(row.state)
    await command.pages.claim(row.state, command.settings.domains_per_day)
    await command.pages.save(row)
    if dropped := before - {each.id for each in row.state.components}:
        for store in (command.incidents, command.templates, command.maintenances, command.recurrences):
            await store.drop(id, dropped)
        await command.metrics.drop(id, dropped)
        await command.custom_metrics.drop(id, dropped)
    answer = {"message": "Status page updated", "statuspage": documents.unified(row.state, {}), "id": id}
    return command.answer(answer, version=row.version)


@routes.put("/v1/statuspage/{id}/status", responses=documents.made("updated"))
async def set_status(id: Id, body: Enabled, command: Commanded) -> Response:  # noqa: A002
    """Shows a page, or hides it with all that belongs to it (A49)."""
    row = await command.pages.edit(id, command.wanted)
    row.state = page.edit(row.state, {"enabled": body.enabled}, command.now)
    await command.pages.save(row)
    answer = {"message": "Status page updated", "statuspage": documents.unified(row.state, {}), "id": id}
    return command.answer(answer, version=row.version)


@routes.delete("/v1/statuspage/{id}", responses=gone("status page"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a page with its components, metrics and subscriptions (A48)."""
    row = await command.pages.edit(id, command.wanted)
    await command.subscriptions.leave(id)
    await command.metrics.leave(id)
    await command.custom_metrics.leave(id)
    await command.pages.remove(row)
    return command.answer({"message": "Status page deleted", "id": id})


def _name_domain(it: StatusPage, request: Request) -> None:
    settings = request.app.state.settings
    platform = urlsplit(settings.public_url).hostname or ""
    it.domain = subdomain.domain(it.domain, platform, settings.status_domain)


def _keeps_password(it: StatusPage, password: str) -> bool:
    """A public page has none, whatever is sent."""
    return it.type == "private" and bool(password)


async def _set_password(command: PageCommand, it: StatusPage, password: str) -> None:
    hash_ = await hashed(password) if password else None
    if hash_ or it.password_version:
        await command.pages.set_password(it.id, hash_)
        it.password_version = it.password_version + 1 if hash_ else 0


def _check_private(it: StatusPage) -> None:
    if it.type == "private" and not it.password_version and not it.ip_addresses:
        raise Invalid(FieldError("password", "a private page needs a password or ip_addresses"))
