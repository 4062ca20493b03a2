"""Generated requests to every operation are answered as its OpenAPI document says; `make fuzz` makes more of them."""

from typing import Any

import pytest

from fuzzing import FUZZED, fuzz
from running import Platform

EXAMPLES = 5


@pytest.fixture(scope="module")
async def keys(platform: Platform) -> dict[str, Any]:
    """Those of an organisation that nobody else here looks at."""
    return await platform.command("organisation", "create", "Fuzz")


@pytest.mark.timeout(600)  # 5 s where nothing else runs
@pytest.mark.parametrize("service", FUZZED)
async def test_every_answer_is_one_that_the_document_names(platform: Platform, keys: dict[str, Any], service: str):
    found = await fuzz(platform, service, keys, EXAMPLES, "examples,coverage,fuzzing")
    assert not found, found
