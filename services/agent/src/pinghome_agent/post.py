"""One POST over HTTP/1.1. Of the answer only the status, `Retry-After` and a little text are looked at."""

import http.client
import re
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pinghome_agent.text import clean

TIMEOUT = 20.0
"""Seconds for connecting, for sending, and for the whole answer, each."""
_LONGEST_ANSWER = 16_384
_FOR_TEXT = 2.0
"""Seconds for the text of an error, which is nice to have."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_RETRY_AFTER = re.compile(rb"\nretry-after:[ \t]*(\d{1,9})[ \t]*\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Url:
    """The platform's address; `path` is without a slash at its end."""

    secure: bool
    host: str
    port: int | None
    path: str

    @property
    def loopback(self) -> bool:
        """True when what is sent does not leave this host."""
        return self.host in {"localhost", "127.0.0.1", "::1"}


def parsed_url(text: str) -> Url:
    """The address in a text; ValueError when it is not one."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in text:
        raise ValueError("is not an http or https address without user, query and fragment")
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("holds characters that an address must not hold")
    return Url(parts.scheme == "https", parts.hostname, parts.port, parts.path.rstrip("/"))


@dataclass(frozen=True)
class Answer:
    """What the platform answered; `text` is the beginning of its body, fit for a log line."""

    status: int
    retry_after: int | None
    text: str


class NoAnswer(Exception):
    """There was no connection, or no answer in HTTP in time."""


def post(
    url: Url, path: str, headers: dict[str, str], body: bytes, tls: ssl.SSLContext | None, timeout: float = TIMEOUT
) -> Answer:
    """Send a body to `path` below the address. Redirects are not followed. NoAnswer when nothing usable came back.

    Each request has a connection of its own: at one in ten seconds a pooled one would mostly be found closed.
    """
    connection: http.client.HTTPConnection
    if url.secure:
        connection = http.client.HTTPSConnection(url.host, url.port, timeout=timeout, context=tls)
    else:
        connection = http.client.HTTPConnection(url.host, url.port, timeout=timeout)
    try:
        connection.connect()
        with suppress(BrokenPipeError, ConnectionResetError):  # it answers before it has read all: 413
            connection.request("POST", url.path + path, body, {**headers, "Connection": "close"})
        return _answer(_Received(connection.sock, time.monotonic() + timeout))
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise NoAnswer(clean(str(error) or type(error).__name__, 200)) from None
    finally:
        connection.close()


class _Received:
    """What has arrived of an answer, bounded in bytes and time, however slowly it trickles."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self.deadline = sock, deadline
        self._left = _LONGEST_ANSWER

    def more(self) -> bytes:
        """The next bytes, none at the end; NoAnswer beyond a bound."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise NoAnswer("the answer was too slow")
        if not self._left:
            raise NoAnswer("the answer was too long")
        self._sock.settimeout(seconds)
        data = self._sock.recv(min(self._left, 4096))
        self._left -= len(data)
        return data


def _answer(received: _Received) -> Answer:
    """The first answer that is not an interim one."""
    data = b""
    while True:
        while not (head := _HEAD_END.search(data)):
            more = received.more()
            if not more:
                raise NoAnswer("the connection was closed without an answer")
            data += more
        found = _STATUS.match(data)
        if not found:
            raise NoAnswer("the answer is not HTTP/1.1")
        fields, data, status = data[: head.end()], data[head.end() :], int(found[1])
        if status >= 200:
            break
    if status >= 300:
        received.deadline = min(received.deadline, time.monotonic() + _FOR_TEXT)
        with suppress(OSError, NoAnswer):
            while more := received.more():
                data += more
    retry_after = _RETRY_AFTER.search(fields)
    text = clean(data[:200].decode(errors="replace"), 200)
    return Answer(status, int(retry_after[1]) if retry_after else None, text)
