"""PingHome's documents of servers (contract A25 to A30, G)."""

import shlex
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pinghome_common.dialects.pinghome_documents import moment, shows
from pinghome_common.events.server_resource import Change, ServerResource, Status


def server(it: ServerResource) -> dict[str, Any]:
    """A server."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
        "description": it.description,
        "timezone": it.timezone,
        "chart_type_default": it.chart_type_default,
        "os": it.os,
        "metric_types_basic": it.metric_types_basic,
        "metric_types_advanced": it.metric_types_advanced,
        "metric_types_complex": it.metric_types_complex,
        "interval": it.interval,
        "enabled": it.enabled,
        "channels": it.channels,
        "parent_id": it.parent_id,
        "thresholds": [
            {
                "type": each.type,
                "field": each.field,
                "operator": each.operator,
                "value": each.value,
                "minutes": each.minutes,
                "breached_since": moment(each.breached_since),
            }
            for each in it.thresholds
        ],
        "reboot_alert": it.reboot_alert,
        "state": it.change.status,
        "state_changed_at": moment(it.change.at),
        "reason": it.change.reason,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def token(text: str, url: str, interval: int) -> dict[str, Any]:
    """A new token of an agent, shown once, and the line that installs the agent on its server."""
    script = shlex.quote(f"{url}/data-gateway/agent/install.sh")
    options = f"--url {shlex.quote(url)} --token {shlex.quote(text)} --interval {interval}"
    return {"agent_token": text, "install": f"curl -fsSL {script} | sh -s -- {options}"}


_AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
SERVER = server(
    ServerResource(
        id=UUID("445a5c1f-c0eb-403a-96d7-3976e5dc74ed"),
        organisation=UUID(int=0),
        service_id=UUID("ed45b14d-e3ea-4f40-9a4e-16c175afad98"),
        name="Resource name",
        description="Resource description",
        timezone="Europe/Berlin",
        os="ubuntu",
        metric_types_basic=["cpu-total-usage"],
        metric_types_advanced=["disk-io-unified"],
        metric_types_complex=["processes-unified"],
        change=Change(status=Status.up, previous=Status.pending, at=_AT, version=2),
        created_at=_AT,
        updated_at=_AT,
    )
)
_TOKEN = token("ph_nHq3-example", "https://pinghome.example.com", 60)
TOKEN = {"message": "Token renewed", "id": SERVER["id"]} | _TOKEN
"""Examples for the OpenAPI pages, made by the same code as the answers."""


def made(status: int) -> dict[int | str, dict[str, Any]]:
    """The answer of a creation (201) or a change for the OpenAPI page."""
    word, more = ("created", _TOKEN) if status == 201 else ("updated", {})
    body = {"message": f"Server resource {word}", "server_resource": SERVER, "id": SERVER["id"]}
    return shows(body | more, status)
