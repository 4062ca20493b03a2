"""Integration statuspageIo against a server that behaves like Atlassian's."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from uuid import uuid4

import pytest

from integration.resource_cmd.delivery.messages import message
from pinghome_common.errors import Invalid
from pinghome_delivery.message import Allowed, DeliveryError, RateLimited
from pinghome_delivery.rate_limiter import RateLimiter
from pinghome_delivery.statuspage_io import StatuspageIo
from statuspage import statuspage


def page(of, **settings):
    return StatuspageIo(
        **{"page": of.page, "name": "Incident name", "items": ["ggs24084vt79"], "token": of.token} | settings
    )


async def test_an_incident_opens_on_down_and_is_resolved_on_up(transports):
    async with statuspage() as there:
        calling = replace(transports, statuspage_url=there.url)
        await page(there, status="Incident status", message="We look into it").send(message(), calling)
        (incident,) = there.unresolved
        assert (incident["name"], incident["status"], incident["body"]) == (
            "Incident name", "investigating", "We look into it",
        )  # fmt: skip
        assert there.components == {"ggs24084vt79": "major_outage"}

        await page(there).send(message("up", text="It is back."), calling)
        assert there.unresolved == []
        assert (incident["status"], incident["body"]) == ("resolved", "It is back.")
        assert there.components == {"ggs24084vt79": "operational"}
    assert {status for *_, status in there.calls} == {200, 201}  # nobody called faster than once a second


async def test_a_status_of_atlassians_is_used_and_without_a_message_the_text_is(transports):
    async with statuspage(limited=False) as there:
        calling = replace(transports, statuspage_url=there.url, pace=RateLimiter(0))
        await page(there, status="identified").send(message(), calling)
        assert (there.unresolved[0]["status"], there.unresolved[0]["body"]) == ("identified", message().text)


async def test_an_answer_that_is_lost_makes_no_second_incident(transports):
    async with statuspage(limited=False) as there:
        calling = replace(transports, statuspage_url=there.url, pace=RateLimiter(0))
        there.lose_answer_of = "POST"
        with pytest.raises(DeliveryError):
            await page(there).send(message(), calling)
        await page(there).send(message(), calling)
        assert len(there.incidents) == 1
        there.lose_answer_of = "PATCH"
        with pytest.raises(DeliveryError):
            await page(there).send(message("up"), calling)
        await page(there).send(message("up"), calling)
        assert [it["status"] for it in there.incidents.values()] == ["resolved"]
        await page(there).send(message(), calling)
        assert len(there.incidents) == 2  # another outage


async def test_each_monitor_has_an_incident_of_its_own_however_many_there_are(transports):
    async with statuspage(limited=False) as there:
        calling = replace(transports, statuspage_url=there.url, pace=RateLimiter(0))
        there.incidents = {f"foreign{n}": {"id": f"foreign{n}", "status": "investigating"} for n in range(250)}
        first, second = uuid4(), uuid4()
        for about in (first, second, first):
            await page(there).send(message(about=about), calling)
        assert len(there.unresolved) == 252
        await page(there).send(message("up", about=first), calling)
        assert len(there.unresolved) == 251


async def test_the_operators_token_serves_the_first_organisation_and_no_other(transports):
    first, other = Allowed(organisation=uuid4(), first=True), Allowed(organisation=uuid4())
    async with statuspage(limited=False) as there:
        calling = replace(transports, statuspage_url=there.url, statuspage_token=there.token, pace=RateLimiter(0))
        it = page(there, token="")
        await it.check(calling)
        await it.ready(calling, first).send(message(), calling)
        assert len(there.unresolved) == 1
    assert it.ready(calling, other) is None
    assert "PINGHOME_STATUSPAGE_IO_PAGES" in it.problem(calling, other)
    assert it.ready(transports, first) is None
    assert "PINGHOME_STATUSPAGE_IO_TOKEN" in it.problem(transports, first)
    assert page(there).problem(transports, other) == ""  # it has its own


def test_the_operator_names_the_pages_that_may_use_the_token(transports):
    first, other = Allowed(organisation=uuid4(), first=True), Allowed(organisation=uuid4())
    naming = frozenset({"everybodys01", f"{other.organisation}:otherspage01"})
    calling = replace(transports, statuspage_token="x", statuspage_pages=naming)
    may = {
        (whose, page_): StatuspageIo(page=page_, name="x").ready(calling, allowed) is not None
        for whose, allowed in (("first", first), ("other", other))
        for page_ in ("everybodys01", "otherspage01", "firstspage01")
    }
    assert may == {
        ("first", "everybodys01"): True, ("first", "otherspage01"): False, ("first", "firstspage01"): False,
        ("other", "everybodys01"): True, ("other", "otherspage01"): True, ("other", "firstspage01"): False,
    }  # fmt: skip


WRONG = ["..", ".", "", "a/b", "r276xxt51c2\n", "R276XXT51C23", "short", "x" * 33, "r276xxt51c2%", "é276xxt51c23"]


@pytest.mark.parametrize("wrong", WRONG)
async def test_an_id_that_is_none_of_atlassians_is_refused_and_never_part_of_a_url(transports, wrong):
    with pytest.raises(Invalid):
        await StatuspageIo(page=wrong, name="x", token="x").check(transports)
    with pytest.raises(Invalid):
        await StatuspageIo(page="r276xxt51c23", name="x", token="x", items=["ggs24084vt79", wrong]).check(transports)
    async with statuspage(limited=False) as there:
        calling = replace(transports, statuspage_url=there.url, pace=RateLimiter(0))
        with pytest.raises(DeliveryError, match="not valid"):  # one that was kept before there was a form
            await page(there, page=wrong).send(message(), calling)
    assert there.calls == []


async def test_errors_of_the_page_are_told_without_the_token_and_its_limit_is_respected(transports):
    async with statuspage() as there:
        calling = replace(transports, statuspage_url=there.url, pace=RateLimiter(0))
        with pytest.raises(DeliveryError, match="answered 401") as error:
            await page(there, token="wrong-secret").send(message(), calling)
        assert "secret" not in str(error.value)
        await transports.web.request("GET", f"{there.url}/", {"Authorization": f"OAuth {there.token}"})
        with pytest.raises(DeliveryError, match="420") as error:
            await page(there).send(message(), calling)
        assert error.value.wait >= 60
        await asyncio.sleep(1)
        with pytest.raises(DeliveryError, match="404"):
            await page(there, page="nobodys").send(message(), calling)


async def test_a_token_is_used_once_a_second_and_who_would_wait_long_is_sent_away():
    pace, times, away = RateLimiter(1.0), [], []

    async def call(token):
        try:
            await pace.turn(token, calls=2)
            times.append((asyncio.get_running_loop().time(), token))
        except RateLimited as later:
            away.append(later.wait)

    await asyncio.gather(*(call("a") for _ in range(7)), call("b"))
    mine = sorted(at for at, token in times if token == "a")
    assert len(mine) == 4
    assert all(later - earlier > 0.95 for earlier, later in pairwise(mine))
    assert [round(wait) for wait in away] == [4, 6, 8]  # each with room for its calls
    begun = asyncio.get_running_loop().time()
    await pace.turn("a", calls=0)  # one who has begun is not sent away
    assert asyncio.get_running_loop().time() - begun < 1.1
