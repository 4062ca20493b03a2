"""A session ends twelve hours after its last use, and seven days after its first; the keys of its seal change."""

import time

import msgspec
import pytest
from cryptography.fernet import MultiFernet

from console.session import IDLE, LONGEST, RENEWED, Seal, Session


def sealed(seal: Seal, ago: float, since: float) -> str:
    """A cookie of some seconds ago, of a session that began `since` seconds ago."""
    now = time.time()
    fernet: MultiFernet = seal._fernet
    body = msgspec.json.encode(Session(token="ph_x", since=now - since))
    return fernet.encrypt_at_time(body, int(now - ago)).decode()


@pytest.mark.parametrize(
    ("ago", "since", "lives", "renewed"),
    [
        (0, 0, True, False),
        (RENEWED - 60, RENEWED - 60, True, False),
        (RENEWED + 60, RENEWED + 60, True, True),
        (IDLE - 60, IDLE - 60, True, True),
        (IDLE + 60, IDLE + 60, False, True),
        (60, LONGEST - 60, True, False),
        (60, LONGEST + 60, False, True),
        (-3600, 0, False, True),
    ],
)
def test_session_ends_with_idleness_and_with_age(ago: float, since: float, lives: bool, renewed: bool):
    seal = Seal("of this test")
    session, renew = seal.open(sealed(seal, ago, since))
    assert (bool(session.token), renew) == (lives, renewed)


def test_old_keys_open_and_only_the_newest_seals():
    old, both, new = Seal("old"), Seal("new, old"), Seal("new")
    session = Session(token="ph_x")
    assert both.open(old.seal(session))[0] == session
    assert new.open(both.seal(session))[0] == session
    assert old.open(both.seal(session))[0].token == ""
    assert new.open(old.seal(session))[0].token == ""


@pytest.mark.parametrize("value", ["", "x", "é", "gAAAAA", Seal("other").seal(Session(token="ph_x"))])
def test_what_is_no_cookie_of_ours_is_nobody(value: str):
    session, renew = Seal("of this test").open(value)
    assert session.token == ""
    assert renew
