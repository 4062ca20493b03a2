"""`python tests/repeat.py check 20`: runs `make check` (or `test`) again and again beside a full load.

It can be continued: each run is a line of `.data/repeat-<target>.jsonl`, its seconds and which tests failed. The tally
is printed after each.
"""

# ruff: noqa: S603, S607  # our own commands

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+)", re.MULTILINE)


def burn() -> None:
    """Keeps one core busy."""
    while True:
        pass


def run_once(target: str) -> dict[str, object]:
    begun = time.monotonic()
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=False)
    failed = sorted(set(FAILED.findall(done.stdout)))
    if done.returncode and not failed:
        failed = [f"exit {done.returncode}: {done.stdout[-200:]}{done.stderr[-200:]}"]
    return {"seconds": round(time.monotonic() - begun), "failed": failed}


def main() -> int:
    """Returns 1 when any run has failed."""
    parser = argparse.ArgumentParser(prog="python tests/repeat.py", description=__doc__)
    parser.add_argument("target", choices=["check", "test"])
    parser.add_argument("times", type=int, help="runs in all, those of earlier calls included")
    parser.add_argument("--idle", action="store_true", help="without the load beside")
    parser.add_argument("--anew", action="store_true", help="forget earlier runs")
    asked = parser.parse_args()
    kept = ROOT / ".data" / f"repeat-{asked.target}.jsonl"
    kept.parent.mkdir(exist_ok=True)
    if asked.anew:
        kept.unlink(missing_ok=True)
    load = [] if asked.idle else [multiprocessing.Process(target=burn, daemon=True) for _ in range(os.cpu_count() or 1)]
    for process in load:
        process.start()
    runs = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    try:
        while True:
            failures = Counter(test for run in runs for test in run["failed"])
            print(
                f"{len(runs)} of {asked.times} runs, {sum(bool(run['failed']) for run in runs)} failed", file=sys.stderr
            )
            for test, count in failures.most_common():
                print(f"  {count} x {test}", file=sys.stderr)
            if len(runs) >= asked.times:
                return int(bool(failures))
            runs.append(run_once(asked.target))
            with kept.open("a") as file:
                file.write(json.dumps(runs[-1]) + "\n")
    finally:
        for process in load:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
