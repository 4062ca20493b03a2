"""What subscribers of status pages are told, from the form on the page to the mail in the inbox (contract H)."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.answers import refused
from contract.client import Client
from contract.target import eventually, listening
from mail_sink import MailSink

COMMANDS = "statuspage-cmd/v1"
LINK = re.compile(r"http://localhost:\d+(/status/\S+?/subscription/[\w=-]+)")


@pytest.fixture
async def told(client: Client) -> AsyncIterator[dict[str, Any]]:
    """A page that takes subscriptions, with two components."""
    components = [{"name": name, "type": "manual"} for name in ("Shop & <b>Bank</b>", "Search")]
    made = await client.page(name="Acme <status>", subscription_enabled=True, components=components)
    yield made
    await client("DELETE", f"{COMMANDS}/statuspage/{made['id']}")


async def mailed(mails: MailSink, address: str, count: int) -> list[EmailMessage]:
    """The mails of an address, in their order, once there are so many."""

    async def found() -> list[EmailMessage]:
        return [each for each in mails.mails if each["To"] == address]

    return await eventually(found, lambda seen: len(seen) >= count)


async def subscribed(client: Client, page: dict[str, Any], **settings: Any) -> tuple[str, str]:
    """Address and token of a verified subscription."""
    anybody = replace(client, token=None)
    address = f"{uuid4()}@example.net"
    body = {"channel_type": "email", "channel_value": address, "statuspage_id": page["id"]} | settings
    token = (await anybody("POST", f"{COMMANDS}/subscriptions", json=body)).json()["subscription"]["token"]
    assert (await anybody("PUT", f"{COMMANDS}/subscription/{token}/verification")).status_code == 200
    return address, token


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body
    return str(body.get_content()).replace("\r\n", "\n")


async def ledger(client: Client, page: dict[str, Any], channel: str) -> list[dict[str, Any]]:
    """What one channel or subscriber was told of a page: other tests' channels hear of it, too."""
    rows = (await client.get(f"statistic-query/v1/statuspage/{page['id']}/notifications", limit=1000))["data"]
    return [row for row in rows if channel in (row["channel"]["name"], row["channel"]["id"])]


