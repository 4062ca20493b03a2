"""How many tests of channels an organisation may send."""

import time
from uuid import uuid4

import pytest

from pinghome_common.errors import TooMany
from pinghome_delivery.rate_limiter import TestsPaced


def test_tests_are_counted_for_each_organisation_and_minute(monkeypatch):
    paced, one, other, at = TestsPaced(5), uuid4(), uuid4(), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: at)
    for _ in range(5):
        paced.count(one)
        at += 1
    with pytest.raises(TooMany, match="5 tests of channels a minute; try again in 55 s"):
        paced.count(one)
    paced.count(other)
    at += 55.1
    paced.count(one)  # the first is a minute ago
    with pytest.raises(TooMany):
        paced.count(one)
