"""What was counted in some span of time: plain tuples, for a thousand of them are added up for each question."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf

import msgspec

Counts = tuple[int, int, int, float, float, float]
"""Probes that spoke, failures, answers that were timed; the sum of their times, the fastest, the slowest, in ms."""

NOTHING: Counts = (0, 0, 0, 0.0, inf, -inf)


def add(counted: Iterable[Counts]) -> Counts:
    """All together."""
    checks, failures, timed, total, fastest, slowest = zip(NOTHING, *counted, strict=True)
    return sum(checks), sum(failures), sum(timed), sum(total), min(fastest), max(slowest)


class Times(msgspec.Struct, gc=False):
    """Response times of a span in milliseconds; None where no answer was timed."""

    avg: float | None = None
    min: float | None = None
    max: float | None = None


class Bucket(msgspec.Struct, gc=False):
    """One bucket, as the document shows it: a thousand of them are made for each question."""

    received_at: datetime
    uptime: float | None
    response_time: Times
    checks: int
    failures: int


def times(counts: Counts) -> Times:
    """As a document; the average is rounded to microseconds, as the others are already."""
    _, _, timed, total, fastest, slowest = counts
    return Times(round(total / timed * 1000) / 1000, fastest, slowest) if timed else _NEVER


_NEVER = Times()


def buckets(begins: Sequence[datetime], uptimes: Sequence[float | None], counted: Sequence[Counts]) -> list[Bucket]:
    """As documents, the nth of each argument belonging together."""
    return [
        Bucket(begin, uptime, times(counts), counts[0], counts[1])
        for begin, uptime, counts in zip(begins, uptimes, counted, strict=True)
    ]
