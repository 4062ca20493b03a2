"""`pinghome backup`: the query databases, then the command databases, then the telemetry that they may not have read.

Whatever a query database has applied is so in the log of a command database, and whatever none has applied yet is in
the stream, so that all of them go on from their own checkpoints.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pinghome.backup import databases, files
from pinghome.backup.archive import FORMAT, About, Writer, written
from pinghome_common.errors import DomainError
from pinghome_common.secret import derive
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from pinghome_common.stream.snapshot import snapshot

STREAM = "TELEMETRY"

Report = Callable[[str, int], None]
"""Told what is worked on, and how many bytes more of it are done."""


def fingerprint(secret_key: str) -> str:
    """What tells two secret keys apart and reveals nothing of them."""
    return derive(secret_key, "fingerprint").hex()[:16]


async def make(path: Path, settings: Settings, report: Report) -> None:
    """Writes a backup of the running platform.

    Args:
        path: of the file, which is replaced when the backup is complete.
        settings: with the servers' URLs and the secret key.
        report: of progress.

    Raises:
        DomainError: a server is away, or does not allow it.
        OSError: the file cannot be written.
    """
    tables = {name: await databases.version(settings.database(name)) for name in databases.ALL}
    if missing := [name for name, found in tables.items() if not found]:
        raise DomainError(f"There is nothing to back up: {', '.join(missing)} has no tables.")
    about = About(
        format=FORMAT,
        version=version("pinghome"),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        secret_key=fingerprint(settings.secret_key),
        databases=tables,
    )
    async with Broker(settings.nats_url, "backup", settings.nats_ca) as broker:
        await broker.until_connected(10)
        with written(path, about) as out:
            for name in databases.QUERY:
                await _dump(out, settings, (name,), report)
            await _dump(out, settings, databases.COMMAND, report)
            # Spools first: what is sent from there meanwhile is in the stream then.
            for name, content in files.read(settings.data.absolute(), settings.secret_key):
                out.add(name, content)
                report("files", len(content))
            head, content_of_stream = await snapshot(broker, STREAM)
            out.add_json(f"streams/{STREAM}.json", head)
            async for size in out.stream(f"streams/{STREAM}", content_of_stream):
                report(STREAM, size)


async def _dump(out: Writer, settings: Settings, names: tuple[str, ...], report: Report) -> None:
    async with AsyncExitStack() as stack:
        taken = await stack.enter_async_context(databases.snapshots(settings, names))
        for name in names:
            async for size in out.stream(f"databases/{name}", databases.dump(settings.database(name), taken[name])):
                report(name, size)
