"""Settings and questions that no monitor can have: 422 that names the field, and nothing changed."""

import json
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import but, refused
from contract.client import BODIES, CANARY, RESOURCE, Client
from pinghome_common.guard import AddressForbidden, Guard
from ssrf_corpus import FORMS

NAMES = [True, 5, None, [], {}, "", "   ", "x" * 256, "a\0b", ["x"], 1.5]
FLAGS = [1, 0, "true", "false", "yes", None, [], {}, 1.0, ""]
WHOLE = [True, False, "0", "5", "", -1, 1.5, None, [], {}, 10**18, 10**30, -(10**30)]
IDS = [True, 1, None, "", "x", "*", f"{CANARY}", "6766163a568d47b4a1fa91a0957e06d4", ["x"], {}, "６" * 36]  # noqa: RUF001
LISTS = ["eu-central-1", {}, None, [], [None], [1], [True], [""], [["eu-central-1"]], 5]
HEADERS: list[Any] = [
    [], 5, True, "x", "[]", "{", '{"a": NaN}', {"a": 1}, {"a": None}, {"a": ["x"]}, {"a": True},
    {"X-A": "a\r\nX-Evil: 1"}, {"X-A": "a\n"}, {"X-A": "a\0"}, {"X-A": "\x7f"}, {"X-A": "é"}, {"X-A": CANARY + "\t"},
    {"X-A\r\nX-Evil": "1"}, {"X A": "1"}, {"": "1"}, {"X-A:": "1"}, {"é": "1"}, {"x" * 101: "1"}, {"X\0A": "1"},
    {"Host": "localhost"}, {"hOST": CANARY}, {"Content-Length": "0"}, {"Transfer-Encoding": "chunked"},
    {"Connection": "close"}, {"Metadata-Flavor": "Google"}, {"X-aws-ec2-metadata-token": "x"},
    {f"X-{number}": "1" for number in range(21)}, {"X-A": "x" * 4097}, {f"X-{n}": "x" * 300 for n in range(15)},
    json.dumps({"Host": "x"}), json.dumps({"X-A": "a\r\nb"}), "[" * 10_000, '{"a":' * 10_000,
]  # fmt: skip
URLS: list[Any] = [
    True, 5, [], {}, "x", "/", "//host/", "http://", "http:///x", "http:host", "https://:80/", "http://[::1",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "javascript:alert(1)", "data:text/html,x", "ftp://h/",
    "unix:///var/run/docker.sock", "ws://h/", f"http://{CANARY}:secret@h/", f"http://{CANARY}@h/", "http://@h/",
    "http://h:0/", "http://h:99999/", "http://h:x/", "http://a b/", "http://h/a b", "http://h/\r\nX-Evil: 1",
    "http://h/\n", "http://h/\0", "\0http://h/", "http://h/" + "x" * 2048, " http://h/", "http://h/\u202e",
]  # fmt: skip
CRONS: list[Any] = [
    5, True, [], {}, "x", "* * * *", "* * * * * *", "@daily", "61 * * * *", "* 25 * * *", "0 0 30 2 *", "R R * * *",
    "H * * * *", "*/0 * * * *", "1-0/0 * * * *", "1," * 50 + "1 * * * *", "* * * * *\n; rm", "１ * * * *", "a\0b",  # noqa: RUF001
]  # fmt: skip
CHANNELS: list[Any] = ["x", {}, 5, True, [None], [1], [""], ["x"], [str(uuid4())], [[str(uuid4())]]]
METHODS: list[Any] = [True, 5, None, "", "FOO", "TRACE", "CONNECT", "GET\r\n", "GET /", [], "ＧＥＴ"]  # noqa: RUF001

KEYWORD = {"type": "response-body-check", "operator": "contains", "values": ["x"], "key": ""}
DEMANDS: list[dict[str, Any]] = [
    *({"type": value} for value in (True, None, "", "json-check", CANARY)),
    *({"type": value} for value in ("response-json-check", "response-header-check")),  # these need a key
    *({"operator": value} for value in (True, None, "", "EQUAL", "==", CANARY)),
    *({"values": value} for value in (True, None, "x", [], {}, [True], [None], [[]], ["a\0"], ["x" * 1001])),
    {"values": ["x"] * 51},
    *({"key": value} for value in (True, 5, [], "x" * 201, "a\0b")),
    *({"operator": "regex", "values": [value]} for value in ("(", "[", "a{1001}", "(?=a)", "\\1", "x{999}{999}", "*")),
    *({"type": "response-json-check", "key": value} for value in ("a..b", "a[", "a[x]", "]", "a[" + "9" * 20 + "]")),
]

