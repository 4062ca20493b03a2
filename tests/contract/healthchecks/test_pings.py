"""Pings in every form (contract B.5), and what is shown of them (B.6)."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contract.client import Client
from contract.healthchecks.pinging import Pinging
from contract.raw import ask, request
from contract.target import eventually
from running import Platform

FORMS = [
    ("", "success"), ("/", "success"), ("/start", "start"), ("/start/", "start"), ("/fail", "fail"), ("/log", "log"),
    ("/0", "success"), ("/1", "fail"), ("/255", "fail"), ("/255/", "fail"), ("/007", "fail"),
]  # fmt: skip
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.fixture(scope="session")
async def ping(platform: Platform, client: Client) -> Pinging:
    return await Pinging.of(platform, client)


@pytest.mark.parametrize(("suffix", "type_"), FORMS)
async def test_every_form_is_answered_and_kept_as_what_it_says(ping: Pinging, suffix: str, type_: str):
    slug, check = await ping.named()
    for path in (f"{check}{suffix}", f"{ping.key}/{slug}{suffix}"):
        answer = await ping("GET", path)
        assert (answer.status_code, answer.text) == (200, "OK")
        assert answer.headers["Ping-Body-Limit"] == "10000"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "no-cache" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert await ping.types(check) == ["success", type_, type_]


async def test_any_verb_pings(ping: Pinging):
    check = await ping.job()
    for verb in VERBS:
        answer = await ping(verb, check)
        assert (answer.status_code, answer.text) == (200, "OK"), verb
    head = await ping("HEAD", check)
    assert (head.status_code, head.text, head.headers["content-length"]) == (200, "", "2")
    assert [each["method"] for each in await ping.listed(check)] == ["HEAD", *VERBS[::-1]]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("{check}/256", 400, "invalid url format"),
        ("{check}/99999999999999999999", 400, "invalid url format"),
        ("{check}/-1", 404, "not found"),
        ("{check}/abc", 404, "not found"),
        ("{check}/START", 404, "not found"),
        ("{check}/start/fail", 404, "not found"),
        ("{upper}", 404, "not found"),
        ("{undashed}", 404, "not found"),
        ("{nobody}", 404, "not found"),
        ("{nobody}/start", 404, "not found"),
        ("", 404, "not found"),
        ("{key}", 404, "not found"),
        ("{key}/", 404, "not found"),
        ("{key}/nobody-has-this", 404, "not found"),
        ("{key}/UPPER", 400, "invalid url format"),
        ("{key}/a.b", 404, "not found"),
        ("{key}/{slug}/256", 400, "invalid url format"),
        ("xxxxxxxxxxxxxxxxxxxxxx/{slug}", 404, "not found"),
        ("{check}?rid=1", 400, "invalid uuid format"),
        ("{check}?rid=", 400, "invalid uuid format"),
        ("{key}/{slug}?rid=zz", 400, "invalid uuid format"),
    ],
)
async def test_bad_pings_get_the_exact_code_and_words(ping: Pinging, path: str, status: int, words: str):
    slug, check = await ping.named()
    known = {"check": check, "slug": slug, "key": ping.key, "nobody": str(uuid4())}
    known |= {"upper": check.upper(), "undashed": check.replace("-", "")}
    for verb in ("GET", "POST"):
        answer = await ping(verb, path.format(**known))
        assert (answer.status_code, answer.text) == (status, words)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert await ping.types(check) == ["success"]


async def test_a_check_is_pinged_at_once_after_it_was_created(ping: Pinging):
    for _ in range(20):
        check = await ping.job()
        assert (await ping("GET", check)).status_code == 200
    for _ in range(10):
        slug, check = await ping.named()
        assert (await ping("GET", f"{ping.key}/{slug}")).text == "OK"


async def test_a_key_pings_its_own_service_only(ping: Pinging, platform: Platform):
    slug, check = await ping.named()
    made = await platform.command("keys", "create", "First organisation", "--kind", "ping", "--service", ping.service)
    assert (await ping("GET", f"{made['key']}/{slug}")).text == "OK"  # at once after it was made
    there = await ping.client.service()
    made = await platform.command("keys", "create", "First organisation", "--kind", "ping", "--service", there["id"])
    assert (await ping("GET", f"{made['key']}/{slug}")).text == "not found"
    assert await ping.types(check) == ["success", "success"]


@pytest.mark.parametrize(("scope", "path"), [("write", "/pings/"), ("read", "")])
async def test_a_key_made_by_the_command_shows_what_its_scope_may(
    ping: Pinging, platform: Platform, scope: str, path: str
):
    check = await ping.job()
    words = ("First organisation", "--kind", "checks", "--scope", scope, "--service", ping.service)
    made = await platform.command("keys", "create", *words)

    async def shown() -> int:
        return (await ping.kept(f"v1/checks/{check}{path}", made["key"])).status_code

    await eventually(shown, lambda status: status == 200)


async def test_pings_at_once_for_a_slug_that_nobody_has_make_one_check(ping: Pinging):
    slug = f"race-{uuid4()}"
    answers = await asyncio.gather(*(ping("POST", f"{ping.key}/{slug}/start?create=1") for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert {answer.text for answer in answers} <= {"OK", "Created"}
    assert await ping.types(await ping.id_of(slug)) == ["start"] * 8
    assert (await ping("GET", f"{ping.key}/{slug}?create=1")).status_code == 200


async def test_a_check_made_by_a_ping_has_the_defaults_and_all_channels_of_its_service(ping: Pinging):
    channel = await ping.client.channel(service_id=ping.service)
    _, check = await ping.named()
    found = await ping.client.get(f"resource-query/v1/heartbeat/{check}")
    assert (found["interval"], found["state"]) == (86400, "up")
    assert channel["id"] in found["channels"]
    made = await ping.http.post("/api/v1/checks/", json={"channels": "*"}, headers={"X-Api-Key": ping.write})
    other = await ping.client.get(f"resource-query/v1/heartbeat/{made.json()['uuid']}")
    for setting in ("interval", "methods", "channels"):
        assert found[setting] == other[setting], setting
    shown = (await ping.kept(f"v1/checks/{check}")).json()
    for setting in ("timeout", "grace", "methods", "manual_resume", "tags", "desc", "subject", "channels"):
        assert shown[setting] == made.json()[setting], setting


async def test_a_ping_with_a_bad_run_id_makes_no_check(ping: Pinging):
    slug = f"never-{uuid4()}"
    assert (await ping("GET", f"{ping.key}/{slug}?create=1&rid=x")).status_code == 400
    assert (await ping("GET", f"{ping.key}/{slug}")).status_code == 404


async def test_what_is_shown_of_a_ping(ping: Pinging):
    check = await ping.job()
    begun = datetime.now(UTC)
    await ping("POST", check, headers={"User-Agent": "a" * 300, "X-Forwarded-For": "192.0.2.7:1234, 10.0.0.1",
                                       "X-Forwarded-Proto": "https"})  # fmt: skip
    await ping("GET", check, headers={"X-Forwarded-For": "<script>"})
    second, first = await ping.listed(check)
    assert first | {"date": ""} == {
        "type": "success", "date": "", "n": 1, "scheme": "http", "remote_addr": "127.0.0.1", "method": "POST",
        "ua": "a" * 200, "rid": None, "body_url": None,
    }  # fmt: skip
    assert (
        begun - timedelta(seconds=1) < datetime.fromisoformat(first["date"]) < datetime.now(UTC) + timedelta(seconds=1)
    )
    assert first["date"].endswith("+00:00")
    assert (second["n"], second["remote_addr"], second["scheme"]) == (2, "127.0.0.1", "http")


async def test_bodies_come_back_byte_for_byte_up_to_the_limit(ping: Pinging):
    check = await ping.job()
    bodies = [b"\xff\x00broken \xc3( utf-8\r\n", b"{}", b"x" * 10_000, b"y" * 10_001, b"z" * 300_000]
    for body in bodies:
        assert (await ping("POST", check, content=body)).text == "OK"
    chunked = [b"a" * 6000, b"b" * 6000]

    async def parts():
        for part in chunked:
            yield part

    assert (await ping("POST", check, content=parts())).text == "OK"
    for n, body in enumerate([*bodies, b"".join(chunked)], 1):
        answer = await ping.kept(f"v3/checks/{check}/pings/{n}/body")
        assert (answer.status_code, answer.content) == (200, body[:10_000])
        assert answer.headers["content-type"].startswith("text/plain")
    urls = [each["body_url"] for each in await ping.listed(check)]
    assert urls[-1].endswith(f"/api/v1/checks/{check}/pings/1/body")


async def test_a_body_beyond_what_other_requests_may_send_is_read_away(ping: Pinging):
    check = await ping.job()
    for size in ((1 << 20) + 1, 20 << 20):
        assert (await ping("POST", check, content=b"z" * size)).text == "OK"
        assert (await ping.client("POST", f"data-gateway/v1/heartbeat/{check}", content=b"{" * size)).status_code == 200
    assert await ping.types(check) == ["success"] * 4
    for n in (1, 3):
        assert (await ping.kept(f"v3/checks/{check}/pings/{n}/body")).content == b"z" * 10_000


async def test_raw_utf_8_in_a_query_is_no_reason_to_lose_a_ping(ping: Pinging, platform: Platform):
    check, run = await ping.job(), uuid4()
    for path in (f"/ping/{check}?rid={run}&note=größe", f"/data-gateway/v1/heartbeat/{check}?message=größe"):
        answer = await ask(platform.port, request("GET", path.encode()))
        assert answer.status == 200, answer.text
    events = (await ping.client.get(f"statistic-query/v1/heartbeat/{check}/events"))["data"]
    assert [each["message"] for each in events] == ["größe", ""]


async def test_pings_and_bodies_are_for_the_read_write_key_of_their_service(ping: Pinging):
    check = await ping.job()
    await ping("POST", check, content=b"body")
    elsewhere = await ping.client.heartbeat()
    readonly = ping.read
    for path in ("pings/", "pings", "pings/1/body"):
        for key, status in ((readonly, 401), ("", 401), ("x" * 32, 401)):
            assert (await ping.kept(f"v1/checks/{check}/{path}", key)).status_code == status
        refused = await ping.kept(f"v1/checks/{elsewhere['id']}/{path}")
        assert (refused.status_code, refused.content) == (403, b"")
        for nobody in (str(uuid4()), check.upper(), "f" * 40):
            refused = await ping.kept(f"v1/checks/{nobody}/{path}")
            assert refused.status_code == 404
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
    for n in ("2", "0", "-1", "x", "9" * 30):
        assert (await ping.kept(f"v1/checks/{check}/pings/{n}/body")).status_code == 404
    await ping("GET", check)
    assert (await ping.kept(f"v1/checks/{check}/pings/2/body")).status_code == 404  # it had none
    assert (await ping.http.post(f"/api/v1/checks/{check}/pings/")).status_code in (404, 405)


async def test_durations_are_of_the_run_with_the_same_id(ping: Pinging):
    check, one, other = await ping.job(), str(uuid4()), str(uuid4())
    for path in (f"start?rid={one}", f"start?rid={other.upper()}", "log", f"?rid={one}", f"fail?rid={other}", ""):
        await ping("GET", f"{check}/{path}")
        await asyncio.sleep(0.02)
    pings = (await ping.listed(check))[::-1]
    dates = [datetime.fromisoformat(each["date"]) for each in pings]
    assert [each["type"] for each in pings] == ["start", "start", "log", "success", "fail", "success"]
    assert [each["rid"] for each in pings] == [one, other, None, one, other, None]
    assert pings[3]["duration"] == (dates[3] - dates[0]).total_seconds()
    assert pings[4]["duration"] == (dates[4] - dates[1]).total_seconds()
    assert "duration" not in pings[5]
    rounded = (await ping.listed(check, 3))[::-1]
    assert rounded[3]["duration"] == round(pings[3]["duration"], 2)
    assert rounded[4]["duration"] == round(pings[4]["duration"], 2)


async def test_pings_are_numbered_as_the_check_counts_them(ping: Pinging):
    check = await ping.job()
    await asyncio.gather(*(ping("GET", f"{check}/{form}") for form in ("", "start", "fail", "log", "0", "1") * 5))
    assert [each["n"] for each in await ping.listed(check)] == list(range(30, 0, -1))


async def test_a_check_that_takes_post_only_ignores_other_verbs(ping: Pinging):
    check = await ping.job(methods=["POST"])
    assert (await ping("GET", check)).text == "OK"
    assert (await ping("POST", check)).text == "OK"
    assert await ping.types(check) == ["ign", "success"]


async def test_a_check_that_was_paused_by_hand_ignores_everything(ping: Pinging):
    check = await ping.job()
    await ping("GET", check)
    await ping.client("PUT", f"resource-cmd/v1/heartbeat/{check}", json={"enabled": False})
    for form in ("", "/start", "/fail", "/log"):
        assert (await ping("GET", check + form)).text == "OK"
    await ping.client("PUT", f"resource-cmd/v1/heartbeat/{check}", json={"enabled": True})
    await ping("GET", check)
    assert await ping.types(check) == ["success", "ign", "ign", "ign", "ign", "success"]


async def test_pings_are_shown_by_the_other_dialect_in_its_words(ping: Pinging):
    check = await ping.job(interval=3600)
    for form in ("", "/start", "/0", "/fail", "/log"):
        await ping("GET", check + form)
    events = await ping.client.get(f"statistic-query/v1/heartbeat/{check}/events")
    assert [each["result"] for each in events["data"]] == ["log", "fail", "complete", "run", "tick"]
    buckets = (await ping.client.get(f"statistic-query/v1/heartbeat/{check}/statistic"))["data"]
    sums = {kind: sum(each[f"{kind}_count"] for each in buckets) for kind in ("tick", "run", "complete", "fail")}
    assert sums == {"tick": 1, "run": 1, "complete": 1, "fail": 1}
    await ping.client("GET", f"data-gateway/v1/heartbeat/{check}")
    assert (await ping.types(check))[-1] == "success"
