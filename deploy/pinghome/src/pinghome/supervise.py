"""Keeps child processes running: restart with backoff, ordered stop, no orphans if the parent is killed."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pinghome_common.logs import log

MIN_DELAY, MAX_DELAY = 0.1, 5.0  # seconds before a child is restarted
STEADY = 1.0  # seconds after which the exit of a child that was ready resets the delay
LOG_LIMIT = 16 << 20  # bytes; a larger log moves to `<name>.log.1` at the next start
_PR_SET_PDEATHSIG = 1
# Loaded before any fork, because the child of a threaded process must not import or take locks before exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The user that a child runs as if we are root."""

    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, object]:
        """The arguments of `subprocess` to run as this account, without supplementary groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Child:
    """A process to keep running; `stop` is the signal for a clean exit, also sent if the parent dies."""

    name: str
    command: Sequence[str | Path]
    log: Path
    folder: Path
    """The working directory, by which `stale_processes` finds it."""
    ready: Callable[[], Awaitable[bool]]
    stop: signal.Signals = signal.SIGTERM
    grace: float = 15.0
    """Seconds between `stop` and SIGKILL."""
    env: Mapping[str, str] | None = None
    account: Account | None = None


class ChildError(RuntimeError):
    """A child did not become ready in time; the message ends with the tail of its log."""


@dataclass
class _Run:
    child: Child
    process: subprocess.Popen[bytes]
    task: asyncio.Task[None] | None = None
    stopping: bool = False


@dataclass
class Supervisor:
    """Runs children until they are stopped."""

    _runs: dict[str, _Run] = field(default_factory=dict)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the running children."""
        return {name: run.process.pid for name, run in self._runs.items() if _alive(run.process)}

    async def start(self, child: Child, within: float = 30.0) -> None:
        """Start a child and wait until it is ready; ChildError after `within` seconds."""
        self.launch(child)
        await self.ready(child.name, within)

    def launch(self, child: Child) -> None:
        """Start a child without waiting for it; OSError if there is no such program."""
        run = self._runs[child.name] = _Run(child, _spawn(child))
        run.task = asyncio.create_task(_keep_running(run), name=f"keep {child.name}")

    async def ready(self, name: str, within: float = 30.0) -> None:
        """Wait until a child is running and ready; ChildError after `within` seconds."""
        run, deadline = self._runs[name], time.monotonic() + within
        while not (name in self.pids and await run.child.ready()):
            if time.monotonic() > deadline:
                raise ChildError(f"{name} is not ready after {within:.0f} s\n{_tail(run.child.log)}")
            await asyncio.sleep(0.01)

    async def stop(self, *names: str) -> None:
        """Stop the named children concurrently, default all; returns when they have exited."""
        runs = [self._runs.pop(name) for name in names or tuple(self._runs) if name in self._runs]
        await asyncio.gather(*(_stop(run) for run in runs))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def _keep_running(run: _Run) -> None:
    """Restart the child whenever it exits, with a growing delay unless it was ready before."""
    delay = MIN_DELAY
    while True:
        started, ready = time.monotonic(), asyncio.create_task(_until_ready(run.child))
        try:
            code = await _exit_code(run.process)
            useful = ready.done() and not ready.exception() and time.monotonic() - started > STEADY
            useful = useful or code == -signal.SIGKILL  # it was killed, and is not at fault
        finally:
            ready.cancel()
        if run.stopping:
            return
        delay = MIN_DELAY if useful else delay
        log.warning("child_died", child=run.child.name, code=code, restart_in=delay)
        await asyncio.sleep(delay)
        delay = min(delay * 2, MAX_DELAY)
        try:
            run.process = _spawn(run.child)
        except OSError as error:  # such as no memory left; tried again after a longer delay
            log.warning("child_not_started", child=run.child.name, error=str(error))


async def _until_ready(child: Child) -> None:
    while not await child.ready():
        await asyncio.sleep(0.2)


async def _stop(run: _Run) -> None:
    run.stopping = True
    process = run.process
    if _alive(process):
        process.send_signal(run.child.stop)
        # A child stopped by SIGSTOP would not receive the signal.
        process.send_signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(_exit_code(process), run.child.grace)
        except TimeoutError:
            log.warning("child_killed", child=run.child.name, after=run.child.grace)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await _exit_code(process)
    if run.task:
        run.task.cancel()
        with suppress(asyncio.CancelledError):
            await run.task


def _spawn(child: Child) -> subprocess.Popen[bytes]:
    """Start the process in its own session, so that Ctrl-C reaches only us and children stop in our order."""
    child.log.parent.mkdir(parents=True, exist_ok=True)
    child.log.parent.chmod(0o700)  # logs may contain private data
    if child.log.exists() and child.log.stat().st_size > LOG_LIMIT:
        child.log.replace(child.log.with_suffix(".log.1"))
    parent, stop = os.getpid(), int(child.stop)

    def die_with_parent() -> None:
        # After the change of uid, which would clear it. The parent may have died in between.
        if _libc and _libc.prctl(_PR_SET_PDEATHSIG, stop, 0, 0, 0) == 0 and os.getppid() != parent:
            os._exit(1)

    with child.log.open("ab") as out:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # noqa: S603  # our own binaries
            list(child.command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=child.folder,
            env=child.env,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # it only calls prctl
            **(child.account.popen if child.account else {}),
        )


def _alive(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


async def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait until a process exits, on any event loop; uvloop's own subprocesses do not support `user`."""
    if hasattr(os, "pidfd_open") and _alive(process):
        exited, loop, handle = asyncio.Event(), asyncio.get_running_loop(), os.pidfd_open(process.pid)
        loop.add_reader(handle, exited.set)
        try:
            await exited.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
    while (code := process.poll()) is None:  # without pidfd we have to poll
        await asyncio.sleep(0.05)
    return code


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:]) if path.exists() else ""
