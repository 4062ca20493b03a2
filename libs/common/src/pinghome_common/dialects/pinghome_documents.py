"""PingHome's documents: what a monitor, a heartbeat and a service look like when read (contract A16, A36, F)."""

from datetime import UTC, datetime
from typing import Any

from pinghome_common.clock import from_micros
from pinghome_common.dialects.pinghome import MASK
from pinghome_common.events.heartbeat import Heartbeat, shown
from pinghome_common.events.resource import Resource
from pinghome_common.events.service import Service


def moment(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with `Z`, to the microsecond where there are any."""
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def moment_of(value: int | None) -> str | None:
    """The same from UNIX microseconds."""
    return None if value is None else moment(from_micros(value))


def milliseconds(value: float | None) -> float | None:
    """To the microsecond: what lies below is noise."""
    return None if value is None else round(value, 3)


def resource(it: Resource, last_checked_at: int | None = None, response_time: float | None = None) -> dict[str, Any]:
    """A monitor. Header values and the body are secrets: they read as a mask."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
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
        "method": it.method,
        "headers": dict.fromkeys(it.header_names, MASK),
        "body": MASK if it.has_body else "",
        "is_advanced": it.is_advanced,
        "conditions": [],
        "regions": it.regions,
        "interval": it.interval,
        "enabled": it.enabled,
        "state": it.change.status,
        "state_changed_at": moment(it.change.at),
        "reason": it.change.reason,
        "last_checked_at": moment_of(last_checked_at),
        "response_time": milliseconds(response_time),
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def heartbeat(it: Heartbeat, gateway_url: str, now: int) -> dict[str, Any]:
    """A heartbeat with its check-in URL; `now` is in UNIX microseconds."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
        "interval": it.period,
        "methods": it.methods,
        "enabled": it.vitals.status != "paused",
        "state": shown(it, it.vitals, now),
        "state_changed_at": moment_of(it.vitals.changed_at or None),
        "reason": it.vitals.reason,
        "last_event_at": moment_of(it.vitals.last_event),
        "last_duration": it.vitals.last_duration,
        "url": f"{gateway_url}/v1/heartbeat/{it.id}",
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def service(it: Service) -> dict[str, Any]:
    """A service."""
    return {
        "id": it.id,
        "name": it.name,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }
