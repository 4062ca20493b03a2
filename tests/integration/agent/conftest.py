"""A receiver of batches for each test."""

from collections.abc import Iterator

import pytest

from agents import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as it:
        yield it
