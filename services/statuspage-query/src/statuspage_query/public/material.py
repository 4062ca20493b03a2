"""All that is known of a page: what its view is computed from, now and after a restart."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common.events.incident import Incident, IncidentUpdate, Maintenance
from pinghome_common.events.page_metric import CustomMetric, Metric
from pinghome_common.events.statuspage import StatusPage
from statuspage_query.statuses import Since


@dataclass(slots=True)
class Series:
    """Response times in milliseconds, or values of a custom metric, ascending, None where there is none.

    `recent` are those of each five minutes of the 24 hours that end at `until`, `days` those of the last 90 UTC days.
    """

    until: datetime
    recent: list[float | None]
    days: list[float | None]


@dataclass(slots=True, kw_only=True)
class Values:
    """What is known of a custom metric: its rolled up values, the newest one, and figures of single points.

    The figures are of the last 24 hours, or, when these have no points, of all 90 days.
    """

    series: Series
    newest: float
    lately: bool
    average: float
    least: float
    most: float


@dataclass(slots=True, kw_only=True)
class Material:
    """A page with all that it tells of.

    `timelines` is what each component showed over time, by its id, ascending; the last one is what it shows now.
    `response_times` are those of the components that have any. Metrics are those that are shown, oldest first, with
    what they show by their ids: as components do, or in `values`.
    Incidents and maintenance are newest first; `updates` are those of each incident, oldest first. `verified`: the
    page's domain is. `pictures` are PNGs by their file names, with which the paths in the page end.
    """

    page: StatusPage
    version: int = 0
    verified: bool = False
    timelines: dict[UUID, list[Since]] = field(default_factory=dict)
    response_times: dict[UUID, Series] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    custom_metrics: list[CustomMetric] = field(default_factory=list)
    values: dict[UUID, Values] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    updates: dict[UUID, list[IncidentUpdate]] = field(default_factory=dict)
    maintenances: list[Maintenance] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    changed_at: datetime

    def names(self) -> set[UUID]:
        """The ids of all whose change may change the page."""
        followed = {each.resource_id for each in self.page.components if each.resource_id}
        return {self.page.id} | followed | {each.id for each in self.metrics}


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Material).decode
