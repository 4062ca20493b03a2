"""How the platform is, for its operator: contract K, our extension."""

from typing import Any

from fastapi import Request, Response

from pinghome_common.clock import micros, now
from pinghome_common.dialects.pinghome import Authorized, Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.problems import problem
from pinghome_common.errors import PermissionDenied, Unavailable
from pinghome_common.health_report import HealthReport
from resource_query import health, regions
from resource_query.api.pinghome.region import REGIONS, document

routes = Router(tags=["Platform"])

HEALTH = {
    "ready": False,
    "services": [
        {
            "name": "resource-cmd",
            "state": "ready",
            "replicas": [
                {
                    "process": "c0ffee:17",
                    "version": "0.1.0",
                    "ready": True,
                    "problems": {},
                    "lag": {"TELEMETRY": 0},
                    "disk": {"free_bytes": 41_000_000_000, "total_bytes": 80_000_000_000},
                }
            ],
        },
        {"name": "statistic-query", "state": "away", "replicas": []},
    ],
    "streams": [{"name": "EVENTS", "messages": 10_210, "bytes": 9_400_120, "max_bytes": None}],
    "regions": REGIONS["data"],
}


@routes.get("/v1/health", responses=shows(HEALTH) | {403: problem("not a token of the operator's that may write")})
async def one(request: Request, caller: Authorized) -> Response:
    """Every process of the platform, its streams and its probers (our extension).

    Only for tokens of the first organisation that may write. Each service is asked: it is `ready`, `not ready` while
    one of its processes is not, or `away` if none has answered within two seconds. `lag` is the number of
    messages that a process has not yet applied, by stream.
    """
    state = request.app.state
    if not state.organisations.operates(caller):
        raise PermissionDenied("Only a token of the platform's first organisation that may write can see this.")
    it = await health.ask(request.app, state.broker)
    services = [
        {"name": name, "state": _state(processes), "replicas": [_replica(each) for each in processes]}
        for name, processes in it.services.items()
    ]
    streams = [
        {
            "name": name,
            "messages": found.get("messages"),
            "bytes": found.get("bytes"),
            "max_bytes": found["max_bytes"] if found.get("max_bytes", -1) > 0 else None,
        }
        for name, found in it.streams.items()
    ]
    at = micros(now())
    try:
        probers = [document(each, at) for each in await regions.read(state.db)]
    except Unavailable:
        probers = []
    ready = all(each["state"] == "ready" for each in services)
    return answer({"ready": ready, "services": services, "streams": streams, "regions": probers})


def _state(processes: list[HealthReport]) -> str:
    if not processes:
        return "away"
    return "not ready" if any(each.problems for each in processes) else "ready"


def _replica(it: HealthReport) -> dict[str, Any]:
    return {
        "process": it.process,
        "version": it.version,
        "ready": not it.problems,
        "problems": it.problems,
        "lag": it.lag,
        "disk": {"free_bytes": it.disk_free, "total_bytes": it.disk_total},
    }
