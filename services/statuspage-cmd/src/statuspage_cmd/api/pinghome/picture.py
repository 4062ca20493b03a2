"""Uploads of a page's logo and icon: our extension (contract H)."""

from hashlib import sha256
from typing import Any
from uuid import uuid5

from fastapi import Request, Response

from pinghome_common.dialects import pinghome_pages as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import DomainError, FieldError, Invalid
from pinghome_common.events.statuspage import Picture
from statuspage_cmd.api.pinghome.command import Commanded, PageCommand
from statuspage_cmd.pages import page
from statuspage_cmd.pages.picture import LARGEST, png

routes = Router(tags=["Status pages"], bare=True)

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp", "image/gif")
        },
    }
}


class TooLarge(DomainError):
    """A body that is larger than may be."""

    status = 413


@routes.put("/v1/statuspage/{id}/logo", responses=documents.made("updated"), openapi_extra=_BODY)
async def set_logo(id: Id, command: Commanded, request: Request) -> Response:  # noqa: A002
    """Uploads the page's logo, a picture of at most 2 MiB (our extension)."""
    return await _set("logo", id, command, request)


@routes.put("/v1/statuspage/{id}/favicon", responses=documents.made("updated"), openapi_extra=_BODY)
async def set_favicon(id: Id, command: Commanded, request: Request) -> Response:  # noqa: A002
    """Uploads the page's icon, a picture of at most 2 MiB (our extension)."""
    return await _set("favicon", id, command, request)


async def _set(kind: str, id_: Id, command: PageCommand, request: Request) -> Response:
    row = await command.pages.edit(id_, command.wanted)
    drawn = await png(await _body(request), kind)
    name = sha256(drawn).hexdigest()[:32]
    picture = Picture(
        id=uuid5(id_, kind), organisation=row.state.organisation, page=id_, name=name, png=drawn, created_at=command.now
    )
    if before := await command.pictures.edit_many([picture.id]):
        before[0].state = picture
        await command.pictures.save(before[0])
    else:
        await command.pictures.add(picture)
    path = f"org/{row.state.organisation}/images/{name}.png"
    row.state = page.edit(row.state, {kind: path}, command.now)
    await command.pages.save(row)
    answer = {"message": "Status page updated", "statuspage": documents.unified(row.state, {}), "id": id_}
    return command.answer(answer, version=row.version)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LARGEST:
            raise TooLarge(f"A picture may have at most {LARGEST} bytes.")
    if not found:
        raise Invalid(FieldError("body", "must be a picture: PNG, JPEG, WebP or GIF"))
    return bytes(found)
