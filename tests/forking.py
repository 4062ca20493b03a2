"""Our own programs by fork of a process that has imported them: to import is four fifths of the CPU of a start."""

# ruff: noqa: S102  # our own programs

import atexit
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from pinghome import services, supervise
from pinghome.cli import COMMANDS

CLI = "from pinghome.cli import app; app()"


@dataclass
class Forked:
    """What `subprocess.Popen` and asyncio's processes are to their users."""

    pid: int
    returncode: int | None = None

    def __post_init__(self) -> None:
        self._handle = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self.returncode = _ask({"pid": self.pid})
            os.close(self._handle)
        return self.returncode

    async def wait(self) -> int:
        return await supervise._exit_code(self)  # type: ignore[arg-type]

    def send_signal(self, sign: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sign)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork(
    code: str, *words: str, env: Mapping[str, str], out: IO[bytes], err: IO[bytes], cwd: Path | None = None
) -> Forked:
    """A process in a session of its own that runs `code` with `words` as its command line; it ends when we do."""
    asked = {"code": code, "words": words, "env": dict(env), "cwd": str(cwd or Path.cwd())}
    return Forked(_ask(asked, out.fileno(), err.fileno()))


def spawn(child: supervise.Child) -> Any:
    """In place of `supervise._spawn`: a service is forked, every other program is started as ever."""
    if child.command[:2] != [sys.executable, "-c"]:
        return _spawn(child)
    child.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with child.log.open("ab") as out:
        return fork(str(child.command[2]), env=child.env or {}, out=out, err=out, cwd=child.folder)


_spawn = supervise._spawn


@cache
def _server() -> socket.socket:
    """A connection to the process that forks for all of a test run; the first who asks begins it."""
    name = f"\0pinghome-forking-{os.environ.get('TESTS_PREPARED', os.getpid())}"
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as theirs, suppress(OSError):  # the name is taken
            theirs.bind(name)
            theirs.listen(64)
            theirs.set_inheritable(True)
            env = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
            null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
            command = [sys.executable, __file__, str(theirs.fileno())]
            os.posix_spawn(sys.executable, command, env, file_actions=null)
        with suppress(ConnectionRefusedError):  # it is bound, and does not listen yet
            ours.connect(name)
            atexit.register(ours.close)
            return ours
        time.sleep(0.01)


def _ask(what: Any, *descriptors: int) -> Any:
    socket.send_fds(_server(), [json.dumps(what).encode()], descriptors)
    return json.loads(_server().recv(100))


def _serve(listening: socket.socket) -> str:
    """Answers until its last user ends; returns in each child, with the code that this must run."""
    users: dict[socket.socket, set[int]] = {}  # with their children
    while True:
        asking = select.select([listening, *users], [], [])[0][0]
        if asking is listening:
            _accept(listening, users)
            continue
        message, descriptors, *_ = socket.recv_fds(asking, 1 << 20, 2)
        if not message:
            _leave(asking, users)
            continue
        asked = json.loads(message)
        if "pid" in asked:
            pid, status = os.waitpid(asked["pid"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
            users[asking].discard(pid)
        elif answer := os.fork():
            users[asking].add(answer)
        else:
            break
        for each in descriptors:
            os.close(each)
        asking.send(json.dumps(answer).encode())
    supervise._libc.prctl(supervise._PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.setsid()
    for number, each in enumerate(descriptors, start=1):
        os.dup2(each, number)
        os.close(each)
    for each in (listening, *users):
        each.close()
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["pinghome", *asked["words"]]
    return str(asked["code"])


def _accept(listening: socket.socket, users: dict[socket.socket, set[int]]) -> None:
    """Takes a user of our own account."""
    asking, _ = listening.accept()
    _, account, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if account == os.geteuid():
        users[asking] = set()


def _leave(asking: socket.socket, users: dict[socket.socket, set[int]]) -> None:
    """What a user has begun ends with it."""
    asking.close()
    for pid in users.pop(asking):
        os.kill(pid, signal.SIGTERM)
    if not users:
        os._exit(0)


if __name__ == "__main__":
    gc.disable()
    for each in [*services.SERVICES.values(), "console.app", *COMMANDS.values(), "pinghome_common.serve"]:
        import_module(each.partition(":")[0])
    gc.freeze()
    gc.enable()
    exec(_serve(socket.socket(fileno=int(sys.argv[1]))), {"__name__": "__main__"})
