"""OTLP/HTTP as its specification has it (servers.md 3, contract G), against a gateway on its own port."""

import asyncio
import gzip
import zlib
from typing import Any
from uuid import uuid4

import pytest

from otlp import FORMS, JSON, PROTOBUF, accepted, encoded, gauge, memory, micros, point, refused, request
from pinghome_common.events.metric import Sample

MINUTE = 60_000_000
DAY = 1440 * MINUTE


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.fixture
def post(http, token, form):
    """Posts a body with the test's token."""

    async def send(body: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await http.post("/v1/metrics", content=body, headers=token.header | {"Content-Type": form} | named)

    return send


@pytest.fixture
def stored(served, token):
    async def samples() -> list[Sample]:
        return await served.samples(token.server)

    return samples


async def test_success_is_empty_and_what_was_sent_is_in_the_stream(post, form, stored):
    at = micros()
    accepted(await post(encoded(request(memory(at), host_name="web-1"), form)), form)

    (sample,) = await stored()
    assert (sample.at, sample.figures[0].type, sample.figures[0].values[1]) == (at, "memory-usage", 2**30)
    assert sample.agent
    assert sample.agent.hostname == "web-1"
    assert 0 <= sample.received_at - at < 60_000_000


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress), ("identity", bytes),
    ],
)  # fmt: skip
async def test_compression(post, form, stored, encoding, packed):
    accepted(await post(packed(encoded(request(memory(micros())), form)), content_encoding=encoding), form)

    assert len(await stored()) == 1


async def test_an_empty_request_succeeds(post, form, stored):
    accepted(await post(b"" if form == PROTOBUF else b"{}"), form)
    accepted(await post(encoded(request(), form)), form)

    assert await stored() == []


async def test_a_content_type_may_have_parameters_and_the_path_a_slash(http, token, form):
    headers = token.header | {"Content-Type": form.upper() + "; charset=utf-8"}
    answer = await http.post("/v1/metrics/", content=encoded(request(memory(micros())), form), headers=headers)

    accepted(answer, form)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_other_forms_are_415(http, token, kind):
    answer = await http.post("/v1/metrics", content=b"x", headers=token.header | {"Content-Type": kind})

    assert "application/x-protobuf" in refused(answer, 415, JSON)


async def test_unknown_fields_null_numbers_and_strings_are_json_as_others_write_it(post, form, stored):
    if form == PROTOBUF:
        accepted(await post(b"\xfa\x3e\x03abc" + encoded(request(memory(micros())), form)), form)
    else:
        at = micros()
        labels = '[{"key": "state", "value": {"stringValue": "%s"}}, {"key": "n", "value": {"doubleValue": 5}}]'
        used = (
            f'{{"attributes": {labels % "used"}, "timeUnixNano": {at}000, "asInt": "5", "exemplars": [], "flags": 0}}'
        )
        free = (
            f'{{"attributes": {labels % "free"}, "timeUnixNano": "{at}000", "asDouble": 3, "startTimeUnixNano": null}}'
        )
        data = f'{{"aggregationTemporality": 2, "dataPoints": [{used}, {free}]}}'
        metric = f'{{"name": "system.memory.usage", "unit": "By", "sum": {data}}}'
        scopes = f'[{{"scope": {{}}, "metrics": [{metric}]}}]'
        body = f'{{"new": [{{"a": 1}}], "resourceMetrics": [{{"resource": null, "scopeMetrics": {scopes}}}]}}'
        accepted(await post(body.encode()), form)

    assert len(await stored()) == 1


async def test_some_points_are_refused_and_the_rest_is_stored(post, form, stored):
    at = micros()
    body = encoded(
        request(memory(at), memory(at - 400 * DAY, state="free"), memory(at + 6 * MINUTE, state="cached")), form
    )
    message = accepted(await post(body), form, rejected=2)

    assert message == "a point of system.memory.usage is older than samples are kept"
    assert len(await stored()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        lambda at: memory(at - 366 * DAY), lambda at: memory(at + 6 * MINUTE), lambda at: memory(at + 1000 * DAY),
        lambda at: memory(at, float("nan")), lambda at: memory(at, float("inf")), lambda at: memory(at, -1.0),
        lambda at: memory(at, 1.0, "x" * 10_000), lambda at: gauge("system.memory.usage", point(1.0, at)),
    ],
)  # fmt: skip
async def test_where_every_point_is_refused_the_request_is(post, form, stored, bad):
    body = encoded(request(bad(micros()), gauge("process.threads", point(1, micros()))), form)

    assert "a point of system.memory.usage " in refused(await post(body), 400, form)
    assert await stored() == []


