"""PingHome's documents of subscriptions (contract A50 to A53, H)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pinghome_common.dialects.pinghome_documents import moment, shows
from pinghome_common.events.subscription import ChannelType, Chosen, Subscription

ASKED = "Subscription created; it begins when the link that was sent is followed within 24 hours"
"""The same for every address, so that nobody learns who is subscribed."""


def subscription(it: Subscription) -> dict[str, Any]:
    """A subscription as the page's owner sees it."""
    return {
        "id": it.id,
        "channel_type": it.channel_type,
        "channel_value": it.channel_value,
        "verified": it.verified_at is not None,
        "components": it.chosen.components,
        "groups": it.chosen.groups,
        "created_at": moment(it.created_at),
    }


def asked(channel_type: ChannelType, value: str, token: str = "") -> dict[str, Any]:
    """What whoever subscribes is told; `token` is shown to tests only."""
    document = {"channel_type": channel_type, "channel_value": value, "verified": False}
    return {"message": ASKED, "subscription": document | ({"token": token} if token else {})}


_AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
EXAMPLE = subscription(
    Subscription(
        id=UUID("906a3444-15ce-4410-8041-89a238e9e91f"),
        organisation=UUID(int=0),
        pages=[],
        chosen=Chosen(components=[UUID("445a5c1f-c0eb-403a-96d7-3976e5dc74ed")]),
        channel_type=ChannelType.email,
        channel_value="info@pinghome.dev",
        target=b"",
        requested_at=_AT,
        verified_at=_AT,
        created_at=_AT,
        updated_at=_AT,
    )
)
IMPORTED = {"message": "2 subscriptions created", "created": 2, "id": UUID("c03b02ec-244f-4d2c-8f68-3910071ed5c8")}


def done(word: str) -> dict[int | str, dict[str, Any]]:
    """The answer to a subscriber's own command, for OpenAPI."""
    return shows({"message": f"Subscription {word}", "id": EXAMPLE["id"]})
