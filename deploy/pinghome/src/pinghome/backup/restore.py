"""`pinghome restore`: an empty platform becomes what a backup says; until the last step it stays empty."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from pathlib import Path

import asyncpg

from pinghome.backup import databases, files
from pinghome.backup.archive import ABOUT, END, About, parts
from pinghome.backup.make import STREAM, Report, fingerprint
from pinghome_common.errors import Conflict, DomainError
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker, snapshot

STREAMS = ("EVENTS", "STATUS_EVENTS", STREAM, "SCHEDULES")
"""All but TELEMETRY are made and filled by the services when they start, from what PostgreSQL has."""


def check(about: About, path: Path, secret_key: str) -> None:
    """Compares a backup with this version and its secret key.

    Raises:
        DomainError: it cannot be restored here.
    """
    newer = [name for name, found in about.databases.items() if found > databases.newest(name)]
    if newer:
        raise DomainError(f"{path} was made by a newer version, {about.version}: update Pinghome first.")
    if not secret_key:
        raise DomainError(
            "There is no secret key yet. Set PINGHOME_SECRET_KEY, or put the keys.json of the platform that was backed"
            " up into the data folder: without its key nothing that is encrypted can be read."
        )
    if about.secret_key != fingerprint(secret_key):
        raise DomainError(
            f"{path} was made with the secret key {about.secret_key}, and this platform has {fingerprint(secret_key)}"
            " (fingerprints). Set PINGHOME_SECRET_KEY to that key, or use that platform's keys.json."
        )


async def restore(path: Path, settings: Settings, report: Report) -> None:
    """Fills the servers that the settings name.

    New databases are filled beside the empty ones and take their names in one transaction, so that a restore that is
    killed before leaves the platform empty, and can simply be repeated.

    Raises:
        Conflict: the platform is not empty.
        DomainError: a server is away, or does not allow it.
    """
    server = await asyncpg.connect(settings.database_url)
    try:
        async with Broker(settings.nats_url, "restore", settings.nats_ca) as broker:
            await broker.until_connected(10)
            if table := await databases.occupied(settings):
                if await snapshot.marked(broker, STREAM):
                    await snapshot.restored(broker, STREAM)
                    raise Conflict("A restore that was stopped at its very end is complete here: start the platform.")
                raise Conflict(f"This platform is not empty: {table} has rows. Nothing was changed.")
            if full := await snapshot.clear(broker, *STREAMS):
                raise Conflict(f"This platform is not empty: the stream {full} has messages. Nothing was changed.")
            await _fill(path, settings, server, broker, report)
            await databases.put_in_place(server)
            await snapshot.restored(broker, STREAM)
    finally:
        await server.close()


async def _fill(path: Path, settings: Settings, server: asyncpg.Connection, broker: Broker, report: Report) -> None:
    head = {}
    for name, group in groupby(parts(path), lambda part: _thing(part[0])):
        kind, _, rest = name.partition("/")
        if kind == "databases":
            owner = await databases.make_place(server, rest)
            url = settings.database(databases.RESTORING + rest)
            await databases.fill(url, owner, _told(group, report, rest))
        elif kind in ("files", "sealed"):
            for file, content in group:
                files.write(settings.data.absolute(), settings.secret_key, file, content)
        elif name == f"streams/{STREAM}.json":
            head = json.loads(next(group)[1])
            head["config"]["num_replicas"] = settings.nats_replicas
        elif name == f"streams/{STREAM}":
            await snapshot.restore(broker, STREAM, head, _told(group, report, STREAM))
        elif name not in (ABOUT, END):
            raise DomainError(f"{path} has a part {name}, which this version does not know")


def _thing(name: str) -> str:
    """What a part belongs to: `databases/resource_cmd/00000000` to `databases/resource_cmd`."""
    kind = name.partition("/")[0]
    return name.rpartition("/")[0] if kind in ("databases", "streams") and name.count("/") == 2 else name


async def _told(group: Iterator[tuple[str, bytes]], report: Report, what: str) -> AsyncIterator[bytes]:
    """The contents of some parts, of 128 KiB at most, which is what the broker takes."""
    while part := await asyncio.to_thread(next, group, None):
        report(what, len(part[1]))
        for start in range(0, len(part[1]), snapshot.CHUNK):
            yield part[1][start : start + snapshot.CHUNK]
