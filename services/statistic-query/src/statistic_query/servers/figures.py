"""How the figures of a sample lie in a row: the ids of their names, and one array of values per metric type."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

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
Name = tuple[str, str]
"""A metric type, and the name of a mount, disk or interface; that of the host is empty."""


def pack(figures: Sequence[Figures], ids: Mapping[Name, int]) -> tuple[list[int], list[Values | None]]:
    """The ids of figures, negative for counters, and the columns of their values; a name without an id is left out.

    Raises:
        ValueError: figures do not have the values of their type.
    """
    found: dict[int, None] = {}
    columns: list[Values | None] = [None] * len(_PLACES)
    for it in figures:
        place, id_ = _PLACES.get(it.type), ids.get((it.type, it.name))
        if place is None or id_ is None:
            continue
        if len(it.values) != WIDTHS[it.type]:
            raise ValueError(f"{it.type} has {len(it.values)} values")
        signed = -id_ if it.counter else id_
        if signed in found:
            continue
        found[signed] = None
        values = [value if value is not None and isfinite(value) else None for value in it.values]
        if (column := columns[place]) is None:
            columns[place] = values
        else:
            column += values
    return list(found), columns


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
