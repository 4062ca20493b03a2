"""Mail servers in a few lines: each says what it is told to, and turns to TLS where it may."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType

from prober.probes import imap, pop, smtp
from running import free_port


@dataclass(frozen=True)
class Language:
    """One protocol: what a good server says to each command, and how TLS is asked for."""

    kind: str
    module: ModuleType
    greeting: bytes
    replies: dict[bytes, bytes]
    upgrade: bytes
    refusal: bytes

    def without(self, *commands: bytes) -> dict[bytes, bytes]:
        return {word: self.refusal if word in commands else reply for word, reply in self.replies.items()}


LANGUAGES = [
    Language(
        "smtp", smtp, b"220-mail.example\r\n220 ESMTP\r\n",
        {b"EHLO": b"250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n", b"STARTTLS": b"220 go\r\n",
         b"HELO": b"250 mail.example\r\n", b"QUIT": b"221 bye\r\n"},
        b"STARTTLS", b"502 unknown\r\n",
    ),
    Language(
        "pop", pop, b"+OK ready\r\n",
        {b"CAPA": b"+OK\r\nTOP\r\nSTLS\r\n.\r\n", b"STLS": b"+OK go\r\n", b"QUIT": b"+OK bye\r\n"},
        b"STLS", b"-ERR unknown\r\n",
    ),
    Language(
        "imap", imap, b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
        {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n", b"STARTTLS": b"TAG OK go\r\n",
         b"LOGOUT": b"* BYE\r\nTAG OK bye\r\n"},
        b"STARTTLS", b"TAG BAD unknown\r\n",
    ),
]  # fmt: skip


@dataclass
class Server:
    """What it heard, each command with a mark whether it came by TLS."""

    port: int = 0
    heard: list[tuple[bytes, bool]] = field(default_factory=list)


@asynccontextmanager
async def mail(
    greeting: bytes,
    replies: dict[bytes, bytes],
    *,
    tls: ssl.SSLContext | None = None,
    first: bool = False,
) -> AsyncIterator[Server]:
    """A server on 127.0.0.1; with `first` TLS begins at once, else after STARTTLS or STLS."""
    server = Server()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        secured = first
        try:
            writer.write(greeting)
            while line := (await reader.readline()).strip():
                tag, _, rest = line.partition(b" ") if line[:1] == b"p" else (b"", b"", line)
                word = rest.split()[0].upper()
                server.heard.append((word, secured))
                answer = replies.get(word, b"")
                writer.write(answer.replace(b"TAG", tag))
                await writer.drain()
                if word in (b"STARTTLS", b"STLS") and b"go" in answer:
                    await writer.start_tls(tls)
                    secured = True
                if word in (b"QUIT", b"LOGOUT"):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", free_port(), ssl=tls if first else None)
    async with listener:
        server.port = listener.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            for task in serving:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*serving, return_exceptions=True)
