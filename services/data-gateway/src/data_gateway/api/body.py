"""Request bodies of pings."""

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive


async def read_body(receive: Receive, limit: int) -> bytes:
    """The first `limit` bytes of a body, unchanged.

    Raises:
        ClientDisconnect: the body ended early.
    """
    body, more = bytearray(), True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if len(body) < limit:
            body += message.get("body", b"")
    return bytes(body[:limit])
