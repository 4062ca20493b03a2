"""Metrics that status pages show: those that are measured by pinging a URL, and custom ones, whose points are sent."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Rollup(StrEnum):
    """What is made of the points of an hour or a day."""

    mean = "mean"
    rounded_mean = "rounded-mean"
    sum = "sum"
    minimum = "minimum"
    maximum = "maximum"


@dataclass(slots=True, kw_only=True)
class PageMetric:
    """A metric of a page; `component` is what it is about."""

    id: UUID
    organisation: UUID
    page: UUID
    name: str
    description: str = ""
    component: UUID | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class CustomMetric(PageMetric):
    """A metric whose points are sent; `suffix` is its unit."""

    suffix: str = ""
    rollup: Rollup = Rollup.mean
    showcased: bool = True


@dataclass(slots=True, kw_only=True)
class Metric(PageMetric):
    """A metric that a monitor measures, whose id is the same; without a `url` there is none.

    `frequency` in seconds; `location` as it was said, `regions` those that it is measured from; `page_name` the page's
    name at the time.
    """

    url: str = ""
    page_name: str
    frequency: int = 300
    location: str = ""
    regions: list[str]
    shows_uptime: bool = False
    shows_response_time: bool = False
