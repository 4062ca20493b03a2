"""PingHome's feed of changes as an event stream (contract K, our extension)."""

from functools import partial
from typing import Any

from fastapi import Request, Response

from pinghome_common.directory import Caller, Directory
from pinghome_common.errors import Unavailable
from pinghome_common.event_streams import EventStream, EventStreams
from pinghome_common.events.key import Kind
from pinghome_common.feed import Feed

EXAMPLE = """\
retry: 3000
id: 17958034512

id: 17958034517
data: {"noun":"resource","id":"906a3444-15ce-4410-8041-89a238e9e91f","version":7,"state":"down","deleted":false}

"""
FEED: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"example": EXAMPLE}}}}
"""The answer, for OpenAPI."""


async def follow(request: Request, caller: Caller, feed: Feed, streams: EventStreams) -> Response:
    """The changes of the caller's organisation, until its key is revoked.

    Raises:
        Unavailable: the key has too many streams, or the newest changes are not known yet.
    """
    if streams.full(str(caller.key)):
        raise Unavailable("Too many event streams are open with this token; close some.")
    directory: Directory = request.app.state.directory
    token = request.headers["authorization"].partition(" ")[2].strip()

    def welcome() -> bool:
        found = directory.caller(Kind.bearer, token)
        return found is not None and found.key == caller.key

    following = await feed.follow(caller.organisation, request.headers.get("last-event-id"))
    news = partial(following.news, welcome)
    return EventStream(streams, str(caller.key), following.hello(), news, following.life)
