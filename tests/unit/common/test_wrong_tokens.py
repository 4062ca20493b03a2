"""How many wrong tokens one address may try."""

import pytest

from pinghome_common import address_counts
from pinghome_common.errors import WrongTokensError
from pinghome_common.wrong_tokens import WrongTokens


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [600.0]
    monkeypatch.setattr(address_counts.time, "monotonic", lambda: now[0])
    return now


def refused(counter: WrongTokens, host: str) -> int:
    """Seconds to wait; 0 when it was counted only."""
    try:
        counter.count((host, 1))
    except WrongTokensError as error:
        return error.retry_after
    return 0


def test_each_address_has_its_own_minute(clock: list[float]):
    counter = WrongTokens(2)
    assert [refused(counter, "192.0.2.1") for _ in range(3)] == [0, 0, 61]
    assert refused(counter, "192.0.2.2") == 0
    clock[0] += 59
    assert refused(counter, "192.0.2.1") == 2
    clock[0] += 1
    assert [refused(counter, "192.0.2.1") for _ in range(3)] == [0, 0, 61]


def test_a_client_of_ipv6_has_its_whole_network(clock: list[float]):
    assert clock
    counter = WrongTokens(2)
    assert [bool(refused(counter, f"2001:db8::{n}")) for n in range(1, 4)] == [False, False, True]
    assert not refused(counter, "2001:db8:0:1::1")


def test_what_is_kept_is_bounded(clock: list[float], monkeypatch: pytest.MonkeyPatch):
    assert clock
    monkeypatch.setattr(address_counts, "ADDRESSES", 10)
    counter = WrongTokens(2)
    assert [bool(refused(counter, f"192.0.2.{n}")) for n in range(14)] == [False] * 12 + [True] * 2
    assert len(counter._counts._counts) == 11