async def test_form_link_incident_and_one_click_end_to_end(
    client: Client, http: httpx.AsyncClient, mails: MailSink, told: dict[str, Any]
):
    address, root = f"{uuid4()}@example.net", f"/status/{told['subdomain']}"
    asked = await http.post(f"{root}/subscribe", data={"email": address})
    assert (asked.status_code, "Check your inbox" in asked.text) == (200, True)
    (question,) = await mailed(mails, address, 1)
    assert question["Subject"] == "[Acme <status>] Confirm your subscription"
    assert question["List-Unsubscribe"] is None
    link = LINK.search(text_of(question))
    assert link
    assert link[1].startswith(root)
    for _ in range(2):  # a program that looks at links confirms nothing
        page = await http.get(link[1])
        assert (page.status_code, "Confirm the subscription" in page.text) == (200, True)
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    rows = (await client.get(f"statuspage-query/v1/statuspage/{told['id']}/subscriptions"))["data"]
    assert [row["verified"] for row in rows] == [False]
    for _ in range(2):
        assert (await http.post(link[1])).status_code == 200
    assert "is told of incidents" in (await http.get(link[1])).text

    affected = [{"id": told["components"][0]["id"], "status": "offline"}]
    message = "<p>We look into <b>it</b>.</p><p>More at <a href='https://example.com/'>our blog</a>.</p>"
    it = await client.tells(told["id"], "incident", title="Payments & more fail", message=message, components=affected)
    await client.tells(told["id"], f"incident/{it['id']}/update", status="resolved", message="Repaired.")
    _, opened, resolved = await mailed(mails, address, 3)
    assert [str(each["Subject"]) for each in (opened, resolved)] == [
        "[Acme <status>] Investigating: Payments & more fail", "[Acme <status>] Resolved: Payments & more fail",
    ]  # fmt: skip
    text, html = text_of(opened), text_of(opened, "html")
    assert (
        "We look into it.\n\nMore at our blog (https://example.com/).\n\nAffected: Shop & <b>Bank</b> (major outage)"
        in text
    )
    assert re.search(rf"http://localhost:\d+{root}/incidents/{it['id']}\n", text)
    assert "Shop &amp; &lt;b&gt;Bank&lt;/b&gt; (major outage)" in html
    assert "Affected: Shop & <b>Bank</b>\n" in text_of(resolved)
    assert opened["References"] == resolved["References"]
    assert opened["Message-ID"] != resolved["Message-ID"]
    unsubscribe = re.fullmatch(r"<http://localhost:\d+(/\S+)>", opened["List-Unsubscribe"])
    assert unsubscribe
    assert unsubscribe[1] == f"{link[1]}/unsubscribe"
    assert opened["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    assert "Unsubscribe?" in (await http.get(unsubscribe[1])).text
    for _ in range(2):  # at once, and again without harm
        answer = await http.post(unsubscribe[1], data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    other, _ = await subscribed(client, told)
    await client.tells(told["id"], "incident", title="Another")
    await mailed(mails, other, 2)
    assert len(await mailed(mails, address, 3)) == 3
    assert (await http.post(link[1])).status_code == 200
    assert "You are unsubscribed" in (await http.get(link[1])).text


async def test_mails_and_pages_speak_the_subscribers_language(client: Client, http: httpx.AsyncClient, mails: MailSink):
    page = await client.page(name="Größe", subscription_enabled=True, language="de")
    address, german = f"{uuid4()}@example.net", {"Accept-Language": "tlh, de-AT;q=0.9, en;q=0.8"}
    root = f"/status/{page['subdomain']}"
    asked = await http.post(f"{root}/subscribe", data={"email": address}, headers=german)
    assert "Sehen Sie in Ihr Postfach" in asked.text
    (question,) = await mailed(mails, address, 1)
    assert question["Subject"] == "[Größe] Abonnement bestätigen"
    link = LINK.search(text_of(question))
    assert link
    assert '<html lang="de">' in (await http.get(link[1], headers=german)).text
    assert '<html lang="en">' in (await http.get(link[1])).text
    await http.post(link[1], headers=german)
    await client.tells(page["id"], "incident", title="Zahlungen")
    news = (await mailed(mails, address, 2))[1]
    assert news["Subject"] == "[Größe] Wird untersucht: Zahlungen"
    assert "Abbestellen" in text_of(news, "html")
    assert '<html lang="de">' in text_of(news, "html")
    await client("DELETE", f"{COMMANDS}/statuspage/{page['id']}")


async def test_links_that_nobody_sent_are_404(http: httpx.AsyncClient, told: dict[str, Any]):
    for path in (
        "/subscription/x",
        f"/status/{told['subdomain']}/subscription/<script>",
        "/subscription/x/unsubscribe",
    ):
        for method in ("GET", "POST"):
            answer = await http.request(method, path)
            assert answer.status_code == 404, path
            assert "<script>" not in answer.text
    refusal = await http.post(f"/status/{told['subdomain']}/subscribe", data={"email": '"><script>'})
    assert (refusal.status_code, "<script>" in refusal.text, "did not work" in refusal.text) == (422, False, True)


async def test_each_hears_of_what_it_has_chosen_in_order_and_each_by_itself(
    client: Client, mails: MailSink, told: dict[str, Any]
):
    shop, search = (each["id"] for each in told["components"])
    everything, _ = await subscribed(client, told)
    chosen, _ = await subscribed(client, told, components=[search])
    it = await client.tells(told["id"], "incident", title="A", components=[{"id": shop, "status": "degraded"}])
    for number in range(5):
        await client.tells(told["id"], f"incident/{it['id']}/update", status="identified", message=f"Step {number}")
    both = [{"id": shop, "status": "degraded"}, {"id": search, "status": "offline"}]
    await client.tells(told["id"], f"incident/{it['id']}/update", message="Search, too", components=both)
    await client.tells(told["id"], f"incident/{it['id']}/update", status="resolved", message="Over", components=[])
    await client.tells(told["id"], f"incident/{it['id']}/update", message="Silent", notify=False)
    await client.tells(told["id"], "incident", title="B")  # of the whole page

    heard = [text_of(each).partition("\n")[0] for each in await mailed(mails, everything, 10)]
    assert heard[2:9] == [*(f"Step {number}" for number in range(5)), "Search, too", "Over"]
    assert len(heard) == 10
    subjects = [str(each["Subject"]) for each in await mailed(mails, chosen, 4)]
    assert [each.partition("] ")[2] for each in subjects[1:]] == [
        "Identified: A", "Resolved: A", "Investigating: B",
    ]  # fmt: skip


async def test_edits_are_told_only_where_the_page_says_so(client: Client, mails: MailSink, told: dict[str, Any]):
    address, _ = await subscribed(client, told)
    it = await client.tells(told["id"], "incident", title="A")
    url = f"{COMMANDS}/statuspage/{told['id']}"
    await client("PUT", f"{url}/incident/{it['id']}", json={"title": "Silent"})
    await client("PUT", url, json={"notify_edits": True})
    await client("PUT", f"{url}/incident/{it['id']}", json={"title": "Loud"})
    subjects = [str(each["Subject"]).partition("] ")[2] for each in await mailed(mails, address, 3)]
    assert subjects[1:] == ["Investigating: A", "Edited: Investigating: Loud"]


async def test_maintenance_is_told_ahead_at_its_start_and_at_its_end(
    client: Client, mails: MailSink, told: dict[str, Any]
):
    address, _ = await subscribed(client, told)
    begins = datetime.now(UTC) + timedelta(seconds=3)
    times = {"scheduled_for": begins.isoformat(), "duration": 120}
    it = await client.tells(told["id"], "maintenance", title="Move", message="All at once", **times)
    await mailed(mails, address, 3)  # the clock begins it
    await client("POST", f"{COMMANDS}/statuspage/{told['id']}/maintenance/{it['id']}/end")
    found = await mailed(mails, address, 4)
    assert [str(each["Subject"]).partition("] ")[2] for each in found[1:]] == [
        "Scheduled maintenance: Move", "Maintenance in progress: Move", "Maintenance completed: Move",
    ]  # fmt: skip
    assert f"From {begins:%Y-%m-%d %H:%M} to {begins + timedelta(hours=2):%Y-%m-%d %H:%M} (UTC)." in text_of(found[1])


async def test_each_occurrence_of_recurring_maintenance_is_told_a_day_ahead(
    client: Client, mails: MailSink, told: dict[str, Any]
):
    address, _ = await subscribed(client, told)
    begins = datetime.now(UTC) + timedelta(seconds=5)
    times = {"scheduled_for": begins.isoformat(), "duration": 120, "rrule": "FREQ=DAILY;COUNT=3"}
    rule = await client.tells(told["id"], "maintenance", title="Move", **times)
    found = await mailed(mails, address, 4)
    subjects = [str(each["Subject"]).partition("] ")[2] for each in found[1:]]
    assert subjects[0] == "Scheduled maintenance: Move"
    assert sorted(subjects[1:]) == ["Maintenance in progress: Move", "Scheduled maintenance: Move"]
    ahead = found[1 + subjects.index("Scheduled maintenance: Move", 1)]
    assert f"From {begins + timedelta(days=1):%Y-%m-%d %H:%M}" in text_of(ahead)
    url = f"{COMMANDS}/statuspage/{told['id']}/maintenance/{rule['id']}"
    assert (await client("PUT", url, json={"rrule": times["rrule"], "title": "Same"})).status_code == 200
    await client.tells(told["id"], "incident", title="Last")
    assert "Last" in str((await mailed(mails, address, 5))[-1]["Subject"])


async def test_ledger_shows_all_that_was_told_of_a_page_and_no_link(
    client: Client, foreign: Client, mails: MailSink, told: dict[str, Any]
):
    address, token = await subscribed(client, told)
    it = await client.tells(told["id"], "incident", title="A")
    await mailed(mails, address, 2)
    rows = await eventually(
        lambda: ledger(client, told, address), lambda rows: [row["state"] for row in rows] == ["sent"] * 2
    )
    assert [row["what"] for row in rows] == ["incident", "verification"]
    assert rows[0]["channel"]["name"] == address
    assert rows[0]["attempts"][0]["delivered"]
    assert token not in str(rows)
    assert {each["Message-ID"] for each in await mailed(mails, address, 2)} == {
        f"<{row['id']}@pinghome>" for row in rows
    }
    refused(await foreign("GET", f"statistic-query/v1/statuspage/{told['id']}/notifications"), 404)
    await client("DELETE", f"{COMMANDS}/statuspage/{told['id']}/incident/{it['id']}")
    await client("DELETE", f"{COMMANDS}/statuspage/{told['id']}")
    await eventually(
        lambda: client("GET", f"statistic-query/v1/statuspage/{told['id']}/notifications"),
        lambda answer: answer.status_code == 404,
    )  # fmt: skip


async def test_page_that_goes_tells_nobody(client: Client, mails: MailSink, told: dict[str, Any]):
    address, _ = await subscribed(client, told)
    await mailed(mails, address, 1)
    await client("DELETE", f"{COMMANDS}/statuspage/{told['id']}")
    other = await client.page(subscription_enabled=True)
    witness, _ = await subscribed(client, other)
    await client.tells(other["id"], "incident", title="A")
    await mailed(mails, witness, 2)
    assert len(await mailed(mails, address, 1)) == 1


async def test_three_questions_a_day_and_no_more(client: Client, mails: MailSink, told: dict[str, Any]):
    anybody, address = replace(client, token=None), f"{uuid4()}@example.net"
    body = {"channel_type": "email", "channel_value": address, "statuspage_id": told["id"]}
    for _ in range(5):
        answer = await anybody("POST", f"{COMMANDS}/subscriptions", json=body)
        assert answer.status_code == 201
    await asyncio.gather(*(anybody("POST", f"{COMMANDS}/subscriptions", json=body) for _ in range(5)))
    await mailed(mails, address, 3)
    witness, _ = await subscribed(client, told)
    await mailed(mails, witness, 1)
    assert len(await mailed(mails, address, 3)) == 3


async def test_team_hears_once_of_what_a_person_publishes(client: Client, foreign: Client, told: dict[str, Any]):
    async with listening() as receiver, listening() as strangers:
        made = await client.channel(config={"url": receiver.url})
        theirs = await foreign.channel(config={"url": strangers.url})
        it = await client.tells(told["id"], "incident", title="Payments fail", message="<p>We look.</p>", notify=False)
        await client.tells(told["id"], f"incident/{it['id']}/update", status="resolved", message="Repaired.")
        begins = datetime.now(UTC) + timedelta(hours=1)
        move = await client.tells(
            told["id"], "maintenance", title="Move", scheduled_for=begins.isoformat(), duration=60
        )
        url = f"{COMMANDS}/statuspage/{told['id']}/maintenance/{move['id']}"
        await client("POST", f"{url}/start")
        await client("PUT", url, json={"title": "Moving"})
        await client("POST", f"{url}/end")

        async def heard() -> list[str]:
            return [json.loads(asked.body)["title"] for asked in receiver.asked]

        assert await eventually(heard, lambda seen: len(seen) >= 5) == [
            "Incident (investigating): Payments fail", "Incident update: resolved", "Maintenance scheduled: Move",
            "Maintenance started: Move", "Maintenance ended: Moving",
        ]  # fmt: skip
        assert await receiver.silent_for(1)
        text = json.loads(receiver.asked[0].body)["text"]
        assert text.startswith("We look.\n\nReported by ")
        assert strangers.asked == []
        rows = await ledger(client, told, made["id"])
        assert [row["what"] for row in reversed(rows)] == [
            "incident", "update", "maintenance-scheduled", "maintenance-started", "maintenance-ended",
        ]  # fmt: skip
        await client("DELETE", f"resource-cmd/v1/channel/{made['id']}")
        await foreign("DELETE", f"resource-cmd/v1/channel/{theirs['id']}")
