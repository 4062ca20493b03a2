"""The supervisor keeps real processes alive and leaves none behind."""

# ruff: noqa: ASYNC220, ASYNC221, S603  # processes seen from outside are what is tested here

import asyncio
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pinghome.supervise import Child, ChildError, Supervisor

PROMPT = "echo started; exec sleep 60"


async def always() -> bool:
    return True


def child(folder: Path, script: str, name: str = "one", **more) -> Child:
    return Child(name, ["/bin/sh", "-c", script], folder / f"{name}.log", folder, more.pop("ready", always), **more)


def said(folder: Path, word: str = "started", name: str = "one"):
    """A readiness that waits until the child has written `word`."""

    async def ready() -> bool:
        log = folder / f"{name}.log"
        return log.exists() and word in log.read_text()

    return ready


def said_at(folder: Path) -> list[str]:
    """When a child was started, as it has written down."""
    path = folder / "starts"
    return path.read_text().split() if path.exists() else []


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while exists(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return not exists(pid)


async def test_a_killed_child_is_started_again(tmp_path):
    async with Supervisor() as supervisor:
        await supervisor.start(child(tmp_path, PROMPT))
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        assert await gone(first)
        await supervisor.ready("one", within=20)
        assert supervisor.pids["one"] != first


async def test_a_child_that_dies_at_once_is_started_ever_more_rarely(tmp_path):
    async with Supervisor() as supervisor:
        await supervisor.start(child(tmp_path, "date +%s.%N >> starts; exit 3"))
        starts: list[float] = []
        async with asyncio.timeout(30):
            while len(starts) < 4:  # at 0, 0.1, 0.3 and 0.7 s
                await asyncio.sleep(0.1)
                starts = [float(line) for line in said_at(tmp_path)]
    gaps = [after - before for before, after in pairwise(starts)]
    assert all(gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=False))


async def test_a_child_that_is_killed_before_it_is_ready_is_not_started_more_rarely_for_that(tmp_path):
    async def never() -> bool:
        return False

    with capture_logs() as log:
        async with Supervisor() as supervisor:
            supervisor.launch(child(tmp_path, PROMPT, ready=never))
            for _ in range(5):
                pid = supervisor.pids["one"]
                os.kill(pid, signal.SIGKILL)
                while supervisor.pids.get("one") in {pid, None}:  # seen from outside
                    await asyncio.sleep(0.01)
    assert [each["restart_in"] for each in log if each["event"] == "child_died"] == [0.1] * 5


async def test_a_child_that_ignores_the_signal_is_killed_after_its_grace(tmp_path):
    async with Supervisor() as supervisor:
        deaf = child(tmp_path, "trap '' TERM; echo started; while :; do sleep 1; done", grace=0.3, ready=said(tmp_path))
        await supervisor.start(deaf)
        pid, began = supervisor.pids["one"], time.monotonic()
        await supervisor.stop()
        assert 0.3 <= time.monotonic() - began < 10
        assert not exists(pid)


async def test_a_frozen_child_is_stopped_politely(tmp_path):
    script = "trap 'echo bye; exit 0' TERM; echo started; while :; do sleep 0.05; done"
    async with Supervisor() as supervisor:
        await supervisor.start(child(tmp_path, script, ready=said(tmp_path)))
        os.kill(supervisor.pids["one"], signal.SIGSTOP)
        await supervisor.stop("one")
    assert "bye" in (tmp_path / "one.log").read_text()


async def test_stopping_during_the_backoff_starts_nothing_more(tmp_path):
    supervisor = Supervisor()
    await supervisor.start(child(tmp_path, "echo x >> starts; until [ -e end ]; do sleep 0.05; done; exit 1"))
    (tmp_path / "end").touch()
    async with asyncio.timeout(30):
        while supervisor.pids:
            await asyncio.sleep(0.01)
    await supervisor.stop()
    count = (tmp_path / "starts").read_text()
    await asyncio.sleep(0.5)
    assert (tmp_path / "starts").read_text() == count
    assert supervisor.pids == {}


async def test_children_are_stopped_at_the_same_time(tmp_path):
    slow = "trap 'echo asked >> order; sleep 0.5; echo ended >> order; exit 0' TERM; echo started; "
    slow += "while :; do sleep 0.05; done"
    async with Supervisor() as supervisor:
        for name in ("one", "two", "three"):
            await supervisor.start(child(tmp_path, slow, name, ready=said(tmp_path, name=name)))
        await supervisor.stop()
    assert (tmp_path / "order").read_text().split()[:3] == ["asked"] * 3


async def test_a_child_that_is_not_ready_in_time_shows_the_end_of_its_log(tmp_path):
    async def never() -> bool:
        return False

    async with Supervisor() as supervisor:
        with pytest.raises(ChildError, match="no such database"):
            await supervisor.start(child(tmp_path, "echo no such database; sleep 60", ready=never), within=0.3)
        pid = supervisor.pids["one"]
    assert not exists(pid)


async def test_a_program_that_does_not_exist_is_told_at_once(tmp_path):
    missing = Child("one", ["/nonexistent/program"], tmp_path / "log", tmp_path, always)
    async with Supervisor() as supervisor:
        with pytest.raises(FileNotFoundError):
            await supervisor.start(missing)


async def test_ctrl_c_in_the_terminal_reaches_only_the_parent(tmp_path):
    async with Supervisor() as supervisor:
        await supervisor.start(child(tmp_path, PROMPT))
        assert os.getpgid(supervisor.pids["one"]) != os.getpgid(0)


async def test_a_large_log_moves_aside_at_the_next_start(tmp_path):
    (tmp_path / "one.log").write_bytes(b"x" * ((16 << 20) + 1))
    async with Supervisor() as supervisor:
        await supervisor.start(child(tmp_path, PROMPT, ready=said(tmp_path)))
    assert (tmp_path / "one.log").stat().st_size < 100
    assert (tmp_path / "one.log.1").stat().st_size > 16 << 20


PARENT = """
import asyncio, sys
from pathlib import Path
from pinghome.supervise import Child, Supervisor
async def always(): return True
async def main():
    folder = Path(sys.argv[1])
    async with Supervisor() as supervisor:
        await supervisor.start(Child("one", ["/bin/sleep", "60"], folder / "log", folder, always))
        print(supervisor.pids["one"], flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_children_die_with_a_parent_that_is_killed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert exists(pid)
        parent.kill()
        assert await gone(pid)


async def test_works_on_uvloop_too(tmp_path):
    script = PARENT.replace("asyncio.sleep(60)", "supervisor.stop()").replace("asyncio.run", "uvloop.run")
    command = [sys.executable, "-c", "import uvloop\n" + script, tmp_path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert not exists(int(done.stdout))
