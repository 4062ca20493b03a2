"""What a public page shows: one pure function of all that is known of the page. Hidden components leave no trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from pinghome_common.events.incident import Incident, IncidentStatus, IncidentUpdate, Maintenance
from pinghome_common.events.statuspage import Component, ComponentStatus, Group, StatusPage, worst
from statuspage_query.public.material import Material, Series, Values
from statuspage_query.public.metrics import component
from statuspage_query.public.reports import IncidentReport, MaintenanceReport, Names, incident, maintenance
from statuspage_query.statuses import Since, Span, days, span

DAYS = 90
RECENT = timedelta(days=14)
"""For how long the page itself shows what is over."""

Report = IncidentReport | MaintenanceReport


class Indicator(StrEnum):
    """How the page is as a whole; `unknown` when nothing is known of any component."""

    none = "none"
    maintenance = "maintenance"
    minor = "minor"
    major = "major"
    critical = "critical"
    unknown = "unknown"


_RANK = [Indicator.none, Indicator.maintenance, Indicator.minor, Indicator.major, Indicator.critical]
_DOWN = (ComponentStatus.major_outage, ComponentStatus.unavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentView:
    """A component: what it shows, its last 90 days, ascending, the uptime over all of them, and its response times."""

    id: UUID
    name: str
    description: str
    status: ComponentStatus
    since: datetime
    group: UUID | None
    position: int
    created_at: datetime
    uptime: float | None
    days: list[tuple[str, Span]]
    response_times: Series | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A group with its components, or, without a group, those that stand alone."""

    group: Group | None
    status: ComponentStatus
    components: list[ComponentView]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    """A metric that is shown: a custom one with its `values`, or one with its uptime, its response times, or both."""

    id: UUID
    name: str
    description: str
    suffix: str = ""
    values: Values | None = None
    uptime: ComponentView | None = None
    response_times: Series | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page as it is shown. `open`, `recent` and `history` are newest first, `upcoming` soonest first."""

    page: StatusPage
    title: str
    indicator: Indicator
    sections: list[Section]
    metrics: list[MetricView]
    open: list[IncidentReport]
    running: list[MaintenanceReport]
    upcoming: list[MaintenanceReport]
    recent: list[Report]
    incidents: list[IncidentReport]
    maintenances: list[MaintenanceReport]
    history: list[tuple[str, list[Report]]]
    updated_at: datetime
    at: datetime

    @property
    def components(self) -> list[ComponentView]:
        """All of them in the order in which they are shown."""
        return [each for section in self.sections for each in section.components]


def view(it: Material, now: datetime) -> View:
    """What a page shows at a time; months of `history` are `2026-11` in its time zone."""
    page, zone, heard = it.page, ZoneInfo(it.page.timezone), Heard(it.page)
    shown = [each for each in page.components if each.showcased]
    names: Names = {each.id: each.name for each in shown}
    views = [
        _component(each, place, it.timelines.get(each.id, []), it.response_times.get(each.id), zone, now)
        for place, each in enumerate(shown, start=1)
    ]
    incidents = [
        incident(each, it.updates.get(each.id, []), names)
        for each in it.incidents
        if heard.incident(each, it.updates.get(each.id, []))
    ]
    maintenances = [maintenance(each, names) for each in it.maintenances if heard.maintenance(each)]
    open_ = [each for each in incidents if each.status is not IncidentStatus.resolved]
    running = [each for each in maintenances if each.status == "in_progress"]
    upcoming = sorted((each for each in maintenances if each.status == "scheduled"), key=lambda each: each.starts_at)
    over = [each for each in incidents if each not in open_]
    over += [each for each in maintenances if each.status == "completed"]  # type: ignore[misc]
    told: list[Report] = sorted([*open_, *running, *over], key=lambda each: each.starts_at, reverse=True)
    return View(
        page=page,
        title=page.page_name or page.name,
        indicator=_indicator(views, open_, running),
        sections=_sections(page, views),
        metrics=_metrics(it, zone, now),
        open=open_,
        running=running,
        upcoming=upcoming,
        recent=[each for each in told if each in over and (each.ended_at or now) > now - RECENT],
        incidents=incidents,
        maintenances=maintenances,
        history=_by_month(told, zone),
        updated_at=it.changed_at,
        at=now,
    )


def _component(
    it: Component, position: int, changes: Sequence[Since], times: Series | None, zone: ZoneInfo, now: datetime
) -> ComponentView:
    shown = days(changes, DAYS, zone, now)
    last = changes[-1] if changes else Since(it.created_at, ComponentStatus.unknown)
    return ComponentView(
        id=it.id,
        name=it.name,
        description=it.description,
        status=last.status,
        since=last.at,
        group=it.group,
        position=position,
        created_at=it.created_at,
        uptime=span(changes, now - timedelta(days=DAYS), now).uptime,
        days=shown,
        response_times=times,
    )


class Heard:
    """What the public hears of: nothing that is of hidden components alone."""

    def __init__(self, page: StatusPage) -> None:
        self._shown = {each.id for each in page.components if each.showcased}
        self._hidden = {each.id for each in page.components} - self._shown

    def incident(self, it: Incident, updates: Sequence[IncidentUpdate]) -> bool:
        """Whether it hears of an incident; of the clock's own only while a component that it names is shown."""
        given = [it.opened_with, it.components, *(each.components for each in updates)]
        touched = {one.component for each in given for one in each}
        return self._some_shown(touched) and ("title" not in it.composed or not touched.isdisjoint(self._shown))

    def maintenance(self, it: Maintenance) -> bool:
        """Whether it hears of a maintenance."""
        return self._some_shown(set(it.components))

    def _some_shown(self, named: set[UUID]) -> bool:
        return not named or not named <= self._hidden


