"""Looking up the names of our own servers."""

import asyncio
import socket
from typing import Any

_under_way: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Task[Any]] = {}


async def look_up(host: str) -> None:
    """Returns when the DNS knows a name; however many wait for it, it is asked once at a time.

    A look-up holds one of the process' few threads for it, for seconds when the DNS is silent, and nothing cancels it.
    Without this, those of a server that is gone would pile up, and those of all others wait behind them.

    Raises:
        OSError: it does not.
    """
    loop = asyncio.get_running_loop()
    key = loop, host
    task = _under_way.get(key)
    if task is None:
        task = _under_way[key] = loop.create_task(_ask(host))
        task.add_done_callback(lambda _: _under_way.pop(key))
    error = await asyncio.shield(task)
    if error:
        raise error


async def _ask(host: str) -> OSError | None:
    """The error of a look-up, as a value: there may be nobody any more who would take an exception."""
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    return None
