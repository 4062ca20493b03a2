"""What happens when somebody wants to be told: the same for an address that is known and for one that is not."""

from dataclasses import dataclass, field
from typing import Any

from uuid_utils.compat import uuid7

from pinghome_common.db import Connection
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.subscription import ChannelType, Chosen, Subscription
from pinghome_common.guard import Guard
from pinghome_common.hosts import parse_url
from pinghome_common.secret import seal
from pinghome_common.settings import Settings
from pinghome_delivery.email import ADDRESS
from pinghome_delivery.webhook import check_url, masked_url
from statuspage_cmd.subscriptions import subscription
from statuspage_cmd.subscriptions.audience import ask
from statuspage_cmd.subscriptions.keys import Keys
from statuspage_cmd.subscriptions.store import Subscriptions
from statuspage_cmd.subscriptions.which import Said, Which


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An address that wants to be told, of which page, and of what there; `mask` hides what is secret of a URL."""

    channel_type: ChannelType
    value: str
    said: Said
    chosen: Chosen = field(default_factory=Chosen)
    mask: str = ""


async def request(
    tx: Connection, store: Subscriptions, wish: Wish, settings: Settings, keys: Keys, guard: Guard
) -> Subscription:
    """Notes a wish, and has the address asked whether it is its own, at most three times a day.

    Raises:
        NotFound: there is no such page.
        Invalid: the address cannot be told, or the page takes no subscriptions.
    """
    check(wish, guard)
    now, required = store.now, settings.subscription_require_page
    pages = await Which(tx, settings.status_domain).pages(wish.said, required=required)
    ids = [page.id for page in pages]
    subscription.check(wish.chosen, pages)
    await store.check_limit(ids, settings.subscribers_limit)
    target = subscription.fingerprint(wish.channel_type, wish.value)
    row = await store.of(target, ids)
    if row:
        it = row.state = subscription.request(row.state, wish.chosen, now)
        await store.save(row, "requested")
    else:
        it = subscription.create(uuid7(), pages, wish.chosen, now, target=target, **_kept(wish, keys))
        await store.add(it)
    if await store.may_ask(target):
        await ask(tx, it, pages[0])
    return it


def check(wish: Wish, guard: Guard) -> None:
    """Raises Invalid when the address is none of its type, or may not be called."""
    if wish.channel_type is ChannelType.email:
        if not ADDRESS.fullmatch(wish.value):
            raise Invalid(FieldError("channel_value", "must be a mail address such as info@example.com"))
        return
    try:
        check_url(wish.value, guard)
    except Invalid as error:
        raise Invalid(FieldError("channel_value", error.errors[0].message)) from None
    if parse_url(wish.value).scheme != "https":
        raise Invalid(FieldError("channel_value", "must be an https URL"))


def _kept(wish: Wish, keys: Keys) -> dict[str, Any]:
    """The address as it is kept: URLs may hold secrets."""
    kept = {"channel_type": wish.channel_type, "channel_value": wish.value}
    if wish.channel_type is ChannelType.email:
        return kept
    sealed = seal(keys.urls, wish.value.encode())
    return kept | {"channel_value": masked_url(wish.value, wish.mask), "sealed": sealed}
