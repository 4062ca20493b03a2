"""Heartbeats found by slug, as events announced them."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from data_gateway.group_commit import MAX_MESSAGE, _parts, _size_of_ping
from data_gateway.ping_intake import PingIntake, origin
from pinghome_common.directory import Caller
from pinghome_common.errors import Conflict, NotFound
from pinghome_common.events import Event, decode, encode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.key import Kind, Scope
from pinghome_common.events.ping import Batch, Ping
from pinghome_common.events.ping import Kind as PingKind
from pinghome_common.events.ping import encode as pack
from pinghome_common.settings import LARGEST_PING_BODY

STAMP = datetime(2026, 11, 22, tzinfo=UTC)
MINE = uuid4()
HERE, THERE = uuid4(), uuid4()


class OneKey:
    """The key `key` opens HERE."""

    def caller(self, kind: Kind, token: str) -> Caller | None:
        return Caller(uuid4(), "", MINE, Scope.write, HERE) if (kind, token) == (Kind.ping, "key") else None


@pytest.fixture
def intake() -> PingIntake:
    made = PingIntake()
    made.directory = OneKey()  # type: ignore[assignment]
    return made


@pytest.fixture
def say(intake: PingIntake) -> Callable[..., None]:
    def say(id_: UUID, slug: str, service: UUID = HERE, what: str = "created", organisation: UUID = MINE) -> None:
        it = Heartbeat(
            id=id_, organisation=organisation, service_id=service, name="", slug=slug, period=60, methods=["GET"],
            created_at=STAMP, updated_at=STAMP,
        )  # fmt: skip
        event = Event(
            type=f"heartbeat.{what}", time=STAMP, subject=id_, organisation=it.organisation, version=1, actor="",
            correlationid="", data=it,
        )  # fmt: skip
        intake.apply(decode(encode(event)))

    return say


def test_a_check_is_found_by_its_slug_in_its_service_alone(intake, say):
    one, other = uuid4(), uuid4()
    say(one, "backup")
    say(other, "backup", THERE)
    assert intake.by_slug("key", "backup").id == one.bytes
    assert intake.by_slug("key", "else") is None
    with pytest.raises(NotFound):
        intake.by_slug("no key", "backup")


def test_what_another_organisation_has_in_a_service_of_the_same_id_is_not_found(intake, say):
    say(uuid4(), "backup", organisation=uuid4())
    assert intake.by_slug("key", "backup") is None


def test_two_checks_with_one_slug_are_ambiguous_until_one_is_renamed_or_gone(intake, say):
    one, other, third = uuid4(), uuid4(), uuid4()
    for each in (one, other, third):
        say(each, "backup")
    with pytest.raises(Conflict, match="ambiguous slug"):
        intake.by_slug("key", "backup")
    say(other, "renamed", what="updated")
    say(third, "backup", what="deleted")
    assert intake.by_slug("key", "backup").id == one.bytes
    assert intake.by_slug("key", "renamed").id == other.bytes
    say(one, "backup", what="deleted")
    assert intake.by_slug("key", "backup") is None


def test_checks_without_a_slug_have_none(intake, say):
    say(uuid4(), "")
    say(uuid4(), "")
    assert intake.by_slug("key", "") is None


def test_headers_of_a_client_say_nothing_of_where_it_is():
    forged = [(b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-proto", b"https"), (b"user-agent", b"curl")]
    assert origin({"client": ("10.0.0.9", 1), "scheme": "http", "headers": forged}) == ("10.0.0.9", "http", "curl")


class Kept:
    """A committer that keeps what it is given."""

    def __init__(self) -> None:
        self.pings: list[Ping] = []

    async def add(self, ping: Ping) -> None:
        self.pings.append(ping)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain", "plain"), ("gr\N{LATIN SMALL LETTER O WITH DIAERESIS}\N{GRINNING FACE}", "gr\xf6\N{GRINNING FACE}"),
     ("a\x00b\x1bc", "abc"), ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"), ("x" * 2000, "x" * 1000)],
)  # fmt: skip
async def test_texts_of_pings_are_clean_before_they_reach_the_stream(intake, say, text, kept):
    one = uuid4()
    say(one, "")
    intake.committer = Kept()
    headers = [(b"user-agent", b"\x00a\x85b\xff")]
    scope = {"method": "GET", "client": ("10.0.0.9", 1), "scheme": "http", "headers": headers}
    await intake.accept(str(one), scope, message=text)
    await intake.store(intake.entries[str(one)], "", PingKind.success, "", "email", f"Email from {text}")
    first, second = intake.committer.pings
    assert (first.message, first.user_agent) == (kept, "a b\xff")
    assert second.user_agent == f"Email from {kept}"[:200]
    pack(Batch(b"b" * 16, 1, [first, second]))


def test_pings_with_large_bodies_travel_in_messages_that_the_stream_takes():
    ping = Ping(
        b"i" * 16, b"h" * 16, 1, message="\U0001f600" * 1000, user_agent="ü" * 200, body=b"b" * LARGEST_PING_BODY
    )
    small = msgspec.structs.replace(ping, body=b"b" * 10_000)
    parts = _parts([small] * 100 + [ping] * 3 + [small], _size_of_ping)
    assert [each for part in parts for each in part] == [small] * 100 + [ping] * 3 + [small]
    assert max(len(pack(Batch(b"b" * 16, 1, part))) for part in parts) <= MAX_MESSAGE
