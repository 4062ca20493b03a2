"""Messages as the dispatcher composes them."""

from datetime import UTC, datetime
from uuid import uuid4

from pinghome_common.events.notification import Notification
from pinghome_delivery.outbox import compose

AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
MONITOR = uuid4()


def message(what="down", title="Shop is down", text="Shop is down since today: refused <b>it</b>.", about=MONITOR):
    said = Notification(
        id=uuid4(), organisation=uuid4(), channel=uuid4(), channel_name="On call", channel_kind="x", noun="resource",
        about=about, about_version=2, what=what, at=AT, title=title, text=text, created_at=AT,
    )  # fmt: skip
    return compose([said])
