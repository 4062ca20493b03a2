"""How the figures of a sample lie in a row: the ids of their names, and one array of values per metric type."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from math import isfinite, isnan
from struct import Struct
from typing import Any, NamedTuple

from pinghome_common.events.metric import FIELDS, Figures

COLUMNS = {
    "cpu-total-usage": "cpu",
    "memory-usage": "memory",
    "swap-usage": "swap",
    "disk-io-unified": "disk_io",
    "disk-usage-unified": "disk_usage",
    "system-load-unified": "load",
    "network-usage-unified": "network",
}
"""The column of each metric type in `sample` and in the rollups."""

WIDTHS = {type_: len(fields) for type_, fields in FIELDS.items()}
_PLACES = {type_: place for place, type_ in enumerate(COLUMNS)}

Values = list[float | None]
Packed = Sequence[float | None]
"""Statistics of all fields: the averages, then the minima, the maxima and the last values."""

Name = tuple[str, str]
"""A metric type, and the name of a mount, disk or interface; that of the host is empty."""


class Layout(NamedTuple):
    """How the figures of some samples lie in their rows, which is the same for most samples of a server.

    `key` is what the samples have, `ids` are those of the row, negative for counters. `plan` has the place of each
    figure among the sample's, that of its column, and the number of its values.
    """

    key: list[tuple[str, str, bool]]
    ids: list[int]
    plan: list[tuple[int, int, int]]


def key_of(figures: Sequence[Figures]) -> list[tuple[str, str, bool]]:
    """What a sample has."""
    return [(it.type, it.name, it.counter) for it in figures]


def layout(key: list[tuple[str, str, bool]], ids: Mapping[Name, int]) -> Layout:
    """The layout of what a sample has; a name without an id, and what is there twice, is left out."""
    found: dict[int, tuple[int, int, int]] = {}
    for number, (type_, name, counter) in enumerate(key):
        place, id_ = _PLACES.get(type_), ids.get((type_, name))
        if place is not None and id_ is not None:
            found.setdefault(-id_ if counter else id_, (number, place, WIDTHS[type_]))
    return Layout(key, list(found), list(found.values()))


def pack(figures: Sequence[Figures], it: Layout) -> list[Values | None]:
    """The columns of a row; what is not finite is left out.

    Raises:
        ValueError: figures do not have the values of their type.
    """
    columns: list[Values | None] = [None] * len(_PLACES)
    for number, place, width in it.plan:
        values = figures[number].values
        if len(values) != width:
            raise ValueError(f"{figures[number].type} has {len(values)} values")
        if not _all_finite(values):
            values = [value if value is not None and isfinite(value) else None for value in values]
        columns[place] = values if (column := columns[place]) is None else column + values
    return columns


def _all_finite(values: Values) -> bool:
    """False also where it takes a closer look."""
    try:
        return isfinite(sum(values))  # type: ignore[arg-type]  # quicker than to look for None first
    except TypeError:
        return False


def columns_of(row: Any) -> dict[str, Values | None]:
    """The columns of values of a row by metric type."""
    return {type_: row[column] for type_, column in COLUMNS.items()}


def unpack(
    figures: Sequence[int], columns: Mapping[str, Values | None], names: Mapping[int, Name], times: int = 1
) -> list[Figures]:
    """The figures of a row, of those names and columns that are given; a rollup has `times` the values."""
    found = []
    places = dict.fromkeys(columns, 0)
    for signed in figures:
        name = names.get(abs(signed))
        if name is None or (column := columns.get(name[0])) is None:
            continue
        begin = places[name[0]]
        places[name[0]] = end = begin + WIDTHS[name[0]] * times
        found.append(Figures(*name, column[begin:end], signed < 0))
    return found


def read_sent(sent: bytes, width: int) -> Iterator[tuple[datetime, Packed]]:
    """Times with `width` values of a `float8[]` each, as PostgreSQL sends both; NaN stands for NULL."""
    for at, *values in _sent(width).iter_unpack(sent):
        packed = [None if isnan(value) else value for value in values] if isnan(sum(values)) else values
        yield _2000 + timedelta(0, 0, at), packed


def hour_sent(sent: bytes) -> int:
    """The first time, in hours."""
    return int.from_bytes(sent[:8], signed=True) // 3_600_000_000


def size_sent(width: int) -> int:
    """Bytes of a time and so many values."""
    return _sent(width).size


@cache
def _sent(width: int) -> Struct:
    return Struct(">q20x" + "4xd" * width)  # the header of an array, and the length of each value


_2000 = datetime(2000, 1, 1, tzinfo=UTC)
"""From then on PostgreSQL counts."""
