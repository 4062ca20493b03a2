"""`make fuzz`: a platform of its own, and many requests to every operation of it."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzzing import FUZZED, Fuzzer
from running import up


async def main() -> int:
    """The exit status: 1 when anything was found."""
    words = argparse.ArgumentParser(description="Asks every operation for what its OpenAPI document does not say.")
    words.add_argument("--examples", type=int, default=200, help="requests of each operation (200)")
    words.add_argument("--service", choices=FUZZED, action="append", help="only this one; may be repeated")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="pinghome-fuzz-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240  # nothing else runs yet
        async with up(folder / "data", wrong_tokens_per_minute="1000000") as platform:
            fuzzer = await Fuzzer.of(platform)
            found = ""
            for service in asked.service or FUZZED:
                told = await fuzzer.found(service, asked.examples)
                print(told or f"{service}: nothing was found", flush=True)
                found += told
            await platform.stop()
            errors = [line for line in platform.log.read_text().splitlines() if '"error"' in line]
            print("\n".join(errors))
    return 1 if found or errors else 0


sys.exit(asyncio.run(main()))
