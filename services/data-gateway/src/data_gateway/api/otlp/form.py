"""The two forms of OTLP/HTTP, protobuf and JSON: how requests are read and answers are written."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec

from data_gateway.api.metrics_request import TooLarge
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.rpc_status import status_json, status_protobuf

PARTS = 250_000
"""Most points, attributes and other parts of a request: each is some 100 bytes of memory, and may be 2 in the body."""

Unsigned = int | Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")]
Signed = int | Annotated[str, msgspec.Meta(pattern="^-?[0-9]{1,20}$")]


class _Part(msgspec.Struct, rename="camel", gc=False):
    """A message of OTLP in JSON; its attributes are named and default as those of the protobuf messages."""


class _Any(_Part):
    string_value: str | None = None
    int_value: Signed | None = None


class _Attribute(_Part):
    key: str = ""
    value: _Any | None = None


class _Point(_Part):
    attributes: list[_Attribute] | None = None
    start_time_unix_nano: Unsigned | None = None
    time_unix_nano: Unsigned | None = None
    as_double: float | str | None = None
    as_int: Signed | None = None
    flags: int | None = None


class _Data(_Part):
    data_points: list[_Point] | None = None
    aggregation_temporality: int | None = None


class _Metric(_Part):
    name: str = ""
    gauge: _Data | None = None
    sum: _Data | None = None


class _Scope(_Part):
    metrics: list[_Metric] | None = None


class _Resource(_Part):
    attributes: list[_Attribute] | None = None


class _ResourceMetrics(_Part):
    resource: _Resource | None = None
    scope_metrics: list[_Scope] | None = None


class _Request(_Part):
    resource_metrics: list[_ResourceMetrics] | None = None


class Form(NamedTuple):
    """One of the two.

    `decode` gives a request whose parts have the names of the protobuf messages; it raises Invalid and TooLarge.
    `value` is that of a point, None for none. `success` is the answer to a request of which so many points were
    refused, and why; `error` that with a google.rpc.Status.
    """

    content_type: str
    decode: Callable[[bytes], Any]
    value: Callable[[Any], float | None]
    success: Callable[[int, str], bytes]
    error: Callable[[int, str], bytes]


_decode_json = msgspec.json.Decoder(_Request).decode


def _from_json(body: bytes) -> _Request:
    if body.count(b"{") > PARTS:
        raise _too_many()
    try:
        return _decode_json(body)
    except (ValueError, RecursionError) as error:
        raise Invalid(FieldError("body", f"is not an ExportMetricsServiceRequest in JSON: {error}"[:300])) from None


def _json_value(point: _Point) -> float | None:
    found = point.as_double if point.as_int is None else point.as_int
    try:
        return None if found is None else float(found)
    except ValueError:
        return float("nan")


def _json_success(rejected: int, message: str) -> bytes:
    if not rejected:
        return b"{}"
    return msgspec.json.encode({"partialSuccess": {"rejectedDataPoints": str(rejected), "errorMessage": message}})


JSON = Form("application/json", _from_json, _json_value, _json_success, status_json)


def _from_protobuf(body: bytes) -> Any:
    from data_gateway.api.otlp import protobuf  # noqa: PLC0415  # 2 MB that few need

    try:
        found = protobuf.request(body, PARTS)
    except protobuf.DecodeError:
        raise Invalid(FieldError("body", "is not an ExportMetricsServiceRequest in protobuf")) from None
    if found is None:
        raise _too_many()
    return found


def _protobuf_value(point: Any) -> float | None:
    kind = point.WhichOneof("value")
    return None if kind is None else float(getattr(point, kind))


def _protobuf_success(rejected: int, message: str) -> bytes:
    if not rejected:
        return b""
    from data_gateway.api.otlp import protobuf  # noqa: PLC0415  # as above

    return protobuf.partial_success(rejected, message)


PROTOBUF = Form("application/x-protobuf", _from_protobuf, _protobuf_value, _protobuf_success, status_protobuf)


def _too_many() -> TooLarge:
    return TooLarge(f"The request has more than {PARTS} points and attributes.")
