"""A process serves until it is told to stop, and then ends well."""

import signal
import socket
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from pinghome_common.serve import serve
from pinghome_common.settings import Settings


def test_sigterm_drains_and_exits_with_0(start):
    with start() as stopping, socket.create_connection(("127.0.0.1", stopping.port)) as client:
        before = stopping.bytes_read()
        client.sendall(request := b"GET /slow?0.5 HTTP/1.1\r\nHost: x\r\n\r\n")
        while stopping.bytes_read() < before + len(request):
            time.sleep(0.01)
        stopping.process.send_signal(signal.SIGTERM)

        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert stopping.process.stdout.readline() == "shutdown\n"
        assert stopping.process.wait(60) == 0


def asked(client: HTTPConnection) -> str | None:
    """Asks on a connection that is open; what the answer says of the connection."""
    client.request("GET", "/")
    with client.getresponse() as answer:
        assert answer.status == 200
        answer.read()
        return answer.getheader("connection")


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was not accepted any more
        return False
    return False


def test_requests_of_the_last_moment_are_answered_and_end_their_connection(start):
    with start(LAST_MOMENT="20", KEEP_ALIVE="100") as stopping:
        kept, fresh = HTTPConnection("127.0.0.1", stopping.port), HTTPConnection("127.0.0.1", stopping.port)
        fresh.connect()
        assert asked(kept) is None
        stopping.process.send_signal(signal.SIGTERM)
        while not refuses(stopping.port):
            time.sleep(0.01)
        assert [asked(kept), asked(fresh)] == ["close", "close"]
        assert stopping.process.wait(60) == 0


def test_idle_connections_end_after_the_last_moment(start):
    with start(KEEP_ALIVE="100") as stopping, closing(HTTPConnection("127.0.0.1", stopping.port)) as kept:
        asked(kept)
        stopping.process.send_signal(signal.SIGTERM)
        assert kept.sock.recv(1) == b""
        assert stopping.process.wait(60) == 0


def test_sigterm_during_the_start_exits_with_0(start):
    with start(started=False, START_SECONDS="60") as starting:
        starting.process.send_signal(signal.SIGTERM)

        assert starting.process.wait(5) == 0


async def test_any_proxy_is_never_trusted():
    with pytest.raises(ValueError, match="list the addresses"):
        await serve(lambda: None, Settings(trusted_proxies=["*"]))
