"""Samples of servers as JSON: contract G, the agent's own form; OTLP is in `api/otlp`."""

import math
import re
import zlib
from collections.abc import Container, Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import Path, Request, Response

from data_gateway.metric_intake import MetricIntake
from pinghome_common.clock import micros, now
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.directory import Caller
from pinghome_common.errors import DomainError, FieldError, Invalid, NotFound, Unauthorized
from pinghome_common.events.metric import COUNTED, FIELDS, PROCESSES, Agent, Figures, Sample
from pinghome_common.text import clean

routes = Router(public=True, tags=["Servers"])

SAMPLES, NAMES, NAME = 10_000, 500, 255
"""Most samples in a request, most names of one type in a sample, most characters of a name."""

EXAMPLE = {
    "sent_at": "2026-11-27T04:10:00Z",
    "agent": {"version": "1.0", "hostname": "web-1", "os": "Debian 12", "boot_time": "2026-11-01T00:00:00Z"},
    "samples": [
        {
            "at": "2026-11-27T04:09:59Z",
            "interval": 10,
            "values": {"cpu-total-usage": {"total": 7.5, "user": 5.0, "system": 2.5, "iowait": 0.0, "steal": 0.0}},
            "by": {"disk-usage-unified": {"/": {"total": 4e10, "used": 1e10, "free": 3e10, "percent": 25.0}}},
            "counters": {"network-usage-unified": {"eth0": {"received_bytes": 123456, "sent_bytes": 654321}}},
        }
    ],
}
BODY = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}

Values = dict[str, float]


class AgentBody(msgspec.Struct):
    """What sends the samples."""

    version: str = ""
    hostname: str = ""
    os: str = ""
    boot_time: datetime | None = None


class SampleBody(msgspec.Struct):
    """What was measured at one time; `processes-unified` is an object of its own among the values."""

    at: datetime
    interval: float = 0.0
    values: dict[str, msgspec.Raw] = {}
    by: dict[str, dict[str, Values]] = {}
    counters: dict[str, dict[str, Values]] = {}


class MetricsBody(msgspec.Struct):
    """A batch of samples of one server."""

    samples: list[SampleBody]
    sent_at: datetime | None = None
    agent: AgentBody | None = None


class TooLarge(DomainError):
    """The body is too large once it is decompressed."""

    status = 413


_decode = msgspec.json.Decoder(MetricsBody, strict=True).decode
_decode_values = msgspec.json.Decoder(Values).decode


@routes.post("/v1/server-resource/metrics", responses=shows({"message": "OK"}), openapi_extra=BODY)
async def metrics(request: Request) -> Response:
    """Stores samples of the server whose agent's token is sent; 200 means that they are on disk (our extension).

    All of them are stored, or none: 422 names the sample. `curl -H "Authorization: Bearer $TOKEN" --json @samples.json`
    """
    return await _store(request, None)


@routes.post("/v1/server-resource/{id}/metrics", responses=shows({"message": "OK"}), openapi_extra=BODY)
async def metrics_of(
    request: Request,
    id: Annotated[str, Path(examples=["445a5c1f-c0eb-403a-96d7-3976e5dc74ed"])],  # noqa: A002  # as everywhere
) -> Response:
    """The same with the server's id, which must be that of the token (our extension)."""
    return await _store(request, id)


async def _store(request: Request, id_: str | None) -> Response:
    intake: MetricIntake = request.app.state.metric_intake
    caller = await authenticate(request, intake)
    if id_ is not None and id_ != str(caller.server):
        raise NotFound("Server resource not found")
    body = decompressed(
        await request.body(),
        request.headers.get("content-encoding", ""),
        request.app.state.settings.metrics_body_limit,
    )
    received = micros(now())
    try:
        sent = _decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except ValueError:
        raise Invalid(FieldError("body", "is not valid JSON")) from None
    if len(sent.samples) > SAMPLES:
        raise Invalid(FieldError("samples", f"at most {SAMPLES} at a time"))
    agent = _agent(sent, received)
    samples = [_sample(intake, caller, number, each, received, agent) for number, each in enumerate(sent.samples)]
    intake.pace(caller.key, sum(len(figures.values) for sample in samples for figures in sample.figures))
    await intake.store(samples, len(body))
    return answer({"message": "OK"})


