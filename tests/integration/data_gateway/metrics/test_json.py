"""The agent's own form (contract G): all or nothing, and 422 names the point."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import but, refused
from data_gateway.api.pinghome.server_resource import EXAMPLE
from pinghome_agent.sample import Choices, Sampler
from pinghome_common.events.metric import Figures, Sample

PATH = "/v1/server-resource/metrics"


def ago(**delta: float) -> str:
    return (datetime.now(UTC) - timedelta(**delta)).isoformat().replace("+00:00", "Z")


def sample(**parts: Any) -> dict[str, Any]:
    return {"at": ago(seconds=1), "interval": 10, "values": {"cpu-total-usage": {"total": 5.0}}} | parts


@pytest.fixture
def post(http, token):
    """Posts samples, or a body, with the test's token."""

    async def send(*samples: Any, path: str = PATH, body: Any = None, **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body or {"samples": samples}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await http.post(path, content=sent, headers=token.header | named)

    return send


@pytest.fixture
def stored(served, token):
    async def samples() -> list[Sample]:
        return await served.samples(token.server)

    return samples


async def test_the_example_of_openapi(post, stored):
    body = json.loads(json.dumps(EXAMPLE).replace("2026-11-27T04:09:59Z", ago(seconds=1)))
    answer = await post(body=body | {"sent_at": ago(seconds=-90)})

    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})
    (it,) = await stored()
    assert it.figures == [
        Figures("cpu-total-usage", "", [7.5, 5.0, 2.5, 0.0, 0.0]),
        Figures("disk-usage-unified", "/", [4e10, 1e10, 3e10, 25.0]),
        Figures("network-usage-unified", "eth0", [123456, 654321, None, None], counter=True),
    ]
    assert it.interval == 10
    assert it.agent
    assert (it.agent.version, it.agent.hostname, it.agent.os) == ("1.0", "web-1", "Debian 12")
    assert it.agent.boot_time == datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    assert 60 < it.agent.clock_skew_seconds < 120


async def test_a_sample_of_the_agent_itself(post, stored):
    sampler = Sampler(10, Choices())
    made = json.loads(sampler.sample())
    assert "processes-unified" in made["values"]
    answer = await post(body=gzip.compress(json.dumps({"samples": [made]}).encode()), content_encoding="gzip")

    assert answer.status_code == 200, answer.text
    (it,) = await stored()
    assert json.loads(it.processes) == made["values"]["processes-unified"]
    kept = {(each.type, each.name) for each in it.figures}
    assert ("memory-usage", "") in kept
    assert {name for type_, name in kept if type_ == "network-usage-unified"} == {
        *made["counters"]["network-usage-unified"]
    }


async def test_by_the_id_of_the_tokens_server_and_no_other(post, token, stored):
    assert (await post(sample(), path=f"/v1/server-resource/{token.server}/metrics")).status_code == 200
    assert (await post(sample(), path=f"/v1/server-resource/{token.server}/metrics/")).status_code == 200
    for other in (uuid4(), "nothing", str(token.server).upper()):
        answer = await post(sample(), path=f"/v1/server-resource/{other}/metrics")
        assert refused(answer, 404) == "Server resource not found"

    assert len(await stored()) == 2


@pytest.mark.parametrize("header", [None, "Bearer ph_nobodys", "Bearer", "ph_nobodys"])
async def test_an_unknown_token_is_401(http, header):
    answer = await http.post(PATH, json={"samples": [sample()]}, headers={"Authorization": header} if header else {})

    refused(answer, 401)


async def test_unknown_types_and_fields_are_ignored_and_parts_may_be_missing(post, stored):
    values = {"cpu-total-usage": {"total": 1, "guest": 5}, "gpu": {"total": 1}, "other": [1]}
    by = {"disk-usage-unified": {"/": {"percent": 10.0}}, "gpu": {"0": {"total": 1}}}
    answer = await post(sample(values=values, by=by, counters={"cpu-total-usage": {"0": {"total": 1}}}, more={"a": 1}))

    assert answer.status_code == 200, answer.text
    (it,) = await stored()
    assert [(each.type, each.name) for each in it.figures] == [("cpu-total-usage", ""), ("disk-usage-unified", "/")]
    assert (await post()).status_code == 200
    assert (await post({"at": ago(seconds=2)})).status_code == 200


PROCESSES = {
    "states": {"running": 2, "sleeping": 100},
    "cpu": [{"pid": 1, "name": "init", "cpu": 99.5, "memory": 2**40}],
    "memory": [{"pid": 2**31, "name": "a\x00b\u202ec\nd", "cpu": 0, "memory": 0}],
}


async def test_processes_are_stored_in_one_form_with_clean_names(post, stored):
    sent = {**PROCESSES, "more": 1}
    assert (await post(sample(values={"processes-unified": sent}))).status_code == 200
    assert (await post(sample(values={"processes-unified": {}}))).status_code == 200

    first, second = await stored()
    assert json.loads(first.processes)["states"] == PROCESSES["states"]
    assert json.loads(first.processes)["memory"][0]["name"] == "ab\N{REPLACEMENT CHARACTER}c d"
    assert list(json.loads(first.processes)) == ["states", "cpu", "memory"]
    assert json.loads(second.processes) == {"states": {}, "cpu": [], "memory": []}


