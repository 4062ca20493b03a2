"""Samples of servers as JSON: contract G, the agent's own form; OTLP is in `api/otlp`."""

import re
from collections.abc import Callable, Container, Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, TypeVar

import msgspec
from fastapi import Path, Request, Response
from msgspec import Meta

from data_gateway.api.metrics_request import TooLarge, authenticate, read
from data_gateway.metric_intake import LARGEST, MetricIntake, Sender
from pinghome_common.clock import micros, now
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.problems import problem
from pinghome_common.errors import DomainError, FieldError, Invalid, NotFound
from pinghome_common.events.metric import COUNTED, FIELDS, PROCESSES, Agent, Figures, Sample
from pinghome_common.text import clean

routes = Router(public=True, tags=["Servers"])

SAMPLES, NAMES, NAME = 10_000, 500, 255
"""Most samples in a request, most names of one type in a sample, most characters of a name."""

PAIRS = 500_000
"""Most names with a value in a request: each takes some 100 bytes of memory."""

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
ANSWERS = shows({"message": "OK"}) | {401: problem("not the token of a server's agent")}
BODY = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}

T = TypeVar("T")

Number = Annotated[float, Meta(ge=0, le=LARGEST)]
Values = dict[str, Number]


class AgentBody(msgspec.Struct):
    """What sends the samples."""

    version: str = ""
    hostname: str = ""
    os: str = ""
    boot_time: datetime | None = None


class SampleBody(msgspec.Struct):
    """What was measured at one time; `processes-unified` is an object of its own among the values."""

    at: datetime
    interval: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    values: dict[str, msgspec.Raw] = {}
    by: dict[str, dict[str, Values]] = {}
    counters: dict[str, dict[str, Values]] = {}


class MetricsBody(msgspec.Struct):
    """A batch of samples of one server."""

    samples: list[SampleBody]
    sent_at: datetime | None = None
    agent: AgentBody | None = None


class ProcessBody(msgspec.Struct):
    """One of the five processes that use most; `cpu` in percent of the host, `memory` in bytes."""

    pid: Annotated[int, Meta(ge=0, lt=2**32)]
    name: Annotated[str, Meta(max_length=NAME)]
    cpu: Annotated[float, Meta(ge=0, le=100)]
    memory: Annotated[int, Meta(ge=0, lt=2**62)]


Five = Annotated[list[ProcessBody], Meta(max_length=5)]
Count = Annotated[int, Meta(ge=0, lt=2**32)]


class ProcessesBody(msgspec.Struct):
    """`processes-unified`: how many processes are in each state, and the largest."""

    states: Annotated[dict[Annotated[str, Meta(max_length=32)], Count], Meta(max_length=16)] = {}
    cpu: Five = []
    memory: Five = []


_decode = msgspec.json.Decoder(MetricsBody).decode
_decode_values = msgspec.json.Decoder(Values).decode
_decode_processes = msgspec.json.Decoder(ProcessesBody).decode
_encode = msgspec.json.Encoder().encode
_NO_NUMBER = re.compile(rb"([:\[,]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])")


@routes.post("/v1/server-resource/metrics", responses=ANSWERS, openapi_extra=BODY)
async def metrics(request: Request) -> Response:
    """Stores samples of the server whose agent's token is sent; 200 means that they are on disk (our extension).

    All of them are stored, or none: 422 names the sample. `curl -H "Authorization: Bearer $TOKEN" --json @samples.json`
    """
    return await _store(request, None)


@routes.post("/v1/server-resource/{id}/metrics", responses=ANSWERS, openapi_extra=BODY)
async def metrics_of(
    request: Request,
    id: Annotated[str, Path(examples=["445a5c1f-c0eb-403a-96d7-3976e5dc74ed"])],  # noqa: A002  # as everywhere
) -> Response:
    """The same with the server's id, which must be that of the token (our extension)."""
    return await _store(request, id)


async def _store(request: Request, id_: str | None) -> Response:
    intake: MetricIntake = request.app.state.metric_intake
    sender = await authenticate(request, intake)
    if id_ is not None and id_ != str(sender.server):
        raise NotFound("Server resource not found")
    intake.pace(sender.key, requests=1)
    samples, size = await read(request, intake, partial(_samples, intake, sender, micros(now())))
    intake.pace(sender.key, values=sum(len(figures.values) for sample in samples for figures in sample.figures))
    await intake.store(samples, size)
    return answer({"message": "OK"})


