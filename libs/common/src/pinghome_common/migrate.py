"""Migrations: each service's own Alembic history, run at start-up under a lock."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from pinghome_common.db import Connection, acquire_leadership, connect, is_connection_error
from pinghome_common.logs import error_text, log


async def upgrade(*histories: tuple[str, Path]) -> None:
    """Migrates databases to their newest versions; of several processes that start together, one does it.

    A database that is up to date costs one query. The others are migrated in a child process, because Alembic and
    SQLAlchemy take a second to import and would stay in memory.

    Args:
        histories: the URL of each service's database, and its folder of migrations; the newest version is the last
            file name in its `versions`.
    """
    connections = [await patiently(url) for url, _ in histories]
    try:
        due = []
        for connection, (url, scripts) in zip(connections, histories, strict=True):
            if await version(connection) != newest(scripts):
                await acquire_leadership(connection, "migrate")
                if await version(connection) != newest(scripts):
                    due += [url, str(scripts)]
        if due:
            child = await asyncio.create_subprocess_exec(sys.executable, "-m", "pinghome_common.migrate", stdin=PIPE)
            await child.communicate("\n".join(due).encode())  # not as arguments, because a URL contains a password
            if child.returncode != 0:
                raise RuntimeError(f"the migrations {', '.join(due[1::2])} failed; see the lines above")
    finally:
        for connection in connections:
            await connection.close()


async def patiently(url: str) -> Connection:
    """A connection; waits for a server that is still starting or restarting."""
    while True:
        try:
            return await connect(url)
        except Exception as error:
            if not is_connection_error(error):
                raise
            log.warning("postgresql_unreachable", error=error_text(error))
            await asyncio.sleep(0.5)


def newest(scripts: Path) -> str:
    """The newest version of a folder of migrations."""
    return max(path.name.split("_")[0] for path in (scripts / "versions").glob("*.py"))


async def version(connection: Any) -> str | None:
    """The version of a database's tables; None without tables."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return found


def main() -> None:
    """Runs Alembic's `upgrade head` (the child process of `upgrade`); stdin has the lines url, folder, url, …."""
    from alembic import command  # noqa: PLC0415  # see upgrade
    from alembic.config import Config  # noqa: PLC0415

    due = sys.stdin.read().splitlines()
    for url, scripts in zip(due[::2], due[1::2], strict=True):
        config = Config()
        config.set_main_option("script_location", scripts.replace("%", "%%"))
        config.attributes["url"] = url
        command.upgrade(config, "head")


def run_migrations(context: Any) -> None:
    """The body of every service's `env.py`: runs the migrations in one transaction.

    Args:
        context: `alembic.context`, which exists only while Alembic runs.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # see upgrade

    def run(connection: Any) -> None:
        context.configure(connection=connection)
        connection.exec_driver_sql("SET lock_timeout = '5s'")  # rather fail than block all users of a table
        with context.begin_transaction():
            context.run_migrations()

    async def migrate() -> None:
        url = context.config.attributes["url"]
        # SQLAlchemy cannot read a URL with several hosts.
        engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url))
        async with engine.begin() as connection:
            await connection.run_sync(run)
        await engine.dispose()

    asyncio.run(migrate())


if __name__ == "__main__":
    main()
