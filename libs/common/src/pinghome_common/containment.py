"""Contains failures: a batch that fails is halved until each failure is that of a single item."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from pinghome_common.db import Connection, is_connection_error
from pinghome_common.errors import Unavailable

T = TypeVar("T")

Apply = Callable[[Connection, list[T]], Awaitable[object]]
"""Applies items within a transaction."""

_NOT_AN_ITEMS_FAULT = (
    Unavailable,
    asyncpg.TransactionRollbackError,  # such as a deadlock: a retry will work
    asyncpg.InsufficientResourcesError,  # a full disk
    asyncpg.ObjectNotInPrerequisiteStateError,  # a lock that could not be acquired
)


def is_items_own(error: Exception) -> bool:
    """True if the item itself is at fault, not a dependency that is unavailable or out of resources."""
    return not isinstance(error, _NOT_AN_ITEMS_FAULT) and not is_connection_error(error)


async def contained(tx: Connection, items: Sequence[T], apply: Apply[T]) -> list[tuple[T, Exception]]:
    """Applies items in order, each group within a savepoint of `tx`.

    Returns:
        The items that cannot be applied, with the reasons; all others are applied.

    Raises:
        Exception: an error that is not an item's fault, see `is_items_own`.
    """
    if not items:
        return []
    try:
        async with tx.transaction():
            await apply(tx, list(items))
    except Exception as error:
        if not is_items_own(error):
            raise
        if len(items) == 1:
            return [(items[0], error)]
    else:
        return []
    half = len(items) // 2
    return [*await contained(tx, items[:half], apply), *await contained(tx, items[half:], apply)]
