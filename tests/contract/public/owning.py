"""Pages as their owner makes them, and where the public finds what is on them."""

from typing import Any
from uuid import uuid4

from contract.client import Client
from statuspage_query.public import site

BELOW = "status.test"
"""The status domain."""


async def made(owner: Client, **settings: Any) -> dict[str, Any]:
    """A page with a subdomain of its own."""
    return await owner.page(**{"name": "Acme", "subdomain": f"p{uuid4().hex[:12]}"} | settings)


async def changed(owner: Client, page: dict[str, Any], **settings: Any) -> None:
    """Changes a page."""
    answer = await owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}", json=settings)
    assert answer.status_code == 200, answer.text


async def told(owner: Client, page: dict[str, Any], noun: str = "incident", **body: Any) -> dict[str, Any]:
    """An incident, or a maintenance, of a page."""
    answer = await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/{noun}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()[noun]


def paths(*ids: str) -> list[str]:
    """Every public path below a page's address, with those of some things."""
    found = [*site.PATHS, "/events", "/nothing", "/api/v2/nothing.json", "/history/2026-11", "/images/0.png", "/unlock"]
    return found + [f"/{noun}/{id_}" for id_ in ids for noun in ("incidents", "maintenances", "components")]
