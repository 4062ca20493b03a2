"""PingHome's documents: monitors, heartbeats and services as JSON (contract A16, A36, F)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.clock import from_micros
from pinghome_common.cron import next_runs
from pinghome_common.dialects.pinghome import MASK, encode
from pinghome_common.events.certificate import Certificate, Link
from pinghome_common.events.domain import Domain
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status, shown
from pinghome_common.events.resource import Change, Resource
from pinghome_common.events.resource import Status as ResourceStatus
from pinghome_common.events.service import Service


def moment(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with `Z`, with microseconds unless they are zero."""
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def moment_of(value: int | None) -> str | None:
    """`moment` of UNIX microseconds."""
    return None if value is None else moment(from_micros(value))


def milliseconds(value: float | None) -> float | None:
    """Milliseconds rounded to the microsecond."""
    return None if value is None else round(value, 3)


def words(tags: str) -> list[str]:
    """The tags in a list separated by spaces, each once."""
    return list(dict.fromkeys(filter(None, tags.split(" "))))


def resource(it: Resource, last_checked_at: int | None = None, response_time: float | None = None) -> dict[str, Any]:
    """A monitor's document; header values and the body are masked."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
        "tags": words(it.tags),
        "type": it.type,
        "url": it.url,
        "host": it.host,
        "port": "" if it.port is None else str(it.port),
        "data": it.data,
        "grace_period": it.grace_period,
        "recovery_period": it.recovery_period,
        "maintenance_cron_expression": it.maintenance_cron_expression,
        "maintenance_duration": it.maintenance_duration,
        "skip_ssl_error": it.skip_ssl_error,
        "not_follow_redirect": it.not_follow_redirect,
        "max_redirects": it.max_redirects,
        "method": it.method,
        "headers": dict.fromkeys(it.header_names, MASK),
        "body": MASK if it.has_body else "",
        "is_advanced": it.is_advanced,
        "conditions": it.conditions,
        "regions": it.regions,
        "interval": it.interval,
        "channels": it.channels,
        "parent_id": it.parent_id,
        "managed_by": it.managed_by or None,
        "enabled": it.enabled,
        "state": it.change.status,
        "state_changed_at": moment(it.change.at),
        "reason": it.change.reason,
        "last_checked_at": moment_of(last_checked_at),
        "response_time": milliseconds(response_time),
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def heartbeat(it: Heartbeat, gateway_url: str | None, now: int) -> dict[str, Any]:
    """A heartbeat's document, with its check-in URL if `gateway_url` is given; `now` is in UNIX microseconds."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
        "tags": words(it.tags),
        "description": it.desc,
        "interval": it.period,
        "schedule": it.schedule,
        "timezone": it.tz,
        "grace": it.grace,
        "next_runs": [moment(run) for run in next_runs(it.schedule, it.tz, from_micros(now), 5)] if it.schedule else [],
        "methods": it.methods,
        "channels": it.channels,
        "enabled": it.vitals.status != "paused",
        "state": shown(it, it.vitals, now),
        "state_changed_at": moment_of(it.vitals.changed_at or None),
        "reason": it.vitals.reason,
        "last_event_at": moment_of(it.vitals.last_event),
        "last_duration": it.vitals.last_duration,
        **({"url": f"{gateway_url}/v1/heartbeat/{it.id}"} if gateway_url else {}),
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def certificate(it: Certificate, now: datetime) -> dict[str, Any]:
    """A certificate's document (A18); `days_left` are whole days, negative once it has expired."""
    return {
        "host": it.host,
        "subject": it.subject,
        "issuer": it.issuer,
        "serial_number": it.serial_number,
        "sans": it.sans,
        "valid_from": moment(it.valid_from),
        "valid_to": moment(it.valid_to),
        "days_left": (it.valid_to - now) // timedelta(days=1),
        "sha256": it.sha256,
        "chain": [
            {
                "subject": link.subject,
                "issuer": link.issuer,
                "valid_from": moment(link.valid_from),
                "valid_to": moment(link.valid_to),
                "sha256": link.sha256,
            }
            for link in it.chain
        ],
        "verified": it.verified,
        "problem": it.problem,
        "checked_at": moment(it.checked_at),
        "region": it.region,
    }


