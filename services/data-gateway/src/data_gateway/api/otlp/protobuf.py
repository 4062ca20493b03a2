"""Requests and answers of OTLP in protobuf; the parts of a request are counted without making them."""

from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

__all__ = ["DecodeError", "partial_success", "request"]


def request(body: bytes, most: int) -> ExportMetricsServiceRequest | None:
    """A request; None if it has more messages within it than `most`.

    Raises:
        DecodeError: it is none.
    """
    if len(body) > most and _more_parts(body, ExportMetricsServiceRequest.DESCRIPTOR, most):
        return None
    return ExportMetricsServiceRequest.FromString(body)


def partial_success(rejected: int, message: str) -> bytes:
    """The answer to a request of which so many points were refused, and why."""
    partial = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    return ExportMetricsServiceResponse(partial_success=partial).SerializeToString()


def _more_parts(body: bytes, kind: Descriptor, most: int) -> bool:
    """True if there are more messages within a message than `most`.

    Raises:
        DecodeError: it is no message; a decoder would find that out only after it has made others.
    """
    try:
        return _count(body, kind, most) > most
    except IndexError:
        raise DecodeError("ends too early") from None


def _count(body: bytes, kind: Descriptor, most: int) -> int:
    count, todo = 0, [(0, len(body), kind)]
    while todo and count <= most:
        at, end, kind = todo.pop()
        within = _messages(kind)
        while at < end and count <= most:
            key, begin = _varint(body, at)
            at = _end(body, begin, key & 7)
            if at > end:
                raise DecodeError("ends too early")
            if key & 7 == 2 and (found := within.get(key >> 3)):
                count += 1
                todo.append((_varint(body, begin)[1], at, found))
    return count


def _end(body: bytes, at: int, wire: int) -> int:
    """Where a field ends whose key ends at a place."""
    match wire:
        case 0:
            return _varint(body, at)[1]
        case 1:
            return at + 8
        case 2:
            length, at = _varint(body, at)
            return at + length
        case 3 | 4:  # the bounds of a group, whose fields follow as those of any message
            return at
        case 5:
            return at + 4
    raise DecodeError("has an unknown type of field")


@cache
def _messages(kind: Descriptor) -> dict[int, Descriptor]:
    """The fields of a message that are messages themselves, by number."""
    return {field.number: field.message_type for field in kind.fields if field.message_type is not None}


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = shift = 0
    while shift < 70:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise DecodeError("has a number of more than 64 bits")
