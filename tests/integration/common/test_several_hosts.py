"""A URL of PostgreSQL with several hosts, of which one is the primary: others may be away, silent or a standby."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pinghome import services
from pinghome.postgres import Postgres
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor
from pinghome_common import migrate
from pinghome_common.db import Database, connect
from running import free_port


async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As a frozen server: the kernel accepts the connection."""
    try:
        await asyncio.sleep(3600)
    finally:
        writer.close()


async def test_the_primary_is_found_behind_hosts_that_are_away_or_silent(database: str):
    parts = urlsplit(database)
    user, primary = parts.netloc.rpartition("@")[0], f"127.0.0.1:{parse_qs(parts.query)['port'][0]}"
    async with AsyncExitStack() as stack:
        frozen = await asyncio.start_server(silent, "127.0.0.1", port := free_port())
        stack.callback(frozen.close)
        hosts = f"nowhere.invalid:5432,127.0.0.1:{free_port()},127.0.0.1:{port},{primary}"
        url = urlunsplit(parts._replace(netloc=f"{user}@{hosts}", query="target_session_attrs=primary"))
        await migrate.upgrade((url, services.migrations("resource_query")))
        async with Database(url) as db:
            assert await db.fetchval("SELECT count(*) FROM alembic_version") == 1
        connection = await connect(url)
        assert await connection.fetchval("SELECT pg_is_in_recovery()") is False
        await connection.close()


async def test_a_host_that_does_not_have_the_database_yet_is_passed_over(folder: Path, database: str):
    """As a standby for a moment."""
    parts = urlsplit(database)
    (data := folder / "postgres-of-several").mkdir()
    async with Supervisor() as supervisor:
        other = Postgres(data, state := StateFile(data / "servers.json"), supervisor, "16MB")
        await other.start()
        connection = await connect(other.url)
        await connection.execute(f"ALTER ROLE pinghome PASSWORD '{parts.password}'")
        await connection.close()
        hosts = f"127.0.0.1:{state.get('postgres_port')},127.0.0.1:{parse_qs(parts.query)['port'][0]}"
        connection = await connect(urlunsplit(parts._replace(netloc=f"pinghome:{parts.password}@{hosts}", query="")))
        assert await connection.fetchval("SELECT current_database()") == parts.path[1:]
        await connection.close()