def domain(it: Domain, now: datetime) -> dict[str, Any]:
    """A domain's document (A19); what the registry does not publish is null."""
    return {
        "domain": it.name,
        "registrar": it.registrar or None,
        "created_at": moment(it.created_at),
        "expires_at": moment(it.expires_at),
        "days_left": None if it.expires_at is None else (it.expires_at - now) // timedelta(days=1),
        "checked_at": moment(it.checked_at),
    }


def reminder(id_: UUID, kind: str, days_before: list[int]) -> dict[str, Any]:
    """A reminder's document (A6 to A11), with the monitor's id."""
    return {"id": id_, "type": kind, "days_before": days_before}


def service(it: Service) -> dict[str, Any]:
    """A service's document."""
    return {
        "id": it.id,
        "name": it.name,
        "channels": it.channels,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


_AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
_OWN: dict[str, Any] = {
    "id": UUID("906a3444-15ce-4410-8041-89a238e9e91f"),
    "organisation": UUID(int=0),
    "created_at": _AT,
    "updated_at": _AT,
}
_SERVICE = UUID("14ab74bf-87a0-4565-a291-ad5c9733c53f")
_MICROS = int(_AT.timestamp()) * 1_000_000

RESOURCE = resource(
    Resource(
        **_OWN,
        service_id=_SERVICE,
        name="Pinghome",
        type="http",
        url="https://website-stage.ping-home.com",
        header_names=["Authorization"],
        regions=["eu-central-1"],
        change=Change(status=ResourceStatus.up, previous=ResourceStatus.pending, at=_AT, version=2),
    ),
    _MICROS,
    41.873,
)
HEARTBEAT = heartbeat(
    Heartbeat(
        **_OWN,
        service_id=_SERVICE,
        name="My heartbeat",
        period=60,
        methods=["GET"],
        vitals=RuntimeState(status=Status.up, changed_at=_MICROS, last_ping=_MICROS, last_event=_MICROS),
    ),
    "https://data-gateway.api.pinghome.io",
    _MICROS,
)
CERTIFICATE = certificate(
    Certificate(
        host="website-stage.ping-home.com",
        subject="CN=website-stage.ping-home.com",
        issuer="CN=R11,O=Let's Encrypt,C=US",
        serial_number="4d2c8f6839100d5ed5c8",
        sans=["website-stage.ping-home.com"],
        valid_from=_AT - timedelta(days=30),
        valid_to=_AT + timedelta(days=60),
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        chain=[
            Link(
                subject="CN=R11,O=Let's Encrypt,C=US",
                issuer="CN=ISRG Root X1,O=Internet Security Research Group,C=US",
                valid_from=datetime(2024, 3, 13, tzinfo=UTC),
                valid_to=datetime(2027, 3, 12, 23, 59, 59, tzinfo=UTC),
                sha256="591e9ce6c863d3a079e9fabe1478c7339a26b21269dde795211361024ae31a44",
            )
        ],
        verified=True,
        checked_at=_AT,
        region="eu-central-1",
    ),
    _AT,
)
DOMAIN = domain(
    Domain(
        name="ping-home.com",
        registrar="GoDaddy.com, LLC",
        created_at=datetime(2021, 3, 9, 12, 10, 5, tzinfo=UTC),
        expires_at=datetime(2027, 3, 9, 12, 10, 5, tzinfo=UTC),
        checked_at=_AT,
    ),
    _AT,
)
SERVICE = service(Service(**_OWN, name="Web shop"))
"""Examples for OpenAPI, rendered by the same code as the answers."""


def shows(example: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example answer of a route, for OpenAPI."""
    return {status: {"content": {"application/json": {"example": json.loads(encode(example))}}}}


def made(kind: str, example: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example answer of a command that returns the document (contract F)."""
    word = "created" if status == 201 else "updated"
    return shows({"message": f"{kind.capitalize()} {word}", kind: example, "id": example["id"]}, status)


def gone(kind: str) -> dict[int | str, dict[str, Any]]:
    """The example answer of a deletion."""
    return shows({"message": f"{kind.capitalize()} deleted", "id": _OWN["id"]})


def all_gone(kind: str) -> dict[int | str, dict[str, Any]]:
    """The example answer of a bulk deletion."""
    return shows({"message": f"{kind.capitalize()}s deleted", "ids": [_OWN["id"]]})


def listed(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The example answer of a paginated list."""
    return shows({"data": [example], "page": 1, "limit": 50, "total": 1})
