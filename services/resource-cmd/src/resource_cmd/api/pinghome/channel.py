"""Commands on channels: our own noun, for the documents speak of alerts and define no way to get them (contract F)."""

from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from uuid_utils.compat import uuid4, uuid7

from pinghome_common.clock import now
from pinghome_common.dialects import pinghome_alerts as documents
from pinghome_common.dialects.pinghome import MASK, Authorized, Router, answer
from pinghome_common.dialects.pinghome_documents import gone, made, shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.dialects.problems import problem
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.channel import Channel
from pinghome_common.events.notification import Notification
from pinghome_common.secret import derive
from pinghome_common.store import Actor, no_wait
from pinghome_delivery.confirm import expect
from pinghome_delivery.message import DeliveryError, Kind, PartlyDelivered
from pinghome_delivery.outbox import compose
from pinghome_delivery.providers import CHANNELS, merged, opened, read, sealed
from pinghome_delivery.webhook import Webhook, new_secret
from resource_cmd.api.pinghome.channel_body import CreateChannel, UpdateChannel
from resource_cmd.api.pinghome.command import Commanded, PingHomeCommand
from resource_cmd.delivery.audience import opened_usable, usable
from resource_cmd.delivery.store import Channels

routes = Router(tags=["Channels"])

TOO_MANY: dict[int | str, dict[str, Any]] = {429: problem("too many tests in a minute")}


def _known(kind: str) -> str:
    if kind not in CHANNELS:
        raise Invalid(FieldError("kind", "must be one of " + ", ".join(CHANNELS)))
    return kind


async def _with(it: Channel, config: Kind, command: PingHomeCommand) -> Channel:
    await config.check(command.state.transports)
    await expect(command.tx, it.organisation, config, command.state.transports)
    _, problem = await usable(command.tx, config, it.organisation, command.state.transports)
    key = derive(command.state.settings.secret_key, "channel")
    return replace(it, shown=config.shown(MASK), sealed=sealed(key, config), problem=problem, updated_at=command.now)


def _made(config: Kind) -> str:
    """The secret that was made because a webhook came without one; empty when none was."""
    if not isinstance(config, Webhook) or config.secret:
        return ""
    config.secret = new_secret()
    return config.secret


@routes.post("/v1/channel", status_code=201, responses=made("channel", documents.CHANNEL, 201))
async def create(body: CreateChannel, command: Commanded) -> Response:
    """Creates a channel. A webhook's secret is made where none is sent, and shown this once (our extension)."""
    config = read(_known(body.kind), body.config)
    secret = _made(config)
    state = await _with(
        Channel(
            id=uuid7(),
            organisation=command.caller.organisation,
            service_id=body.service_id,
            name=body.name,
            kind=body.kind,
            created_at=command.now,
            updated_at=command.now,
        ),
        config,
        command,
    )
    row = await command.channels.add(state)
    kept = {"message": "Channel created", "channel": documents.channel(state), "id": state.id}
    shown = kept | {"channel": documents.channel(state, secret)}
    return command.answer(shown, 201, row.version, kept)


@routes.put("/v1/channel/{id}", responses=made("channel", documents.CHANNEL))
async def update(id: Id, body: UpdateChannel, command: Commanded) -> Response:  # noqa: A002
    """Changes the settings that are sent; a mask sent back means unchanged (our extension).

    A webhook's secret stays only with its host; an empty one has another made, which is shown this once.
    """
    row = await command.channels.edit(id, command.wanted)
    it = row.state
    if "kind" in body.model_fields_set and body.kind != it.kind:
        raise Invalid(FieldError("kind", f"cannot change from {it.kind}: create another channel instead"))
    if "name" in body.model_fields_set:
        it.name = body.name
    it.service_id = body.service_id or it.service_id
    old = opened(derive(command.state.settings.secret_key, "channel"), it)
    config = read(it.kind, merged(old, it.shown, body.config, MASK))
    secret = _made(config)
    row.state = await _with(it, config, command)
    await command.channels.save(row)
    document = documents.channel(row.state, secret)
    return command.answer({"message": "Channel updated", "channel": document, "id": id}, version=row.version)


@routes.delete("/v1/channel/{id}", responses=gone("channel"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a channel, and takes it out of whatever names it; what it was not told yet is shown as failed."""
    row = await command.channels.edit(id, command.wanted)
    await command.channels.withdraw(id, command.services, command.resources, command.heartbeats, command.servers)
    await command.channels.remove(row)
    return command.answer({"message": "Channel deleted", "id": id})


@routes.post("/v1/channel/{id}/test", responses=shows(documents.TESTED) | TOO_MANY)
async def test(id: Id, caller: Authorized, request: Request) -> Response:  # noqa: A002
    """Sends a test now, waits for it at most 20 seconds, and answers what happened (our extension).

    An organisation may send `PINGHOME_CHANNEL_TESTS_PER_MINUTE`; then it is answered 429.
    """
    state, at = request.app.state, now()
    async with state.db.transaction() as tx:  # not held while the receiver takes its time
        row = await Channels(tx, Actor(str(caller.key), caller.organisation), no_wait, at).edit(id)
        key = derive(state.settings.secret_key, "channel")
        kind, error = await opened_usable(tx, row.state, key, state.transports)
    state.tests.count(caller.organisation)
    if kind:
        error = ""
        try:
            await kind.send(compose([_test(row.state, at)]), state.transports)
        except DeliveryError as problem:
            error = str(problem)
        except PartlyDelivered as part:
            error = "; ".join(refusal.sentence for refusal in part.refused.values())
    return answer({"message": error or "Delivered", "delivered": not error, "error": error, "id": id})


def _test(it: Channel, at: Any) -> Notification:
    return Notification(
        id=uuid4(),
        organisation=it.organisation,
        channel=it.id,
        channel_name=it.name,
        channel_kind=it.kind,
        noun="channel",
        about=it.id,
        about_version=0,
        what="test",
        at=at,
        title="A test of Pinghome",
        text=f"This is a test of the channel {it.name}. You will be told here what happens to your monitors.",
        created_at=at,
    )
