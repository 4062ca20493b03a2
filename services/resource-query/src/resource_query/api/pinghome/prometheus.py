"""What is known of a service now, for Prometheus to scrape (contract G, ours)."""

import asyncio

from fastapi import Depends, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import NotFound
from resource_query.api.pinghome.dependencies import Reading, telemetry_applied
from resource_query.lists import Wanted
from resource_query.series import SERIES, write

routes = Router(tags=["Services"], dependencies=[Depends(telemetry_applied)])

EXAMPLE = """\
# HELP pinghome_server_up whether the server is up (1) or down (0); absent in other states
# TYPE pinghome_server_up gauge
pinghome_server_up{id="445a5c1f-c0eb-403a-96d7-3976e5dc74ed",name="web-1",type="server"} 1.0
"""


@routes.get(
    "/v1/service/{id}/metrics.prom",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": EXAMPLE}}}},
)
async def metrics(id: Id, read: Reading) -> Response:  # noqa: A002  # as everywhere
    """States of a service's monitors, heartbeats and servers, and servers' newest figures, for Prometheus (ours).

    At most 10,000 series, states first. Prometheus sends a token of PingHome's as its `authorization`.
    """
    if not await read.has(id):
        raise NotFound("Service not found")
    own = Wanted(services=[id])
    monitors = await read.resources(own, SERIES, 0)
    heartbeats = await read.heartbeats(own, SERIES, 0)
    servers = await read.servers(own, SERIES, 0)
    text = await asyncio.to_thread(write, monitors, heartbeats, servers)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
