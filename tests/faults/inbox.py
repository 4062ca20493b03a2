"""A mail server that keeps who was told what, and subscribers of a status page."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope
from commands import Client
from under_test import Platform


@dataclass
class Received:
    """A mail; `at` is monotonic."""

    at: float
    to: str
    key: str
    subject: str
    body: bytes


@dataclass
class Inbox:
    """Takes every mail, after `pause` seconds."""

    pause: float = 0.0
    mails: list[Received] = field(default_factory=list)

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content)
        body = re.sub(rb"boundary=\S+|--=+\d+==(--)?", b"", content)  # chosen anew each time
        received = Received(time.monotonic(), envelope.rcpt_tos[0], mail["Message-ID"], mail["Subject"], body)
        self.mails.append(received)
        await asyncio.sleep(self.pause)
        return "250 kept"

    async def until(self, addresses: Iterable[str], subjects: Iterable[str], most: float) -> set[tuple[str, str]]:
        """Waits until all addresses were told all; returns what was not after `most` seconds."""
        wanted, deadline = {(to, subject) for to in addresses for subject in subjects}, time.monotonic() + most
        while (left := wanted - {(it.to, it.subject) for it in self.mails}) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        return left


@asynccontextmanager
async def inbox(port: int) -> AsyncIterator[Inbox]:
    """The mail server that the platform was told of."""
    it, loop = Inbox(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(it, loop=loop), "127.0.0.1", port)
    try:
        yield it
    finally:
        server.close()
        await server.wait_closed()


async def make_page(platform: Platform, name: str, addresses: list[str]) -> str:
    """A status page with subscribers; the path of its commands."""
    client = Client(platform, "statuspage-cmd")
    body = {"name": name, "description": "", "subdomain": name, "type": "public"}
    page = f"/v1/statuspage/{(await client.until_done('POST', '/v1/statuspage', body))['id']}"
    await client.until_done("POST", f"{page}/subscriptions", {"addresses": addresses})
    client.close()
    return page
