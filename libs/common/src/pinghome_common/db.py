"""PostgreSQL: one pool per process, one transaction per request."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

import asyncpg
from asyncpg import Connection as Connection  # noqa: PLC0414  # exported: asyncpg is imported here only
from asyncpg import Pool
from asyncpg.pgproto.pgproto import UUID as FastUUID  # noqa: N811  # a uuid.UUID, made and compared ten times as fast

from pinghome_common.batcher import Batcher
from pinghome_common.errors import Unavailable
from pinghome_common.health import resting, round_done
from pinghome_common.lookup import look_up

R = TypeVar("R", bound=tuple[Any, ...])

_CONNECTION_ERRORS = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
_NETWORK_ERRNOS = (
    *(None, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EHOSTDOWN),  # None: several addresses failed
    errno.ENOENT,  # a UNIX socket whose server has not started yet
)


def is_connection_error(error: BaseException) -> bool:
    """True if the server is unavailable, shutting down or starting up.

    Other errors are bugs or bad data, even an OSError (such as a file without permission) or an InterfaceError of
    asyncpg (such as a value that cannot be encoded).
    """
    if isinstance(error, _CONNECTION_ERRORS):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError) and "clos" in str(error)  # closed or closing
    if isinstance(error, asyncpg.InternalClientError):  # the connection was lost during a statement
        return not isinstance(error, asyncpg.OutdatedSchemaCacheError)
    return isinstance(error, OSError) and error.errno in _NETWORK_ERRNOS


__all__ = ["Connection", "FastUUID"]  # what of asyncpg is used elsewhere

LockNotAvailable = asyncpg.LockNotAvailableError

HOST_WITHIN = 1.5
"""Seconds in which a host has to accept a connection, where a URL names several."""


async def connect(url: str, **options: Any) -> Connection:
    """A connection outside any pool, which the caller closes.

    Of several hosts in the URL, separated by commas, it is the first that is what the URL asks for, such as
    `target_session_attrs=primary`. asyncpg itself would wait for one that accepts connections and is silent.
    """
    parts = urlsplit(url)
    user, at, addresses = parts.netloc.rpartition("@")
    *others, last = (parts._replace(netloc=user + at + address) for address in addresses.split(","))
    within = HOST_WITHIN if others else None
    for one in others:
        try:
            return await _connect(one, within, **options)
        except Exception as error:  # a standby may not have a new database yet
            if not is_connection_error(error) and not isinstance(error, asyncpg.InvalidCatalogNameError):
                raise
    return await _connect(last, within, **options)


async def _connect(server: SplitResult, within: float | None, **options: Any) -> Connection:
    async with asyncio.timeout(within):
        if server.hostname:
            await look_up(server.hostname)
        return await asyncpg.connect(urlunsplit(server), **options)


_PLANS = {"random_page_cost": "1.1"}
"""What is asked for often is in memory or on an SSD; else whole tables are read where an index would do."""


class Database:
    """The pool of one service; it connects on first use and reconnects when the server is back.

    Args:
        url: of the service's own database.
        size: maximum number of connections.
    """

    def __init__(self, url: str, size: int = 8) -> None:
        self.url = url
        self._pool: Pool = asyncpg.create_pool(
            url, connect=connect, min_size=0, max_size=size, command_timeout=20,
            max_inactive_connection_lifetime=30, reset=_no_reset, server_settings=_PLANS,
        )  # fmt: skip
        self.batcher = Batcher(self.fetch)

    async def __aenter__(self) -> Self:
        await self._pool
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection from the pool; each statement is a transaction of its own.

        Raises:
            Unavailable: PostgreSQL is unavailable.
        """
        try:
            async with self._pool.acquire(timeout=5) as connection:
                yield connection
        except Exception as error:
            if not is_connection_error(error):
                raise
            raise Unavailable("The database is not reachable right now; please try again in a moment.") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, committed when the block ends without an error.

        Raises:
            Unavailable: PostgreSQL is unavailable; a commit in progress may or may not have taken effect.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, statement: str, *args: object) -> list[Any]:
        """The rows of one statement on a connection of its own; raises Unavailable like `connection`."""
        async with self.connection() as connection:
            return await connection.fetch(statement, *args)  # type: ignore[no-any-return]

    async def fetchrow(self, statement: str, *args: object) -> Any:
        """The first row, or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(statement, *args)

    async def fetchval(self, statement: str, *args: object) -> Any:
        """The first column of the first row, or None."""
        async with self.connection() as connection:
            return await connection.fetchval(statement, *args)

    async def execute(self, statement: str, *args: object) -> None:
        """One statement without a result."""
        async with self.connection() as connection:
            await connection.execute(statement, *args)

    async def dedicated_connection(self) -> Connection:
        """A connection outside the pool, for a worker that keeps something in its session; the caller closes it."""
        return await connect(self.url, command_timeout=60, server_settings=_PLANS)

    async def leadership(self, name: str) -> Connection:
        """Waits until nobody else is the active worker called `name`; that ends with the connection, outside the pool.

        Who waits holds no connection: a second process of a service has a dozen such workers.
        """
        while True:
            if not await self.is_led(name):
                connection = await self.dedicated_connection()
                if await _try_to_lead(connection, name):
                    return connection
                connection.terminate()
            with resting():
                await asyncio.sleep(LOOK_EVERY)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Connection | None]:
        """A connection of the pool, leading as `name` for the length of the block; None while another process does."""
        async with self.connection() as connection:
            if not await _try_to_lead(connection, name):
                yield None
                return
            try:
                yield connection
            finally:
                if not connection.is_closed():
                    await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)

    async def is_led(self, name: str) -> bool:
        """True while some process has the active worker called `name`."""
        found: bool = await self.fetchval(_IS_LED, name)
        return found

    async def ready(self) -> bool:
        """True if a statement is answered within two seconds."""
        try:
            async with asyncio.timeout(2), self.connection() as connection:
                await connection.execute("SELECT 1")
        except (Unavailable, TimeoutError):
            return False
        return True


async def _no_reset(_: Connection) -> None:
    """Skips asyncpg's reset, a round trip: no session state outlives its transaction here."""