async def authenticate(request: Request, intake: MetricIntake) -> Caller:
    """Whose token a request has; wrong ones are counted by address.

    Raises:
        Unauthorized: nobody's.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        return await intake.caller(token.strip() if scheme.lower() == "bearer" else "")
    except Unauthorized:
        if token:
            request.app.state.wrong_tokens.count(request.scope["client"])
        raise


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """A body without its `Content-Encoding`.

    Raises:
        TooLarge: it is larger than the limit.
        Invalid: it is not what the header says.
    """
    match encoding.strip().lower():
        case "" | "identity":
            found = body
        case "gzip" | "deflate":
            inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # takes the header of either
            try:
                found = inflate.decompress(body, limit + 1)
            except zlib.error:
                raise Invalid(FieldError("body", f"is not {encoding}")) from None
            if not inflate.eof and len(found) <= limit:
                raise Invalid(FieldError("body", "ends too early"))
        case _:
            raise Invalid(FieldError("Content-Encoding", "must be gzip, deflate or identity"))
    if len(found) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes once it is decompressed.")
    return found


def _agent(sent: MetricsBody, received: int) -> Agent | None:
    if sent.agent is None:
        return None
    it = sent.agent
    skew = (micros(sent.sent_at) - received) / 1e6 if sent.sent_at and sent.sent_at.tzinfo else 0.0
    boot = it.boot_time.timestamp() if it.boot_time and it.boot_time.tzinfo else 0.0
    return Agent(clean(it.version, 50), clean(it.hostname, 255), clean(it.os, 100), boot, round(skew, 3))


def _sample(
    intake: MetricIntake, caller: Caller, number: int, it: SampleBody, received: int, agent: Agent | None
) -> Sample:
    assert caller.server  # noqa: S101  # every agent's key is a server's
    place = f"samples.{number}"
    if it.at.tzinfo is None:
        raise Invalid(FieldError(f"{place}.at", "must have a time zone, such as Z"))
    at = micros(it.at)
    if reason := intake.refuses(at, received):
        raise Invalid(FieldError(f"{place}.at", reason))
    if not (math.isfinite(it.interval) and 0 <= it.interval <= 86_400):
        raise Invalid(FieldError(f"{place}.interval", "must be seconds, from 0 to 86400"))
    figures = [
        _figures(type_, "", _values(raw, f"{place}.values.{type_}"), counter=False)
        for type_, raw in it.values.items()
        if type_ in FIELDS
    ]
    figures += _named(it.by, FIELDS, f"{place}.by", counter=False)
    figures += _named(it.counters, COUNTED, f"{place}.counters", counter=True)
    processes = bytes(it.values[PROCESSES]) if PROCESSES in it.values else b""
    if len(processes) > 16_384:
        raise Invalid(FieldError(f"{place}.values.{PROCESSES}", "at most 16384 bytes"))
    return Sample(caller.server.bytes, at, received, it.interval, figures, processes, agent if number == 0 else None)


def _named(of: dict[str, dict[str, Values]], types: Container[str], place: str, *, counter: bool) -> Iterator[Figures]:
    """The figures of mounts, disks and interfaces; types that we do not know are ignored."""
    for type_, by_name in of.items():
        if type_ not in types:
            continue
        if len(by_name) > NAMES or not all(0 < len(name) <= NAME for name in by_name):
            raise Invalid(FieldError(f"{place}.{type_}", f"at most {NAMES} names of 1 to {NAME} characters"))
        for name, values in by_name.items():
            yield _figures(type_, clean(name, NAME), values, counter=counter)


def _values(raw: msgspec.Raw, place: str) -> Values:
    try:
        return _decode_values(raw)
    except msgspec.ValidationError:
        raise Invalid(FieldError(place, "must be an object of numbers")) from None


def _figures(type_: str, name: str, values: Values, *, counter: bool) -> Figures:
    return Figures(type_, name, [values.get(field) for field in FIELDS[type_]], counter)


def _invalid(message: str) -> Invalid:
    """What msgspec says, in our form."""
    said, _, path = message.partition(" - at `$")
    place = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`")).lstrip(".")
    return Invalid(FieldError(re.sub(r"[^\w.]", "", place)[:100] or "body", said[:1].lower() + said[1:200]))
