"""A network of its own for one process: nothing gets out of it but through the ports that are forwarded."""

import asyncio
import ctypes
import os
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

CLONE_NEWNET = 0x40000000
SIZE = 1 << 16


class Enclosure:
    """`async with Enclosure() as enclosure`: a network namespace with a loopback interface; needs root."""

    def __init__(self) -> None:
        self._forwards: dict[int, asyncio.Server] = {}
        self._pipes: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        # Its own process holds the namespace, and ends with our end of the pipe.
        self._holder = await asyncio.create_subprocess_exec(
            *("unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && cat"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._holder.stdout
        if await self._holder.stdout.readline() != b"ready\n":
            raise RuntimeError("no network namespace can be made here; root may do so")
        self._path = f"/proc/{self._holder.pid}/ns/net"
        return self

    async def __aexit__(self, *_: object) -> None:
        for port in list(self._forwards):
            self.cut(port)
        self._holder.kill()
        await self._holder.wait()

    def inside(self, *command: str | Path) -> list[str]:
        """The command that runs another one inside."""
        return ["nsenter", f"--net={self._path}", *map(str, command)]

    async def forward(self, port: int) -> None:
        """127.0.0.1:`port` inside leads to the same address outside."""
        self._forwards[port] = await asyncio.start_server(
            lambda reader, writer: self._pipe(port, reader, writer), sock=self._listen(port)
        )

    def cut(self, port: int) -> None:
        """From now on nobody listens there inside, and what was open is gone."""
        self._forwards.pop(port).close()
        for writer in self._pipes:
            if _leads_to(writer, port):
                writer.transport.abort()

    def _listen(self, port: int) -> socket.socket:
        """A socket that belongs to the inside: a thread goes there to make it, and ends there."""
        made: list[socket.socket] = []
        errors: list[OSError] = []

        def make() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with Path(self._path).open("rb") as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET):
                    errors.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
                    return
            made.append(socket.create_server(("127.0.0.1", port), backlog=1024))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return made[0]

    async def _pipe(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        self._pipes |= {writer, far_writer}
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        self._pipes -= {writer, far_writer}


def _leads_to(writer: asyncio.StreamWriter, port: int) -> bool:
    names = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    return any(name and name[1] == port for name in names)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(SIZE):
            writer.write(data)
            await writer.drain()
    writer.close()
