"""A resource: an uptime monitor (PingHome's word), its settings and its judged status."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pinghome_common.events.condition import Condition


class Status(StrEnum):
    """The judged state of a monitor (contract A16, house 7)."""

    pending = "pending"
    up = "up"
    down = "down"
    unknown = "unknown"
    paused = "paused"
    maintenance = "maintenance"


@dataclass(slots=True, kw_only=True)
class Change:
    """Why and when the status became what it is; `version` is the aggregate's version of that event."""

    status: Status
    previous: Status | None
    at: datetime
    version: int
    reason: str = ""
    status_code: int | None = None
    region: str | None = None


@dataclass(slots=True, kw_only=True)
class Resource:
    """One uptime monitor. Periods are in minutes, `interval` in seconds.

    `channels` are told what happens: None means those of its service. `parent_id` is the monitor without which this one
    cannot be reached. `down_since` is the begin of an outage that was told and is not over.
    `header_names` and `has_body` are for reading; the values are in `sealed`, encrypted with resource-cmd's key.
    """

    id: UUID
    organisation: UUID
    service_id: UUID
    name: str
    type: str
    url: str = ""
    host: str = ""
    port: int | None = None
    data: str = ""
    grace_period: int = 0
    recovery_period: int = 0
    maintenance_cron_expression: str | None = None
    maintenance_duration: int = 0
    skip_ssl_error: bool = False
    not_follow_redirect: bool = False
    method: str = "GET"
    header_names: list[str] = field(default_factory=list)
    has_body: bool = False
    sealed: bytes = b""
    is_advanced: bool = False
    conditions: list[Condition] = field(default_factory=list)
    regions: list[str]
    interval: int = 60
    enabled: bool = True
    channels: list[UUID] | None = None
    parent_id: UUID | None = None
    down_since: datetime | None = None
    change: Change
    created_at: datetime
    updated_at: datetime
