"""PingHome's documents of servers (contract A25 to A30, G)."""

import shlex
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pinghome_common.clock import micros
from pinghome_common.dialects.pinghome_documents import moment, moment_of, shows, words
from pinghome_common.events.metric import FIELDS, Agent, Figures
from pinghome_common.events.server_resource import Change, Heard, ServerResource, Status


def server(it: ServerResource, heard: Heard | None = None) -> dict[str, Any]:
    """A server; `metrics` has the newest figures of the host by type, null where it does not know them."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
        "tags": words(it.tags),
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
        "last_seen_at": moment_of(heard.seen_at if heard else None),
        "agent": _agent(heard.agent) if heard and heard.agent else None,
        "processes": heard.processes if heard else None,
        "metrics": {
            each.type: dict(zip(FIELDS[each.type], each.values, strict=False))
            for each in (heard.figures if heard else ())
            if not each.name and each.type in FIELDS
        },
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


_LATEST = 1e11
"""UNIX seconds after which no server was booted, whatever it says."""


def _agent(it: Agent) -> dict[str, Any]:
    return {
        "version": it.version,
        "hostname": it.hostname,
        "os": it.os,
        "boot_time": moment_of(round(it.boot_time * 1_000_000) if 0 < it.boot_time < _LATEST else None),
        "clock_skew_seconds": it.clock_skew_seconds,
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
    ),
    Heard(
        seen_at=micros(_AT),
        agent=Agent("0.1.0", "web-1", "Debian 12, Linux 6.1.0", _AT.timestamp() - 86_400, 0.012),
        processes=None,
        figures=[Figures("cpu-total-usage", "", [7.5, 5.0, 2.5, 0.0, 0.0])],
    ),
)
_TOKEN = token("ph_nHq3-example", "https://pinghome.example.com", 60)
TOKEN = {"message": "Token renewed", "id": SERVER["id"]} | _TOKEN
"""Examples for the OpenAPI pages, made by the same code as the answers."""


def made(status: int) -> dict[int | str, dict[str, Any]]:
    """The answer of a creation (201) or a change for the OpenAPI page."""
    word, more = ("created", _TOKEN) if status == 201 else ("updated", {})
    body = {"message": f"Server resource {word}", "server_resource": SERVER, "id": SERVER["id"]}
    return shows(body | more, status)
