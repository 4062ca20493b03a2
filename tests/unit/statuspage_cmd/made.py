"""Pages to try rules on."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pinghome_common.events.statuspage import Component, Followed, StatusPage

ZERO = datetime(2026, 11, 1, tzinfo=UTC)
SHOP, BANK, MAIL = UUID(int=1), UUID(int=2), UUID(int=3)


def at(minutes: float) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def page(**settings: Any) -> StatusPage:
    components = [
        Component(id=id_, name=name, type=Followed.resource, resource_id=uuid4(), created_at=ZERO)
        for id_, name in ((SHOP, "Shop"), (BANK, "Bank"), (MAIL, "Mail"))
    ]
    base = {
        "id": uuid4(),
        "organisation": uuid4(),
        "name": "x",
        "subdomain": "x",
        "type": "public",
        "domain_token": "x",
    }
    base |= {"shields_key": "x", "components": components, "created_at": ZERO, "updated_at": ZERO}
    return StatusPage(**(base | settings))
