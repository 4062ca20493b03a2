"""A client in a process of its own: keep-alive connections with one request each in flight; told as JSON on stdout."""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop
from percentile import percentile


class Connection(asyncio.Protocol):
    """Sends the next request when the answer is there; knows no more HTTP than Content-Length."""

    def __init__(self, asker: "Asker") -> None:
        self.asker = asker
        self.received = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send one request."""
        self.sent = time.perf_counter()
        self.transport.write(self.asker.request())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Take the answer when it is complete."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)  # a 304 has none
        if len(body) >= length:
            self.asker.answers.append(((time.perf_counter() - self.sent) * 1000, head[9:12], body))
            self.received = b""
            if self.asker.going():
                self.ask()
            else:
                self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell that this connection is done."""
        self.asker.open -= 1
        if not self.asker.open:
            self.asker.done.set()


class Asker:
    """Holds what is asked, and what was answered."""

    def __init__(self, wish: dict[str, Any]) -> None:
        self.wish = wish
        self.head = "".join(f"{name}: {value}\r\n" for name, value in wish["headers"].items())
        self.number = 0
        self.answers: list[tuple[float, bytes, bytes]] = []
        self.open = wish["in_flight"]
        self.done = asyncio.Event()
        self.begun = time.perf_counter()

    def request(self) -> bytes:
        """The next request."""
        self.number += 1
        number = f"{self.number}-{time.time_ns()}"
        path, body = (self.wish[part].replace("{n}", number) for part in ("path", "body"))
        length = f"Content-Length: {len(body.encode())}\r\n"
        return f"{self.wish['method']} {path} HTTP/1.1\r\nHost: bench\r\n{self.head}{length}\r\n{body}".encode()

    def going(self) -> bool:
        """True until the time is over, or enough is asked."""
        enough = self.wish["most"] and self.number >= self.wish["most"]
        return not enough and time.perf_counter() - self.begun < self.wish["seconds"]

    async def run(self) -> dict[str, Any]:
        """Ask on all connections."""
        loop = asyncio.get_running_loop()
        for _ in range(self.wish["in_flight"]):
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", self.wish["port"])
        await self.done.wait()
        taken = time.perf_counter() - self.begun
        for _, status, body in self.answers:
            if not status.startswith(self.wish["status"].encode()):
                sys.exit(f"{status.decode()}: {body[:500].decode()}")
        milliseconds = [latency for latency, _, _ in self.answers]
        return {
            "rate": len(self.answers) / taken,
            "p50": percentile(milliseconds, 50),
            "p99": percentile(milliseconds, 99),
            "documents": [json.loads(body) if body.startswith((b"{", b"[")) else None for _, _, body in self.answers],
        }


async def main() -> None:
    """Do what the argument asks."""
    print(json.dumps(await Asker(json.loads(sys.argv[1])).run()))


uvloop.run(main())