OF_RESOURCE: dict[str, list[Any]] = {
    "name": NAMES,
    "type": [True, 5, None, "", "HTTP", "Tcp", "telepathy", "ping ", "x", "http\n", [], {}],
    "url": URLS,
    "port": [True, False, "x", 0, -1, 65536, 10**18, "0", "99999", "1" * 5000, "８０", 1.5, [], {}],  # noqa: RUF001
    "data": [True, 5, None, [], {}, "a\0b", "x" * 4097],
    "grace_period": WHOLE,
    "recovery_period": WHOLE,
    "maintenance_cron_expression": CRONS,
    "maintenance_duration": WHOLE,
    "skip_ssl_error": FLAGS,
    "not_follow_redirect": FLAGS,
    "max_redirects": [*WHOLE, 21],
    "is_advanced": FLAGS,
    "method": METHODS,
    "body": [True, 5, [], {}, "a\0b", "x" * 65537],
    "headers": HEADERS,
    "service_id": IDS,
    "conditions": [5, "x", {}, True, None, [5], [[]], [{}], [KEYWORD] * 201, *[[KEYWORD | wrong] for wrong in DEMANDS]],
    "regions": [
        ["eu-" + "a" * 50 + "-1"],
        *LISTS,
        ["eu-west-1"],
        ["EU-CENTRAL-1"],
        ["eu-central-1 "],
        ["*"],
        [">"],
        ["eu-central-1.x"],
        ["x"] * 51,
    ],
    "interval": [*WHOLE, 0, 1, 4, 61, 86401],
    "channels": CHANNELS,
    "parent_id": [*(each for each in IDS if each is not None), str(uuid4())],
}
OF_HEARTBEAT: dict[str, list[Any]] = {
    "name": NAMES,
    "service_id": IDS,
    "interval": [*WHOLE, 0, 31_536_001],
    "enabled": FLAGS,
    "channels": CHANNELS,
    "methods": [*LISTS, ["TRACE"], ["GET", "x"], ["*"], ["GET"] * 8, ["GET\n"]],
}
MAY_BE_NULL = {"service_id"}
"""On PUT, where null means what absent means."""


@pytest.mark.parametrize(
    ("kind", "field"), [*(("resource", f) for f in OF_RESOURCE), *(("heartbeat", f) for f in OF_HEARTBEAT)]
)
async def test_setting_that_cannot_be_is_refused_by_name(client: Client, kind: str, field: str):
    values = {"resource": OF_RESOURCE, "heartbeat": OF_HEARTBEAT}[kind][field]
    it = await getattr(client, kind)()
    if kind == "resource":
        await client("PUT", f"resource-cmd/v1/resource/{it['id']}/status", json={"enabled": False})
    before = await client.get(f"resource-query/v1/{kind}/{it['id']}")
    new = BODIES[kind] | {"name": f"never {uuid4()}", "service_id": str(uuid4())}

    for value in values:
        for method, url, body in (
            ("POST", f"resource-cmd/v1/{kind}", new | {field: value}),
            ("PUT", f"resource-cmd/v1/{kind}/{it['id']}", {field: value}),
        ):
            answer = await client(method, url, json=body)
            if value is None and method == "PUT" and field in MAY_BE_NULL:
                assert answer.status_code == 200
                before["updated_at"] = answer.json()[kind]["updated_at"]
                continue
            assert answer.status_code == 422, f"{method} {value!r:.60} {answer.text[:200]}"
            named = {each["field"] for each in answer.json()["errors"]}
            assert {each.partition(".")[0] for each in named} == {field}, f"{method} {value!r:.60} {answer.text[:300]}"
            assert len(answer.content) < 5000
            assert CANARY not in answer.text

    probed = ("last_checked_at", "response_time")  # by a probe that was under way
    assert but(await client.get(f"resource-query/v1/{kind}/{it['id']}"), *probed) == but(before, *probed)
    assert (await client.get(f"resource-query/v1/service/{new['service_id']}/{kind}s"))["total"] == 0


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_every_wrong_field_is_named_and_unknown_ones_are_ignored(client: Client, kind: str):
    wrong = {"name": 5, "service_id": "x", "interval": "x"}
    body = BODIES[kind] | wrong
    refused(await client("POST", f"resource-cmd/v1/{kind}", json=body), 422, *wrong)

    it = await getattr(client, kind)(**{CANARY: CANARY, "conditions": [], "a" * 5000: {}})
    assert CANARY not in json.dumps(it)


