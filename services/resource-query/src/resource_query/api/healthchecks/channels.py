"""Channels, which Healthchecks calls integrations: contract B10, healthchecks-v1-2022.txt line 836."""

from fastapi import Request, Response

from pinghome_common.dialects.healthchecks import Router, answer, authorize
from pinghome_common.dialects.healthchecks_documents import channel, shows
from resource_query.api.healthchecks.dependencies import heartbeats_of

routes = Router()

CHANNEL = {"id": "4ec5a071-2d08-4baa-898a-eb4eb3cd6941", "name": "My Work Email", "kind": "email"}


@routes.get("/channels/", responses=shows({"channels": [CHANNEL]}))
async def collection(request: Request) -> Response:
    """The project's channels; needs a read-write key (B10)."""
    caller = authorize(request)
    async with heartbeats_of(request, caller) as heartbeats:
        return answer(request, {"channels": [channel(it) for it in await heartbeats.channels()]})
