"""Makes the first organisation's first page, once: as soon as there is the token that names it (contract I)."""

from collections.abc import Callable
from itertools import count

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.directory import Directory
from pinghome_common.errors import Unavailable
from pinghome_common.events.key import Key, Kind
from pinghome_common.store import Actor, no_wait
from pinghome_common.worker import Worker
from statuspage_cmd.pages import page
from statuspage_cmd.pages.store import Pages

ACTOR = Actor("first page")

SETTINGS = {
    "name": "Main",
    "type": "public",
    "robots_meta_contents": ["noindex"],
    "subscription_enabled": True,
}

# The log keeps every event: a page that was deleted is not made again.
_MADE = "SELECT EXISTS (SELECT FROM events WHERE aggregate = $1)"


class FirstPage(Worker):
    """Looks each second until the page is made; `after` is called then."""

    lock = "first page"
    resident = False

    def __init__(self, db: Database, directory: Directory, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._directory, self._after = directory, after
        self._made = False

    async def problem(self) -> str | None:
        """Why the service is not ready: there is a token of a page that was never made."""
        if not self._made:
            try:
                await self._directory.caught_up()
            except Unavailable:  # which has a check of its own
                return None
            if missing := await self._missing():
                return f"the first status page {missing.page} is not made yet"
        return None

    async def due(self) -> bool:
        """Whether the page is to be made."""
        return not self._made and await self._missing() is not None

    async def round(self, connection: Connection) -> bool:
        """Makes the page that a token names and that was never there."""
        if missing := await self._missing():
            async with connection.transaction():
                await make(connection, missing)
            self._after()
        return False

    async def _missing(self) -> Key | None:
        for key in self._directory.keys(Kind.status):
            if key.is_of_first_page:
                self._made = await self._db.fetchval(_MADE, key.page)
                return None if self._made else key
        return None


async def make(tx: Connection, key: Key) -> None:
    """Adds the page of a key; its subdomain is `main`, on an upgrade with a number if that is taken."""
    assert key.page  # noqa: S101  # it is that of a page
    pages, taken = Pages(tx, ACTOR, no_wait, now()), "SELECT EXISTS (SELECT FROM statuspage WHERE subdomain = $1)"
    for subdomain in ("main" if number == 1 else f"main-{number}" for number in count(1)):
        if not await tx.fetchval(taken, subdomain):
            settings = SETTINGS | {"subdomain": subdomain}
            await pages.add(page.create(key.page, key.organisation, settings, pages.now))
            return
