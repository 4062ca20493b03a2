"""The one client of the public API: whatever the console can do, curl can."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import httpx
import msgspec

PATIENCE = 15.0
"""Seconds for an answer; a dry run takes up to ten."""

MOST = 500
"""What a list shows at once."""


class SignedOut(Exception):
    """The token is not, or no longer, valid."""


class Away(Exception):
    """A service does not answer; `service` is its name."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class Refused(Exception):
    """A service answered with an error.

    Attributes:
        status: 403, 404, 409, 422, 429, …
        message: a sentence of the service.
        errors: sentences by field, such as `conditions.0.operator`.
    """

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors or {}


class Api:
    """The services as one caller sees them. Paths begin with the service: `resource-query/v1/services`.

    Args:
        http: the connections.
        address: of a service, with `{service}` in place of its name; or a comma list of name=address.
        token: of the caller, empty for nobody's.
        viewer: the IP address of who looks at the console; the services count wrong tokens by it.
    """

    def __init__(self, http: httpx.AsyncClient, address: str, token: str = "", viewer: str = "") -> None:
        self._http, self._address = http, address
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if viewer:
            self._headers["X-Forwarded-For"] = viewer

    async def get(self, path: str, **query: Any) -> Any:
        """What a service says.

        Raises:
            SignedOut, Away, Refused: it does not.
        """
        return (await self._ask("GET", path, query)).decoded

    async def all(self, path: str, **query: Any) -> list[Any]:
        """All of a list, page by page."""
        first = await self.get(path, limit=MOST, **query)
        numbers = range(2, -(-first["total"] // MOST) + 1)
        others = await asyncio.gather(*(self.get(path, limit=MOST, page=number, **query) for number in numbers))
        return [each for found in (first, *others) for each in found["data"]]

    async def maybe(self, path: str, **query: Any) -> Any:
        """The same; None where there is nothing (404)."""
        try:
            return await self.get(path, **query)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    async def raw(self, path: str, **query: Any) -> tuple[bytes, str]:
        """A body that is not JSON, and its media type."""
        answer = (await self._ask("GET", path, query)).answer
        return answer.content, answer.headers.get("content-type", "")

    async def send(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """What a command answers; one with the same `key` is carried out once.

        Raises:
            SignedOut, Away, Refused: it was not carried out, or nobody knows (Away).
        """
        return (await self._ask(method, path, {}, body, key)).decoded

    async def upload(self, path: str, content: bytes) -> None:
        """PUTs a file.

        Raises:
            SignedOut, Away, Refused: it was not taken.
        """
        await self._ask("PUT", path, {}, content)

    @asynccontextmanager
    async def stream(self, path: str, last: str = "") -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an event stream, after the event `last`."""
        service, url = self._url(path)
        headers = self._headers | ({"Last-Event-ID": last} if last else {})
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=httpx.Timeout(PATIENCE, read=60)) as it:
                if it.status_code == 401:
                    raise SignedOut
                if it.status_code != 200:
                    raise Refused(it.status_code, it.reason_phrase)
                yield it.aiter_lines()
        except httpx.HTTPError:
            raise Away(service) from None

    def _url(self, path: str) -> tuple[str, str]:
        service, _, rest = path.partition("/")
        return service, f"{address_of(self._address, service)}/{rest}"

    async def _ask(self, method: str, path: str, query: dict[str, Any], body: Any = None, key: str = "") -> "_Answer":
        service, url = self._url(path)
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        known = {name: value for name, value in query.items() if value not in (None, "", [])}
        try:
            sent = {"content" if isinstance(body, bytes) else "json": body}
            answer = await self._http.request(method, url, params=known, headers=headers, **sent)
        except httpx.HTTPError:
            raise Away(service) from None
        if answer.status_code < 400:
            return _Answer(answer)
        if answer.status_code == 401:
            raise SignedOut
        said = _Answer(answer).decoded
        message = said.get("message", "") if isinstance(said, dict) else ""
        if answer.status_code in (502, 503, 504):
            raise Away(service)
        errors = {each["field"]: each["message"] for each in said.get("errors", ())} if isinstance(said, dict) else {}
        raise Refused(answer.status_code, message or answer.reason_phrase, errors)


@lru_cache(100)
def address_of(address: str, service: str) -> str:
    """The address of a service."""
    if "=" not in address:
        return address.replace("{service}", service)
    return dict(each.split("=", 1) for each in address.split(","))[service]


class _Answer:
    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer

    @property
    def decoded(self) -> Any:
        """JSON, where it is."""
        try:
            return msgspec.json.decode(self.answer.content)
        except msgspec.DecodeError:
            return {}
