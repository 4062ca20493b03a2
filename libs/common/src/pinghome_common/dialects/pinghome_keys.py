"""Keys and callers as PingHome's API shows them: our extension (contract K)."""

from typing import Any

from pinghome_common.dialects.pinghome_documents import moment
from pinghome_common.events.key import Key

KEY: dict[str, Any] = {
    "id": "01a2c8e4-5b7d-7f10-8a3c-9e6d2b1f4c70",
    "name": "deploy",
    "kind": "checks",
    "scope": "write",
    "service_id": "6766163a-568d-47b4-a1fa-91a0957e06d4",
    "created_at": "2026-11-20T10:00:08.125Z",
}

CALLER: dict[str, Any] = {
    "organisation": {"id": "01a2c8e4-5b7d-7f10-8a3c-9e6d2b1f4c6f", "name": "ACME"},
    "key": {"id": KEY["id"], "name": "laptop"},
    "scope": "write",
    "operator": False,
}


def key(it: Key) -> dict[str, Any]:
    """A key without anything secret."""
    return {
        "id": it.id,
        "name": it.name,
        "kind": it.kind,
        "scope": it.scope,
        "service_id": it.service,
        "created_at": moment(it.created_at),
    }
