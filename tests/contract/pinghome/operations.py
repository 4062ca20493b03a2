"""Every operation of pinghome-monitoring.txt, with the line of its example."""

from typing import NamedTuple

from contract.openapi import documented


class Operation(NamedTuple):
    """One operation; `line` is where its example begins."""

    line: int
    method: str
    service: str
    path: str
    public: bool = False

    @property
    def of_agents(self) -> bool:
        """True for those that a server's own token opens; tests of data-gateway are about them."""
        return self.service == GATEWAY and self.path.endswith("/metrics")

    @property
    def endless(self) -> bool:
        """True for event streams; `test_changes` is about them."""
        return self.path.endswith("/changes")

    @property
    def url(self) -> str:
        return f"{self.service}{self.path}"

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


COMMANDS, RECORDS, STATISTICS, GATEWAY = "resource-cmd", "resource-query", "statistic-query", "data-gateway"

DOCUMENTED = [
    Operation(74, "POST", COMMANDS, "/v1/resource"),
    Operation(133, "DELETE", COMMANDS, "/v1/resource"),
    Operation(170, "PUT", COMMANDS, "/v1/resource/{id}/status"),
    Operation(205, "DELETE", COMMANDS, "/v1/resource/{id}"),
    Operation(253, "PUT", COMMANDS, "/v1/resource/{id}"),
    Operation(309, "POST", COMMANDS, "/v1/resource/{id}/tld/reminder"),
    Operation(348, "PUT", COMMANDS, "/v1/resource/{id}/tld/reminder"),
    Operation(383, "DELETE", COMMANDS, "/v1/resource/{id}/tld/reminder"),
    Operation(421, "POST", COMMANDS, "/v1/resource/{id}/ssl/reminder"),
    Operation(460, "PUT", COMMANDS, "/v1/resource/{id}/ssl/reminder"),
    Operation(495, "DELETE", COMMANDS, "/v1/resource/{id}/ssl/reminder"),
    Operation(527, "GET", RECORDS, "/v1/service/{id}/resources"),
    Operation(554, "GET", RECORDS, "/v1/resource/{id}"),
    Operation(581, "GET", RECORDS, "/v1/resource/{id}/regions"),
    Operation(608, "GET", RECORDS, "/v1/resource/{id}/ssl"),
    Operation(635, "GET", RECORDS, "/v1/resource/{id}/tld"),
    Operation(662, "GET", RECORDS, "/v1/resource/{id}/ssl/reminder"),
    Operation(689, "GET", RECORDS, "/v1/resource/{id}/tld/reminder"),
    Operation(721, "GET", STATISTICS, "/v1/resource/{id}/statistic"),
    Operation(753, "GET", STATISTICS, "/v1/resource/{id}/state-changed-logs"),
    Operation(781, "GET", RECORDS, "/v1/resource/{id}/integrations"),
    Operation(823, "POST", COMMANDS, "/v1/resource/{id}/integration"),
    Operation(866, "PUT", COMMANDS, "/v1/resource/{id}/integration/{integration}"),
    Operation(902, "DELETE", COMMANDS, "/v1/resource/{id}/integration/{integration}"),
    Operation(956, "POST", COMMANDS, "/v1/server-resource"),
    Operation(1003, "DELETE", COMMANDS, "/v1/server-resource"),
    Operation(1049, "PUT", COMMANDS, "/v1/server-resource/{id}"),
    Operation(1095, "GET", RECORDS, "/v1/service/{id}/server-resources"),
    Operation(1122, "GET", RECORDS, "/v1/server-resource/{id}"),
    Operation(1157, "GET", STATISTICS, "/v1/server-resource/{id}/metrics"),
    Operation(1207, "POST", COMMANDS, "/v1/heartbeat"),
    Operation(1247, "DELETE", COMMANDS, "/v1/heartbeat"),
    Operation(1280, "DELETE", COMMANDS, "/v1/heartbeat/{id}"),
    Operation(1312, "GET", RECORDS, "/v1/service/{id}/heartbeats"),
    Operation(1352, "PUT", COMMANDS, "/v1/heartbeat/{id}"),
    Operation(1387, "GET", RECORDS, "/v1/heartbeat/{id}"),
    Operation(1420, "GET", STATISTICS, "/v1/heartbeat/{id}/statistic"),
    Operation(1452, "GET", STATISTICS, "/v1/heartbeat/{id}/events"),
    Operation(1481, "GET", GATEWAY, "/v1/heartbeat/{id}", public=True),
]

PAGE_COMMANDS, PAGE_RECORDS = "statuspage-cmd", "statuspage-query"

