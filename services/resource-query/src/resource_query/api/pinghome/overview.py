"""What an organisation's things show, at a glance: contract K, our extension."""

from typing import Any

from fastapi import Depends, Request, Response

from pinghome_common.dialects.pinghome import Authorized, Router, answer
from pinghome_common.dialects.pinghome_documents import moment_of, shows
from resource_query import overview
from resource_query.api.pinghome.dependencies import telemetry_applied

routes = Router(tags=["Overview"], dependencies=[Depends(telemetry_applied)])

OVERVIEW = {
    "counts": {
        "resource": {"pending": 0, "up": 311, "down": 1, "unknown": 0, "paused": 4, "maintenance": 2},
        "heartbeat": {"pending": 0, "up": 52, "running": 1, "down": 0, "paused": 1},
        "server-resource": {"pending": 0, "up": 20, "down": 0, "unknown": 0, "paused": 0},
    },
    "down": [
        {
            "noun": "resource",
            "id": "906a3444-15ce-4410-8041-89a238e9e91f",
            "name": "Shop",
            "since": "2026-11-21T21:50:15Z",
            "reason": "answered 503 Service Unavailable",
        }
    ],
}


@routes.get("/v1/overview", responses=shows(OVERVIEW))
async def one(request: Request, caller: Authorized) -> Response:
    """How many monitors, heartbeats and servers show which state, and the first 100 that are down (our extension).

    Those that have been down longest come first. A heartbeat whose run did not end in time counts as down at most five
    seconds later.
    """
    it = await overview.read(request.app.state.db, caller.organisation)
    down: list[dict[str, Any]] = [
        {
            "noun": row["noun"].replace("_", "-"),
            "id": row["id"],
            "name": row["name"],
            "since": moment_of(row["since"]),
            "reason": row["reason"],
        }
        for row in it.down
    ]
    return answer({"counts": {noun.replace("_", "-"): of for noun, of in it.counts.items()}, "down": down})
