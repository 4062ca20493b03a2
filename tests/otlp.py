"""Requests of OTLP as clients make them, in both forms, and google.rpc.Status as clients read it."""

import json
import time
from typing import Any

from google.protobuf import json_format
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

JSON, PROTOBUF = "application/json", "application/x-protobuf"
FORMS = [PROTOBUF, JSON]
CUMULATIVE, DELTA = 2, 1


def micros() -> int:
    return time.time_ns() // 1000


def attributes(labels: dict[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(int_value=it) if isinstance(it, int) else AnyValue(string_value=it))
        for key, it in labels.items()
    ]


def point(value: float | None, at: int, labels: dict[str, str | int] | None = None, **more: Any) -> NumberDataPoint:
    """A point at UNIX microseconds; `start` too. An int is sent as one."""
    start, flags = more.get("start", 0), more.get("flags", 0)
    kind = {} if value is None else {"as_int" if isinstance(value, int) else "as_double": value}
    return NumberDataPoint(
        attributes=attributes(labels or {}),
        time_unix_nano=at * 1000,
        start_time_unix_nano=start * 1000,
        flags=flags,
        **kind,
    )


def gauge(name: str, *points: NumberDataPoint) -> Metric:
    return Metric(name=name, gauge=Gauge(data_points=points))


def counter(name: str, *points: NumberDataPoint, temporality: int = CUMULATIVE) -> Metric:
    return Metric(name=name, sum=Sum(data_points=points, aggregation_temporality=temporality, is_monotonic=True))


def request(*metrics: Metric, **resource: str) -> ExportMetricsServiceRequest:
    scope = ScopeMetrics(metrics=metrics)
    about = {key.replace("_", "."): value for key, value in resource.items()}
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=Resource(attributes=attributes(about)), scope_metrics=[scope])]
    )


def memory(at: int, used: float = 2**30, state: str = "used") -> Metric:
    return gauge("system.memory.usage", point(used, at, {"state": state}))


def encoded(it: ExportMetricsServiceRequest, form: str) -> bytes:
    if form == PROTOBUF:
        return it.SerializeToString()
    return json.dumps(json_format.MessageToDict(it, use_integers_for_enums=True)).encode()


def decoded(body: bytes, form: str, kind: Any) -> Any:
    return kind.FromString(body) if form == PROTOBUF else json_format.Parse(body, kind())


def refused(answer: Any, status: int, form: str) -> str:
    """The message of a google.rpc.Status in the request's form."""
    assert answer.status_code == status, f"{answer.status_code} {answer.content[:300]!r}"
    assert answer.headers["content-type"] == form
    it = decoded(answer.content, form, Status)
    assert it.message
    assert it.code
    return str(it.message)


def accepted(answer: Any, form: str, rejected: int = 0) -> str:
    """Success; the message of its partial success, which is unset unless points were refused."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["content-type"] == form
    if not rejected:
        assert answer.content == (b"" if form == PROTOBUF else b"{}")
    it = decoded(answer.content, form, ExportMetricsServiceResponse)
    assert it.partial_success.rejected_data_points == rejected
    assert bool(it.partial_success.error_message) == bool(rejected)
    return str(it.partial_success.error_message)
