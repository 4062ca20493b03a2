"""F5: NATS is frozen, which no connection notices; publishing fails within 5 s, and no ghost is counted twice."""

import signal

from outage import judge_outage
from run import Run
from verdict import Verdict

LONG, SHORT = 60, 15
"""Seconds."""


async def play(run: Run, verdict: Verdict) -> None:
    """SIGSTOP, and SIGCONT a minute later in the long form."""

    async def begin() -> None:
        run.platform.kill("nats", signal.SIGSTOP)

    async def end() -> None:
        run.platform.kill("nats", signal.SIGCONT)

    async def meanwhile() -> None:
        """Nothing more."""

    await judge_outage(run, verdict, LONG if run.long else SHORT, begin, meanwhile, end)
