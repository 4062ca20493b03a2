"""The directory of keys."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from pinghome_common.directory import Directory
from pinghome_common.errors import Unavailable
from pinghome_common.events import Event, encode
from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.secret import token_hash

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(None, tmp_path / "directory")  # type: ignore[arg-type]  # it asks no broker here


def say(directory: Directory, id_: UUID, token: str, what: str = "created", *, folded: bool = True) -> None:
    key = Key(
        id=id_, organisation=uuid4(), name="", kind=Kind.ping, scope=Scope.write, hash=token_hash(token),
        folded=token_hash(token.lower()) if folded else b"", service=uuid4(), created_at=NOW,
    )  # fmt: skip
    directory.apply(
        encode(Event(type=f"key.{what}", time=NOW, subject=id_, organisation=uuid4(), version=1, actor="", data=key))
    )


def test_a_ping_key_is_found_in_any_case_where_it_is_one_alone(directory: Directory):
    one, other, old = uuid4(), uuid4(), uuid4()
    say(directory, one, "AbC")
    say(directory, old, "OlD", folded=False)
    assert directory.caller_in_any_case("aBc").key == one
    assert directory.caller_in_any_case("old") is None
    assert directory.caller_in_any_case("") is None
    say(directory, other, "abC")
    assert directory.caller_in_any_case("aBc") is None
    assert directory.caller(Kind.ping, "abC").key == other
    say(directory, other, "abC", "deleted")
    assert directory.caller_in_any_case("aBc").key == one
    say(directory, one, "AbC", "deleted")
    assert directory.caller_in_any_case("aBc") is None
    say(directory, old, "OlD", "updated")
    assert directory.caller_in_any_case("old").key == old


def test_nobody_is_refused_before_the_keys_are_known(directory: Directory):
    say(directory, uuid4(), "known")
    with pytest.raises(Unavailable):
        directory.authenticated(Kind.ping, "unknown")
    assert directory.authenticated(Kind.ping, "known")
    directory.ready = True
    assert directory.authenticated(Kind.ping, "unknown") is None
