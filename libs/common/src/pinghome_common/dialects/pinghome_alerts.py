"""PingHome's documents of alerts: channels, integrations and notifications (contract A22, F)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pinghome_common.dialects.pinghome import MASK
from pinghome_common.dialects.pinghome_documents import moment
from pinghome_common.events.channel import Channel
from pinghome_common.events.integration import Integration
from pinghome_common.events.notification import Attempt, Notification, State


def channel(it: Channel, secret: str = "") -> dict[str, Any]:
    """A channel's document; `secret` is shown only when it was just generated."""
    return {
        "id": it.id,
        "service_id": it.service_id,
        "name": it.name,
        "kind": it.kind,
        "config": it.shown | ({"secret": secret} if secret else {}),
        "problem": it.problem,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def integration(it: Integration, token: str = "") -> dict[str, Any]:
    """An integration's document with its 12-character id; `token` is shown only when it was just set."""
    return {
        "id": it.key,
        "resource_id": it.resource,
        "type": it.type,
        "integration": it.integration,
        "name": it.name,
        "status": it.status,
        "message": it.message,
        "items": it.items,
        "token": token or (MASK if it.has_token else ""),
        "problem": it.problem,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def notification(it: Notification, sent_as: Notification | None = None) -> dict[str, Any]:
    """A notification's document; `sent_as` is the digest that it was sent in, whose attempts are shown."""
    return {
        "id": it.id,
        "noun": it.noun.replace("_", "-"),
        "about": it.about,
        "page_id": it.page,
        "what": it.what,
        "title": it.title,
        "text": it.text,
        "at": moment(it.at),
        "state": it.state,
        "reason": it.reason,
        "channel": {"id": it.channel, "name": it.channel_name, "kind": it.channel_kind},
        "recipient": it.recipient or None,
        "digest_id": it.digest or (it.id if it.covers else None),
        "attempts": [
            {"at": moment(each.at), "delivered": not each.error, "error": each.error}
            for each in (sent_as or it).attempts
        ],
        "created_at": moment(it.created_at),
    }


_AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
_OWN: dict[str, Any] = {
    "id": UUID("906a3444-15ce-4410-8041-89a238e9e91f"),
    "organisation": UUID(int=0),
    "created_at": _AT,
}
_RESOURCE = UUID("c03b02ec-244f-4d2c-8f68-3910071ed5c8")
CHANNEL = channel(
    Channel(
        **_OWN,
        updated_at=_AT,
        service_id=UUID("14ab74bf-87a0-4565-a291-ad5c9733c53f"),
        name="On call",
        kind="webhook",
        shown={"url": f"https://hooks.example.com/{MASK}", "secret": MASK},
    )
)
TESTED = {"message": "Delivered", "delivered": True, "error": "", "id": _OWN["id"]}
INTEGRATION = integration(
    Integration(
        **_OWN,
        updated_at=_AT,
        resource=_RESOURCE,
        key="nh29bqqsj2fv",
        type="statuspageIo",
        integration="r276xxt51c23",
        target=b"",
        name="Incident name",
        status="Incident status",
        items=["ggs24084vt79"],
        has_token=True,
    )
)
NOTIFICATION = notification(
    Notification(
        **_OWN,
        channel=_OWN["id"],
        channel_name="On call",
        channel_kind="webhook",
        noun="resource",
        about=_RESOURCE,
        about_version=3,
        what="down",
        at=_AT,
        title="Shop is down",
        text="Shop (https://shop.example.com) is down since 2026-11-21 21:50:15 UTC: refused the connection.",
        state=State.sent,
        attempts=[Attempt(at=_AT)],
    )
)
"""Examples for OpenAPI, rendered by the same code as the answers."""
