"""Databases on their way into a backup and back: PostgreSQL's own pg_dump and pg_restore."""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import asyncpg

from pinghome.postgres import binaries
from pinghome.services import migrations
from pinghome_common import migrate
from pinghome_common.errors import DomainError
from pinghome_common.settings import Settings

QUERY = ("resource_query", "statistic_query", "statuspage_query")
COMMAND = ("resource_cmd", "statuspage_cmd")
ALL = (*COMMAND, *QUERY)

CHUNK = 256 << 10
RESTORING, DISCARDED = "restoring_", "discarded_"
"""Prefixes of a database that is being filled, and of the empty one whose place it has taken."""


def newest(name: str) -> str:
    """The version of a database's tables that this version of Pinghome has."""
    return migrate.newest(migrations(name))


async def version(url: str) -> str:
    """The version of a database's tables; empty without tables."""
    connection = await asyncpg.connect(url)
    try:
        return await migrate.version(connection) or ""
    finally:
        await connection.close()


@asynccontextmanager
async def snapshots(settings: Settings, names: Sequence[str]) -> AsyncIterator[dict[str, str]]:
    """What `dump` copies of some databases: their state at the beginning of the block.

    Of both command databases it is one in which neither has applied what the other has not written: while they are
    looked at, in this order, the last one's projection waits.
    """
    async with AsyncExitStack() as stack, AsyncExitStack() as held:
        if len(names) > 1:
            last = await asyncpg.connect(settings.database(names[-1]))
            held.push_async_callback(last.close)
            await last.execute("BEGIN; SET LOCAL lock_timeout = '30s'; LOCK TABLE checkpoint IN SHARE MODE")
        found = {}
        for name in names:
            connection = await asyncpg.connect(settings.database(name))
            stack.push_async_callback(connection.close)
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found[name] = await connection.fetchval("SELECT pg_export_snapshot()")
        await held.aclose()
        yield found


async def dump(url: str, snapshot: str) -> AsyncIterator[bytes]:
    """A database with its tables, as of a snapshot.

    Raises:
        DomainError: pg_dump failed; with what it said.
    """
    options = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    async with _running("pg_dump", url, *options, stdout=PIPE) as child:
        assert child.stdout  # noqa: S101  # it is a pipe
        while chunk := await child.stdout.read(CHUNK):
            yield chunk


async def fill(url: str, owner: str, chunks: AsyncIterable[bytes]) -> None:
    """Fills a new database with what `dump` has given, in one transaction; everything belongs to `owner`.

    Raises:
        DomainError: pg_restore failed; with what it said.
    """
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--role={owner}"]
    async with _running("pg_restore", url, *options, stdin=PIPE) as child:
        assert child.stdin  # noqa: S101  # it is a pipe
        with suppress(BrokenPipeError, ConnectionResetError):  # then it has said why
            async for chunk in chunks:
                child.stdin.write(chunk)
                await child.stdin.drain()
        child.stdin.close()


@asynccontextmanager
async def _running(
    name: str, url: str, *options: str, stdin: int | None = None, stdout: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program of PostgreSQL at work on a database; at the end it has succeeded, or what it said is raised."""
    program, address, environment = _program(name, url)
    child = await asyncio.create_subprocess_exec(
        program, *options, f"--dbname={address}", stdin=stdin, stdout=stdout, stderr=PIPE, env=environment
    )
    assert child.stderr  # noqa: S101  # it is a pipe
    said = asyncio.create_task(child.stderr.read())
    try:
        yield child
        if await child.wait():
            raise DomainError(f"{name} failed: {(await said).decode(errors='replace').strip()}")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def _program(name: str, url: str) -> tuple[Path | str, str, dict[str, str]]:
    """A program of PostgreSQL, the URL without its password, and the environment with it."""
    parts = urlsplit(url)
    secure = parse_qs(parts.query).get("sslmode", ["disable"])[-1] not in ("disable", "allow", "prefer")
    program = shutil.which(name) if secure else binaries() / name
    if program is None:
        raise DomainError(f"Install {name} of PostgreSQL 18 or newer: the one that comes with Pinghome has no TLS.")
    user, at, address = parts.netloc.rpartition("@")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "PINGHOME_"))}
    if parts.password is not None:
        environment["PGPASSWORD"] = unquote(parts.password)
    return program, urlunsplit(parts._replace(netloc=user.partition(":")[0] + at + address)), environment


async def occupied(settings: Settings) -> str | None:
    """The first table with rows, such as `resource_cmd.organisation`; None when all databases are empty."""
    for name in ALL:
        connection = await asyncpg.connect(settings.database(name))
        try:
            for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                table = row["tablename"]
                if table != "alembic_version" and await connection.fetchval(f'SELECT EXISTS (SELECT FROM "{table}")'):  # noqa: S608  # from the catalog
                    return f"{name}.{table}"
        finally:
            await connection.close()
    return None


async def make_place(server: asyncpg.Connection, name: str) -> str:
    """Makes `restoring_<name>`, again when an interrupted restore has left one; returns the owner of `name`."""
    await drop(server, RESTORING + name)
    owner: str = await server.fetchval("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", name)
    await server.execute(f'CREATE DATABASE "{RESTORING}{name}" OWNER "{owner}"')
    grants = await server.fetch(_GRANTS, name)
    if grants:
        await server.execute(f'REVOKE ALL ON DATABASE "{RESTORING}{name}" FROM PUBLIC')
    for row in grants:
        grantee = f'"{row["grantee"]}"' if row["grantee"] else "PUBLIC"
        await server.execute(f'GRANT {row["privilege_type"]} ON DATABASE "{RESTORING}{name}" TO {grantee}')
    return owner


async def put_in_place(server: asyncpg.Connection) -> None:
    """Gives the filled databases their names, all five in one transaction, and drops the empty ones."""
    for name in ALL:
        await drop(server, DISCARDED + name)
    async with server.transaction():
        for name in ALL:
            await server.execute(f'ALTER DATABASE "{name}" RENAME TO "{DISCARDED}{name}"')
            await server.execute(f'ALTER DATABASE "{RESTORING}{name}" RENAME TO "{name}"')
    for name in ALL:
        await drop(server, DISCARDED + name)


async def drop(server: asyncpg.Connection, name: str) -> None:
    """Drops a database, if there is one."""
    await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


_GRANTS = """
SELECT r.rolname AS grantee, a.privilege_type
FROM pg_database d CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE d.datname = $1
"""
