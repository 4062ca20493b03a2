"""Passwords of private pages: argon2id, in threads of which there are few, as each hash takes 19 MiB."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""As OWASP advises."""

_ROOM = asyncio.Semaphore(2)


WAITING = 50
"""Passwords that may wait for their turn; more are refused, for each takes a moment of a processor."""

_waiting = 0


class Busy(Exception):
    """Too many passwords are being looked at."""


async def matches(password: str, hash_: str) -> bool:
    """Whether a password is the one of a hash.

    Raises:
        Busy: too many others are waiting.
    """
    global _waiting  # noqa: PLW0603  # of this process
    if _waiting >= WAITING:
        raise Busy
    _waiting += 1
    try:
        async with _ROOM:
            return await asyncio.to_thread(HASHER.verify, hash_, password)
    except VerifyMismatchError:
        return False
    finally:
        _waiting -= 1


async def hashed(password: str) -> str:
    """The hash of a password."""
    async with _ROOM:
        return await asyncio.to_thread(HASHER.hash, password)
