"""A resource: an uptime monitor with its settings and status."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pinghome_common.events.certificate import Certificate
from pinghome_common.events.condition import Condition
from pinghome_common.events.domain import Domain
from pinghome_common.hosts import parse_url


class Status(StrEnum):
    """The status of a monitor (contract A16, house 7)."""

    pending = "pending"
    up = "up"
    down = "down"
    unknown = "unknown"
    paused = "paused"
    maintenance = "maintenance"


MANAGED_BY_PAGES = "statuspage"
"""A monitor of a metric of a status page, whose id it has."""


@dataclass(slots=True, kw_only=True)
class Change:
    """The last change of status; `version` is the aggregate's version of that event."""

    status: Status
    previous: Status | None
    at: datetime
    version: int
    reason: str = ""
    status_code: int | None = None
    region: str | None = None


@dataclass(slots=True, kw_only=True)
class Resource:
    """One uptime monitor. Periods are in minutes, `interval` in seconds, `tags` is a list separated by spaces.

    `channels` are notified: None means those of its service. `parent_id` is the monitor that this one depends on.
    `down_since` is the start of a current outage that was announced. `unjudged_version` is that of the change to
    unknown that was last announced. `failing_regions` are those that have failed for a while although it is up.
    `managed_by` is who alone may change it, if not its owner. `header_names` and `has_body` are for display; the values
    are in `sealed`, encrypted with resource-cmd's key. Reminders are days before the certificate or the domain expires.
    Both may be of an earlier host, see `certificate_of` and `domain_of`.
    """

    id: UUID
    organisation: UUID
    service_id: UUID
    name: str
    tags: str = ""
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
    max_redirects: int = 10
    method: str = "GET"
    header_names: list[str] = field(default_factory=list)
    has_body: bool = False
    sealed: bytes = b""
    is_advanced: bool = False
    conditions: list[Condition] = field(default_factory=list)
    regions: list[str]
    interval: int = 60
    enabled: bool = True
    ssl_reminder: list[int] = field(default_factory=list)
    tld_reminder: list[int] = field(default_factory=list)
    certificate: Certificate | None = None
    domain: Domain | None = None
    channels: list[UUID] | None = None
    parent_id: UUID | None = None
    down_since: datetime | None = None
    unjudged_version: int = 0
    managed_by: str = ""
    failing_regions: list[str] = field(default_factory=list)
    change: Change
    created_at: datetime
    updated_at: datetime


def target(it: Resource) -> str:
    """The host that a monitor probes, in lower-case ASCII without a trailing dot; empty if there is none.

    It is also empty for an invalid host name, which the probe reports.
    """
    text = it.url if it.type == "http" else it.host or it.url
    if "//" not in text:
        text = f"//[{text}]" if text.count(":") > 1 and "[" not in text else f"//{text}"
    try:
        return parse_url(f"host:{text}" if text.startswith("//") else text).host.rstrip(".")
    except ValueError:
        return ""


def certificate_of(it: Resource) -> Certificate | None:
    """The last certificate of the current host; None if there is none."""
    has_one = it.type == "tls" or (it.type == "http" and it.url.lower().startswith("https:"))
    return it.certificate if has_one and it.certificate and it.certificate.host == target(it) else None


def domain_of(it: Resource) -> Domain | None:
    """The domain of the current host; None if it has not been looked up."""
    host = target(it)
    return it.domain if it.domain and f".{host}".endswith(f".{it.domain.name}") else None
