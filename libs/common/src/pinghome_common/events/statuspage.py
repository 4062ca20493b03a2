"""A status page: its settings, its components and their groups."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ComponentStatus(StrEnum):
    """How a component is (contract F); of one that follows something, `operational` means: as what it follows."""

    operational = "operational"
    degraded = "degraded"
    partial_outage = "partial-outage"
    major_outage = "major-outage"
    unavailable = "unavailable"
    maintenance = "maintenance"
    unknown = "unknown"


_WORST = (
    ComponentStatus.major_outage,
    ComponentStatus.unavailable,
    ComponentStatus.partial_outage,
    ComponentStatus.degraded,
    ComponentStatus.maintenance,
    ComponentStatus.operational,
    ComponentStatus.unknown,
)


def worst(statuses: Iterable[ComponentStatus]) -> ComponentStatus:
    """The worst of some; unknown when there are none."""
    return min(statuses, key=_WORST.index, default=ComponentStatus.unknown)


def shown(
    manual: ComponentStatus,
    followed: ComponentStatus | None,
    *,
    given: Iterable[ComponentStatus] = (),
    maintained: bool = False,
) -> ComponentStatus:
    """What a component shows (contract H).

    Args:
        manual: what was set by hand, which `operational` undoes.
        followed: the state of what it follows; None when it follows nothing.
        given: by open incidents; the worst of them wins over all else.
        maintained: whether a maintenance of it is in progress.
    """
    if incident := list(given):
        return worst(incident)
    if maintained:
        return ComponentStatus.maintenance
    return manual if manual is not ComponentStatus.operational or followed is None else followed


class Followed(StrEnum):
    """What a component follows."""

    manual = "manual"
    resource = "resource"
    heartbeat = "heartbeat"
    server_resource = "server-resource"


@dataclass(slots=True, kw_only=True)
class Component:
    """A part of what the page is about; `status` is what was set by hand, `group` the id of its group."""

    id: UUID
    name: str
    description: str = ""
    type: Followed = Followed.manual
    resource_id: UUID | None = None
    status: ComponentStatus = ComponentStatus.operational
    group: UUID | None = None
    showcased: bool = True
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Group:
    """A group of components; its components name it."""

    id: UUID
    name: str
    description: str = ""
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class StatusPage:
    """One status page; components and groups are in the order in which they are shown.

    `type` is `public` or `private`; the password's hash never leaves statuspage-cmd: `password_version` counts its
    changes from 1, 0 means that there is none. `domain_token` is what a TXT record of the domain proves ownership with.
    """

    id: UUID
    organisation: UUID
    name: str
    description: str = ""
    subdomain: str
    type: str
    domain: str = ""
    domain_token: str
    page_name: str = ""
    dark_theme: bool = False
    favicon: str = ""
    logo: str = ""
    redirect_to_https: bool = False
    remove_branding: bool = False
    robots_meta_contents: list[str] = field(default_factory=list)
    website_url: str = ""
    privacy_url: str = ""
    support_url: str = ""
    ga_tracking: str = ""
    ip_addresses: list[str] = field(default_factory=list)
    subscription_enabled: bool = False
    enabled: bool = True
    timezone: str = "UTC"
    language: str = "auto"
    theme: str | None = None
    accent_color: str = ""
    failing_first: bool = False
    auto_incidents: bool = False
    auto_incident_delay: int = 180
    notify_edits: bool = False
    password_version: int = 0
    shields_key: str
    components: list[Component] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class Picture:
    """A picture of a page, as PNG: its logo or its icon; the page names it by `name`, the hash of its bytes."""

    id: UUID
    organisation: UUID
    page: UUID
    name: str
    png: bytes
    created_at: datetime


def statuses(
    page: StatusPage,
    followed: Mapping[UUID, ComponentStatus],
    given: Mapping[UUID, Sequence[ComponentStatus]],
    maintained: AbstractSet[UUID],
) -> dict[UUID, ComponentStatus]:
    """What each component of a page shows; what is followed and not among `followed` is unknown.

    Args:
        page: the page.
        followed: the states of what its components follow, those of its organisation.
        given: what open incidents give components.
        maintained: the components whose maintenance is in progress.
    """
    return {
        each.id: shown(
            each.status,
            followed.get(each.resource_id, ComponentStatus.unknown) if each.resource_id else None,
            given=given.get(each.id, ()),
            maintained=each.id in maintained,
        )
        for each in page.components
    }
