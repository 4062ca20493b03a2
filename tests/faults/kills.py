"""Kills at random: whom and when comes from the seed."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from under_test import Platform


async def kill_at_random(
    platform: Platform,
    victims: list[str],
    apart: tuple[float, float],
    rng: Random,
    enough: Callable[[int], bool],
    tell: Callable[[str], None],
) -> tuple[Counter[str], float]:
    """Kill -9 one of the victims, so many seconds `apart`, until `enough(kills so far)`.

    Returns how often each was killed, and when the last one was (monotonic).
    """
    killed: Counter[str] = Counter()
    last = time.monotonic()
    while not enough(killed.total()):
        await asyncio.sleep(rng.uniform(*apart))
        victim = rng.choice(victims)
        if victim in platform.pids:  # else this turn kills nobody: whoever has just come up must have its chance
            platform.kill(victim)
            killed[victim] += 1
            last = time.monotonic()
            tell(f"killed {victim:16} ({killed.total()})")
    return killed, last
