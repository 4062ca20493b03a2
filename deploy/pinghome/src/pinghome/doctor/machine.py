"""This machine: disk, private files, the certificate of the public address, the mail server."""

import asyncio
import os
import shutil
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pinghome.doctor.finding import Finding, ok, problem, warning
from pinghome_common.logs import error_text
from pinghome_common.settings import Settings

LOW, VERY_LOW = 2 << 30, 512 << 20
"""Bytes that are free on the disk of the data folder."""

SOON, VERY_SOON = 14, 3
"""Days until a certificate expires."""

SECONDS = 10.0
"""In which a server must answer."""

PRIVATE = ("keys.json", "servers.json", "run.json", "nats.conf", "regions/*.conf", ".env")


def disk(data: Path) -> Finding:
    """How much room the data folder has."""
    free = shutil.disk_usage(data).free
    if free >= LOW:
        return ok("disk", f"{free >> 30} GiB are free")
    do = "Make room: when the disk is full, check-ins are refused with 503, and PostgreSQL stops."
    return (problem if free < VERY_LOW else warning)("disk", f"only {free >> 20} MiB are free for {data}", do)


def private_files(data: Path) -> Iterator[Finding]:
    """Whether others can read what is secret, or write where we read."""
    found = False
    folder = data.stat()
    if folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        found = True
        yield problem("files", f"others may write into {data}", f"chmod go-w {data}")
    for path in sorted({path for pattern in PRIVATE for path in data.glob(pattern)}):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            found = True
            yield problem("files", f"others may read {path}, which has secrets", f"chmod 600 {path}")
    if not os.access(data, os.R_OK | os.W_OK):
        found = True
        yield problem("files", f"we may not write into {data}", "Run this as the user that runs Pinghome.")
    if not found:
        yield ok("files", f"what is secret in {data} is readable by its owner only")


async def certificate(url: str) -> Finding:
    """The certificate that clients of the public address see."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        do = "Renew it; let the server send the whole chain."
        return problem("certificate", f"clients refuse that of {host}: {error.verify_message}", do)
    except (OSError, TimeoutError) as error:
        return problem("certificate", f"{url} cannot be reached: {error_text(error)}", "Look at the reverse proxy.")
    until = writer.get_extra_info("peercert")["notAfter"]
    writer.close()
    left = (datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) - datetime.now(UTC)).days
    if left >= SOON:
        return ok("certificate", f"that of {host} is valid for {left} days")
    late = problem if left < VERY_SOON else warning
    return late("certificate", f"that of {host} expires in {left} days", "Look why it was not renewed.")


async def mail(url: str) -> Finding:
    """Whether the mail server greets; nothing is sent."""
    parts = urlsplit(url)
    secure = parts.scheme == "smtps"
    host, port = parts.hostname or "", parts.port or (465 if secure else 587)
    try:
        async with asyncio.timeout(SECONDS):
            context = ssl.create_default_context() if secure else None
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            greeting = await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        return problem("mail", f"{host}:{port} cannot be reached: {error_text(error)}", "Correct PINGHOME_SMTP_URL.")
    if greeting.startswith(b"220"):
        return ok("mail", f"{host}:{port} answers")
    return problem("mail", f"{host}:{port} refuses: {greeting.decode(errors='replace').strip()}", "Ask its operator.")


async def look(settings: Settings) -> AsyncIterator[Finding]:
    """All of it."""
    data = settings.data.absolute()
    if data.exists():
        yield disk(data)
        for finding in private_files(data):
            yield finding
    if settings.public_url.startswith("https://"):
        yield await certificate(settings.public_url)
    if settings.smtp_url:
        yield await mail(settings.smtp_url)
