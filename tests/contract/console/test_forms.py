"""Every form says all that the API takes of its noun, and one that is saved as it is changes nothing."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from PIL import Image

from contract.client import SERVICE, Client
from contract.console.viewing import form_of, send, signed_in, with_cookie
from running import TOKEN


@dataclass
class Made:
    """What there is to change: paths of the API by noun, and those of their forms."""

    read: dict[str, str]
    form: dict[str, str]


@pytest.fixture(scope="module")
async def session(web: httpx.AsyncClient) -> str:
    """Somebody of the first organisation."""
    return await signed_in(web, TOKEN)


@pytest.fixture(scope="module")
async def made(client: Client) -> AsyncIterator[Made]:
    """One of each noun, with every field other than it is by default."""

    async def post(path: str, **body: Any) -> str:
        answer = await client("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    own = {"service_id": SERVICE, "name": "All of it", "tags": ["one", "two"]}
    webhook = {"name": "Forms", "kind": "webhook", "service_id": SERVICE, "config": {"url": "http://127.0.0.1:9/hook"}}
    channel = await post("resource-cmd/v1/channel", **webhook)
    parent = await post("resource-cmd/v1/server-resource", service_id=SERVICE, name="Its parent")
    monitor = await post(
        "resource-cmd/v1/resource", **own, type="http", url="https://example.com/?a=b&c=%20d", method="POST",
        data="key word", grace_period=1, recovery_period=2, maintenance_cron_expression="0 3 * * 0",
        maintenance_duration=3, skip_ssl_error=True, not_follow_redirect=True, max_redirects=4, body="{\n}\n",
        headers={"X-Secret": "hidden"}, interval=86400, regions=["eu-central-1", "us-east-1"], parent_id=parent,
        channels=[channel],
        conditions=[
            {"type": "response-json-check", "key": "a.b[0]", "operator": "equal", "values": ["1", "2"]},
            {"type": "response-status-check", "key": "", "operator": "less-than", "values": ["300"]},
        ],
    )  # fmt: skip
    dns = await post(
        "resource-cmd/v1/resource", service_id=SERVICE, name="Name", type="dns", host="example.com", data="A 9.9.9.9",
        url="dns://9.9.9.9", regions=["eu-central-1"], interval=86400,
    )  # fmt: skip
    heartbeat = await post(
        "resource-cmd/v1/heartbeat", **own, interval=7, schedule="5 4 * * 1", timezone="Asia/Tokyo", grace=11,
        description="  two\n lines ", methods=["PUT", "DELETE"], channels=[],
    )  # fmt: skip
    server = await post(
        "resource-cmd/v1/server-resource", **own, description="x\ny", timezone="Asia/Tokyo", interval=3600,
        chart_type_default="bar", channels=[channel], parent_id=parent, reboot_alert=True, os="debian",
        metric_types_basic=["swap-usage"],
        thresholds=[{"type": "memory-usage", "field": "percent", "operator": "less-than", "value": 1.5, "minutes": 2}],
    )  # fmt: skip
    page = await post(
        "statuspage-cmd/v1/statuspage", name="All of it", description="a\nb", subdomain="all-of-it", type="private",
        ip_addresses=["192.0.2.0/24"], domain="all.example.net", page_name="A tab", theme="dark", language="de",
        accent_color="#123456", timezone="Asia/Tokyo", redirect_to_https=True, remove_branding=True,
        robots_meta_contents=["noindex", "nofollow"], website_url="https://example.net/",
        privacy_url="https://example.net/p", support_url="https://example.net/s", ga_tracking="G-ABCD1234",
        subscription_enabled=True, failing_first=True, auto_incidents=True, auto_incident_delay=240, notify_edits=True,
        components=[
            {"name": "By hand", "type": "manual", "status": "degraded", "description": "why", "showcased": False},
            {"name": "Followed", "type": "resource", "resource_id": monitor, "status": "offline"},
        ],
        groups=[{"name": "Group", "description": "of", "components": [{"name": "In it", "type": "manual"}]}],
    )  # fmt: skip
    root, query = f"statuspage-cmd/v1/statuspage/{page}", f"statuspage-query/v1/statuspage/{page}"
    component = (await client.get(f"{query}/components"))["data"][0]["id"]
    told = {
        "title": "All of it", "message": "<b>a</b>", "status": "identified", "impact": "none",
        "components": [{"id": component, "status": "partial-outage"}],
    }  # fmt: skip
    incident = await post(f"{root}/incident", **told, occurred_at="2026-01-02T03:04:00Z", notify=False)
    update = await post(f"{root}/incident/{incident}/update", status="monitoring", message="<i>b</i>", notify=False)
    template = await post(f"{root}/template", name="All of it", **told)
    work = {"title": "All of it", "message": "<b>a</b>", "components": [component], "notify": False}
    work |= {"scheduled_for": "2030-01-02T03:04:00Z", "silence_alerts": True, "duration": 77}
    once = await post(f"{root}/maintenance", **work)
    often = await post(f"{root}/maintenance", **work, rrule="FREQ=WEEKLY;BYDAY=SU", timezone="Asia/Tokyo")
    outside = await post(
        f"resource-cmd/v1/resource/{monitor}/integration", name="All", type="statuspageIo", integration="r276xxt51c23",
        items=["ggs24084vt79"], status="monitoring", message="a\nb", token="hidden",
    )  # fmt: skip
    await post(f"resource-cmd/v1/resource/{monitor}/ssl/reminder", days_before=[1, 9])
    of, at = f"resource-query/v1/resource/{monitor}", f"/incidents/{page}"
    yield Made(
        {
            "monitor": of,
            "dns": f"resource-query/v1/resource/{dns}",
            "heartbeat": f"resource-query/v1/heartbeat/{heartbeat}",
            "server": f"resource-query/v1/server-resource/{server}",
            "channel": f"resource-query/v1/channel/{channel}",
            "page": f"{query}/unified",
            "incident": f"{query}/incidents/{incident}",
            "update": f"{query}/incidents/{incident}",
            "template": f"{query}/templates/{template}",
            "maintenance": f"{query}/maintenances/{once}",
            "rule": f"{query}/maintenances/{often}",
            "integration": f"{of}/integrations",
            "reminders": f"{of}/ssl/reminder",
        },
        {
            "monitor": f"/monitors/{monitor}/edit",
            "dns": f"/monitors/{dns}/edit",
            "heartbeat": f"/heartbeats/{heartbeat}/edit",
            "server": f"/servers/{server}/edit",
            "channel": f"/alerts/{channel}",
            "page": f"/statuspages/{page}",
            "incident": f"{at}/incident/{incident}/edit",
            "update": f"{at}/incident/{incident}/update/{update}",
            "template": f"{at}/template/{template}/edit",
            "maintenance": f"{at}/maintenance/{once}/edit",
            "rule": f"{at}/maintenance/{often}/edit",
            "integration": f"/monitors/{monitor}/outside/{outside}",
            "reminders": f"/monitors/{monitor}/outside",
        },
    )
    for path in (
        root, f"resource-cmd/v1/resource?id={monitor}&id={dns}", f"resource-cmd/v1/channel/{channel}",
        f"resource-cmd/v1/server-resource?id={server}&id={parent}", f"resource-cmd/v1/heartbeat/{heartbeat}",
    ):  # fmt: skip
        assert (await client("DELETE", path)).status_code == 200


NOUNS = (
    "monitor", "dns", "heartbeat", "server", "channel", "page", "incident", "update", "template", "maintenance", "rule",
    "integration", "reminders",
)  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
async def test_form_that_is_saved_as_it_is_changes_nothing(
    web: httpx.AsyncClient, client: Client, session: str, made: Made, noun: str
):
    before = await client.get(made.read[noun])
    form = await form_of(web, session, made.form[noun])
    answer = await send(web, session, form)
    assert answer.status_code == 303, answer.text
    assert "done=" in answer.headers["location"]
    assert _lasting(await client.get(made.read[noun])) == _lasting(before)


def _lasting(it: Any) -> Any:
    if isinstance(it, list):
        return [_lasting(each) for each in it]
    passing = ("updated_at", "state", "reason", "state_changed_at", "last_checked_at", "response_time", "problem")
    return {key: _lasting(value) for key, value in it.items() if key not in passing} if isinstance(it, dict) else it


MODELS = {
    "monitor": ("resource-cmd", "/v1/resource/{id}"),
    "heartbeat": ("resource-cmd", "/v1/heartbeat/{id}"),
    "server": ("resource-cmd", "/v1/server-resource/{id}"),
    "page": ("statuspage-cmd", "/v1/statuspage/{id}"),
    "incident": ("statuspage-cmd", "/v1/statuspage/{id}/incident/{incident}"),
    "update": ("statuspage-cmd", "/v1/statuspage/{id}/incident/{incident}/update/{update}"),
    "template": ("statuspage-cmd", "/v1/statuspage/{id}/template/{template}"),
    "rule": ("statuspage-cmd", "/v1/statuspage/{id}/maintenance/{maintenance}"),
    "integration": ("resource-cmd", "/v1/resource/{id}/integration/{integration}"),
}
KNOWN_BY = {
    "monitor": {
        "type",  # does not change
        "host", "port",  # forms of other types ask for them
        "enabled",  # a button
        "is_advanced",  # nothing acts on it
    },
    "heartbeat": {"enabled"},
    "server": {"enabled", "os", "metric_types_basic", "metric_types_advanced", "metric_types_complex"},
    "page": {
        "components", "groups",  # their rows
        "update_password",  # a password that is typed
        "dark_theme", "logo", "favicon",  # the theme; uploads
    },
    "incident": {"components"}, "template": {"components"},
    "rule": {"components", "ends_at", "timezone"},  # what lasts has a duration; the zone is the viewer's
    "update": {"components"},  # from its own time on: another update says so
}  # fmt: skip


@pytest.mark.parametrize("noun", MODELS)
async def test_form_says_all_that_the_api_takes(
    web: httpx.AsyncClient, http: httpx.AsyncClient, session: str, made: Made, noun: str
):
    service, path = MODELS[noun]
    document = (await http.get(f"/{service}/openapi.json")).json()
    body = document["paths"][path]["put"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = set(document["components"]["schemas"][body.rpartition("/")[2]]["properties"])
    names = {name.partition(".")[0] for name in (await form_of(web, session, made.form[noun])).names}
    assert fields - names - KNOWN_BY.get(noun, set()) == set()


async def test_picture_of_a_page_is_uploaded_drawn_anew_and_taken_away(
    web: httpx.AsyncClient, client: Client, session: str, made: Made
):
    at = made.form["page"]
    form = await form_of(web, session, at, f"{at}/logo")
    drawn = io.BytesIO()
    Image.effect_noise((64, 32), 100).convert("RGB").save(drawn, "JPEG")

    async def upload(content: bytes, name: str, kind: str) -> httpx.Response:
        files = {"picture": (name, content, kind)}
        return await web.post(f"{at}/logo", data=dict(form.pairs), files=files, headers=with_cookie(session))

    for evil in (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"<html>", b""):
        refused = await upload(evil, "evil.svg", "image/svg+xml")
        assert refused.status_code == 422, refused.text
    assert (await upload(b"x" * (3 << 20), "large.png", "image/png")).status_code == 413
    assert (await upload(drawn.getvalue(), "logo.jpg", "image/jpeg")).status_code == 303
    logo = (await client.get(made.read["page"]))["theme"]["logo"]
    assert logo.endswith(".png")
    assert "data:image/png;base64," in (await web.get(f"{at}/preview", headers=with_cookie(session))).text
    await send(web, session, await form_of(web, session, at, f"{at}/logo"), do="remove")
    assert (await client.get(made.read["page"]))["theme"]["logo"] == ""


async def test_addresses_are_brought_to_a_page(web: httpx.AsyncClient, client: Client, session: str, made: Made):
    at = f"{made.form['page']}/subscribers"
    wrong = await send(web, session, await form_of(web, session, at), addresses="ada@example.com\nno address")
    assert wrong.status_code == 422
    assert "no address" in wrong.text
    answer = await send(web, session, await form_of(web, session, at), addresses="ada@example.com\nbob@example.com\n")
    assert answer.headers["location"].endswith("done=brought&count=2")
    found = await client.get(made.read["page"].replace("unified", "subscriptions"))
    assert {each["channel_value"]: each["verified"] for each in found["data"]} == {
        "ada@example.com": True, "bob@example.com": True
    }  # fmt: skip


async def test_postmortem_is_written_and_taken_back(web: httpx.AsyncClient, client: Client, session: str, made: Made):
    at = made.form["incident"].removesuffix("/edit")
    for text in ("<b>Learnt</b>", ""):
        answer = await send(web, session, await form_of(web, session, at, f"{at}/postmortem"), message=text)
        assert answer.status_code == 303, answer.text
        assert (await client.get(made.read["incident"]))["postmortem"] == text


async def test_reminders_are_changed_and_wrong_days_are_named(
    web: httpx.AsyncClient, client: Client, session: str, made: Made
):
    at, domain = made.form["reminders"], made.read["reminders"].replace("ssl", "tld")
    wrong = await send(web, session, await form_of(web, session, at), tld="400")
    assert wrong.status_code == 422
    assert "365" in wrong.text
    assert (await send(web, session, await form_of(web, session, at), tld="30, 7")).status_code == 303
    assert (await client.get(domain))["days_before"] == [7, 30]
    assert (await send(web, session, await form_of(web, session, at), tld="")).status_code == 303
    assert (await client("GET", domain)).status_code == 404


@pytest.mark.parametrize(
    ("of", "where"),
    [
        ("statuspageIo", "r276xxt51c24"),
        ("webhook", "https://hooks.example.com/x"),
        ("slack", "https://hooks.slack.com/services/x"),
        ("email", "oncall@example.com"),
    ],
)
async def test_integration_of_each_type_is_made_and_ended(
    web: httpx.AsyncClient, client: Client, session: str, made: Made, of: str, where: str
):
    root = made.form["reminders"]
    form = await form_of(web, session, f"{root}/new?type={of}", f"{root}/new")
    answer = await send(web, session, form, name="Outside", integration=where)
    assert answer.status_code == (200 if of == "webhook" else 303), answer.text  # its secret is shown once
    found = {each["type"]: each["id"] for each in (await client.get(made.read["integration"]))["data"]}
    id_ = found[of]  # the newest
    await send(web, session, await form_of(web, session, f"{root}/{id_}", f"{root}/{id_}/delete"))
    assert id_ not in {each["id"] for each in (await client.get(made.read["integration"]))["data"]}


async def test_template_and_update_are_deleted(web: httpx.AsyncClient, client: Client, session: str, made: Made):
    """Last: the others use them."""
    template = made.form["template"].removesuffix("/edit")
    await send(web, session, await form_of(web, session, f"{template}/edit", f"{template}/delete"))
    assert (await client("GET", made.read["template"])).status_code == 404
    update = made.form["update"]
    await send(web, session, await form_of(web, session, update, f"{update}/delete"))
    assert (await client.get(made.read["update"]))["updates"] == []
