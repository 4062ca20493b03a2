"""What the gateway knows of checks by their slugs, learnt from events."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from data_gateway.accept import Door, origin
from data_gateway.commit import LARGEST, _parts
from pinghome_common.errors import Conflict, NotFound
from pinghome_common.events import Event, decode, encode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.key import Kind, Scope
from pinghome_common.events.ping import Batch, Ping
from pinghome_common.events.ping import encode as pack
from pinghome_common.known import Caller
from pinghome_common.settings import LARGEST_PING_BODY

STAMP = datetime(2026, 11, 22, tzinfo=UTC)
MINE = uuid4()
HERE, THERE = uuid4(), uuid4()


class OneKey:
    """The key `key` opens HERE."""

    def caller(self, kind: Kind, token: str) -> Caller | None:
        return Caller(uuid4(), "", MINE, Scope.write, HERE) if (kind, token) == (Kind.ping, "key") else None


@pytest.fixture
def door() -> Door:
    made = Door()
    made.known = OneKey()  # type: ignore[assignment]
    return made


@pytest.fixture
def say(door: Door) -> Callable[..., None]:
    def say(id_: UUID, slug: str, service: UUID = HERE, what: str = "created", organisation: UUID = MINE) -> None:
        it = Heartbeat(
            id=id_, organisation=organisation, service_id=service, name="", slug=slug, period=60, methods=["GET"],
            created_at=STAMP, updated_at=STAMP,
        )  # fmt: skip
        event = Event(
            type=f"heartbeat.{what}", time=STAMP, subject=id_, organisation=it.organisation, version=1, actor="",
            correlationid="", data=it,
        )  # fmt: skip
        door.learn(decode(encode(event)))

    return say


def test_a_check_is_found_by_its_slug_in_its_service_alone(door, say):
    one, other = uuid4(), uuid4()
    say(one, "backup")
    say(other, "backup", THERE)
    assert door.by_slug("key", "backup").id == one.bytes
    assert door.by_slug("key", "else") is None
    with pytest.raises(NotFound):
        door.by_slug("no key", "backup")


def test_what_another_organisation_has_in_a_service_of_the_same_id_is_not_found(door, say):
    say(uuid4(), "backup", organisation=uuid4())
    assert door.by_slug("key", "backup") is None


def test_two_checks_with_one_slug_are_ambiguous_until_one_is_renamed_or_gone(door, say):
    one, other, third = uuid4(), uuid4(), uuid4()
    for each in (one, other, third):
        say(each, "backup")
    with pytest.raises(Conflict, match="ambiguous slug"):
        door.by_slug("key", "backup")
    say(other, "renamed", what="updated")
    say(third, "backup", what="deleted")
    assert door.by_slug("key", "backup").id == one.bytes
    assert door.by_slug("key", "renamed").id == other.bytes
    say(one, "backup", what="deleted")
    assert door.by_slug("key", "backup") is None


def test_checks_without_a_slug_have_none(door, say):
    say(uuid4(), "")
    say(uuid4(), "")
    assert door.by_slug("key", "") is None


@pytest.mark.parametrize(
    ("forwarded", "shown"),
    [(b"192.0.2.1", "192.0.2.1"), (b"192.0.2.1:80, 10.0.0.1", "192.0.2.1"), (b"2001:db8::1,x", "2001:db8::1"),
     (b"", ""), (b"\xff" * 500, "\xff" * 45)],
)  # fmt: skip
def test_the_address_shown_is_the_first_that_was_forwarded(forwarded, shown):
    assert origin([(b"x-forwarded-for", forwarded)], "10.0.0.9", "http") == (shown, "http", "")


def test_pings_with_large_bodies_travel_in_messages_that_the_stream_takes():
    ping = Ping(
        b"i" * 16, b"h" * 16, 1, message="\U0001f600" * 1000, user_agent="ü" * 200, body=b"b" * LARGEST_PING_BODY
    )
    small = msgspec.structs.replace(ping, body=b"b" * 10_000)
    parts = _parts([small] * 100 + [ping] * 3 + [small])
    assert [each for part in parts for each in part] == [small] * 100 + [ping] * 3 + [small]
    assert max(len(pack(Batch(b"b" * 16, 1, part))) for part in parts) <= LARGEST
