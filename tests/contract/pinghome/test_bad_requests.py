"""Headers, sizes and check-ins that no client should send: refused in a sentence, and everything goes on."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import uuid4

import pytest

from contract.answers import refused
from contract.client import BODIES, CANARY, Client
from contract.pinghome.operations import BODIED, ROUTED, Operation, filled
from contract.raw import Connection, ask, chunked, connected, request
from running import TOKEN, Platform

UUID = "6766163a-568d-47b4-a1fa-91a0957e06d4"


SUBSCRIBING = [each for each in BODIED if each.path == "/v1/subscriptions"]
OPENING = [each for each in BODIED if each.path == "/v1/session"]
OTHERS = [each for each in ROUTED if not each.of_agents and not each.endless]


def of(operation: Operation, id_: str) -> str:
    return f"/{operation.service}{filled(operation.path, id=id_)}"


@pytest.fixture(scope="module")
async def connection(platform: Platform) -> AsyncIterator[Connection]:
    async with connected(platform.port) as connection:
        yield connection


@pytest.mark.parametrize("operation", [Operation(0, "GET", "", ""), *OTHERS], ids=str)
async def test_four_megabytes_of_headers_are_refused(platform: Platform, operation: Operation):
    path = of(operation, UUID)
    many = {f"X-{number}": CANARY + "x" * 4000 for number in range(1000)}
    refused(await ask(platform.port, request(operation.method, path, many, token=TOKEN)), 431)
    refused(await ask(platform.port, request(operation.method, path, {"X-One": "x" * (4 << 20)}, token=TOKEN)), 431)
    refused(await ask(platform.port, request(operation.method, path + "?" + "x" * 9000, token=TOKEN)), 414)


@pytest.mark.parametrize("operation", [Operation(0, "POST", "", ""), *BODIED], ids=str)
async def test_body_of_300_megabytes_is_refused_before_it_has_come(platform: Platform, operation: Operation):
    length, transfer = {"Content-Length": str(300 << 20)}, {"Transfer-Encoding": "chunked"}
    for headers, parts in ((length, [b" " * (1 << 16)] * 40), (transfer, [*chunked([1 << 16] * 40), b"0\r\n\r\n"])):
        answer = await ask(platform.port, request(operation.method, of(operation, UUID), headers, token=TOKEN), *parts)
        if (
            operation.public and "{id}" in operation.path
        ):  # the first bytes of a check-in are taken and up to 64 MiB read away
            refused(answer, 413 if headers is length else 404)
        elif operation.service or headers is length:
            assert "longer than 1048576 bytes" in refused(answer, 413)
        answer = await ask(platform.port, request(operation.method, of(operation, UUID), headers), *parts)
        elsewhere = 413 if operation in SUBSCRIBING + OPENING else 404
        refused(answer, 413 if headers is length else 401 if operation.service and not operation.public else elsewhere)


@pytest.mark.parametrize("operation", [each for each in BODIED if each.method == "POST" and not each.public], ids=str)
async def test_idempotency_key_that_is_too_long_or_not_printable_is_refused(
    connection: Connection, operation: Operation
):
    body = BODIES.get(operation.path.rpartition("/")[2].removesuffix("s"), {"ids": [UUID]})
    sent = json.dumps(body | {"name": f"never {uuid4()}"}).encode()
    for key in (CANARY + "x" * 5000, "x" * 256, "a\tb", "\x85"):
        raw = request("POST", of(operation, UUID), {"Idempotency-Key": key}, sent, TOKEN)
        refused(await connection.ask(raw), 422, "Idempotency-Key")


@pytest.mark.parametrize("operation", OTHERS, ids=str)
async def test_strange_headers_are_no_error_of_ours(connection: Connection, operation: Operation):
    path = of(operation, str(uuid4()))
    body = b"{}" if operation in BODIED else b""
    strange = [{"Authorization": f"Bearer {value}"} for value in (CANARY, "x" * 5000, "\x80\xff", "a b c", "é" * 20)]
    for headers in strange:
        answer = await connection.ask(request(operation.method, path, headers, body))
        elsewhere = 401 if operation in OPENING or not operation.public else 404
        assert answer.status == (422 if operation in SUBSCRIBING else elsewhere)
    strange = [
        {"Host": value} for value in ("", "x" * 5000, CANARY, '"><script>', "[::1", "a:b:c", "\x80", "1.2.3.4:99999")
    ]
    strange += [{"If-Match": "\x80" + CANARY}, {"X-Forwarded-For": CANARY + "\x80, é"}, {"X-Forwarded-Proto": CANARY}]
    strange += [{"X-Forwarded-Host": CANARY}, {"Accept": "\x80"}, {"Cookie": "=;" * 1000}, {"Range": "bytes=9-1"}]
    for headers in strange:
        sent = request(operation.method, path, headers, body, TOKEN)
        if "Host" in headers:
            sent = sent.replace(b"Host: pinghome\r\n", b"")
        answer = await connection.ask(sent)
        assert answer.status in {200, 201, 404, 412, 422, 409 if operation.path == "/v1/session" else 200}, headers
        checks_in_here = "Host" in headers and operation.path == "/v1/heartbeats"  # the URLs of what was made before
        assert CANARY not in answer.text or checks_in_here


@pytest.mark.parametrize("operation", [each for each in ROUTED if each.of_agents], ids=str)
async def test_strange_requests_of_agents_are_401_and_too_large_ones_413(platform: Platform, operation: Operation):
    path = of(operation, UUID)
    for token in (TOKEN, CANARY, "x" * 5000, "\x80\xff", "a b c", ""):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        answer = await ask(platform.port, request("POST", path, headers, b"{}"))
        assert (answer.status, answer.json()["message"]) == (401, "Unauthorized")
    many = {f"X-{number}": CANARY + "x" * 4000 for number in range(1000)}
    assert (await ask(platform.port, request("POST", path, many, token=TOKEN))).status == 431
    answer = await ask(platform.port, request("POST", path, {"Content-Length": str(300 << 20)}), b" " * (1 << 16))
    assert (answer.status, "longer than 1048576 bytes" in answer.json()["message"]) == (413, True)


async def test_ten_thousand_bad_check_ins_leave_the_gateway_working(platform: Platform, client: Client):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rolled = random.Random(seed)
    marks = [".", "*", ">", "%00", "%0d%0a", "%20", "%2F", "%ff", "$", "/", "-", "%F0%9F%92%A9", "events", "_INBOX"]

    def bad() -> str:
        match rolled.randrange(4):
            case 0:
                return str(uuid4())
            case 1:
                return "".join(rolled.choices(marks, k=rolled.randrange(1, 30)))
            case 2:
                return quote(rolled.randbytes(rolled.randrange(1, 200)), safe="")
            case _:
                return CANARY[: rolled.randrange(40)] + "x" * rolled.randrange(7000)

    async def work(count: int) -> None:
        async with connected(platform.port) as connection:
            for _ in range(count):
                id_ = bad()
                query = rolled.choice(["", "?result=fail", f"?result={id_[:50]}", f"?message={id_[:50]}"])
                method = rolled.choice(["GET", "HEAD", "GET", "PUT"])
                raw = request(method, f"/data-gateway/v1/heartbeat/{id_}{query}")
                if method == "HEAD":  # whose Content-Length has no body
                    raw = raw.replace(b"HEAD", b"GET", 1)
                answer = await connection.ask(raw)
                assert answer.status in {404, 405, 422}, id_
                assert answer.json()["message"]

    async with asyncio.TaskGroup() as clients:
        for _ in range(16):
            clients.create_task(work(625))

    made = await client.heartbeat()
    assert (await client("GET", f"data-gateway/v1/heartbeat/{made['id']}")).status_code == 200
    assert (await client.get(f"resource-query/v1/heartbeat/{made['id']}"))["state"] == "up"
    assert [line for line in platform.log.read_text().splitlines() if "nats" in line] == []  # nobody had to reconnect
    log = (platform.data / "log/nats.log").read_text()
    assert [line for line in log.splitlines() if "[ERR]" in line or "Slow Consumer" in line] == []


async def test_nothing_was_answered_500(client: Client):
    answer = await client.http.get("/metrics")

    statuses = {line.partition('status="')[2][:3] for line in answer.text.splitlines() if "seconds_count" in line}
    assert {"200", "422"} <= statuses
    assert "500" not in statuses
