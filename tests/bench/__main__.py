"""`python tests/bench [row …]`: measures the rows of targets.md, each against its ceiling or peer in the same run."""

import argparse
import json
import sys
import traceback
from contextlib import aclosing
from importlib import import_module
from pathlib import Path

import uvloop
from debian import provide
from figures import Figure, table
from quiet import Quiet

ROWS = sorted(path.stem for path in Path(__file__).with_name("rows").glob("[a-z]*.py"))


async def measure(name: str, rounds: int) -> list[Figure]:
    """Run one row: a module with FIGURES, what must hold, and `measure(rounds)`, which yields each round's values."""
    row = import_module(f"rows.{name}")
    quiet = Quiet()
    figures = {key: Figure(name, key, target) for key, target in row.FIGURES.items()}
    async with aclosing(row.measure(rounds)) as measured:
        async for values in measured:
            for key, value in values.items():
                figures.setdefault(key, Figure(name, key)).rounds.append(value)
            shown = [f"{key} {value:.4g}," for key, value in values.items()]
            print(f"  {name}:", *shown, quiet.round(), file=sys.stderr)
    return list(figures.values())


async def main() -> bool:
    """Measure the rows asked for, print them, and tell whether all targets are met."""
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"of: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if unknown := set(asked.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(unknown)}")
    provide(program for name in asked.rows or ROWS for program in getattr(import_module(f"rows.{name}"), "NEEDS", ()))
    found = []
    broken = False
    for name in asked.rows or ROWS:
        try:
            found += await measure(name, asked.rounds)
        except Exception:  # noqa: BLE001  # the other rows were not measured for nothing
            traceback.print_exc()
            broken = True
    print(table(found))
    for name in dict.fromkeys(figure.row for figure in found):
        print(json.dumps({"row": name, "figures": [figure.document() for figure in found if figure.row == name]}))
    return not broken and all(figure.passes is not False for figure in found)


if __name__ == "__main__":
    sys.exit(not uvloop.run(main()))
