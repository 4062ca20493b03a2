"""Messages that a test writes, applied as a projection does it."""

from pinghome_common.containment import Apply
from pinghome_common.db import Connection
from pinghome_common.items import Item, first_seen, read
from pinghome_common.stream import Message


async def apply_all(tx: Connection, apply: Apply[Item], messages: list[Message]) -> None:
    contents = [read(message) for message in messages]
    assert not any(each.unreadable for each in contents)
    await apply(tx, [item for each in await first_seen(tx, contents) for item in each.items])
