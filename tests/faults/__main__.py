"""`python tests/faults [--seed N] [--short|--long] [scenario …]`: kills everything at random, counts what is lost."""

import argparse
import asyncio
import json
import secrets
import sys
import traceback
from importlib import import_module
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from run import Run
from under_test import Platform
from verdict import Check, Verdict, documents, table

HERE = Path(__file__).with_name("scenarios")
SCENARIOS = {path.stem: f"scenarios.{path.stem}" for path in sorted(HERE.glob("[a-z]*.py"))}
LONG = {path.stem: f"scenarios.long.{path.stem}" for path in sorted((HERE / "long").glob("[a-z]*.py"))}
"""By name, the modules; those of LONG have no short form."""

UNHARMED = ("h1", "m0", "n2")
"""Those in which no process of ours is killed."""


async def play(names: list[str], seed: int, *, long: bool, keep: bool) -> list[Check]:
    """Play some scenarios and return what they found.

    In the short form a platform serves until a scenario fails, and those that are UNHARMED are played at once.
    """
    checks: list[Check] = []
    together = [name for name in names if name in UNHARMED and not long]
    left = [each for each in (together, *([name] for name in names if name not in together)) if each]
    while left:
        platform = getattr(import_module((SCENARIOS | LONG)[left[0][0]]), "PLATFORM", Platform)()
        async with platform:
            while left:
                playing = (play_one(name, Run(platform, seed, long)) for name in left.pop(0))
                verdicts = await asyncio.gather(*playing)
                found = [check for verdict in verdicts for check in verdict.checks]
                print(table(found), file=sys.stderr)
                checks += found
                failed = any(verdict.failed for verdict in verdicts)
                if failed or long:
                    break
            platform.kept = keep or failed
            if platform.kept:
                print(f"logs: {platform.data}", file=sys.stderr)
    return checks


async def play_one(name: str, run: Run) -> Verdict:
    """Play one scenario."""
    verdict = Verdict(name.upper())
    scenario = import_module((SCENARIOS | LONG)[name])
    print(f"{name.upper()}: {scenario.__doc__.partition(': ')[2]}", file=sys.stderr)
    try:
        await scenario.play(run, verdict)
    except Exception as error:  # noqa: BLE001  # a scenario that breaks has failed; the others go on
        traceback.print_exc()
        verdict.true("came to its end", repr(error)[:200], passed=False)
    return verdict


def main() -> int:
    """Returns the exit code: 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="python tests/faults", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"of: {', '.join([*SCENARIOS, *LONG])}")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of an earlier run, to repeat it")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_false", dest="long", help="five minutes in all (the default)")
    form.add_argument("--long", action="store_true", help="forty minutes in all")
    parser.set_defaults(long=False)
    parser.add_argument("--keep", action="store_true", help="leave the data folders")
    parser.add_argument("--json", type=Path, help="also write what was found to a file")
    asked = parser.parse_args()
    names = [name.lower() for name in asked.scenarios] or [*SCENARIOS, *(LONG if asked.long else ())]
    if unknown := set(names) - SCENARIOS.keys() - LONG.keys():
        parser.error(f"no such scenario: {', '.join(unknown)}")
    print(f"seed {asked.seed}", file=sys.stderr)
    checks = uvloop.run(play(names, asked.seed, long=asked.long, keep=asked.keep))
    print(table(checks))
    failed = sum(check.passed is False for check in checks)
    print(f"seed {asked.seed}, {'long' if asked.long else 'short'} form: {failed or 'nothing'} failed")
    if asked.json:
        asked.json.write_text(json.dumps({"seed": asked.seed, "checks": documents(checks)}, indent=1))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
