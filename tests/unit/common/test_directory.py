"""The directory of keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
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


def test_a_session_ends_by_the_clock(directory: Directory, monkeypatch: pytest.MonkeyPatch):
    id_ = uuid4()
    key = Key(
        id=id_, organisation=uuid4(), name="laptop", kind=Kind.bearer, scope=Scope.read, hash=token_hash("session"),
        parent=(parent := uuid4()), expires_at=NOW, created_at=NOW,
    )  # fmt: skip
    event = Event(type="key.created", time=NOW, subject=id_, organisation=uuid4(), version=1, actor="", data=key)
    directory.apply(encode(event))
    monkeypatch.setattr("pinghome_common.directory.now", lambda: NOW - timedelta(microseconds=1))
    caller = directory.caller(Kind.bearer, "session")
    assert (caller.is_session, caller.root, caller.scope) == (True, parent, Scope.read)
    monkeypatch.setattr("pinghome_common.directory.now", lambda: NOW)
    assert directory.caller(Kind.bearer, "session") is None


async def test_a_snapshot_of_other_nouns_is_used_and_all_is_read_again(tmp_path: Path):
    path = tmp_path / "directory"
    encoded = msgspec.msgpack.encode({"position": 7, "events": {}})  # as an older version wrote it
    path.write_bytes(encoded)
    it = Directory(None, path)  # type: ignore[arg-type]
    it._load()
    assert (it.ready, it._position) == (True, None)
    path.write_bytes(msgspec.msgpack.encode({"position": 7, "events": {}, "nouns": ["key"]}))
    it._load()
    assert it._position == 7
