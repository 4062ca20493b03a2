"""Which page somebody subscribes to who does not, or not by its id, say so (contract A.5)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.events.statuspage import StatusPage

MOST = 1000
"""Pages that one subscription may be to."""

_decode = msgspec.json.Decoder(StatusPage).decode
_PATH = re.compile(r"/status/([a-z0-9-]{1,63})(?:/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a request says of the page: `domain` and `page` by its body, `urls` are its Origin, Referer and Host."""

    domain: str = ""
    page: UUID | None = None
    urls: Sequence[str] = ()


class Which:
    """Finds pages of all organisations.

    Args:
        tx: a transaction.
        status_domain: below which pages have their subdomains, or empty.
    """

    def __init__(self, tx: Connection, status_domain: str) -> None:
        self._tx, self._status_domain = tx, status_domain

    async def pages(self, said: Said, *, required: bool) -> list[StatusPage]:
        """The pages that are meant, by the first of what is said that names one; all of them take subscriptions.

        Raises:
            NotFound: there is no page with this id, or it is not shown.
            Invalid: there is none with this domain, or it takes no subscriptions, or `required` and none is named.
        """
        if said.domain:
            page = await self._named(said.domain.lower().removesuffix("."))
            if page is None:
                raise Invalid(FieldError("domain", "there is no such status page"))
            return [_open(page, "domain")]
        if said.page:
            page = await self._one("id = $1", said.page)
            if page is None:
                raise NotFound("Status page not found")
            return [_open(page, "statuspage_id")]
        if page := await self.meant(said):
            return [_open(page, "statuspage_id")]
        return await self._unnamed(required=required)

    async def meant(self, said: Said) -> StatusPage | None:
        """The page that the first of some URLs is on that is on one."""
        for url in said.urls:
            if page := await self._at(url):
                return page
        return None

    async def _at(self, url: str) -> StatusPage | None:
        """The page that a URL is on."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return None
        if page := await self._named(host) if "." in host else None:
            return page
        found = _PATH.fullmatch(parts.path)
        return await self._one("subdomain = $1", found[1]) if found else None

    async def _named(self, name: str) -> StatusPage | None:
        if self._status_domain and name.endswith("." + self._status_domain):
            name = name.removesuffix("." + self._status_domain)
        return await self._one("subdomain = $1" if "." not in name else "domain = $1", name)

    async def _one(self, condition: str, value: object) -> StatusPage | None:
        """A page that is shown."""
        state = await self._tx.fetchval(
            f"SELECT state FROM statuspage WHERE {condition} AND (state->>'enabled')::boolean",  # noqa: S608  # ours
            value,
        )
        return _decode(state) if state else None

    async def _unnamed(self, *, required: bool) -> list[StatusPage]:
        """The only page that is shown, or all that everybody may see and subscribe to."""
        only = await self._tx.fetch("SELECT state FROM statuspage WHERE (state->>'enabled')::boolean LIMIT 2")
        if len(only) == 1:
            return [_open(_decode(only[0]["state"]), "statuspage_id")]
        if required:
            raise Invalid(FieldError("statuspage_id", "is required, for there are several status pages"))
        rows = await self._tx.fetch(
            "SELECT state FROM statuspage WHERE (state->>'enabled')::boolean AND state->>'type' = 'public'"
            " AND (state->>'subscription_enabled')::boolean ORDER BY id LIMIT $1",
            MOST,
        )
        if not rows:
            raise Invalid(FieldError("statuspage_id", "no status page takes subscriptions"))
        return [_decode(row["state"]) for row in rows]


def _open(page: StatusPage, field: str) -> StatusPage:
    """The page, if it takes subscriptions of everybody; what a private one tells is not for strangers."""
    if not page.subscription_enabled or page.type != "public":
        raise Invalid(FieldError(field, "this status page takes no subscriptions"))
    return page
