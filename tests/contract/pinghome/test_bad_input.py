"""The bad-input list of reliability.md §4 on every route: a clear 4xx in PingHome's words, never a 500."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from contract.answers import refused
from contract.client import BODIES, CANARY, HEARTBEAT, INTEGRATION, Client
from contract.pinghome.operations import BODIED, PAGE_RECORDS, ROUTED, Operation, filled
from contract.raw import Connection, ask, connected, request
from running import TOKEN, Platform

UUID = "6766163a-568d-47b4-a1fa-91a0957e06d4"
IDS = {
    "5,000 characters": CANARY + "x" * 5000,
    "a star": "*",
    "a greater-than sign": ">",
    "a subject of NATS": f"{CANARY}.*.>",
    "dots": "a.b.c",
    "a dot": ".",
    "two dots": "..",
    "two encoded dots": "%2e%2e",
    "CRLF": f"{CANARY}%0d%0aX-Evil:%201",
    "NUL": "%00",
    "a UUID and NUL": f"{UUID}%00",
    "a UUID and a line feed": f"{UUID}%0a",
    "unicode digits": quote(UUID.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})),
    "Arabic digits": quote(UUID.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})),
    "no UTF-8": "%ff%fe",
    "encoded twice": quote(quote(UUID).replace("-", "%2d")),
    "an encoded percent sign": "%2500",
    "half an encoding": "%zz%4",
    "a UUID without dashes": UUID.replace("-", ""),
    "a UUID in braces": f"%7B{UUID}%7D",
    "a UUID as URN": f"urn:uuid:{UUID}",
    "a UUID with one character less": UUID[:-1],
    "a UUID with a wrong letter": UUID[:-1] + "g",
    "a number": "1",
    "a negative number": "-1",
    "null": "null",
    "SQL": quote(f"{CANARY}' OR 1=1; --"),
    "emoji": quote("\U0001f4a9"),
    "the placeholder": "%7Bid%7D",
}
SLASHES = {"an encoded slash": "%2F", "a path": "%2e%2e%2F%2e%2e%2Fetc%2Fpasswd", "a UUID and a slash": f"{UUID}%2F"}
OF_ONE = [each for each in ROUTED if "{id}" in each.path and not each.of_agents]

NOT_JSON = {
    "cut short": b'{"name": "' + CANARY.encode(),
    "arrays 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects 10,000 deep": b'{"name":' * 10_000 + b"1" + b"}" * 10_000,
    "never closed": b"[" * 100_000,
    "NaN": b'{"interval": NaN}',
    "infinity": b'{"interval": -Infinity}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "something behind": b'{"name": "x"} x',
    "a control character": b'{"name": "a\nb"}',
    "single quotes": b"{'name': 'x'}",
    "a form": b"name=x&interval=60",
    "zipped": gzip.compress(b'{"name": "x"}'),
    "NUL": b"\x00",
}
NO_OBJECT = {
    "an array": b"[]",
    "an array of objects": b'[{"name": "x"}]',
    "a string": b'"x"',
    "a number": b"5",
    "true": b"true",
    "null": b"null",
    "nothing": b"",
}


def of(operation: Operation, id_: str, inside: dict[str, str] | None = None) -> str:
    path = filled(operation.path, **{**(inside or {}), "id": id_})
    typed = operation.method == "GET" and "/metrics" in operation.path
    return f"/{operation.service}{path}" + ("?type=cpu-total-usage" if typed else "")


@pytest.fixture(scope="module")
async def connection(platform: Platform) -> AsyncIterator[Connection]:
    async with connected(platform.port) as connection:
        yield connection


@pytest.mark.parametrize("operation", OF_ONE, ids=str)
async def test_id_that_is_none_is_refused(connection: Connection, operation: Operation):
    body = (
        b'{"enabled": true, "days_before": [1], "addresses": ["a@example.com"]}'
        if operation.method in {"POST", "PUT"}
        else b""
    )
    if operation.path.endswith("/integration"):
        body = json.dumps(INTEGRATION).encode()
    elif told := [part for part in operation.path.split("/")[4:] if part in BODIES]:
        body = json.dumps(BODIES[told[-1]]).encode() if body else b""
    for what, id_ in IDS.items():
        answer = await connection.ask(request(operation.method, of(operation, id_), body=body, token=TOKEN))
        if operation.public:
            assert refused(answer, 404) == "Heartbeat not found", what
        else:
            status = 400 if operation.service == PAGE_RECORDS else 422
            assert "id: must be a UUID" in refused(answer, status, "id"), what
    for what, id_ in SLASHES.items():
        answer = await connection.ask(request(operation.method, of(operation, id_), body=body, token=TOKEN))
        assert 404 <= answer.status <= 422, what
        assert answer.json()["message"], what


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_id_that_is_none_is_refused_in_a_bulk_deletion(client: Client, connection: Connection, kind: str):
    own = (await getattr(client, kind)())["id"]
    for what, id_ in (
        IDS | SLASHES | {"nothing": "", "a list of nothing": "[]", "a list of lists": f"[[{UUID}]]x"}
    ).items():
        for query in (f"id={id_}", f"id={own}&id={id_}", f"id={own},{id_}"):
            answer = await connection.ask(request("DELETE", f"/resource-cmd/v1/{kind}?{query}", token=TOKEN))
            assert refused(answer, 422, "id"), what
    answer = await connection.ask(request("DELETE", f"/resource-cmd/v1/{kind}?ids={own}", token=TOKEN))
    refused(answer, 422, "id")
    many = ",".join([UUID] * 1000)
    refused(await ask_alone(connection, request("DELETE", f"/resource-cmd/v1/{kind}?id={many}", token=TOKEN)), 414)
    await client.get(f"resource-query/v1/{kind}/{own}")


async def ask_alone(connection: Connection, raw: bytes) -> Any:
    """On a connection of its own, which the server closes."""
    return await ask(connection.writer.get_extra_info("peername")[1], raw)


@pytest.fixture(scope="module")
async def own(client: Client) -> dict[str, str]:
    ids = {kind: (await getattr(client, kind)())["id"] for kind in ("resource", "heartbeat", "channel", "service")}
    ids |= {"server-resource": (await client.server())["id"], "statuspage": (await client.page())["id"]}
    ids["key"] = ids["service"]  # of which nothing is asked
    await client("POST", f"resource-cmd/v1/resource/{ids['resource']}/integration", json=INTEGRATION)
    for each in ("incident", "maintenance", "template"):
        ids[each] = (await client.tells(ids["statuspage"], each))["id"]
    ids["update"] = (await client.tells(ids["statuspage"], f"incident/{ids['incident']}/update"))["id"]
    return ids


@pytest.mark.parametrize("operation", [each for each in BODIED if not each.public], ids=str)
async def test_body_that_is_no_json_object_is_refused(
    connection: Connection, own: dict[str, str], operation: Operation
):
    path = of(operation, own[operation.path.split("/")[2]], own)
    for what, body in NOT_JSON.items():
        answer = await connection.ask(request(operation.method, path, body=body, token=TOKEN))
        assert "JSON" in refused(answer, 400), what
    for what, body in NO_OBJECT.items():
        answer = await connection.ask(request(operation.method, path, body=body, token=TOKEN))
        if what == "nothing" and answer.status == 200:
            assert (operation.method, "status" in operation.path) == ("PUT", False)  # an update of nothing
        else:
            refused(answer, 422, "body")
    for number in (b"1e999", b"-1e999", b"9" * 4000, b"1" + b"0" * 400_000, b"0x10", b"1.5", b"1e2", b"01"):
        for field in (b"interval", b"enabled", b"name"):
            sent = b'{"%b": %b}' % (field, number)
            answer = await connection.ask(request(operation.method, path, body=sent, token=TOKEN))
            assert answer.status in ({400, 422} if known(operation, field.decode()) else {200, 400, 422}), sent[:50]
            assert number[:30].decode() not in answer.text or len(number) < 10
            assert len(answer.body) < 3000


def known(operation: Operation, field: str) -> bool:
    """True when the operation has such a field; others are ignored."""
    fields = {"resource": {"interval", "name"}, "heartbeat": {"interval", "enabled", "name"}}
    fields["server-resource"] = fields["heartbeat"]
    if "/integration" in operation.path or "/template" in operation.path:
        return field == "name"
    if operation.path.split("/")[4:5] in (["incident"], ["maintenance"]):
        return False
    return (
        (field == "enabled")
        if operation.path.endswith("/status")
        else field in fields.get(operation.path.split("/")[2], {"name"})
    )


async def test_body_is_json_whatever_its_content_type_says(client: Client, own: dict[str, str]):
    types = ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "application/xml", "x" * 5000)
    types += ("application/json; charset=utf-16", "", "/")
    for type_ in types:
        headers = {"Content-Type": type_}
        body = json.dumps(HEARTBEAT | {"name": f"{type_[:20]} {uuid4()}"})
        made = await client("POST", "resource-cmd/v1/heartbeat", content=body, headers=headers)
        assert made.status_code == 201, made.text
        url = f"resource-cmd/v1/resource/{own['resource']}"
        assert (await client("PUT", url, content=b'{"name": "n"}', headers=headers)).status_code == 200
        refused(await client("PUT", url, content=b"name=n", headers=headers), 400)


async def test_last_of_two_equal_keys_counts(client: Client, own: dict[str, str]):
    url = f"resource-cmd/v1/resource/{own['resource']}/status"
    for body, enabled in ((b'{"enabled": 1, "enabled": false}', False), (b'{"enabled": false, "enabled": true}', True)):
        answer = await client("PUT", url, content=body)
        assert answer.json()["resource"]["enabled"] is enabled
    refused(await client("PUT", url, content=b'{"enabled": true, "enabled": "no"}'), 422, "enabled")
