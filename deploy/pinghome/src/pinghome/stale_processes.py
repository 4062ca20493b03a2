"""What a killed parent leaves for a moment: servers that must be gone before the next ones start on the same folder."""

import asyncio
import time
from pathlib import Path

LIMIT = 30.0  # seconds a server may take to shut down after its parent was killed


async def wait_until_gone(folder: Path) -> None:
    """Return when no process works in `folder` any more; TimeoutError after 30 s.

    Servers are recognised by their working directory (PostgreSQL's backends share it): a pid file would name a
    stranger after a reboot, and would miss backends that outlive their postmaster. Needs /proc.
    """
    deadline = time.monotonic() + LIMIT
    while pids := _working_in(folder):
        if time.monotonic() > deadline:
            raise TimeoutError(f"an earlier start still runs on {folder}: process {', '.join(pids)}")
        await asyncio.sleep(0.02)


def _working_in(folder: Path) -> list[str]:
    found, folder = [], folder.resolve()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:  # ended meanwhile, or another user's
            continue
    return found