OF_PAGES = [
    Operation(40, "GET", PAGE_RECORDS, "/v1/statuspages"),
    Operation(74, "GET", PAGE_RECORDS, "/v1/statuspage/{id}"),
    Operation(108, "GET", PAGE_RECORDS, "/v1/statuspage/{id}/components"),
    Operation(142, "GET", PAGE_RECORDS, "/v1/component/{id}/statistics"),
    Operation(176, "GET", PAGE_RECORDS, "/v1/statuspage/{id}/unified"),
    Operation(209, "GET", PAGE_RECORDS, "/v1/domain/{domain}/cname"),
    Operation(261, "POST", PAGE_COMMANDS, "/v1/statuspage"),
    Operation(356, "PUT", PAGE_COMMANDS, "/v1/statuspage/{id}"),
    Operation(412, "DELETE", PAGE_COMMANDS, "/v1/statuspage/{id}"),
    Operation(448, "PUT", PAGE_COMMANDS, "/v1/statuspage/{id}/status"),
    Operation(483, "GET", PAGE_RECORDS, "/v1/statuspage/{id}/subscriptions"),
    Operation(513, "POST", PAGE_COMMANDS, "/v1/subscriptions", public=True),
    Operation(543, "PUT", PAGE_COMMANDS, "/v1/subscription/{token}/verification", public=True),
    Operation(568, "DELETE", PAGE_COMMANDS, "/v1/subscription/{token}", public=True),
]
"""Those of pinghome-statuspages.txt."""

_INCIDENT = "/v1/statuspage/{id}/incident"
_MAINTENANCE = "/v1/statuspage/{id}/maintenance"
_TEMPLATE = "/v1/statuspage/{id}/template"

