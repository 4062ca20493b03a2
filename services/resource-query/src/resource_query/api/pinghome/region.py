"""Regions and their probers: our extension (contract J)."""

from typing import Any

from fastapi import Request, Response

from pinghome_common.clock import micros, now
from pinghome_common.dialects.pinghome import Authorized, Router, answer
from pinghome_common.dialects.pinghome_documents import moment_of, shows
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import PROBER_PATIENCE
from resource_query import regions

routes = Router(tags=["Regions"])

REGIONS = {
    "data": [
        {
            "region": "eu-central-1",
            "last_heard_at": "2026-11-20T10:00:08.125Z",
            "probers": [
                {
                    "name": "prober-1f6c9a0b7d2e",
                    "version": "0.1.0",
                    "state": "up",
                    "monitors": 312,
                    "last_heard_at": "2026-11-20T10:00:08.125Z",
                }
            ],
        }
    ]
}


@routes.get("/v1/regions", responses=shows(REGIONS))
async def collection(request: Request, _: Authorized) -> Response:
    """The regions that monitors may name, by name, with the probers heard in the last day (our extension).

    Regions are the platform's: every organisation sees the same. A prober says every ten seconds that it lives; its
    state is `silent` after thirty seconds without a word. `monitors` are those of the schedule that it holds.
    """
    at = micros(now())
    return answer({"data": [document(it, at) for it in await regions.read(request.app.state.db)]})


def document(it: regions.Shown, at: int) -> dict[str, Any]:
    """A region with its probers; `at` is now (UNIX microseconds)."""
    return {
        "region": it.name,
        "last_heard_at": moment_of(max((row["heard_at"] for row in it.probers), default=None)),
        "probers": [
            {
                "name": row["name"],
                "version": row["version"],
                "state": "up" if at - row["heard_at"] <= PROBER_PATIENCE * MICRO else "silent",
                "monitors": row["monitors"],
                "last_heard_at": moment_of(row["heard_at"]),
            }
            for row in it.probers
        ],
    }
