"""From `pinghome up` on an empty data folder to /readyz 200."""

from figures import at_most
from platforms import up

FIGURES = {"seconds": at_most(10, 4)}


async def measure(rounds):
    for _ in range(rounds):
        async with up() as platform:
            yield {"seconds": platform.started}
