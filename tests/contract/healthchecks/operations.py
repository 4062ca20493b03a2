"""Every operation of healthchecks-v1-2022.txt with the line of its section, and those of the real server beyond."""

from importlib import import_module
from typing import NamedTuple

from pinghome.services import SERVICES
from pinghome_common.settings import Settings

COMMANDS, RECORDS, STATISTICS = "resource-cmd", "resource-query", "statistic-query"


class Operation(NamedTuple):
    """One operation below /api/v1; `reading`: a read-only key may, `keyless`: nobody needs one."""

    line: int
    method: str
    path: str
    service: str
    reading: bool = False
    keyless: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.service} {self.path}"


DOCUMENTED = [
    Operation(8, "GET", "checks/", RECORDS, reading=True),
    Operation(9, "GET", "checks/{id}", RECORDS, reading=True),
    Operation(11, "POST", "checks/", COMMANDS),
    Operation(12, "POST", "checks/{id}", COMMANDS),
    Operation(13, "POST", "checks/{id}/pause", COMMANDS),
    Operation(14, "DELETE", "checks/{id}", COMMANDS),
    Operation(16, "GET", "checks/{id}/flips/", STATISTICS, reading=True),
    Operation(18, "GET", "channels/", RECORDS),
    Operation(19, "GET", "badges/", RECORDS, reading=True),
]
PINGS = [
    Operation(15, "GET", "checks/{id}/pings/", STATISTICS),
    Operation(0, "GET", "checks/{id}/pings/{n}/body", STATISTICS),
]
"""Their routes and tests are in files of their own."""
BEYOND = [
    Operation(0, "POST", "checks/{id}/resume", COMMANDS),
    Operation(0, "GET", "status/", RECORDS, keyless=True),
]
OPERATIONS = [*DOCUMENTED, *BEYOND]


def routed() -> set[str]:
    """The routes in the services' own OpenAPI documents."""
    found = set()
    for service, factory in SERVICES.items():
        module, name = factory.split(":")
        application = getattr(import_module(module), name)(Settings(regions=["eu-central-1"], region="eu-central-1"))
        for path, methods in application.openapi()["paths"].items():
            if path.startswith("/api/"):
                bare = path.removeprefix("/api/v1/")
                found |= {str(Operation(0, method.upper(), bare, service)) for method in methods}
    return found
