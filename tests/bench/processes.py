"""Processes that a row starts, and what they cost: CPU seconds and memory, children included."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from shutil import rmtree

HERE = Path(__file__).parent


@asynccontextmanager
async def python(
    *command: str | Path, port: int, env: Mapping[str, str] | None = None
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A Python process that listens on `port` of 127.0.0.1; stopped at the end."""
    async with running([sys.executable, *command], env or {}) as process:
        await listening(process, port)
        yield process


@asynccontextmanager
async def running(command: Sequence[str | Path], env: Mapping[str, str]) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A process, stopped at the end; RuntimeError with the end of its output when it ended by itself."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: ASYNC220, S603  # it takes a millisecond, and only we say what runs
            command, env={**os.environ, **env}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            ended = process.poll()
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, 30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if ended is not None:
                output.seek(0)
                raise RuntimeError(f"{command} ended with {ended}\n{output.read().decode()[-4000:]}")


async def listening(process: subprocess.Popen[bytes], port: int, within: float = 30) -> None:
    """Wait until `port` is connected to; RuntimeError when the process died, TimeoutError after `within` s."""
    async with asyncio.timeout(within):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's own account can reach; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pinghome-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = " ".join((thread / "children").read_text() for thread in Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return  # it has just ended
    for child in children.split():
        yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all below it, ended ones included."""
    return sum(cpu_by_program(pid).values())


def cpu_by_program(pid: int) -> dict[str, float]:
    """The same by program; an ended one's time is its parent's."""
    taken: dict[str, float] = {}
    for one in tree(pid):
        try:
            head, _, rest = Path(f"/proc/{one}/stat").read_text().rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            if one == pid:
                raise
            continue  # it has just ended: its parent has its times
        clocks = sum(map(int, rest.split()[11:15]))  # utime, stime, and those of children waited for
        program = head.partition("(")[2]
        taken[program] = taken.get(program, 0) + clocks / os.sysconf("SC_CLK_TCK")
    return taken


def pss(pid: int) -> dict[str, float]:
    """MB of memory by program, a page shared by n processes counted 1/n in each: what the tree really takes."""
    taken: dict[str, float] = {}
    for one in tree(pid):
        try:
            program = Path(f"/proc/{one}/comm").read_text().strip()
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            if one == pid:
                raise
            continue  # it has just ended, as a vacuum does
        kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        taken[program] = taken.get(program, 0) + kilobytes / 1024
    return taken
