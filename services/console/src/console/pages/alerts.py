"""Who is told, and what they were told."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.pages.deleting import delete_named
from console.render import page
from console.viewer import GUARDED, Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

KINDS = (("webhook", "Webhook"), ("email", "E-mail"), ("apprise", "Chat and others"))
STATES = ("failed", "waiting", "held", "sent", "suppressed")
LIMIT = LEDGER = 50
_CONFIG = {
    "webhook": [
        Field(
            "url",
            "Address",
            "web",
            "It gets a POST with JSON, signed by the secret.",
            required=True,
            example="https://hooks.example.com/pinghome",
            secret=True,
        ),
        Field(
            "secret",
            "Secret",
            "secret",
            "Leave it empty to have one made, or to keep the one that there is.",
            more=True,
        ),
    ],
    "email": [
        Field(
            "to",
            "Addresses",
            "lines",
            "One in each line. Each is asked by mail whether it agrees.",
            default=[],
            required=True,
            example="oncall@example.com",
        )
    ],
    "apprise": [
        Field(
            "url",
            "Apprise URL",
            "web",
            "Of a service with a fixed host, such as Telegram, Discord or PagerDuty.",
            required=True,
            example="tgram://bottoken/ChatID",
            secret=True,
        )
    ],
}


def fields(kind: str, services: Sequence[tuple[str, str]]) -> list[Field]:
    """The form of a kind."""
    first = services[0][0] if services else ""
    return [
        Field("name", "Name", required=True, example="On call"),
        *_CONFIG[kind],
        Field("service_id", "Service", "choice", "What it belongs to.", services, first),
    ]


@routes.get("/alerts")
async def alerts(v: Somebody, q: str = "", number: Annotated[int, Query(alias="page")] = 1) -> Response:
    """The channels, and where each is used."""
    number = max(number, 1)
    found, services, told = await asyncio.gather(
        v.api.get("resource-query/v1/channels", limit=LIMIT, page=number, q=q[:100]),
        v.api.all("resource-query/v1/services"),
        v.api.get("statistic-query/v1/notifications", limit=10),
    )
    return page(
        v,
        "alerts.html",
        found=found,
        number=number,
        pages=max(1, -(-found["total"] // LIMIT)),
        services=services,
        told=told["data"],
        q=q[:100],
        kinds=dict(KINDS),
    )


@routes.get("/alerts/sent")
async def ledger(
    v: Somebody, state: Annotated[list[str], Query(default_factory=list)], channel: str = "", before: str = ""
) -> Response:
    """What was told, newest first, with every attempt."""
    found, channels = await asyncio.gather(
        v.api.get(
            "statistic-query/v1/notifications",
            state=[each for each in state if each in STATES],
            channel=channel,
            before=before,
            limit=LEDGER,
        ),
        v.api.all("resource-query/v1/channels"),
    )
    told = found["data"]
    return page(
        v,
        "ledger.html",
        told=told,
        channels=channels,
        state=state,
        channel=channel,
        before=before,
        states=STATES,
        older=told[-1]["id"] if len(told) == LEDGER else "",
    )


@routes.get("/alerts/new")
async def new(v: Somebody, kind: str = "webhook") -> Response:
    """The form of a new channel."""
    kind = kind if kind in _CONFIG else "webhook"
    return _show(v, Shown.of(fields(kind, await _services(v))), kind, None)


@routes.post("/alerts/new")
async def make(v: Somebody, form: Form) -> Response:
    """Makes a channel; a secret that was made with it is shown once."""
    kind = form.one("type") if form.one("type") in _CONFIG else "webhook"
    shown = Shown.posted(fields(kind, await _services(v)), form)
    try:
        made = await v.api.send("POST", "resource-cmd/v1/channel", _body(shown, kind) | {"kind": kind}, shown.key)
    except (Refused, Away) as error:
        return _show(v, shown.refused(error), kind, None)
    secret = made["channel"]["config"].get("secret", "")
    if kind == "webhook" and not shown.values["secret"] and secret and "*" not in secret:
        return page(v, "secret.html", it=made["channel"], secret=secret, back=f"/alerts/{made['id']}")
    return v.goto(f"/alerts/{made['id']}", done="made")


@routes.get("/alerts/{id}")
async def channel(v: Somebody, id: str) -> Response:  # noqa: A002
    """A channel, what it was told, and the form to change it."""
    it, told = await asyncio.gather(
        v.api.get(f"resource-query/v1/channel/{id}"),
        v.api.get("statistic-query/v1/notifications", channel=id, limit=20),
    )
    document = it | it["config"]
    return _show(
        v, Shown.of(fields(it["kind"], await _services(v)), document | {"secret": ""}), it["kind"], it, told["data"]
    )


@routes.post("/alerts/{id}")
async def change(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Changes a channel."""
    it = await v.api.get(f"resource-query/v1/channel/{id}")
    shown = Shown.posted(fields(it["kind"], await _services(v)), form)
    try:
        await v.api.send("PUT", f"resource-cmd/v1/channel/{id}", _body(shown, it["kind"]))
    except (Refused, Away) as error:
        return _show(v, shown.refused(error), it["kind"], it)
    return v.goto(f"/alerts/{id}", done="saved")


@routes.post("/alerts/{id}/test", dependencies=GUARDED)
async def test(v: Somebody, id: str) -> Response:  # noqa: A002
    """Sends a test, and says what came back."""
    it = await v.api.get(f"resource-query/v1/channel/{id}")
    try:
        said = await v.api.send("POST", f"resource-cmd/v1/channel/{id}/test")
    except Refused as refusal:
        said = {"delivered": False, "error": refusal.message}
    document = it | it["config"] | {"secret": ""}
    shown = Shown.of(fields(it["kind"], await _services(v)), document)
    return _show(v, shown, it["kind"], it, tested=said)


@routes.post("/alerts/{id}/delete")
async def delete(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Deletes a channel."""
    path = f"v1/channel/{id}"
    return await delete_named(v, form, f"/alerts/{id}", f"resource-query/{path}", "DELETE", f"resource-cmd/{path}")


async def _services(v: Viewer) -> list[tuple[str, str]]:
    return [(each["id"], each["name"]) for each in await v.api.all("resource-query/v1/services")]


def _body(shown: Shown, kind: str) -> dict[str, Any]:
    body, config = shown.body(), {each.name for each in _CONFIG[kind]}
    return {name: value for name, value in body.items() if name not in config} | {
        "config": {name: value for name, value in body.items() if name in config}
    }


def _show(
    v: Viewer, form: Shown, kind: str, it: Any, told: Sequence[Any] = (), tested: dict[str, Any] | None = None
) -> Response:
    return page(v, "channel.html", form.status, form=form, kind=kind, kinds=KINDS, it=it, told=told, tested=tested)
