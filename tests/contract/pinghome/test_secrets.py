"""What a monitor sends is a secret: it arrives at the target and is found nowhere else (reliability.md S16, S26)."""

import base64
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest

from contract.answers import refused
from contract.client import CANARY, Client
from contract.pinghome.watched import watched
from contract.target import Target, eventually, listening
from pinghome.servers import DATABASES
from running import TOKEN, Platform

MASK = "********"
LATER = f"later-{uuid4()}"


NEW = {
    "name": "replayed",
    "type": "http",
    "url": "http://127.0.0.1:1/",
    "service_id": str(uuid4()),
    "regions": ["eu-central-1"],
}


def forms(secret: str) -> list[bytes]:
    """The secret as it may lie about: plain, and inside hexadecimal or base64 text at any offset."""
    raw = secret.encode()
    encoded = [base64.b64encode(b"\0" * pad + raw)[4:-4] for pad in range(3)]
    return [raw, raw.hex().encode(), *encoded]


async def asked(target: Target, **headers: str) -> Any:
    """A request with these headers, once it arrives."""

    async def newest() -> list[Any]:
        return [each for each in target.asked if headers.items() <= each.headers.items()]

    return (await eventually(newest, bool))[-1]


async def test_headers_and_body_arrive_and_are_masked_on_read_and_found_nowhere(
    client: Client, platform: Platform, stranger: dict[str, Any]
):
    heard: list[str] = []

    async def sent(method: str, url: str, **more: Any) -> Any:
        answer = await client(method, url, **more)
        heard.append(f"{answer.headers} {answer.text}")
        return answer

    async with listening() as target:
        headers = {"Authorization": f"Bearer {CANARY}", "X-Plain": CANARY, "User-Agent": "ours"}
        it = await watched(client, target, headers=headers, body=f"body of {CANARY}", method="POST")
        url = f"resource-cmd/v1/resource/{it.id}"
        shown = dict.fromkeys(headers, MASK)
        first = await asked(target, authorization=f"Bearer {CANARY}")
        assert (first.method, first.body, first.headers["x-plain"]) == ("POST", f"body of {CANARY}", CANARY)
        assert (await it.read())["headers"] == shown

        change = {"headers": json.dumps({**shown, "X-Plain": LATER}), "body": MASK}  # a mask means unchanged
        changed = (await sent("PUT", url, json=change)).json()
        assert (changed["resource"]["headers"], changed["resource"]["body"]) == (shown, MASK)
        second = await asked(target, **{"x-plain": LATER})
        assert (second.headers["authorization"], second.body) == (f"Bearer {CANARY}", f"body of {CANARY}")

        refused(await sent("PUT", url, json={"headers": {"X-New": MASK}}), 422, "headers")
        refused(await sent("PUT", url, json={"headers": {"X-Plain": f"{CANARY}\r\nX-Evil: 1"}}), 422, "headers")
        refused(await sent("PUT", url, json={"headers": {"Host": CANARY}, "name": 5}), 422, "headers", "name")
        key = {"Idempotency-Key": str(uuid4())}
        monitor = NEW | {"headers": headers, "body": CANARY}
        for replayed in (None, "true"):
            answer = await sent("POST", "resource-cmd/v1/resource", json=monitor, headers=key)
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, replayed)
        for where in (f"resource-query/{it.path}", f"resource-query/{it.path}/regions"):
            await sent("GET", where)
        await sent("GET", f"resource-query/v1/service/{monitor['service_id']}/resources?limit=500")

    secrets = [CANARY, LATER, TOKEN, stranger["token"], stranger["checks_key"], stranger["ping_key"]]
    assert not [secret for secret in secrets if secret in "\n".join(heard)]
    needles = [form for secret in secrets for form in forms(secret)]
    everywhere = [place async for place in stored(platform)]
    assert found(needles, platform.log, *platform.data.rglob("*")) == []
    assert [where for where, what in everywhere if any(needle in what for needle in needles)] == []
    plain = [where.split()[0] for where, what in everywhere if it.id.encode() in what]  # the search does find things
    assert {"resource_cmd.events", "resource_query.resource", "statistic_query.monitor", "EVENTS"} <= set(plain)
    assert found([it.id.encode()], *(platform.data / "nats").rglob("*"))


def found(needles: list[bytes], *paths: Path) -> list[Path]:
    """Files with one of the needles, but those that the operator keeps secrets in."""
    kept = {"keys.json"}
    return [
        path
        for path in paths
        if path.is_file() and path.name not in kept and any(map(path.read_bytes().__contains__, needles))
    ]


async def stored(platform: Platform) -> Any:
    """Every row of every database and every message of every stream, with where it is."""
    for database in DATABASES:
        async with platform.sql(database) as db:
            for table in await db.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"):
                for row in await db.fetch(f'SELECT t::text FROM "{table[0]}" t'):  # noqa: S608  # our own tables
                    yield f"{database}.{table[0]}", row[0].encode()
    run = json.loads((platform.data / "run.json").read_text())
    broker = await nats.connect(run["nats_url"], inbox_prefix=b"_INBOX_admin")
    try:
        for stream in ("EVENTS", "TELEMETRY", "SCHEDULES"):
            state = (await broker.jetstream().stream_info(stream)).state
            for number in range(state.first_seq, state.last_seq + 1):
                answer = await broker.request(f"$JS.API.DIRECT.GET.{stream}", json.dumps({"seq": number}).encode())
                yield f"{stream} {number}", answer.data + str(answer.headers).encode()
    finally:
        await broker.close()


@pytest.mark.parametrize("field", ["headers", "body"])
async def test_cleared_secret_is_no_longer_sent(client: Client, field: str):
    async with listening() as target:
        it = await watched(client, target, headers={"X-Mine": "old"}, body="old", method="PUT")
        await asked(target, **{"x-mine": "old"})
        changed = await it.change(**{field: {} if field == "headers" else ""})
        assert changed[field] == ({} if field == "headers" else "")

        async def newest() -> tuple[str | None, str]:
            return target.asked[-1].headers.get("x-mine"), target.asked[-1].body

        await eventually(newest, lambda seen: seen == ((None, "old") if field == "headers" else ("old", "")))


async def test_masked_headers_and_body_do_not_follow_to_another_host(client: Client):
    """The new host gets nothing that was not sent with it."""
    settings = {"headers": {"X-Api": CANARY, "User-Agent": "ours"}, "body": CANARY, "method": "POST"}
    async with listening() as target, listening() as other:
        it = await watched(client, target, **settings)
        url = f"resource-cmd/v1/resource/{it.id}"
        masked, move = {"X-Api": MASK, "User-Agent": MASK}, {"url": other.url}
        for kept in ({}, {"headers": masked}, {"headers": json.dumps(masked)}, {"headers": masked, "body": "new"}):
            refused(await client("PUT", url, json=move | kept), 422, "headers")
        anew = {"X-Api": LATER, "User-Agent": MASK}
        for kept in ({}, {"body": MASK}):
            refused(await client("PUT", url, json=move | {"headers": anew} | kept), 422, "body")
        refused(await client("PUT", url, json={"url": f"https://127.0.0.1:{other.port}/"}), 422, "headers")
        assert other.asked == []
        same = await client("PUT", url, json={"url": f"{target.url}elsewhere", "headers": masked})
        assert same.json()["resource"]["headers"] == masked
        moved = await client("PUT", url, json=move | {"headers": anew, "body": ""})
        assert (moved.status_code, moved.json()["resource"]["body"]) == (200, "")
        seen = await asked(other, **{"x-api": LATER})
        assert (seen.headers["user-agent"], seen.body) == ("ours", "")
