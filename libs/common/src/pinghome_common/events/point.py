"""Points of custom metrics as data-gateway publishes them (`telemetry.point.<gateway>`, msgpack)."""

import sys
from array import array
from collections.abc import Iterable
from typing import TypeVar

import msgspec

A = TypeVar("A", "array[int]", "array[float]")


class Points(msgspec.Struct, array_like=True, gc=False):
    """Points of one metric that were sent together; of a minute the last one counts.

    `metric` are UUID bytes; `minutes` are int32 since 1970 and `values` float64, little-endian: a tenth of the memory
    that lists take.
    """

    metric: bytes
    minutes: bytes
    values: bytes

    @classmethod
    def packed(cls, metric: bytes, minutes: Iterable[int], values: Iterable[float]) -> "Points":
        """Points of a metric, as many minutes as values."""
        return cls(metric, _little(array("i", minutes)).tobytes(), _little(array("d", values)).tobytes())

    def unpacked(self) -> "zip[tuple[int, float]]":
        """Minute and value of each.

        Raises:
            ValueError: these are no minutes or values, or not as many.
        """
        minutes, values = array("i"), array("d")
        minutes.frombytes(self.minutes)
        values.frombytes(self.values)
        if len(minutes) != len(values):
            raise ValueError(f"{len(minutes)} minutes have {len(values)} values")
        return zip(_little(minutes), _little(values), strict=True)


def _little(numbers: A) -> A:
    """Swaps the bytes where the machine has them in the other order."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class PointBatch(msgspec.Struct, array_like=True):
    """Points that arrived together; `boot` and `number` identify it forever, as those of a `ping.Batch`."""

    boot: bytes
    number: int
    points: list[Points]


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(PointBatch).decode
