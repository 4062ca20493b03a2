"""Monitors that components follow, with response times of 90 days, as statuspage-query has them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import sin
from random import Random
from uuid import NAMESPACE_DNS, UUID, uuid5

import asyncpg

from statuspage_query.response_times import PLACES, place_of


def monitor(name: str) -> UUID:
    """The monitor that a component with this name follows."""
    return uuid5(NAMESPACE_DNS, name)


async def measure(connection: asyncpg.Connection, organisation: UUID, now: datetime, names: Iterable[str]) -> None:
    """Monitors that have always been up."""
    for name in names:
        id_, random = monitor(name), Random(name)  # a picture
        await connection.execute("INSERT INTO followed VALUES ($1, $2, 1, 'operational')", id_, organisation)
        since = now - timedelta(days=200)
        await connection.execute("INSERT INTO followed_change VALUES ($1, 1, $2, 'operational')", id_, since)
        usual, busy = random.uniform(30, 300), random.uniform(0.1, 0.4)
        rows = []
        for ago in range(90):
            count = place_of(now.astimezone(UTC)) + 1 if ago == 0 else PLACES
            day = [usual * (1 + busy * sin(place / 46) + random.uniform(0, 0.12)) for place in range(count)]
            if ago % 30 < 2:
                slow = random.randrange(max(count - 9, 1))
                day[slow : slow + 6] = [1.8 * each for each in day[slow : slow + 6]]
            counts = [1] * count + [0] * (PLACES - count)
            sums = day + [0.0] * (PLACES - count)
            rows.append((id_, (now.astimezone(UTC) - timedelta(days=ago)).date(), sums, counts, sum(sums), count))
        await connection.executemany("INSERT INTO response_day VALUES ($1, $2, $3, $4, $5, $6)", rows)
