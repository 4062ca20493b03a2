"""Statistics of figures over a span of time: averages, minima, maxima and last values, exact when put together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from statistic_query.servers.figures import Values

TIMES = 4
"""Statistics of each value."""


class Stats(NamedTuple):
    """Of one mount, disk or interface, or of the host; `samples` is the number of those with a value.

    `packed` has all averages, then all minima, maxima and last values, as a row of a rollup.
    """

    samples: int
    packed: Values

    @property
    def avg(self) -> Values:
        """The averages by field."""
        return self.packed[: len(self.packed) // TIMES]

    @property
    def min(self) -> Values:
        """The minima by field."""
        width = len(self.packed) // TIMES
        return self.packed[width : 2 * width]

    @property
    def max(self) -> Values:
        """The maxima by field."""
        width = len(self.packed) // TIMES
        return self.packed[2 * width : 3 * width]

    @property
    def last(self) -> Values:
        """The last values by field."""
        return self.packed[3 * len(self.packed) // TIMES :]


def of_samples(rows: Sequence[Values]) -> Stats | None:
    """Of the values of samples in the order of time; None when there are none at all."""
    columns = [[value for value in column if value is not None] for column in zip(*rows, strict=True)]
    count = max(map(len, columns), default=0)
    if not count:
        return None
    return Stats(
        count,
        [
            *(round(sum(known) / len(known), 6) if known else None for known in columns),
            *(min(known, default=None) for known in columns),
            *(max(known, default=None) for known in columns),
            *(known[-1] if known else None for known in columns),
        ],
    )


def together(parts: Sequence[Stats]) -> Stats:
    """Of consecutive spans; averages are weighted by the samples."""
    if len(parts) == 1:
        return parts[0]
    counts = [part.samples for part in parts]
    return Stats(
        sum(counts),
        [
            *(_average(counts, column) for column in zip(*(part.avg for part in parts), strict=True)),
            *(min(_known(column), default=None) for column in zip(*(part.min for part in parts), strict=True)),
            *(max(_known(column), default=None) for column in zip(*(part.max for part in parts), strict=True)),
            *(next(_known(reversed(column)), None) for column in zip(*(part.last for part in parts), strict=True)),
        ],
    )


def _known(values: Iterable[float | None]) -> Iterator[float]:
    return (value for value in values if value is not None)


def _average(counts: Sequence[int], averages: Sequence[float | None]) -> float | None:
    pairs = [(count, value) for count, value in zip(counts, averages, strict=True) if value is not None]
    if not pairs:
        return None
    return round(sum(count * value for count, value in pairs) / sum(count for count, _ in pairs), 6)