def _samples(intake: MetricIntake, sender: Sender, received: int, body: bytes) -> list[Sample]:
    if body.count(b":") > PAIRS:
        raise TooLarge(f"The request has more than {PAIRS} figures.")
    sent = _decoded(body)
    if len(sent.samples) > SAMPLES:
        raise Invalid(FieldError("samples", f"at most {SAMPLES} at a time"))
    found = [_sample(intake, sender, number, it, received) for number, it in enumerate(sent.samples)]
    if found:
        found[0].agent = _agent(sent, received)
    return found


def _decoded(body: bytes) -> MetricsBody:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(_place(error)) from None
    except (ValueError, RecursionError):
        spelled = _NO_NUMBER.sub(rb"\g<1>1e999", body)  # so that the error says where it is
        if spelled == body:
            raise DomainError("The body is not valid JSON") from None
        return _decoded(spelled)


def _agent(sent: MetricsBody, received: int) -> Agent | None:
    if sent.agent is None:
        return None
    it = sent.agent
    skew = (micros(sent.sent_at) - received) / 1e6 if sent.sent_at and sent.sent_at.tzinfo else 0.0
    boot = it.boot_time.timestamp() if it.boot_time and it.boot_time.tzinfo else 0.0
    return Agent(clean(it.version, 50), clean(it.hostname, 255), clean(it.os, 100), boot, round(skew, 3))


def _sample(intake: MetricIntake, sender: Sender, number: int, it: SampleBody, received: int) -> Sample:
    place = f"samples.{number}"
    if it.at.tzinfo is None:
        raise Invalid(FieldError(f"{place}.at", "must have a time zone, such as Z"))
    at = micros(it.at)
    if reason := intake.refuses(at, received):
        raise Invalid(FieldError(f"{place}.at", reason))
    figures = []
    for type_, raw in it.values.items():
        if type_ in FIELDS:
            values = _part(_decode_values, raw, f"{place}.values.{type_}")
            figures.append(_figures(type_, "", values, counter=False))
    figures += _named(it.by, FIELDS, f"{place}.by", counter=False)
    figures += _named(it.counters, COUNTED, f"{place}.counters", counter=True)
    processes = b""
    if PROCESSES in it.values:
        found = _part(_decode_processes, it.values[PROCESSES], f"{place}.values.{PROCESSES}")
        for process in (*found.cpu, *found.memory):
            process.name = clean(process.name, NAME)
        found.states = {clean(state, 32): count for state, count in found.states.items()}
        processes = _encode(found)
    return Sample(sender.server.bytes, at, received, it.interval, figures, processes)


def _named(of: dict[str, dict[str, Values]], types: Container[str], place: str, *, counter: bool) -> Iterator[Figures]:
    """The figures of mounts, disks and interfaces; types that we do not know are ignored."""
    for type_, by_name in of.items():
        if type_ not in types:
            continue
        if len(by_name) > NAMES or not all(0 < len(name) <= NAME for name in by_name):
            raise Invalid(FieldError(f"{place}.{type_}", f"at most {NAMES} names of 1 to {NAME} characters"))
        for name, values in by_name.items():
            yield _figures(type_, clean(name, NAME), values, counter=counter)


def _part(decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw, place: str) -> T:
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        wrong = _place(error)
        raise Invalid(FieldError(f"{place}.{wrong.field}".rstrip("."), wrong.message)) from None


def _figures(type_: str, name: str, values: Values, *, counter: bool) -> Figures:
    return Figures(type_, name, [values.get(field) for field in FIELDS[type_]], counter)


def _place(error: msgspec.ValidationError) -> FieldError:
    """What msgspec says, in our form."""
    said, _, path = str(error).replace("`key` in ", "").partition(" - at `$")
    place = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`")).strip(".")
    return FieldError(re.sub(r"[^\w.]", "", place).rstrip(".")[:100], said[:1].lower() + said[1:200])