LOOK_EVERY = 0.5
"""Seconds between two looks for whether somebody still leads; a blocking lock would count as a long transaction."""

_IS_LED = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ExclusiveLock'
    AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""


async def _try_to_lead(connection: Connection, name: str) -> bool:
    found: bool = await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name)
    return found


async def acquire_leadership(connection: Connection, name: str) -> None:
    """Waits until this connection is the one active worker called `name`; the lock ends with the connection."""
    while not await _try_to_lead(connection, name):
        with resting():
            await asyncio.sleep(LOOK_EVERY)


def array(values: Iterable[object]) -> str:
    """The text of an array, for a parameter such as `$1::text::bigint[]`.

    asyncpg asks of each element of a list whether it is a list, too, which takes ten times as long as writing it.
    """
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"' if isinstance(value, str) else str(value)


def arrays(rows: Iterable[Iterable[Any]]) -> list[str]:
    """The columns of rows, each as an array, for the parameters of a statement; nothing where there are no rows."""
    return [array(column) for column in zip(*rows, strict=True)]


def array_parameters(types: Iterable[str], first: int = 1) -> str:
    """The parameters that take such arrays, by the types of their elements: `$1::text::uuid[], $2::text::int[], …`."""
    return ", ".join(f"${place}::text::{type_}[]" for place, type_ in enumerate(types, first))


def apart(rows: Iterable[R]) -> Iterator[list[R]]:
    """Rows in parts, none of which has two that begin alike, as a statement cannot change the same row twice."""
    part: dict[Any, R] = {}
    for row in rows:
        if row[0] in part:
            yield [*part.values()]
            part = {}
        part[row[0]] = row
    if part:
        yield [*part.values()]


BATCH = 10_000
"""Rows deleted by one statement."""


async def delete_in_batches(connection: Connection, table: str, condition: str, *args: object) -> None:
    """Deletes the rows of a table `t` that meet a condition, in short transactions that block others only briefly."""
    statement = (
        f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("  # noqa: S608  # our own names
        f"SELECT t.ctid FROM {table} t WHERE {condition} LIMIT {BATCH}))"
    )
    while await connection.execute(statement, *args) == f"DELETE {BATCH}":
        round_done()
