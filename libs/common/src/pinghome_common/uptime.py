"""The percentage that everything shows which is called uptime."""

from math import floor


def percentage(up: float, known: float) -> float | None:
    """How much of `known` seconds was `up`, with four decimals, rounded down: one failure never reads 100.

    None when nothing is known.
    """
    return floor(round(1e6 * up / known, 3)) / 1e4 if known > 0 else None
