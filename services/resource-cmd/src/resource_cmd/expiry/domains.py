"""Keeps what registries tell of the monitors' domains: each is asked about once a day, none more than it likes."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.events.domain import Domain
from pinghome_common.events.resource import domain_of
from pinghome_common.guard import Guard
from pinghome_common.logs import error_text, log
from pinghome_common.store import Actor, no_wait
from pinghome_common.worker import Worker
from resource_cmd.expiry.domain import ask_again, pause, registrable
from resource_cmd.monitors.store import Resources

REGISTRAR = Actor("domains")

LOOK = 2.0
"""Seconds between two questions to one registry."""

AT_ONCE = 20
"""Registries that are asked at a time; one that hangs holds one place for half a minute."""

REFRESHED = 7 * 86400.0
RETRIED = 3600.0
"""Seconds until the list of RDAP servers is read again, and after a failure."""

# One of each suffix: a registry with thousands of domains to ask for does not stand before the others.
_DUE = """
SELECT name, tries FROM (
    SELECT DISTINCT ON (suffix) name, tries, due FROM domain WHERE due <= $1 AND NOT name = ANY($2) ORDER BY suffix, due
) AS first ORDER BY due
"""

_ANY = """
SELECT EXISTS (SELECT FROM resource WHERE domain <> '' AND domain_checked_at IS NULL)
    OR EXISTS (SELECT FROM domain WHERE due <= $1)
"""

_NEW = """
INSERT INTO domain (name) SELECT DISTINCT domain FROM resource WHERE domain <> '' AND domain_checked_at IS NULL
ON CONFLICT (name) DO NOTHING
"""

_UNTOLD = """
SELECT DISTINCT d.name, d.state FROM resource r JOIN domain d ON d.name = r.domain
WHERE r.domain <> '' AND r.domain_checked_at IS NULL AND d.state IS NOT NULL LIMIT 100
"""


class Domains(Worker):
    """Asks about what is due, and tells the monitors.

    Args:
        db: of this service.
        guard: against addresses that may not be connected to.
        after: called when something became known.
        bootstrap: where the list of RDAP servers is, see `registry.Registries`.
    """

    lock = "domains"
    every = 2.0

    def __init__(self, db: Database, guard: Guard, bootstrap: str, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._guard, self._bootstrap, self._after = guard, bootstrap, after
        self._registries: Any = None
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._asked: set[str] = set()
        self._limits: dict[str, tuple[int, float]] = {}
        self._refresh_at = 0.0
        self._quiet = False

    async def run(self) -> None:
        """Works until cancelled, and leaves no question under way."""
        await asyncio.to_thread(registrable, "example.com")  # reads the suffixes, so that no first request has to
        try:
            await super().run()
        finally:
            for task in self._asking.values():
                task.cancel()
            await asyncio.gather(*self._asking.values(), return_exceptions=True)
            if self._registries:
                await self._registries.aclose()
                self._registries = None

    async def round(self, connection: Connection) -> bool:
        """Begins what is due, as far as the registries are free."""
        if not await connection.fetchval(_ANY, now()):
            return False
        await connection.execute(_NEW)
        for row in await connection.fetch(_UNTOLD):
            await self._tell(connection, msgspec.json.decode(row["state"], type=Domain))
        for row in await connection.fetch(_DUE, now(), list(self._asked)):
            await self._begin(row["name"], row["tries"])
        return False

    async def _begin(self, name: str, tries: int) -> None:
        """Asks in the background, unless the registry is being asked, or was too lately."""
        at = asyncio.get_running_loop().time()
        if self._registries is None:
            module = await asyncio.to_thread(importlib.import_module, "resource_cmd.expiry.registry")
            self._registries = module.Registries(self._guard, self._bootstrap)
        if at >= self._refresh_at:
            await self._refresh(at)
        host = self._registries.host(name)
        _, free_at = self._limits.get(host, (0, 0.0))
        if host in self._asking or at < free_at or len(self._asking) >= AT_ONCE:
            return
        task = self._asking[host] = asyncio.create_task(self._ask(host, name, tries))
        self._asked.add(name)

        def done(task: asyncio.Task[None]) -> None:
            self._asking.pop(host, None)
            self._asked.discard(name)
            if not task.cancelled() and (error := task.exception()):  # the database is away: it stays due
                log.debug("domain_not_stored", why=error_text(error))

        task.add_done_callback(done)

    async def _refresh(self, at: float) -> None:
        try:
            await self._registries.refresh()
            self._refresh_at = at + REFRESHED
        except Exception as silence:  # noqa: BLE001  # a list of somebody else's; the one in the package serves
            self._refresh_at = at + RETRIED
            log.info("rdap_servers_from_package", why=error_text(silence))

    async def _ask(self, host: str, name: str, tries: int) -> None:
        loop = asyncio.get_running_loop()
        refused, _ = self._limits.get(host, (0, 0.0))
        stamp = now()
        try:
            found: Domain = await self._registries.ask(name, stamp)
        except Exception as silence:  # noqa: BLE001  # whatever a registry does, others are asked and this one later
            limited = getattr(silence, "limited", False)
            wait = pause(refused + 1).total_seconds() if limited else LOOK
            self._limits[host] = (refused + 1 if limited else 0), loop.time() + wait
            self._say(name, silence)
            async with self._db.connection() as connection:
                await connection.execute(
                    "UPDATE domain SET tries = $2, due = $3 WHERE name = $1", name, tries + 1, stamp + pause(tries + 1)
                )
            return
        self._limits[host] = 0, loop.time() + LOOK
        self._quiet = False
        async with self._db.transaction() as tx:
            await tx.execute(
                "UPDATE domain SET state = $2, tries = 0, due = $3 WHERE name = $1",
                name, msgspec.json.encode(found).decode(), ask_again(found.expires_at, stamp),
            )  # fmt: skip
            await self._tell(tx, found)

    def _say(self, name: str, silence: Exception) -> None:
        """An outage, or a machine without a way out, is told once."""
        if not self._quiet:
            self._quiet = True
            log.warning("domain_not_looked_up", domain=name, why=error_text(silence))

    async def _tell(self, tx: Connection, found: Domain) -> None:
        """Gives every monitor of a domain what is known of it."""
        async with tx.transaction():
            ids = [row["id"] for row in await tx.fetch("SELECT id FROM resource WHERE domain = $1", found.name)]
            store = Resources(tx, REGISTRAR, no_wait, now())
            for row in await store.edit_many(ids):
                if domain_of(row.state) != found:
                    row.state.domain = found
                    await store.save(row, "domain-changed")
        self._after()
