"""Every operation of pingpong.txt with the line at which its section begins: the document has lost all path lines."""

from typing import Any, NamedTuple

from contract.openapi import documented
from contract.pingpong.conftest import BODIES, Project

COMMANDS, RECORDS = "statuspage-cmd", "statuspage-query"
ITEM = "{id}"
POINTS = "custom-metrics/data"
UPDATES, UPDATE = "incidents/{incident_id}/updates", "incidents/{incident_id}/updates/{update_id}"


class Operation(NamedTuple):
    """One operation below /rest/v1; `text` is how its section begins."""

    line: int
    method: str
    path: str
    text: str

    @property
    def service(self) -> str:
        if self.path == POINTS:
            return "data-gateway"
        return RECORDS if self.method == "GET" else COMMANDS

    def __str__(self) -> str:
        return f"{self.method} {self.service} {self.path}"


_LIST = "[- {"
OPERATIONS = [
    Operation(10, "GET", "live", "Returns information about status page and lists of currently ongoing"),
    Operation(8, "GET", "status", "https://api.pingpong.one/rest/v1/status"),
    Operation(44, "GET", "components", _LIST),
    Operation(71, "POST", "components", "Create a component."),
    Operation(98, "GET", "components/{id}", "Returns a single component."),
    *(
        Operation(line, method, path, text)
        for line, path, text in (
            (115, "components/{id}", "Update a component."),
            (143, "components/{id}/status", "Update the status of a component."),
            (186, "component-groups/{id}", "Update a component group."),
            (371, "incidents/{id}", "Update an incident."),
            (481, UPDATE, "Update an incident update."),
            (739, "metrics/{id}", "Update a metric."),
            (903, "custom-metrics/{id}", "Update a custom metric."),
            (602, "maintenance/{id}", "Update a maintenance event."),
        )
        for method in ("PUT", "PATCH")
    ),
    Operation(143, "POST", "components/{id}/status", "Update the status of a component."),
    Operation(152, "GET", "component-groups", _LIST),
    Operation(166, "POST", "component-groups", "Create a component group."),
    Operation(178, "GET", "component-groups/{id}", "Returns a single component group."),
    Operation(199, "GET", "incidents/ongoing", "Returns a list of all ongoing incident events that are not resolved."),
    Operation(229, "GET", "incidents", _LIST),
    Operation(278, "POST", "incidents", "Create an incident event."),
    Operation(322, "GET", "incidents/{id}", "Returns a single incident event."),
    Operation(437, "GET", UPDATES, "Returns a list of all incident updates for incident events."),
    Operation(459, "POST", UPDATES, "Create an incident update."),
    Operation(472, "GET", UPDATE, "Returns a single incident update."),
    Operation(495, "DELETE", UPDATE, "Deletes an incident update."),
    Operation(501, "GET", "maintenance", _LIST),
    Operation(530, "POST", "maintenance", "Create an maintenance event."),
    Operation(573, "GET", "maintenance/{id}", "Returns a single maintenance event."),
    Operation(646, "GET", "metrics", _LIST),
    Operation(672, "POST", "metrics", "Create a metric."),
    Operation(713, "GET", "metrics/{id}", "Returns a single metric."),
    Operation(781, "POST", POINTS, "Add data points to custom metrics."),
    Operation(811, "GET", "custom-metrics", _LIST),
    Operation(837, "POST", "custom-metrics", "Create a custom metric."),
    Operation(877, "GET", "custom-metrics/{id}", "Returns a single custom metric."),
]
DOCUMENTED_PATHS = {"status", "live"}
"""All others are inferred."""

ALIASES = {
    "component-groups": ("groups", "component_groups"),
    "incidents/ongoing": ("incidents/live", "incidents/active", "incidents/unresolved"),
    "maintenance": ("maintenances",),
    POINTS: ("custom-metrics/data-points", "metrics/data", "custom_metrics/data", "metrics/data_points"),
    "custom-metrics": ("custom_metrics",),
}


async def filled(operation: Operation, project: Project) -> str:
    """The path of an operation with the ids of what is made for it."""
    path = operation.path
    if "{incident_id}" in path:
        incident = (await project.create("incidents"))["id"]
        path = path.replace("{incident_id}", incident)
        if "{update_id}" in path:
            update = await project.create(f"incidents/{incident}/updates")
            path = path.replace("{update_id}", update["id"])
    if ITEM in path:
        path = path.replace(ITEM, (await project.create(path.partition("/")[0]))["id"])
    return path


def body(operation: Operation) -> dict[str, Any]:
    """What the operation takes, so that it succeeds on what was made for it."""
    if operation.method in ("GET", "DELETE"):
        return {}
    if operation.path == POINTS:
        return {"json": {"data": {}}}
    if operation.path.endswith("/status"):
        return {"json": {"status": "Operational"}}
    noun = "updates" if "updates" in operation.path else operation.path.partition("/")[0]
    return {"json": BODIES[noun]}


def routed() -> set[str]:
    """The routes in the services' own OpenAPI documents."""
    return {
        f"{each.method} {each.service} {each.path.removeprefix('/rest/v1/')}"
        for each in documented()
        if each.path.startswith("/rest/")
    }
