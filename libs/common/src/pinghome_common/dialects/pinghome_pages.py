"""PingHome's documents of status pages (contract A40 to A49, F, H)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.dialects.pinghome_documents import moment, shows
from pinghome_common.events.incident import Incident, impact
from pinghome_common.events.statuspage import Component, ComponentStatus, Followed, Group, StatusPage

STATUSES = {
    "operational": ComponentStatus.operational,
    "degraded": ComponentStatus.degraded,
    "partial-outage": ComponentStatus.partial_outage,
    "offline": ComponentStatus.major_outage,
    "maintenance": ComponentStatus.maintenance,
    "degraded_performance": ComponentStatus.degraded,
    "partial_outage": ComponentStatus.partial_outage,
    "major_outage": ComponentStatus.major_outage,
    "under_maintenance": ComponentStatus.maintenance,
}
"""The words in which a component's status may be set."""

WORDS = {
    ComponentStatus.operational: "operational",
    ComponentStatus.degraded: "degraded",
    ComponentStatus.partial_outage: "partial-outage",
    ComponentStatus.major_outage: "offline",
    ComponentStatus.unavailable: "offline",
    ComponentStatus.maintenance: "maintenance",
    ComponentStatus.unknown: "unknown",
}
"""The words in which it is shown."""


def page(it: StatusPage) -> dict[str, Any]:
    """A page without its components."""
    return {
        "id": it.id,
        "name": it.name,
        "description": it.description,
        "subdomain": it.subdomain,
        "type": it.type,
        "enabled": it.enabled,
        "domain": it.domain,
        "domain_verification": {"type": "TXT", "name": f"_pinghome.{it.domain}", "value": it.domain_token}
        if it.domain
        else None,
        "page_name": it.page_name,
        "dark_theme": it.dark_theme,
        "favicon": it.favicon,
        "logo": it.logo,
        "redirect_to_https": it.redirect_to_https,
        "remove_branding": it.remove_branding,
        "robots_meta_contents": it.robots_meta_contents,
        "website_url": it.website_url,
        "privacy_url": it.privacy_url,
        "support_url": it.support_url,
        "ga_tracking": it.ga_tracking,
        "ip_addresses": it.ip_addresses,
        "has_password": it.password_version > 0,
        "subscription_enabled": it.subscription_enabled,
        "timezone": it.timezone,
        "language": it.language,
        "theme": it.theme or ("dark" if it.dark_theme else "auto"),
        "accent_color": it.accent_color,
        "failing_first": it.failing_first,
        "auto_incidents": it.auto_incidents,
        "auto_incident_delay": it.auto_incident_delay,
        "notify_edits": it.notify_edits,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def component(it: Component, position: int, group: Group | None, status: ComponentStatus) -> dict[str, Any]:
    """A component of a page; `status` is the one to be shown, `manual_status` (ours) what was set by hand."""
    return {
        "id": it.id,
        "name": it.name,
        "description": it.description,
        "status": WORDS[status],
        "manual_status": None if it.status is ComponentStatus.operational else WORDS[it.status],
        "type": it.type,
        "resource_id": it.resource_id,
        "group": None if group is None else {"id": group.id, "name": group.name},
        "showcased": it.showcased,
        "position": position,
    }


def components(it: StatusPage, statuses: dict[UUID, ComponentStatus]) -> list[dict[str, Any]]:
    """The components of a page in their order; one without a status shows what was set by hand."""
    groups = {each.id: each for each in it.groups}
    return [
        component(each, place, groups.get(each.group) if each.group else None, statuses.get(each.id, each.status))
        for place, each in enumerate(it.components, 1)
    ]


def unified(it: StatusPage, statuses: dict[UUID, ComponentStatus]) -> dict[str, Any]:
    """A page with its theme, its components outside of groups, and its groups with theirs."""
    shown = components(it, statuses)
    theme = {key: page(it)[key] for key in ("theme", "dark_theme", "accent_color", "logo", "favicon")}
    groups = [
        {
            "id": group.id,
            "name": group.name,
            "description": group.description,
            "components": [each for each in shown if each["group"] and each["group"]["id"] == group.id],
        }
        for group in it.groups
    ]
    loose = [each for each in shown if each["group"] is None]
    return page(it) | {"shields_key": it.shields_key, "theme": theme, "components": loose, "groups": groups}


def statistics(
    it: Component,
    status: ComponentStatus,
    since: datetime,
    now: datetime,
    incidents: Sequence[Incident],
    uptime: dict[str, float | None],
    days: Sequence[tuple[str, float | None, float, ComponentStatus]],
) -> dict[str, Any]:
    """How a component is and was (A43): its open incidents; `days` are date, uptime, seconds down and worst status."""
    return {
        "id": it.id,
        "name": it.name,
        "status": WORDS[status],
        "since": moment(since),
        "duration": round((now - since).total_seconds()),
        "open_incidents": [
            {
                "id": each.id,
                "title": each.title,
                "status": each.status,
                "impact": impact(each),
                "occurred_at": moment(each.occurred_at),
            }
            for each in incidents
        ],
        "uptime": uptime,
        "days": [
            {"date": date, "uptime": percent, "downtime_seconds": round(seconds), "status": WORDS[worst]}
            for date, percent, seconds, worst in days
        ],
    }


_AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
_GROUP = Group(id=UUID("14ab74bf-87a0-4565-a291-ad5c9733c53f"), name="Group name", created_at=_AT)
EXAMPLE = StatusPage(
    id=UUID("c03b02ec-244f-4d2c-8f68-3910071ed5c8"),
    organisation=UUID(int=0),
    name="Statuspage name",
    description="Statuspage description",
    subdomain="acme",
    type="public",
    domain="status.example.com",
    domain_token="5kUq0vEXAMPLE",  # noqa: S106  # an example
    shields_key="sp_2Ff7EXAMPLE",
    components=[
        Component(
            id=UUID("906a3444-15ce-4410-8041-89a238e9e91f"),
            name="Component name",
            description="Component description",
            type=Followed.resource,
            resource_id=UUID("445a5c1f-c0eb-403a-96d7-3976e5dc74ed"),
            created_at=_AT,
        ),
        Component(id=UUID("445a5c1f-c0eb-403a-96d7-3976e5dc74ed"), name="In a group", group=_GROUP.id, created_at=_AT),
    ],
    groups=[_GROUP],
    created_at=_AT,
    updated_at=_AT,
)
"""A page for OpenAPI."""


STATISTICS = statistics(
    EXAMPLE.components[0],
    ComponentStatus.operational,
    _AT,
    _AT + timedelta(hours=5),
    [],
    {"24h": 99.8611, "7d": 99.9801, "30d": 99.9953, "90d": 99.9984},
    [("2026-11-21", 99.8611, 120.0, ComponentStatus.major_outage)],
)
CNAME = {"domain": "status.pinghome.dev", "cname": "acme.status.example.com", "configured": True}


def made(word: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The answer of a command for OpenAPI."""
    body = {"message": f"Status page {word}", "statuspage": unified(EXAMPLE, {}), "id": EXAMPLE.id}
    return shows(body, status)
