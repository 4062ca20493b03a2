"""A server resource: a host whose agent, or any OTLP client, sends figures; its settings and its judged state."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pinghome_common.events.metric import Agent, Figures


class Status(StrEnum):
    """The judged state of a server (contract G)."""

    pending = "pending"
    up = "up"
    down = "down"
    unknown = "unknown"
    paused = "paused"


@dataclass(slots=True, kw_only=True)
class Change:
    """Why and when the status became what it is; `version` is the aggregate's version of that event."""

    status: Status
    previous: Status | None
    at: datetime
    version: int
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Threshold:
    """A bound of one field of one metric type that must not be broken for `minutes`."""

    type: str
    field: str
    operator: str
    """`greater-than` or `less-than`."""
    value: float
    minutes: int
    breached_since: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ServerResource:
    """One server; `interval` is in seconds and that of the install line: the agent's own is its own.

    `tags` is a list separated by spaces.

    The lists of metric types are stored and shown only. `channels` are notified: None means those of its service.
    `parent_id` is the monitor or server without which this one cannot be reached. `down_since` is the beginning of an
    outage that was announced and is not over.
    """

    id: UUID
    organisation: UUID
    service_id: UUID
    name: str
    tags: str = ""
    description: str = ""
    timezone: str = "UTC"
    chart_type_default: str = "line"
    os: str = ""
    metric_types_basic: list[str] = field(default_factory=list)
    metric_types_advanced: list[str] = field(default_factory=list)
    metric_types_complex: list[str] = field(default_factory=list)
    interval: int = 60
    enabled: bool = True
    channels: list[UUID] | None = None
    parent_id: UUID | None = None
    thresholds: list[Threshold] = field(default_factory=list)
    reboot_alert: bool = False
    down_since: datetime | None = None
    change: Change
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class Heard:
    """What was last heard of a server: when (UNIX microseconds), of what agent, and the newest figures of each type.

    `processes` is the object that the agent sent. None of this is in an event.
    """

    seen_at: int
    agent: Agent | None
    processes: Any
    figures: Sequence[Figures]
