"""OTLP/HTTP: metrics of hosts by any OpenTelemetry client (contract G)."""

from typing import Any

from fastapi import APIRouter, Request, Response

from data_gateway.api.metrics_request import authenticate, read
from data_gateway.api.otlp.form import JSON, PROTOBUF, Form
from data_gateway.api.otlp.points import Points
from data_gateway.metric_intake import MetricIntake
from pinghome_common.clock import micros, now
from pinghome_common.errors import DomainError
from pinghome_common.logs import log

routes = APIRouter(tags=["Servers"], redirect_slashes=False)

FORMS = {form.content_type: form for form in (PROTOBUF, JSON)}
EXAMPLE = {
    "resourceMetrics": [
        {
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "system.memory.usage",
                            "gauge": {
                                "dataPoints": [
                                    {
                                        "attributes": [{"key": "state", "value": {"stringValue": "used"}}],
                                        "timeUnixNano": "1795752600000000000",
                                        "asInt": "2147483648",
                                    }
                                ]
                            },
                        }
                    ]
                }
            ]
        }
    ]
}
_STATUS: dict[str, Any] = {form.content_type: {} for form in FORMS.values()}
DOCUMENT: dict[str, Any] = {
    "requestBody": {"content": {JSON.content_type: {"example": EXAMPLE}, PROTOBUF.content_type: {}}},
    "responses": {
        "200": {
            "description": "stored; `partialSuccess` says how many points were refused and why, if any",
            "content": {JSON.content_type: {"example": {}}, PROTOBUF.content_type: {}},
        },
        **{
            str(status): {"description": f"{why}; a google.rpc.Status in the form of the request", "content": _STATUS}
            for status, why in {
                400: "it could not be decoded, or every point was refused",
                401: "not the token of a server",
                413: "too large, also once it is decompressed",
                415: "neither protobuf nor JSON",
                503: "try again after `Retry-After`",
            }.items()
        },
    },
}


class UnknownForm(DomainError):
    """The body is neither protobuf nor JSON."""

    status = 415


@routes.post("/v1/metrics", openapi_extra=DOCUMENT)
@routes.post("/v1/metrics/", include_in_schema=False)
async def export(request: Request) -> Response:
    """Stores metrics of the server whose agent's token is sent, by OTLP/HTTP; 200 means that they are on disk.

    A client needs `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=https://…/data-gateway/v1/metrics` and
    `OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<token>`. Metrics of hosts (`system.…`) are kept, others ignored.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = FORMS.get(kind, JSON)
    try:
        rejected, reason = await _store(request, form, known=kind in FORMS)
    except DomainError as error:
        return _error(form, 400 if error.status == 422 else error.status, error.message, error.retry_after)
    except Exception:
        log.exception("request_failed")
        return _error(form, 500, "Something went wrong on our side; it has been logged.")
    return Response(form.success(rejected, reason), media_type=form.content_type)


async def _store(request: Request, form: Form, *, known: bool) -> tuple[int, str]:
    """Stores what a request holds; returns how many points were refused, and why the first of them was."""
    intake: MetricIntake = request.app.state.metric_intake
    key, server = await authenticate(request, intake)
    if not known:
        raise UnknownForm(f"Send {PROTOBUF.content_type} or {JSON.content_type}.")
    intake.pace(key, requests=1)
    points = Points(intake, form, micros(now()))
    samples, size = await read(request, intake, lambda body: points.samples(form.decode(body), server.bytes))
    intake.pace(key, values=sum(len(figures.values) for sample in samples for figures in sample.figures))
    await intake.store(samples, size)
    return points.rejected, points.reason


def _error(form: Form, status: int, message: str, retry_after: int = 0) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(form.error(status, message), status, headers, form.content_type)
