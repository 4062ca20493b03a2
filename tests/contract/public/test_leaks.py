"""Nothing that is not for the public is in any public answer: canaries in every field of what is hidden."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.client import Client
from contract.pinghome.watched import watched
from contract.public.owning import BELOW, changed, made, paths, told
from contract.target import eventually, listening
from mail_sink import MailSink

SECRETS = ("domain_token", "shields_key", "organisation", "password", "ip_addresses", "subscription_enabled")


async def everything(web: httpx.AsyncClient, page: dict[str, Any], *ids: str) -> dict[str, str]:
    """Every public answer of a page by path, with its headers, at both of its addresses, and errors, too."""
    found = {}
    for path in paths(*ids):
        for root, host in ((f"/status/{page['subdomain']}", {}), ("", {"Host": f"{page['subdomain']}.{BELOW}"})):
            if path.endswith("/events"):
                continue
            answer = await web.get(root + path or "/", headers=host)
            found[root + path] = f"{answer.text} {answer.headers}"
    return found


@pytest.fixture
async def hidden(owner: Client, web: httpx.AsyncClient) -> tuple[dict[str, Any], list[str], list[str]]:
    """A page with much that is hidden; the ids of what can be asked for; the canaries."""
    canary = f"canary{uuid4().hex}"
    monitor = await owner.resource(name=f"{canary} monitor", url=f"http://127.0.0.1:1/{canary}")
    follows = {"type": "resource", "resource_id": monitor["id"]}
    concealed = {"name": f"{canary} hidden", "description": canary, "showcased": False, "status": "offline", **follows}
    page = await made(
        owner,
        name="Acme",
        components=[{"name": "Seen", **follows}, concealed],
        groups=[{"name": f"{canary} group", "components": [{**concealed, "name": f"{canary} grouped"}]}],
        ip_addresses=["192.0.2.199"],
        password=f"{canary} password",
    )
    seen, secret = (each["id"] for each in page["components"])
    gone = {"id": secret, "status": "offline"}
    incident = await told(owner, page, title=f"{canary} of hidden", message=canary, components=[gone])
    begins = "2030-01-01T00:00:00Z"
    await told(owner, page, "maintenance", title=canary, scheduled_for=begins, duration=5, components=[secret])
    both = [gone, {"id": seen, "status": "degraded"}]
    shared = await told(owner, page, title="Of both", message="Seen by all", components=both)
    template = {"name": canary, "title": canary, "message": canary}
    await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/template", json=template)
    body = {"addresses": [f"{canary}@example.com"]}
    await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/subscriptions", json=body)
    await eventually(lambda: web.get(f"/status/{page['subdomain']}"), lambda it: "Of both" in it.text)
    canaries = [canary, monitor["id"], secret, page["shields_key"], "192.0.2.199", incident["id"]]
    return page, [seen, secret, incident["id"], shared["id"]], canaries


async def test_hidden_components_targets_subscribers_and_templates_are_nowhere(
    web: httpx.AsyncClient, hidden: tuple[dict[str, Any], list[str], list[str]]
):
    page, ids, canaries = hidden

    answers = await everything(web, page, *ids)

    assert any("Of both" in text for text in answers.values())
    for path, text in answers.items():
        for canary in canaries:
            if canary in text:
                assert canary in path, f"{canary} in {path}"  # what was asked for may be repeated, as in Location
                assert canary not in text.replace(path, ""), f"{canary} in {path}"


async def test_hidden_component_changes_no_answer(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, components=[{"name": "Seen", "type": "manual"}])
    seen = page["components"][0]["id"]
    url = f"/status/{page['subdomain']}"
    before = await everything(web, page, seen)

    concealed = {"name": "Hidden", "type": "manual", "status": "offline", "showcased": False}
    kept = {"id": seen, "name": "Seen", "type": "manual"}
    await changed(owner, page, components=[kept, concealed])
    await eventually(lambda: owner.get(f"statuspage-query/v1/statuspage/{page['id']}/components"),
                     lambda it: len(it["data"]) == 2)  # fmt: skip

    def stripped(answers: dict[str, str]) -> dict[str, str]:
        """Without times and what is made of them."""
        times = re.compile(
            r"\d{4}-\d\d-\d\dT[\d:.]+Z|'(x-request-id|date|content-length)': '[^']*'|W/\"\w+\""
            r"|\w{3}, \d\d \w{3} [^<]*GMT"
        )
        return {path: times.sub("", text) for path, text in answers.items()}

    assert stripped(await everything(web, page, seen)) == stripped(before)
    assert (await web.get(url)).status_code == 200


async def test_what_the_clock_has_said_does_not_name_what_is_hidden_since(
    owner: Client, web: httpx.AsyncClient, mails: MailSink
):
    canary = f"canary{uuid4().hex}"
    async with listening() as site:
        monitors = [await watched(owner, site) for _ in range(2)]
        names = ("Seen", canary)
        listed = [
            {"name": name, "type": "resource", "resource_id": it.id} for name, it in zip(names, monitors, strict=True)
        ]
        page = await made(owner, components=listed, auto_incidents=True, auto_incident_delay=0)
        subscriber = f"{page['subdomain']}@example.com"
        addresses = {"addresses": [subscriber]}
        await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/subscriptions", json=addresses)
        for it in monitors:
            await it.until("up")
    url = f"statuspage-query/v1/statuspage/{page['id']}/incidents"

    def of_both(found: dict[str, Any]) -> bool:
        return any(len(each["components"]) == 2 for each in found["data"])

    (incident,) = (await eventually(lambda: owner.get(url), of_both))["data"]
    shown = f"/status/{page['subdomain']}"
    assert canary in (await web.get(shown)).text
    ids = [incident["id"], *(each["id"] for each in page["components"])]

    kept = [{"id": each["id"], **settings} for each, settings in zip(page["components"], listed, strict=True)]
    await changed(owner, page, components=[kept[0], kept[1] | {"showcased": False}])

    answers = await everything(web, page, *ids)
    assert [path for path, text in answers.items() if canary in text] == []
    assert "Seen is down" in answers[shown]

    before = len(mails.mails)
    update = {"status": "resolved", "message": "It works"}
    answer = await owner(
        "POST", f"statuspage-cmd/v1/statuspage/{page['id']}/incident/{incident['id']}/update", json=update
    )
    assert answer.status_code == 201

    async def written() -> list[str]:
        pairs = list(zip(mails.mails, mails.recipients, strict=True))[before:]
        return [str(mail) for mail, to in pairs if to == [subscriber] and "It works" in str(mail)]

    (mail,) = await eventually(written, bool)
    assert canary not in mail


async def test_nothing_of_a_pages_settings_is_in_its_data(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    for path in ("/api/v2/summary.json", "/feed.json"):
        text = (await web.get(f"/status/{page['subdomain']}{path}")).text
        for word in SECRETS:
            assert word not in text


EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>javascript:alert(3)"


async def test_markup_in_texts_stays_text_and_of_messages_only_what_is_harmless(owner: Client, web: httpx.AsyncClient):
    page = await made(
        owner,
        name=EVIL,
        description=EVIL,
        page_name=EVIL,
        components=[{"name": EVIL, "description": EVIL, "type": "manual"}],
        groups=[{"name": EVIL, "components": [{"name": "In it", "type": "manual"}]}],
    )
    message = f"<b>fine</b>{EVIL}<a href='javascript:alert(4)'>x</a><svg onload=alert(5)>"
    incident = await told(owner, page, title=EVIL, message=message)
    begins = "2030-01-01T00:00:00Z"
    await told(owner, page, "maintenance", title=EVIL, message=message, scheduled_for=begins, duration=5)
    await eventually(lambda: web.get(f"/status/{page['subdomain']}"), lambda it: "<b>fine</b>" in it.text)

    for path, text in (await everything(web, page, incident["id"], page["components"][0]["id"])).items():
        if "json" not in path:
            for word in ("<img", "<script>", "<svg onload", 'href="javascript'):
                assert word not in text, path
