"""Records of channels: our extension (contract F)."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Response

from pinghome_common.dialects import pinghome_alerts as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import listed, shows
from pinghome_common.dialects.pinghome_fields import Id, Paged, listing
from resource_query.api.pinghome.dependencies import Reading
from resource_query.api.pinghome.filters import sorted_by
from resource_query.lists import Wanted

routes = Router(tags=["Channels"])


@routes.get("/v1/channels", responses=listed(documents.CHANNEL))
async def collection(
    page: Paged,
    read: Reading,
    wanted: Annotated[Wanted, sorted_by("channel")],
    service_id: Annotated[Id | None, Query(description="only channels of this service")] = None,
) -> Response:
    """The organisation's channels, oldest first, paginated (our extension)."""
    wanted = replace(wanted, services=[service_id] if service_id else [])
    rows = [documents.channel(it) for it in await read.channels(wanted, page.limit, page.offset)]
    return answer(listing(rows, page, await read.count("channel", wanted)))


@routes.get("/v1/channel/{id}", responses=shows(documents.CHANNEL))
async def one(id: Id, read: Reading) -> Response:  # noqa: A002  # the document's word
    """A channel; its secrets are masked (our extension)."""
    it, version = await read.channel(id)
    return answer(documents.channel(it), version=version)
