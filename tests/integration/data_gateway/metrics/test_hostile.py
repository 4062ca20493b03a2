"""Bodies that are made to hurt: clear 4xx in the request's own form, nothing stored, memory bounded."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contract import answers
from gateways import Gateway, Token
from otlp import FORMS, JSON, PROTOBUF, encoded, gauge, memory, micros, point, refused, request

MILLION = 1_000_000
MOST = 200 << 20
"""Bytes that the process may have taken in the end, beyond what it had."""


def within(*numbers: int, content: bytes) -> bytes:
    """Messages of protobuf within messages, by the numbers of their fields."""
    for number in reversed(numbers):
        length, size = len(content), b""
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        content = bytes([number << 3 | 2]) + size + bytes([length]) + content
    return content


METRIC = b"\x0a\x13system.memory.usage"
POINT = within(5, 1, content=b"")

BOMBS: dict[str, dict[str, Callable[[], bytes]]] = {
    "10^6 attributes of a point": {
        PROTOBUF: lambda: within(
            1, 2, 2, content=METRIC + within(5, 1, content=within(7, content=b"\x0a\x01k") * MILLION)
        ),
        JSON: lambda: (
            b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"system.memory.usage","gauge":{'
            b'"dataPoints":[{"attributes":[' + b",".join([b"{}"] * MILLION) + b"]}]}}]}]}]}"
        ),
    },
    "10^6 attributes of a resource": {
        PROTOBUF: lambda: within(1, content=within(1, content=within(1, content=b"\x0a\x01k") * MILLION)),
        JSON: lambda: b'{"resourceMetrics":[{"resource":{"attributes":[' + b",".join([b'{"a":1}'] * MILLION) + b"]}}]}",
    },
    "4 * 10^6 empty points": {
        PROTOBUF: lambda: within(1, 2, 2, content=METRIC + within(5, content=b"\x0a\x00" * (4 * MILLION))),
        JSON: lambda: (
            b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"system.memory.usage","gauge":{'
            b'"dataPoints":[' + b",".join([b"{}"] * (2 * MILLION)) + b"]}}]}]}]}"
        ),
    },
    "4 * 10^6 resources": {
        PROTOBUF: lambda: b"\x0a\x00" * (4 * MILLION),
        JSON: lambda: b'{"resourceMetrics":[' + b",".join([b"{}"] * (2 * MILLION)) + b"]}",
    },
    "values in values": {
        PROTOBUF: lambda: within(1, 2, 2, 5, 1, 7, 2, 5, content=b"\x0a\x00" * (4 * MILLION)),
        JSON: lambda: (
            b'{"resourceMetrics":[{"resource":{"attributes":[{"value":{"arrayValue":{"values":['
            + b",".join([b"{}"] * (2 * MILLION))
            + b"]}}}]}}]}"
        ),
    },
    "a group that hides them": {
        PROTOBUF: lambda: b"\x53" + b"\x0a\x00" * (4 * MILLION) + b"\x54",
        JSON: lambda: b'{"resourceMetrics":[' + b'{"a":"' + b"{" * (7 * MILLION) + b'"}]}',
    },
    "zeros": {PROTOBUF: lambda: bytes(300 * MILLION), JSON: lambda: b" " * (300 * MILLION)},
}
"""Made when they are sent: together they take a gigabyte."""


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


async def sent(http: httpx.AsyncClient, token: Token, form: str, body: bytes) -> Any:
    packed = gzip.compress(body, 9 if len(body) < (16 << 20) else 1)
    headers = token.header | {"Content-Type": form, "Content-Encoding": "gzip"}
    return await http.post("/v1/metrics", content=packed[: 8 << 20], headers=headers)


@pytest.mark.parametrize("bomb", BOMBS)
async def test_bombs_are_refused(served, http, token, form, bomb):
    before = served.memory
    answer = await sent(http, token, form, BOMBS[bomb][form]())

    refused(answer, 413, form)
    assert served.memory - before < MOST
    assert await served.samples(token.server) == []


async def test_as_many_bombs_at_once_as_come_take_no_more_memory(served, http, token):
    before = served.memory
    body = within(1, 2, 2, content=METRIC + within(5, 1, content=within(7, content=b"\x0a\x01k") * 200_000))
    found = await asyncio.gather(*(sent(http, token, PROTOBUF, body) for _ in range(8)))

    assert {it.status_code for it in found} == {400}  # a point without a time
    assert served.memory - before < MOST


async def test_a_bomb_of_the_agents_form(served, http, token):
    before = served.memory
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for body in (
        b'{"samples":[' + b",".join([b"{}"] * (2 * MILLION)) + b"]}",
        b'{"samples":[{"at":"%s","values":{' % at.encode() + b'"x":0,' * MILLION + b'"y":1}}]}',
        b'{"samples":[{"at":"%s","values":{%s}}]}' % (at.encode(), b",".join(b'"%d":0' % it for it in range(300_000))),
        b'{"samples":[{"at":"%s","by":{"disk-usage-unified":{' % at.encode() + b'"":{},' * MILLION + b'"y":{}}}}]}',
        b'{"samples":[' + b'{"at":"%s"},' % at.encode() * 200_000 + b'{"at":"%s"}]}' % at.encode(),
    ):
        headers = token.header | {"Content-Encoding": "gzip"}
        answer = await http.post("/v1/server-resource/metrics", content=gzip.compress(body), headers=headers)
        assert answer.status_code in (200, 413, 422), answer.text  # 200: of types that nobody knows
    assert served.memory - before < MOST
    assert [it.figures for it in await served.samples(token.server)] == [[]]


async def test_pings_are_answered_while_a_large_body_is_read(http, token):
    points = [point(float(number), micros() - 1000 * number, {"state": "used"}) for number in range(40_000)]
    large = encoded(request(gauge("system.memory.usage", *points)), PROTOBUF)
    waits = []
    sending = asyncio.create_task(sent(http, token, PROTOBUF, large))
    while not sending.done():
        begun = time.monotonic()
        assert (await http.get("/healthz")).status_code == 200
        waits.append(time.monotonic() - begun)
        await asyncio.sleep(0.01)

    assert (await sending).status_code == 200
    assert sorted(waits)[len(waits) // 2] < 0.5  # nominal: 5 ms


async def test_the_token_of_another_server_stores_there_and_its_id_is_404(served: Gateway, http, token):
    other = await served.token()
    body = json.dumps({"samples": [{"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}]}).encode()
    answer = await http.post(f"/v1/server-resource/{token.server}/metrics", content=body, headers=other.header)

    answers.refused(answer, 404)
    assert await served.samples(token.server) == await served.samples(other.server) == []


async def test_memory_of_the_whole_file(served: Gateway, http, token):
    headers = token.header | {"Content-Type": PROTOBUF}
    answer = await http.post("/v1/metrics", content=encoded(request(memory(micros())), PROTOBUF), headers=headers)

    assert answer.status_code == 200
    assert served.memory < 400 << 20
