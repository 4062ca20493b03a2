"""Generated requests to every operation are answered as its OpenAPI document says; `make fuzz` makes more of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fuzzing import FUZZED, Fuzzer
from running import up

EXAMPLES = 5


@pytest.fixture(scope="module")
async def fuzzer(folder: Path) -> AsyncIterator[Fuzzer]:
    """At a platform of its own: the services of the documents' examples, which it uses, are the others' elsewhere."""
    async with up(folder / "fuzz", wrong_tokens_per_minute="1000000") as platform:
        yield await Fuzzer.of(platform)
        await platform.stop()
        log = platform.log.read_text().splitlines()
        assert [line for line in log if '"error"' in line or "Traceback" in line] == []


@pytest.mark.timeout(600)  # 13 s where nothing else runs
@pytest.mark.parametrize("service", FUZZED)
async def test_every_answer_is_one_that_the_document_names(fuzzer: Fuzzer, service: str):
    found = await fuzzer.found(service, EXAMPLES)
    assert not found, found
