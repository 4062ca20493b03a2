"""Copies of a whole stream, with its sequences and times, as the broker makes and takes them."""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from nats.aio.msg import Msg

from pinghome_common.errors import Unavailable
from pinghome_common.stream.broker import Broker

CHUNK = 128 << 10
"""Bytes of a message with a part of a copy."""

SILENCE = 60.0
"""Seconds without a part after which the broker counts as away."""

RESTORING = {"pinghome": "restoring"}
"""Metadata of a stream until everything that belongs to it is there, too."""


async def snapshot(broker: Broker, stream: str) -> tuple[dict[str, Any], AsyncIterator[bytes]]:
    """A copy of a stream as of now: its `config` and `state`, and the parts of its content.

    Raises:
        Unavailable: the broker is away, there is no such stream, or the user may not copy it.
    """
    parts: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = broker.client.new_inbox()
    subscription = await broker.client.subscribe(inbox, cb=parts.put, pending_msgs_limit=-1, pending_bytes_limit=-1)
    head = await broker.api(
        f"STREAM.SNAPSHOT.{stream}", {"deliver_subject": inbox, "no_consumers": True, "chunk_size": CHUNK}
    )
    if "error" in head:
        raise Unavailable(f"The stream {stream} cannot be copied: {head['error'].get('description')}")

    async def content() -> AsyncIterator[bytes]:
        try:
            while True:
                async with asyncio.timeout(SILENCE):
                    part = await parts.get()
                if not part.data:
                    break
                yield part.data
                if part.reply:  # it waits for this from time to time
                    await part.respond(b"")
        except TimeoutError:
            raise Unavailable(f"The broker has stopped sending the stream {stream}.") from None
        finally:
            await subscription.unsubscribe()
        if (status := (part.headers or {}).get("Status", "204")) != "204":
            raise Unavailable(f"The broker has stopped sending the stream {stream}: {status} {part.headers}")

    return {"config": head["config"], "state": head["state"]}, content()


async def restore(broker: Broker, stream: str, head: dict[str, Any], parts: AsyncIterable[bytes]) -> None:
    """Makes a stream from a copy, all of it at once when the last part is there; marked as `RESTORING`.

    Raises:
        Unavailable: the broker is away or refuses; there is no such stream then.
    """
    head = head | {"config": head["config"] | {"metadata": RESTORING}}
    answer = await broker.api(f"STREAM.RESTORE.{stream}", head)
    if "error" in answer:
        raise Unavailable(f"The stream {stream} cannot be restored: {answer['error'].get('description')}")
    async for part in parts:
        await broker.request(answer["deliver_subject"], part, SILENCE)
    done = json.loads(await broker.request(answer["deliver_subject"], b"", SILENCE))
    if "error" in done:
        raise Unavailable(f"The stream {stream} cannot be restored: {done['error'].get('description')}")


async def marked(broker: Broker, stream: str) -> bool:
    """True for a stream that `restore` has made, until `restored` or resource-cmd takes the mark from it."""
    return _is_marked(await broker.api(f"STREAM.INFO.{stream}"))


def _is_marked(info: dict[str, Any]) -> bool:
    return bool(RESTORING.items() <= info.get("config", {}).get("metadata", {}).items())


async def restored(broker: Broker, stream: str) -> None:
    """Takes the mark from a stream: it is complete."""
    config = (await broker.info(stream))["config"]
    metadata = {name: value for name, value in config.get("metadata", {}).items() if name not in RESTORING}
    await broker.api(f"STREAM.UPDATE.{stream}", config | {"metadata": metadata})


async def clear(broker: Broker, *streams: str) -> str | None:
    """Deletes some streams, if all of them are empty, or what an interrupted restore has left; else returns one."""
    infos = {name: await broker.api(f"STREAM.INFO.{name}") for name in streams}
    there = {name: info for name, info in infos.items() if "error" not in info}
    for name, info in there.items():
        if info["state"]["messages"] and not _is_marked(info):
            return name
    for name in there:
        await broker.api(f"STREAM.DELETE.{name}")
    return None
