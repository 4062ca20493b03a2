"""The one HTTP client for what users name: every address is judged by the guard and the connection goes there."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from pinghome_common.guard import Address, Forbidden, Guard
from resource_cmd.notify.message import Undelivered

DEADLINE = 10.0
"""Seconds from the look-up of the name to the last byte of the answer."""
CONNECT = 4.0
LARGEST = 4 << 20
"""Bytes of an answer that are read."""


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came back; the body only as far as `LARGEST`."""

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
    """Redirects are not followed, proxies of the environment are not asked, connections are not kept.

    Args:
        guard: judges every address.
        verify: what is trusted; default: the certificates of the system.
    """

    def __init__(self, guard: Guard, verify: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._client = httpx.AsyncClient(
            verify=verify or ssl.create_default_context(),
            trust_env=False,
            timeout=httpx.Timeout(DEADLINE, connect=CONNECT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Ends what is under way."""
        await self._client.aclose()

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request.

        Raises:
            Undelivered: no answer came; the sentence names the host only, for the rest of a URL may be secret.
        """
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise Undelivered("the URL is none that can be called") from None
        name = target.host
        try:
            async with asyncio.timeout(DEADLINE):
                addresses = await self._guard.resolve(target.raw_host.decode())
                return await self._first(method, target, addresses, headers, body)
        except TimeoutError:
            raise Undelivered(f"{name} did not answer within {DEADLINE:.0f} seconds") from None
        except Forbidden as error:
            raise Undelivered(f"{name} may not be called: {error}") from None
        except socket.gaierror:
            raise Undelivered(f"{name} cannot be resolved") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Undelivered(f"{name} {_why(error)}") from None

    async def _first(
        self, method: str, target: httpx.URL, addresses: list[Address], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """The answer of the first address that takes the connection."""
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                return await self._one(method, target, address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if left == 1:
                    raise
        raise ValueError("has no address")

    async def _one(
        self, method: str, target: httpx.URL, address: Address, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        request = self._client.build_request(
            method,
            target.copy_with(host=str(address)),
            headers={
                **headers,
                "Host": target.netloc.decode(),
                "Accept-Encoding": "identity",
                "User-Agent": "Pinghome",
            },
            content=body,
            extensions={"sni_hostname": target.raw_host.decode()},
        )
        response = await self._client.send(request, stream=True)
        try:
            read = bytearray()
            async for part in response.aiter_raw():
                read += part
                if len(read) > LARGEST:
                    break
            return Answer(status=response.status_code, retry_after=_retry_after(response), body=bytes(read[:LARGEST]))
        finally:
            await response.aclose()


def refused(name: str, answer: Answer) -> Undelivered:
    """The error of an answer other than 2xx; redirects are not followed."""
    reason = httpx.codes.get_reason_phrase(answer.status)
    return Undelivered(f"{name} answered {answer.status} {reason}".rstrip(), answer.retry_after)


def host(url: str) -> str:
    """The host of a URL; ValueError when it is none that can be called."""
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from None


def _retry_after(response: httpx.Response) -> float:
    """Seconds; a date counts as none."""
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0.0


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