def _metrics(it: Material, zone: ZoneInfo, now: datetime) -> list[MetricView]:
    """Those that a monitor measures, then the custom ones."""
    found = []
    for each in it.metrics:
        times = it.response_times.get(each.id) if each.shows_response_time else None
        shown = _component(component(each), 0, it.timelines.get(each.id, []), times, zone, now)
        uptime = shown if each.shows_uptime else None
        view = MetricView(id=each.id, name=each.name, description=each.description, uptime=uptime, response_times=times)
        found.append(view)
    for own in it.custom_metrics:
        values = it.values.get(own.id)
        view = MetricView(id=own.id, name=own.name, description=own.description, suffix=own.suffix, values=values)
        found.append(view)
    return found


def _indicator(
    components: list[ComponentView], incidents: list[IncidentReport], running: list[MaintenanceReport]
) -> Indicator:
    """The banner: the worst of what components show and of the impact of open incidents."""
    statuses = [each.status for each in components]
    found = [Indicator(each.impact) for each in incidents]
    if running or ComponentStatus.maintenance in statuses:
        found.append(Indicator.maintenance)
    if ComponentStatus.degraded in statuses:
        found.append(Indicator.minor)
    if statuses and all(each in _DOWN for each in statuses):
        found.append(Indicator.critical)
    elif any(each in (*_DOWN, ComponentStatus.partial_outage) for each in statuses):
        found.append(Indicator.major)
    if not found and all(each is ComponentStatus.unknown for each in statuses):
        return Indicator.unknown
    return max(found, key=_RANK.index, default=Indicator.none)


def _sections(page: StatusPage, views: list[ComponentView]) -> list[Section]:
    """Those without a group first, then the groups in their order; what fails comes first when the page says so."""
    sections = []
    for group in [None, *page.groups]:
        own = [each for each in views if each.group == (group.id if group else None)]
        if page.failing_first:
            own.sort(key=_severity)
        if own:
            sections.append(Section(group=group, status=worst(each.status for each in own), components=own))
    if page.failing_first:
        sections.sort(key=lambda section: _severity(section) if section.group else -1)
    return sections


def _severity(it: ComponentView | Section) -> int:
    """Smaller is worse; what is well and what is unknown keep their order."""
    well = (ComponentStatus.operational, ComponentStatus.unknown)
    return list(ComponentStatus).index(ComponentStatus.operational) if it.status in well else -_BADNESS[it.status]


_BADNESS = {
    ComponentStatus.maintenance: 1,
    ComponentStatus.degraded: 2,
    ComponentStatus.partial_outage: 3,
    ComponentStatus.major_outage: 4,
    ComponentStatus.unavailable: 4,
}


def _by_month(told: list[Report], zone: ZoneInfo) -> list[tuple[str, list[Report]]]:
    def month(each: Report) -> str:
        return each.starts_at.astimezone(zone).strftime("%Y-%m")

    return [(key, list(found)) for key, found in groupby(told, month)]
