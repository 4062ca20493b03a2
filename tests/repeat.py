"""`python tests/repeat.py check 20`: runs `make check` (or `test`) again and again beside a full load.

It can be interrupted and continued: each run that came to its end is a line of `.data/repeat-<target>.jsonl`, its
seconds and which tests failed; what a failed one printed is beside it. The tally is printed after each.
"""

# ruff: noqa: S603, S607  # our own commands

import argparse
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)


def burn() -> None:
    """Keeps one core busy as long as its parent is there, however that ends."""
    parent = os.getppid()
    while os.getppid() == parent:
        sum(range(1_000_000))


def run_once(target: str, log: Path) -> dict[str, object]:
    begun = time.monotonic()
    with log.open("w") as out:
        run = subprocess.Popen(
            ["make", target], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        try:
            code = run.wait()
        finally:
            if run.returncode is None:  # interrupted: pytest stops what it has started
                os.killpg(run.pid, signal.SIGINT)
                run.wait()
    said = log.read_text()
    failed = sorted(set(FAILED.findall(said)))
    if code and not failed:
        failed = [f"exit {code}: {said[-200:]}"]
    if not failed:
        log.unlink()
    return {"seconds": round(time.monotonic() - begun), "failed": failed}


def tell(runs: list[dict], times: int) -> None:
    failures = Counter(test for run in runs for test in run["failed"])
    lines = [f"{len(runs)} of {times} runs, {sum(bool(run['failed']) for run in runs)} failed"]
    lines += [f"  {count} x {test}" for test, count in failures.most_common()]
    print("\n".join(lines), file=sys.stderr)


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
    runs = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    for _ in range(0 if asked.idle else os.cpu_count() or 1):
        multiprocessing.Process(target=burn, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("interrupted"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in the background deaf to it
    tell(runs, asked.times)
    while len(runs) < asked.times:
        runs.append(run_once(asked.target, kept.with_name(f"repeat-{asked.target}-{len(runs) + 1}.log")))
        with kept.open("a") as file:
            file.write(json.dumps(runs[-1]) + "\n")
        tell(runs, asked.times)
    return int(any(run["failed"] for run in runs))


if __name__ == "__main__":
    sys.exit(main())
