"""The HTTP client for what users name: one request at a time, nothing shared between them."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from pinghome_common.guard import AddressForbidden, Guard
from pinghome_delivery import egress
from pinghome_delivery.message import DeliveryError

DEADLINE = 10.0
"""Seconds from the look-up of the name to the last byte of the answer."""
CONNECT = 8.0
LARGEST = 4 << 20
"""Bytes of an answer that are read where its body matters."""


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came back; the body only as far as was asked for."""

    status: int
    retry_after: float
    body: bytes

    def json(self) -> Any:
        """The body's JSON; None when it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None


class Web:
    """Redirects are not followed.

    Args:
        guard: judges every address.
        verify: what is trusted; default: the certificates of the system.
    """

    def __init__(self, guard: Guard, verify: ssl.SSLContext | None = None) -> None:
        timeout = httpx.Timeout(DEADLINE, connect=CONNECT)
        self._client = egress.client(guard, most=2 * LARGEST, timeout=timeout, verify=verify)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._client.aclose()

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, most: int = LARGEST
    ) -> Answer:
        """One request; `most` are the bytes of the answer's body that are read.

        Raises:
            DeliveryError: no answer came; the sentence names the host only, for the rest of a URL may be secret.
        """
        try:
            name = httpx.URL(url).host
        except httpx.InvalidURL:
            raise DeliveryError("the URL is not valid") from None
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._ask(method, url, headers, body, most)
        except TimeoutError:
            raise DeliveryError(f"{name} did not answer within {DEADLINE:.0f} seconds") from None
        except AddressForbidden as error:
            raise DeliveryError(f"{name} may not be called: {error}") from None
        except socket.gaierror:
            raise DeliveryError(f"{name} cannot be resolved") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise DeliveryError(f"{name} {_why(error)}") from None

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes, most: int) -> Answer:
        own = {"Accept-Encoding": "identity", "User-Agent": "Pinghome"}
        async with self._client.stream(method, url, headers={**headers, **own}, content=body) as response:
            read = bytearray()
            if most:  # else the status line says all, and a body need never end
                async for part in response.aiter_raw():
                    read += part
                    if len(read) >= most:
                        break
            return Answer(status=response.status_code, retry_after=_retry_after(response), body=bytes(read[:most]))


def refused(name: str, answer: Answer) -> DeliveryError:
    """The error of an answer other than 2xx; redirects are not followed."""
    reason = httpx.codes.get_reason_phrase(answer.status)
    return DeliveryError(f"{name} answered {answer.status} {reason}".rstrip(), answer.retry_after)


def host(url: str) -> str:
    """The host of a URL; ValueError when it is none that can be called."""
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from None


def _retry_after(response: httpx.Response) -> float:
    """Seconds; a date counts as none."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0.0


def _why(error: Exception) -> str:
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"has a certificate that is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "failed in the TLS handshake"
        if isinstance(cause, ConnectionRefusedError):
            return "refused the connection"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return "cannot be reached"
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    return "broke the connection off, or did not answer in HTTP"
