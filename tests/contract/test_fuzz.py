"""Generated requests to every operation are answered as its OpenAPI document says; `make fuzz` makes more of them."""

import pytest

from fuzzing import FUZZED, Fuzzer
from running import Platform

EXAMPLES = 5


@pytest.fixture(scope="module")
async def fuzzer(platform: Platform) -> Fuzzer:
    """An organisation that nobody else here looks at."""
    return await Fuzzer.of(platform)


@pytest.mark.timeout(600)  # 5 s where nothing else runs
@pytest.mark.parametrize("service", FUZZED)
async def test_every_answer_is_one_that_the_document_names(fuzzer: Fuzzer, service: str):
    found = await fuzzer.found(service, EXAMPLES)
    assert not found, found