async def test_what_is_not_kept_is_no_refusal(post, form, stored):
    accepted(await post(encoded(request(gauge("process.threads", point(1, micros()))), form)), form)
    accepted(
        await post(encoded(request(memory(micros(), state="free"), gauge("x", point(float("nan"), 0))), form)), form
    )

    assert await stored() == []


async def test_a_request_that_comes_again_has_the_same_server_and_times(post, form, stored):
    body = encoded(request(memory(micros()), memory(micros() - MINUTE)), form)
    for _ in range(3):
        accepted(await post(body), form)

    found = await stored()
    assert len(found) == 6
    assert len({(it.server, it.at) for it in found}) == 2


@pytest.mark.parametrize("token_sent", ["", "Bearer", "Bearer ph_nobodys", "Basic cGg6eA==", "ph_nobodys"])
async def test_an_unknown_token_is_401(http, form, token_sent):
    headers = {"Content-Type": form} | ({"Authorization": token_sent} if token_sent else {})
    answer = await http.post("/v1/metrics", content=encoded(request(memory(micros())), form), headers=headers)

    refused(answer, 401, form)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "bodies",
    [
        {PROTOBUF: b"\x0a\xff", JSON: b'{"resourceMetrics": ['},
        {PROTOBUF: b"not protobuf", JSON: b"not JSON"},
        {PROTOBUF: b"\x0a\x03\x12\x01\x12", JSON: b"[]"},
        {PROTOBUF: b"\x0f" * 50, JSON: b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": 5}]}]}]}'},
        {PROTOBUF: b"\x0a\x80" * 50, JSON: b'{"resourceMetrics": "' + b"x" * 1000 + b'"}'},
        {PROTOBUF: b"\x12\x0b" * 200_000, JSON: b"[" * 500_000},
        {PROTOBUF: b"\x0a" * 500_000, JSON: b'{"a":' * 100_000},
        {PROTOBUF: b"\x00", JSON: b""},
    ],
)  # fmt: skip
async def test_what_cannot_be_decoded_is_400(post, form, stored, bodies):
    refused(await post(bodies[form]), 400, form)

    assert await stored() == []


async def test_names_that_are_not_unicode_are_400(post, form, stored):
    refused(await post(encoded(request(memory(micros())), form).replace(b"used", b"\xff\xfe\xfd\xfc")), 400, form)

    assert await stored() == []


async def test_half_a_request_is_400_wherever_it_ends(post, form, stored):
    body = encoded(request(memory(micros())), form)
    for length in range(1, len(body), len(body) // 30):
        refused(await post(body[:length]), 400, form)

    assert await stored() == []


async def test_wrong_compression_is_400(post, form, stored):
    body = encoded(request(memory(micros())), form)
    packed = gzip.compress(body)
    for sent, encoding in (
        (body, "gzip"),
        (packed[:-5], "gzip"),
        (packed + b"more", "gzip"),
        (packed, "br"),
        (body, "deflate"),
    ):
        refused(await post(sent, content_encoding=encoding), 400, form)
    refused(await post(packed), 400, form)

    assert await stored() == []


async def test_the_limits_hold_before_and_after_decompression(post, form, stored):
    refused(await post(b"\x0a" * ((1 << 20) + 1)), 413, form)
    refused(await post(gzip.compress(b" " * (9 << 20)), content_encoding="gzip"), 413, form)
    refused(await post(zlib.compress(bytes(200 << 20)), content_encoding="deflate"), 413, form)

    assert await stored() == []


async def test_an_error_of_the_connection_itself_has_the_requests_form(served, form):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = f"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: {form}\r\nContent-Length: 90000000\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"content-type: {form}\r\n".encode() in answer


async def test_verbs_and_redirects(http, token, form):
    for verb in ("GET", "PUT", "DELETE"):
        assert (await http.request(verb, "/v1/metrics", headers=token.header)).status_code == 405
    for path in ("/v1/metrics/x", "/V1/metrics", f"/v1/metrics/{uuid4()}"):
        answer = await http.post(path, content=b"", headers=token.header | {"Content-Type": form})
        assert answer.status_code == 404
