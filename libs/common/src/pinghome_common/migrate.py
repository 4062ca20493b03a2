"""Migrations: each service's own Alembic history, run at its start under a lock."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import asyncpg

from pinghome_common.db import only_one


def _driver_url(url: str) -> str:
    """The URL with SQLAlchemy's driver name."""
    return "postgresql+asyncpg" + url[url.index("://") :]


async def upgrade(url: str, scripts: Path) -> None:
    """Brings the database to the newest version; several processes that start together wait for one.

    A database that is already there costs one query: Alembic is only imported when there is something to do.

    Args:
        url: of the service's database.
        scripts: the service's migrations folder; the newest version is the last file name in its `versions`.
    """
    newest = max(path.name.split("_")[0] for path in (scripts / "versions").glob("*.py"))
    connection = await asyncpg.connect(url)
    try:
        if await _version(connection) == newest:
            return
        await only_one(connection, "migrate")
        if await _version(connection) == newest:
            return
        # A process of its own: Alembic and SQLAlchemy would stay in memory for ever for a second's work.
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pinghome_common.migrate", _driver_url(url), str(scripts)
        )
        if await child.wait() != 0:
            raise RuntimeError(f"the migrations in {scripts} failed; see the lines above")
    finally:
        await connection.close()


async def _version(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return version


def main(url: str, scripts: str) -> None:
    """Runs Alembic's `upgrade head` (the child process of `upgrade`)."""
    from alembic import command  # noqa: PLC0415  # see upgrade
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def run_migrations(context: Any) -> None:
    """What every service's `env.py` does: runs the versions in one transaction.

    Args:
        context: `alembic.context`, which exists only while Alembic runs.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # see upgrade

    def run(connection: Any) -> None:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()

    async def connect() -> None:
        engine = create_async_engine(context.config.attributes["url"])
        async with engine.begin() as connection:
            await connection.run_sync(run)
        await engine.dispose()

    asyncio.run(connect())


if __name__ == "__main__":
    main(*sys.argv[1:])
