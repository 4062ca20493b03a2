"""The links in what subscribers are sent, all on the page's own address."""

from dataclasses import dataclass
from uuid import UUID

from pinghome_common.db import Connection
from statuspage_cmd.language import Language, language
from statuspage_cmd.pages.address import Addresses
from statuspage_cmd.subscriptions.token import token


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page as its subscribers see it; `url` has no slash at its end, `words` are in its language."""

    id: UUID
    name: str
    url: str
    words: Language

    def of(self, noun: str, about: UUID) -> str:
        """Where an incident or a maintenance is shown."""
        return f"{self.url}/{noun}s/{about}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """A subscription's links on one page."""

    token: str
    url: str

    @property
    def manage(self) -> str:
        """Where a subscription is verified, or ended."""
        return f"{self.url}/subscription/{self.token}"

    @property
    def unsubscribe(self) -> str:
        """Where one POST ends it (RFC 8058)."""
        return f"{self.manage}/unsubscribe"


async def places(tx: Connection, addresses: Addresses, pages: list[UUID]) -> dict[UUID, Place]:
    """Some pages by their ids."""
    rows = await tx.fetch(
        "SELECT id, state->>'name' AS name, state->>'language' AS language, subdomain FROM statuspage"
        " WHERE id = ANY($1::uuid[])",
        pages,
    )
    return {
        row["id"]: Place(
            id=row["id"],
            name=row["name"],
            url=addresses.of(row["id"], row["subdomain"]),
            words=language(row["language"]),
        )
        for row in rows
    }


def links(key: bytes, subscription: UUID, place: Place) -> Links:
    """The links of a subscription on a page."""
    return Links(token=token(key, subscription), url=place.url)
