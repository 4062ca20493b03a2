"""Commands on subscriptions: contract A51 to A53 and H, pinghome-statuspages.txt lines 497 to 575."""

from fastapi import Request, Response

from pinghome_common.dialects import pinghome_subscriptions as documents
from pinghome_common.dialects.pinghome import MASK, Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.events.subscription import ChannelType, Subscription
from statuspage_cmd.api.pinghome.command import Commanded, Subscribing, origins
from statuspage_cmd.api.pinghome.subscription_body import Import, Subscribe
from statuspage_cmd.subscriptions import subscription
from statuspage_cmd.subscriptions.asking import Wish
from statuspage_cmd.subscriptions.keys import Keys
from statuspage_cmd.subscriptions.token import read_token, token
from statuspage_cmd.subscriptions.which import Said

public = Router(tags=["Subscriptions"], public=True, bare=True)
routes = Router(tags=["Subscriptions"], bare=True)


@public.post(
    "/v1/subscriptions",
    status_code=201,
    responses=shows(documents.asked(ChannelType.email, "info@pinghome.dev"), 201),
)
async def create(body: Subscribe, subscribing: Subscribing, request: Request) -> Response:
    """Asks an address whether it wants to be told of incidents and maintenance; needs no token (A51).

    The page is named by `domain` or `statuspage_id`, or by where the request comes from; otherwise it is the only one,
    or all. The answer is the same whether the address is known or not.
    """
    wish = Wish(
        channel_type=body.channel_type,
        value=body.channel_value,
        said=Said(domain=body.domain, page=body.statuspage_id, urls=origins(request)),
        chosen=body.chosen(),
        mask=MASK,
    )
    it = await subscribing.request(wish)
    state = request.app.state
    shown = token(state.keys.tokens, it.id) if state.settings.expose_tokens else ""
    return answer(documents.asked(body.channel_type, body.channel_value, shown), 201)


@public.put("/v1/subscription/{token}/verification", responses=documents.done("verified"))
async def set_verified(token: str, subscribing: Subscribing, request: Request) -> Response:
    """Verifies a subscription within 24 hours; needs no token but its own (A52)."""
    it = await subscribing.verify(read_token(_keys(request).tokens, token))
    return answer({"message": "Subscription verified", "id": it.id})


@public.delete("/v1/subscription/{token}", responses=documents.done("deleted"))
async def delete(token: str, subscribing: Subscribing, request: Request) -> Response:
    """Ends a subscription, at any time; needs no token but its own (A53)."""
    id_ = read_token(_keys(request).tokens, token)
    await subscribing.subscriptions.cancel(id_)
    return answer({"message": "Subscription deleted", "id": id_})


@routes.post("/v1/statuspage/{id}/subscriptions", status_code=201, responses=shows(documents.IMPORTED, 201))
async def bring(id: Id, body: Import, command: Commanded) -> Response:  # noqa: A002  # the document's word
    """Subscribes mail addresses that were confirmed elsewhere; nobody is mailed (our extension).

    Addresses that are subscribed already stay as they are.
    """
    page = (await command.pages.edit(id)).state
    chosen = body.chosen()
    subscription.check(chosen, [page])
    addresses = list({each.lower(): each for each in body.addresses}.values())
    await command.subscriptions.check_limit([page.id], command.settings.subscribers_limit, len(addresses))
    template = Subscription(
        id=page.id, organisation=page.organisation, pages=[page.id], chosen=chosen, wanted=chosen,
        channel_type=ChannelType.email, channel_value="", target=b"", requested_at=command.now,
        verified_at=command.now, created_at=command.now, updated_at=command.now,
    )  # fmt: skip
    count = await command.subscriptions.bring(template, addresses)
    return command.answer({"message": f"{count} subscriptions created", "created": count, "id": id}, 201)


def _keys(request: Request) -> Keys:
    return request.app.state.keys  # type: ignore[no-any-return]
