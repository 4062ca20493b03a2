"""Every operation of healthchecks-v1-2022.txt with the line of its section, and those of the real server beyond."""

from typing import NamedTuple

from contract.openapi import documented

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
    return {
        str(Operation(0, each.method, each.path.removeprefix("/api/v1/"), each.service))
        for each in documented()
        if each.path.startswith("/api/")
    }
