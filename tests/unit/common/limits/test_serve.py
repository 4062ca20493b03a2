"""A process serves until it is told to stop, and then ends well."""

import signal
import socket
import time

import pytest

from pinghome_common.serve import serve
from pinghome_common.settings import Settings


def test_sigterm_drains_and_exits_with_0(start):
    with start() as stopping, socket.create_connection(("127.0.0.1", stopping.port)) as client:
        client.sendall(b"GET /slow?0.5 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        stopping.process.send_signal(signal.SIGTERM)

        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert stopping.process.stdout.readline() == "shutdown\n"
        assert stopping.process.wait(5) == 0


def test_sigterm_during_the_start_exits_with_0(start):
    with start(started=False, START_SECONDS="60") as starting:
        starting.process.send_signal(signal.SIGTERM)

        assert starting.process.wait(5) == 0


async def test_any_proxy_is_never_trusted():
    with pytest.raises(ValueError, match="list the addresses"):
        await serve(lambda: None, Settings(trusted_proxies=["*"]))
