"""Commands on checks: contract B4 to B7 and B13, healthchecks-v1-2022.txt lines 262 to 700."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import Request, Response

from pinghome_common.clock import micros
from pinghome_common.command import carry_out
from pinghome_common.dialects.healthchecks import (
    DialectError,
    Router,
    answer,
    authorize,
    identified,
    plain,
    sent,
    version_of,
)
from pinghome_common.dialects.healthchecks_documents import CHECK, renderer, shows
from pinghome_common.dialects.problems import Responses
from pinghome_common.directory import Caller
from pinghome_common.events.heartbeat import Heartbeat, Status
from pinghome_common.store import NotPermitted, Row
from resource_cmd.api.healthchecks import check_body
from resource_cmd.command import Command
from resource_cmd.heartbeats import heartbeat

routes = Router()

BODY = {
    "requestBody": {
        "content": {"application/json": {"example": {"name": "Backups", "tags": "prod www", "timeout": 3600}}}
    }
}

NOT_PAUSED: Responses = {
    409: {"description": "it is not paused", "content": {"text/plain": {"example": "check is not paused"}}}
}


@asynccontextmanager
async def _carrying_out(request: Request, caller: Caller, *, new: bool = False) -> AsyncIterator[Command]:
    """A command, after every ping that was answered before it: a pause must not be ended by one of them.

    `new`: it is on a check that had none.
    """
    if not new:
        await request.app.state.evaluated.reached(request.app.state.name, "TELEMETRY")
    async with carry_out(request, caller, Command) as command:
        yield command


async def _shown(request: Request, command: Command, it: Heartbeat, status: int = 200) -> Response:
    told = await command.in_service.default_channels() if it.channels is None else []
    return answer(request, renderer(request, command.caller, micros(command.now), told).whole(it), status)


@routes.post("/checks/", status_code=201, responses=shows(CHECK) | shows(CHECK, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Creates a check, or updates the oldest one that shares what `unique` lists (B4)."""
    document = await sent(request)
    caller = authorize(request, document)
    wanted = check_body.read(document, version_of(request))
    most = request.app.state.settings.checks_limit
    if wanted.same is None and wanted.channels is None:
        with suppress(NotPermitted):  # near the limit, which only a transaction can keep exactly
            async with carry_out(request, caller, Command, in_transaction=False) as command:
                made = await command.in_service.create(wanted.settings, most=most)
                return await _shown(request, command, made.state, 201)
    async with _carrying_out(request, caller, new=not wanted.same) as command:
        if wanted.same:
            await command.in_service.alone(wanted.same)  # of two at once the second finds what the first has made
            if row := await command.in_service.like(wanted.same):
                return await _change(request, command, row, wanted)
        if not await command.in_service.has_room(most):
            raise DialectError(403)
        if wanted.channels is not None:
            wanted.settings["channels"] = check_body.assigned(wanted.channels, await command.in_service.assignable())
        made = await command.in_service.create(wanted.settings)
        return await _shown(request, command, made.state, 201)


@routes.post("/checks/{id}", responses=shows(CHECK), openapi_extra=BODY)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent (B5)."""
    id_, document = identified(id), await sent(request)
    async with _carrying_out(request, authorize(request, document)) as command:
        row = await command.in_service.mine(id_)
        return await _change(request, command, row, check_body.read(document, version_of(request)))


async def _change(request: Request, command: Command, row: Row[Heartbeat], wanted: check_body.CheckBody) -> Response:
    settings = wanted.of(row.state)
    if wanted.channels is not None:
        channels = check_body.assigned(wanted.channels, await command.in_service.assignable())
        settings |= {"channels": channels} if channels != row.state.channels else {}
    if settings:
        row.state = heartbeat.edit(row.state, settings, command.now)
        await command.in_service.save(row)
    return await _shown(request, command, row.state)


@routes.post("/checks/{id}/pause", responses=shows(CHECK | {"status": "paused"}))
async def pause(request: Request, id: str) -> Response:  # noqa: A002
    """Pauses a check; the next ping ends that, unless it has `manual_resume` (B6)."""
    id_, document = identified(id), await sent(request)
    async with _carrying_out(request, authorize(request, document)) as command:
        row = await command.in_service.mine(id_)
        if row.state.vitals.status is not Status.paused or row.state.vitals.last_start is not None:
            row.state = heartbeat.halt(row.state, Status.paused, row.version + 1, command.now)
            await command.in_service.save(row)
        return await _shown(request, command, row.state)


@routes.post("/checks/{id}/resume", responses=shows(CHECK) | NOT_PAUSED)
async def resume(request: Request, id: str) -> Response:  # noqa: A002
    """Ends a pause: the check is as new (B13)."""
    id_, document = identified(id), await sent(request)
    async with _carrying_out(request, authorize(request, document)) as command:
        row = await command.in_service.mine(id_)
        if row.state.vitals.status is not Status.paused:
            return plain(request, "check is not paused", 409)
        row.state = heartbeat.halt(row.state, Status.new, row.version + 1, command.now)
        await command.in_service.save(row)
        return await _shown(request, command, row.state)


@routes.delete("/checks/{id}", responses=shows(CHECK))
async def delete(request: Request, id: str) -> Response:  # noqa: A002
    """Deletes a check and shows it as it was (B7)."""
    id_ = identified(id)
    async with _carrying_out(request, authorize(request)) as command:
        row = await command.in_service.mine(id_)
        await command.in_service.remove(row)
        return await _shown(request, command, row.state)
