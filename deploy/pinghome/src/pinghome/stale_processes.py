"""Servers of a killed parent, which must end before new ones start in the same folder."""

import asyncio
import time
from pathlib import Path

LIMIT = 30.0  # seconds for a server to shut down after its parent was killed


async def wait_until_gone(folder: Path) -> None:
    """Wait until no process has `folder` as its working directory; TimeoutError after 30 s.

    PostgreSQL's backends share the working directory. A pid file could name an unrelated process after a reboot, and
    would miss backends that outlive their postmaster. Needs /proc.
    """
    deadline = time.monotonic() + LIMIT
    while pids := _working_in(folder):
        if time.monotonic() > deadline:
            raise TimeoutError(f"a server of an earlier start is still running in {folder}: process {', '.join(pids)}")
        await asyncio.sleep(0.02)


def _working_in(folder: Path) -> list[str]:
    found, folder = [], folder.resolve()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:  # it has ended, or belongs to another user
            continue
    return found
