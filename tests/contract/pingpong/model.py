"""A small model of a status page: what people have done with it, and what each view must therefore show."""

from collections.abc import Iterable
from dataclasses import dataclass, field

OPERATIONAL, MAINTENANCE = "operational", "maintenance"
PONG = {
    OPERATIONAL: "Operational", "degraded": "Minor issues", "partial-outage": "Major issues",
    "offline": "Critical state", MAINTENANCE: "Maintenance mode",
}  # fmt: skip
"""PingHome's words for statuses, in which the model speaks, and PingPong's."""
PROGRESS = {
    "investigating": "Investigating", "identified": "Identified", "monitoring": "Verifying", "resolved": "Resolved",
}  # fmt: skip
ATLASSIAN = {
    OPERATIONAL: "operational", "degraded": "degraded_performance", "partial-outage": "partial_outage",
    "offline": "major_outage", MAINTENANCE: "under_maintenance",
}  # fmt: skip
BANNERS = {
    "none": "All Systems Operational", "unknown": "All Systems Operational", "minor": "Partially Degraded Service",
    "major": "Partial System Outage", "critical": "Major System Outage", "maintenance": "Service Under Maintenance",
}  # fmt: skip
IMPACTS = {"offline": "critical", "partial-outage": "major", "degraded": "minor"}
_BAD = ["offline", "partial-outage", "degraded", MAINTENANCE, OPERATIONAL]
_RANK = ["none", "maintenance", "minor", "major", "critical"]

Affected = list[tuple[str, str]]
"""Components with the statuses that they are given, by id."""


def worst(statuses: Iterable[str]) -> str:
    return min(statuses, key=_BAD.index)


@dataclass
class Component:
    """A component that is set by hand, or one that follows the check, where `operational` means to follow it."""

    name: str
    status: str
    showcased: bool
    follows: bool = False


@dataclass
class Update:
    """An update; a silent one has the status of the one before it."""

    id: str
    status: str
    components: Affected
    silent: bool = False


@dataclass
class Incident:
    """An incident; `components` are the present ones."""

    opened_with: Affected
    components: Affected
    updates: list[Update] = field(default_factory=list)
    opened_as: str = "investigating"

    @property
    def status(self) -> str:
        return self.updates[-1].status if self.updates else self.opened_as

    @property
    def said(self) -> list[Update]:
        return [each for each in self.updates if not each.silent]

    @property
    def is_open(self) -> bool:
        return self.status != "resolved"

    @property
    def given(self) -> Affected:
        return [one for each in (self.opened_with, *(it.components for it in self.updates)) for one in each]

    def settle(self, components: Iterable[str]) -> None:
        """After updates have changed: silent ones follow those before them, the newest has the last word."""
        status = self.opened_as
        for each in self.updates:
            each.status = status if each.silent else each.status
            status = each.status
        newest = self.updates[-1].components if self.updates else self.opened_with
        self.components = [one for one in newest if one[0] in components]


@dataclass
class Page:
    """All of it; `maintenances` are the components of what is in progress, by id, `over` what has ended."""

    components: dict[str, Component] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    maintenances: dict[str, list[str]] = field(default_factory=dict)
    over: dict[str, list[str]] = field(default_factory=dict)
    check: str = "up"
    """Healthchecks' word for the check that one component follows."""

    def remove(self, id_: str) -> None:
        """Takes a component away, and off all that is not over."""
        del self.components[id_]
        for incident in self.incidents.values():
            if incident.is_open:
                incident.components = [one for one in incident.components if one[0] != id_]
        for components in self.maintenances.values():
            if id_ in components:
                components.remove(id_)

    def status(self, id_: str) -> str:
        """What a component shows: the worst of open incidents, else maintenance, what was set by hand, or the check."""
        given = [
            status
            for each in self.incidents.values()
            if each.is_open
            for component, status in each.components
            if component == id_ and status != OPERATIONAL
        ]
        if given:
            return worst(given)
        if any(id_ in each for each in self.maintenances.values()):
            return MAINTENANCE
        it = self.components[id_]
        return "offline" if it.follows and it.status == OPERATIONAL and self.check == "down" else it.status

    def shown(self) -> dict[str, str]:
        """What the public sees of components."""
        return {id_: self.status(id_) for id_, each in self.components.items() if each.showcased}

    def overall(self) -> str:
        """PingPong's phrase."""
        found = {*self.shown().values()}
        if MAINTENANCE in found and found <= {MAINTENANCE, OPERATIONAL}:
            return "Under maintenance"
        if found == {"offline"}:
            return "All systems down"
        return "Some systems have issues" if found - {OPERATIONAL} else "All systems operational"

    def told(self, id_: str) -> bool:
        """Whether the public hears of an incident or a maintenance: not of one of hidden components alone."""
        if id_ in self.incidents:
            incident = self.incidents[id_]
            touched = {component for component, _ in [*incident.given, *incident.components]}
        else:
            touched = {*(self.maintenances | self.over)[id_]}
        hidden = {id_ for id_, each in self.components.items() if not each.showcased}
        return not touched or not touched <= hidden

    def open(self) -> set[str]:
        """The open incidents of which the public hears."""
        return {id_ for id_, each in self.incidents.items() if each.is_open and self.told(id_)}

    def running(self) -> set[str]:
        """The maintenance in progress of which the public hears."""
        return {id_ for id_ in self.maintenances if self.told(id_)}

    def indicator(self) -> str:
        """The banner: the worst of components, of the impact of open incidents, and of maintenance."""
        shown = self.shown()
        found = ["none"]
        for id_ in self.open():
            statuses = [status for component, status in self.incidents[id_].given if component in shown]
            found.append(IMPACTS.get(worst(statuses), "none") if statuses else "none")
        if self.running() or MAINTENANCE in shown.values():
            found.append("maintenance")
        if "degraded" in shown.values():
            found.append("minor")
        if shown and {*shown.values()} == {"offline"}:
            found.append("critical")
        elif {*shown.values()} & {"offline", "partial-outage"}:
            found.append("major")
        return "unknown" if len(found) == 1 and not shown else max(found, key=_RANK.index)
