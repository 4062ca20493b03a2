"""A registry on this machine: an RDAP server (RFC 9083) and a WHOIS server (RFC 3912) that really listen."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from running import free_port


def told(name: str, expires_at: str | None = "2030-03-09T12:10:05Z") -> dict[str, Any]:
    """What a registry's RDAP server tells of a domain."""
    events = [{"eventAction": "registration", "eventDate": "2021-03-09T12:10:05Z"}]
    if expires_at:
        events.append({"eventAction": "expiration", "eventDate": expires_at})
    vcard = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "GoDaddy.com, LLC"]]]
    registrar = {"objectClassName": "entity", "handle": "146", "roles": ["registrar"], "vcardArray": vcard}
    return {"objectClassName": "domain", "ldhName": name, "events": events, "entities": [registrar], "status": []}


WHOIS = """\
Domain Name: {name}
Registry Domain ID: 1_DOMAIN
Creation Date: 2020-01-02T03:04:05Z
Registry Expiry Date: 2031-01-02T03:04:05Z
Registrar: A Registrar, Inc.
"""


@dataclass
class Registry:
    """Both servers. `expires` are the expiries of domains that differ; `status` and `pause` are those of RDAP.

    `asked` are the domains asked for by RDAP with the seconds at which that was, `questions` those by WHOIS.
    """

    expires: dict[str, str | None] = field(default_factory=dict)
    status: int = 200
    pause: float = 0.0
    raw: bytes | None = None
    whois: str = WHOIS
    asked: list[tuple[str, float]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    rdap_port: int = 0
    whois_port: int = 0

    def list(self, *suffixes: str) -> str:
        """A list of RDAP servers that names this one for some suffixes."""
        services = [[[*suffixes], [f"http://127.0.0.1:{self.rdap_port}/rdap/"]]]
        return json.dumps({"version": "1.0", "services": services})

    def bootstrap(self, folder: Path, *suffixes: str) -> str:
        """The path of that list."""
        path = folder / "bootstrap.json"
        path.write_text(self.list(*suffixes))
        return str(path)

    async def _rdap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            name = head.split(" ")[1].rpartition("/")[2]
            self.asked.append((name, time.monotonic()))
            await asyncio.sleep(self.pause)
            body = json.dumps(told(name, self.expires.get(name, "2030-03-09T12:10:05Z"))).encode()
            header = f"HTTP/1.1 {self.status} X\r\nContent-Type: application/rdap+json\r\nContent-Length: {len(body)}"
            writer.write(self.raw or f"{header}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()

    async def _whois(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            name = (await reader.readline()).decode().strip()
            self.questions.append(name)
            writer.write(self.whois.format(name=name.upper()).encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def registry(**how: Any) -> AsyncIterator[Registry]:
    """A registry that listens."""
    made = Registry(**how)
    async with (
        await asyncio.start_server(made._rdap, "127.0.0.1", free_port()) as rdap,
        await asyncio.start_server(made._whois, "127.0.0.1", free_port()) as whois,
    ):
        made.rdap_port, made.whois_port = (each.sockets[0].getsockname()[1] for each in (rdap, whois))
        yield made