EXTENSIONS = [
    Operation(0, "PUT", PAGE_COMMANDS, "/v1/statuspage/{id}/logo"),
    Operation(0, "PUT", PAGE_COMMANDS, "/v1/statuspage/{id}/favicon"),
    Operation(0, "POST", COMMANDS, "/v1/resource/test"),
    Operation(0, "POST", COMMANDS, "/v1/service"),  # the documents use service_id and never define it (contract A.0)
    Operation(0, "GET", RECORDS, "/v1/services"),
    Operation(0, "GET", RECORDS, "/v1/regions"),  # contract J
    Operation(0, "GET", RECORDS, "/v1/resources"),  # of the whole organisation (contract K)
    Operation(0, "GET", RECORDS, "/v1/heartbeats"),
    Operation(0, "GET", RECORDS, "/v1/server-resources"),
    Operation(0, "GET", RECORDS, "/v1/overview"),
    Operation(0, "GET", RECORDS, "/v1/changes"),
    Operation(0, "GET", PAGE_RECORDS, "/v1/changes"),
    Operation(0, "GET", RECORDS, "/v1/events"),
    Operation(0, "GET", RECORDS, "/v1/health"),
    Operation(0, "GET", PAGE_RECORDS, "/v1/events"),
    Operation(0, "GET", PAGE_RECORDS, "/v1/statuspage/{id}/preview"),
    Operation(0, "GET", STATISTICS, "/v1/services/history"),
    Operation(0, "GET", STATISTICS, "/v1/notifications"),
    Operation(0, "GET", STATISTICS, "/v1/heartbeat/{id}/events/{n}/body"),
    Operation(0, "GET", STATISTICS, "/v1/resource/{id}/results"),
    Operation(0, "PUT", COMMANDS, "/v1/service/{id}"),
    Operation(0, "DELETE", COMMANDS, "/v1/service/{id}"),
    Operation(0, "POST", COMMANDS, "/v1/server-resource/{id}/token"),
    Operation(0, "DELETE", COMMANDS, "/v1/server-resource/{id}"),
    Operation(0, "GET", RECORDS, "/v1/service/{id}/metrics.prom"),
    Operation(0, "POST", COMMANDS, "/v1/channel"),  # who is told of what happens (contract F)
    Operation(0, "PUT", COMMANDS, "/v1/channel/{id}"),
    Operation(0, "DELETE", COMMANDS, "/v1/channel/{id}"),
    Operation(0, "POST", COMMANDS, "/v1/channel/{id}/test"),
    Operation(0, "GET", RECORDS, "/v1/channels"),
    Operation(0, "GET", RECORDS, "/v1/channel/{id}"),
    Operation(0, "GET", STATISTICS, "/v1/resource/{id}/notifications"),
    Operation(0, "GET", STATISTICS, "/v1/heartbeat/{id}/notifications"),
    Operation(0, "GET", STATISTICS, "/v1/server-resource/{id}/metrics.svg"),
    Operation(0, "GET", STATISTICS, "/v1/server-resource/{id}/state-changed-logs"),
    Operation(0, "GET", STATISTICS, "/v1/server-resource/{id}/notifications"),
    Operation(0, "POST", GATEWAY, "/v1/heartbeat/{id}", public=True),  # "accepted like GET" (contract A.4)
    Operation(0, "POST", GATEWAY, "/v1/server-resource/metrics", public=True),  # a server's own token (contract G)
    Operation(0, "POST", GATEWAY, "/v1/server-resource/{id}/metrics", public=True),
    Operation(0, "POST", GATEWAY, "/v1/metrics", public=True),
    Operation(0, "POST", PAGE_COMMANDS, _INCIDENT),  # what a page tells of (contract H)
    Operation(0, "PUT", PAGE_COMMANDS, _INCIDENT + "/{incident}"),
    Operation(0, "DELETE", PAGE_COMMANDS, _INCIDENT + "/{incident}"),
    Operation(0, "POST", PAGE_COMMANDS, _INCIDENT + "/{incident}/update"),
    Operation(0, "PUT", PAGE_COMMANDS, _INCIDENT + "/{incident}/update/{update}"),
    Operation(0, "DELETE", PAGE_COMMANDS, _INCIDENT + "/{incident}/update/{update}"),
    Operation(0, "PUT", PAGE_COMMANDS, _INCIDENT + "/{incident}/postmortem"),
    Operation(0, "POST", PAGE_COMMANDS, _MAINTENANCE),
    Operation(0, "PUT", PAGE_COMMANDS, _MAINTENANCE + "/{maintenance}"),
    Operation(0, "DELETE", PAGE_COMMANDS, _MAINTENANCE + "/{maintenance}"),
    Operation(0, "POST", PAGE_COMMANDS, _MAINTENANCE + "/{maintenance}/start"),
    Operation(0, "POST", PAGE_COMMANDS, _MAINTENANCE + "/{maintenance}/end"),
    Operation(0, "POST", PAGE_COMMANDS, _TEMPLATE),
    Operation(0, "PUT", PAGE_COMMANDS, _TEMPLATE + "/{template}"),
    Operation(0, "DELETE", PAGE_COMMANDS, _TEMPLATE + "/{template}"),
    Operation(0, "GET", PAGE_RECORDS, _INCIDENT + "s"),
    Operation(0, "GET", PAGE_RECORDS, _INCIDENT + "s/{incident}"),
    Operation(0, "GET", PAGE_RECORDS, _MAINTENANCE + "s"),
    Operation(0, "GET", PAGE_RECORDS, _MAINTENANCE + "s/{maintenance}"),
    Operation(0, "GET", PAGE_RECORDS, _TEMPLATE + "s"),
    Operation(0, "GET", PAGE_RECORDS, _TEMPLATE + "s/{template}"),
    Operation(0, "POST", PAGE_COMMANDS, "/v1/statuspage/{id}/subscriptions"),
    Operation(0, "GET", STATISTICS, "/v1/statuspage/{id}/notifications"),
    Operation(0, "POST", COMMANDS, "/v1/session", public=True),  # by a token, or by the code of a link (contract K)
    Operation(0, "DELETE", COMMANDS, "/v1/session"),
    Operation(0, "GET", RECORDS, "/v1/caller"),
    Operation(0, "GET", RECORDS, "/v1/keys"),
    Operation(0, "POST", COMMANDS, "/v1/key"),
    Operation(0, "DELETE", COMMANDS, "/v1/key/{id}"),
    *(
        Operation(0, method, COMMANDS, f"/v1/{noun}/{what}")
        for noun in ("resource", "heartbeat", "server-resource")
        for method, what in (("PUT", "status"), ("PUT", "channels"), ("PUT", "tags"), ("POST", "delete"))
    ),
]

PRESENT = [*DOCUMENTED, *OF_PAGES, *EXTENSIONS]


ROUTED = [
    Operation(0, each.method, each.service, each.path, public={} in each.about.get("security", [{}]))
    for each in documented()
    if each.path.startswith("/v1/")
]
"""The routes in the services' own OpenAPI documents."""
BODIED = [
    each
    for each in ROUTED
    if not each.of_agents
    and each.method in {"POST", "PUT"}
    and not each.path.endswith(("/test", "/token", "/logo", "/favicon", "/verification", "/start", "/end"))
]
"""Those that take a body."""


OF_MANY = {"status": {"enabled": True}, "channels": {"channels": []}, "tags": {"add": ["x"]}, "delete": {}}
"""By the last part of their paths, what commands on many of a noun take beside `ids`."""


_NOBODYS = "6766163a-568d-47b4-a1fa-91a0957e06d4"
_PARTS = dict.fromkeys(("id", "incident", "update", "maintenance", "template"), _NOBODYS)
_PARTS |= {
    "integration": "r276xxt51c23",
    "domain": "status.example.com",
    "name": "x",
    "token": "x",
    "subdomain": "x",
    "n": "1",
}


def filled(path: str, **parts: str) -> str:
    """A path with its parts filled in: those that are not given name what nobody has."""
    return path.format_map(_PARTS | parts)
