"""Generated requests to every operation are answered as its OpenAPI document says; `make fuzz` makes more of them."""

import asyncio
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


@pytest.fixture(scope="module")
async def found(fuzzer: Fuzzer) -> dict[str, str]:
    """What is wrong with each service's answers; all are asked at once."""
    answers = await asyncio.gather(*(fuzzer.found(service, EXAMPLES) for service in FUZZED))
    return dict(zip(FUZZED, answers, strict=True))


@pytest.mark.timeout(600)  # the first one waits for all: a minute where nothing else runs
@pytest.mark.parametrize("service", FUZZED)
async def test_every_answer_is_one_that_the_document_names(found: dict[str, str], service: str):
    assert not found[service], found[service]