@pytest.mark.parametrize("host", FORMS)
async def test_forbidden_address_is_refused_in_every_spelling(client: Client, host: str):
    literal = f"[{host}]" if ":" in host else host
    try:
        Guard([ip_network("127.0.0.0/8")]).check_literal(host)
    except AddressForbidden:
        allowed = False
    else:
        allowed = True  # loopback, which this platform may probe

    for url in (f"http://{literal}/latest/meta-data/", f"https://{literal}:8443/"):
        body = RESOURCE | {"name": f"never {uuid4()}", "url": url}
        answer = await client("POST", "resource-cmd/v1/resource", json=body)
        if allowed:
            assert answer.status_code == 201, answer.text
            await client("DELETE", f"resource-cmd/v1/resource/{answer.json()['id']}")
        else:
            refused(answer, 422, "url")


LISTS_OF_PAGES = ["service/{service}/resources", "service/{service}/heartbeats", "services", "channels"]
WRONG_NUMBERS = ["0", "-1", "abc", "1.5", "", "1e3", "٣", "1,2", "%00", " ", "0x10", "9" * 5000, "true", "NaN"]


@pytest.mark.parametrize("listing", LISTS_OF_PAGES)
async def test_page_and_limit_that_cannot_be_are_refused_by_name(client: Client, listing: str):
    url = "resource-query/v1/" + listing.format(service=uuid4())
    for field in ("page", "limit"):
        for value in [*WRONG_NUMBERS, str(10**18), "501" if field == "limit" else "9" * 7]:
            refused(await client("GET", url, params={field: value}), 422, field)
    refused(await client("GET", url, params={"page": "x", "limit": "0"}), 422, "page", "limit")
    assert (await client.get(url, page=1_000_000, limit=500))["data"] == []


TIMES = ["x", "-1", "0", "now", "2022-13-01T00:00:00Z", "2022-02-30T00:00:00Z", "2022-01-01T25:00:00Z", "", "\0",
         "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00",
         "2022-01-01T00:00:00+99:00", "2022-01-01T00:00:00Z" + "0" * 5000, "٢٠٢٢-01-01", CANARY]  # fmt: skip
EXTREMES = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "1970-01-01", "2022-W01-1",
            "2022-04-03T21:00:00", "2022-04-03T21:00:00+03:00", "0001-01-01T00:00:00-14:00"]  # fmt: skip
SPANS = ["resource/{}/statistic", "resource/{}/state-changed-logs", "resource/{}/results", "heartbeat/{}/statistic"]


@pytest.mark.parametrize("path", [*SPANS, "heartbeat/{}/events"])
async def test_time_that_cannot_be_is_refused_by_name_and_an_extreme_one_is_answered(client: Client, path: str):
    it = await getattr(client, path.partition("/")[0])()
    url = f"statistic-query/v1/{path.format(it['id'])}"
    fields = ("start_date", "end_date") if path in SPANS else ("last_received_at",)
    for field in fields:
        for value in TIMES:
            refused(await client("GET", url, params={field: value}), 422, field)
        for value in EXTREMES:
            assert isinstance((await client.get(url, **{field: value}))["data"], list), value
            for interval in ("1h", "30d") if path.endswith("/statistic") else ():
                await client.get(url, **{field: value, "interval": interval})
    if path in SPANS:
        for start in EXTREMES:
            for end in EXTREMES:
                answer = await client("GET", url, params={"start_date": start, "end_date": end})
                assert answer.status_code in {200, 422}
        refused(await client("GET", url, params={"start_date": EXTREMES[1], "end_date": EXTREMES[0]}), 422, "end_date")


@pytest.mark.parametrize("path", [*SPANS[:3], "heartbeat/{}/events", "heartbeat/{}/notifications"])
async def test_limit_that_cannot_be_is_refused_and_a_large_one_is_cut(client: Client, path: str):
    it = await getattr(client, path.partition("/")[0])()
    url = f"statistic-query/v1/{path.format(it['id'])}"
    for value in WRONG_NUMBERS:
        refused(await client("GET", url, params={"limit": value}), 422, "limit")
    for value in (1, 1000, 1001, 10**18):
        assert len((await client.get(url, limit=value))["data"]) <= 1000


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_interval_that_is_not_listed_is_refused(client: Client, kind: str):
    it = await getattr(client, kind)()
    wrong = ("", "x", "HOUR", "1m", "2h", "0", "minute ", "1h,3h", "%00", CANARY, "１h", "'; DROP TABLE ping; --")  # noqa: RUF001
    for value in wrong:
        url = f"statistic-query/v1/{kind}/{it['id']}/statistic"
        refused(await client("GET", url, params={"interval": value}), 422, "interval")