def changed(part: str, **fields: Any) -> dict[str, Any]:
    return PROCESSES | {part: [PROCESSES[part][0] | fields]}


@pytest.mark.parametrize(
    ("processes", "field"),
    [
        ([], ""), (5, ""), ({"states": []}, ".states"), ({"states": {"x": -1}}, ".states"),
        ({"states": {"x": 1.5}}, ".states"),
        ({"states": {"x" * 33: 1}}, ".states"), ({"states": {str(number): 1 for number in range(17)}}, ".states"),
        ({"cpu": [PROCESSES["cpu"][0]] * 6}, ".cpu"), (changed("cpu", pid=-1), ".cpu.0.pid"),
        (changed("cpu", name="x" * 256), ".cpu.0.name"), (changed("cpu", cpu=100.1), ".cpu.0.cpu"),
        (changed("memory", memory=-1), ".memory.0.memory"), (changed("memory", memory=1.5), ".memory.0.memory"),
        ({"cpu": [but(PROCESSES["cpu"][0], "name")]}, ".cpu.0"), ({"cpu": [5]}, ".cpu.0"),
    ],
)  # fmt: skip
async def test_odd_processes_are_422(post, stored, processes, field):
    answer = await post(sample(), sample(values={"processes-unified": processes}))

    refused(answer, 422, f"samples.1.values.processes-unified{field}")
    assert await stored() == []


CPU = "samples.1.values.cpu-total-usage"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1", "1e20", '"5"', "null", "true", "[]"])
async def test_what_is_no_figure_is_422_and_names_the_sample(post, stored, number):
    for place, at in (
        ('"values": {"cpu-total-usage": {"user": 1, "total": %s}}', CPU),
        ('"by": {"disk-usage-unified": {"/": {"total": %s}}}', "samples.1.by"),
        ('"counters": {"disk-io-unified": {"sda": {"reads":%s}}}', "samples.1.counters"),
    ):
        body = f'{{"samples": [{json.dumps(sample())}, {{"at": "{ago(seconds=1)}", {place % number}}}]}}'
        refused(await post(body=body.encode()), 422, at)

    assert await stored() == []


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"at": ago(days=366)}, "at"), ({"at": ago(days=8, minutes=1)}, "at"), ({"at": ago(days=-1)}, "at"),
        ({"at": "9999-12-31T23:59:59Z"}, "at"), ({"at": "2026-11-27T04:09:59"}, "at"), ({"at": "yesterday"}, "at"),
        ({"at": 1795752600}, "at"), ({"at": None}, "at"), ({"interval": -1}, "interval"),
        ({"interval": 86_401}, "interval"), ({"interval": "10"}, "interval"), ({"values": []}, "values"),
        ({"values": {"cpu-total-usage": []}}, "values.cpu-total-usage"),
        ({"by": {"disk-usage-unified": []}}, "by"), ({"by": {"disk-usage-unified": {"": {}}}}, "by.disk-usage-unified"),
        ({"by": {"disk-usage-unified": {"x" * 10_000: {}}}}, "by.disk-usage-unified"),
        ({"by": {"disk-usage-unified": {str(number): {} for number in range(501)}}}, "by.disk-usage-unified"),
        ({"counters": {"network-usage-unified": {"x" * 256: {}}}}, "counters.network-usage-unified"),
    ],
)  # fmt: skip
async def test_one_bad_sample_refuses_all_and_is_named(post, stored, parts, field):
    refused(await post(sample(), sample() | parts), 422, f"samples.1.{field}")

    assert await stored() == []


async def test_more_samples_than_one_request_may_hold(post, stored):
    refused(await post(*[{"at": ago(seconds=1)}] * 10_001), 422, "samples")

    assert await stored() == []


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff", b'{"samples": 5}', b'{"samples": [5]}', b"{}",
                                  b"[" * 900_000, b'{"x":' * 150_000, b'{"samples": [{"at": "\xff"}]}',
                                  b'{"a": "\\ud800"}'])  # fmt: skip
async def test_what_is_no_batch_is_400_or_422(post, stored, body):
    answer = await post(body=body)

    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["message"]
    assert await stored() == []


async def test_compression_is_undone_within_the_limit(post, stored):
    body = json.dumps({"samples": [sample()]}).encode()
    assert (await post(body=gzip.compress(body), content_encoding="gzip")).status_code == 200
    refused(await post(body=gzip.compress(body)[:-4], content_encoding="gzip"), 422, "body")
    refused(await post(body=body, content_encoding="gzip"), 422, "body")
    refused(await post(body=body, content_encoding="br"), 422, "Content-Encoding")
    refused(await post(body=gzip.compress(b" " * (9 << 20)), content_encoding="gzip"), 413)
    refused(await post(body=gzip.compress(bytes(300 << 20), 1), content_encoding="gzip"), 413)

    assert len(await stored()) == 1


async def test_a_full_spool_of_the_agent_fits(post, stored):
    samples = [sample(at=ago(hours=number / 100)) for number in range(5000)]
    answer = await post(body=gzip.compress(json.dumps({"samples": samples}).encode()), content_encoding="gzip")

    assert answer.status_code == 200, answer.text
    assert len(await stored()) == 5000
