"""Passwords of private pages: argon2id, in threads of which there are few, as each hash takes 19 MiB."""

import asyncio

from argon2 import PasswordHasher

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""As OWASP advises."""

_ROOM = asyncio.Semaphore(2)


async def hashed(password: str) -> str:
    """The hash of a password."""
    async with _ROOM:
        return await asyncio.to_thread(HASHER.hash, password)
