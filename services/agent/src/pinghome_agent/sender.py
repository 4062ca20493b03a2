"""Sends what is in the spool, in its order, and decides what an answer means."""

import random
import time
from enum import Enum
from math import ceil

from pinghome_agent.gateway import Gateway
from pinghome_agent.logs import log
from pinghome_agent.post import Answer, NoAnswer
from pinghome_agent.spool import Batch, Spool

BATCH_BYTES = 500_000 - 2_000  # what surrounds the samples needs its room, too
BATCH_SAMPLES = 120
"""At two batches a second a usual sample's 60 figures stay below the platform's 20,000 a second."""
PIECES = 16
BETWEEN = 0.5
"""Least seconds between two requests of a backlog."""
_SLOWEST = 15.0
"""A platform that is back must hear of its servers before it would miss them (50 s at the default interval)."""
_WITHOUT_HELP = 60.0
"""Seconds between attempts when only a person can help, such as after 401."""
_LONGEST_RETRY_AFTER = 300


class Outcome(Enum):
    """What an answer means for the batch."""

    accepted = "accepted"
    refused = "refused"  # this batch, whenever it is sent
    busy = "busy"  # the platform; later
    unwelcome = "unwelcome"  # whatever is sent, until a person changes something


def outcome(status: int) -> Outcome:
    """The meaning of a status; a redirect is a wrong address, for it is never followed."""
    if 200 <= status < 300:
        return Outcome.accepted
    if status in {400, 413, 422}:
        return Outcome.refused
    if status in {408, 425, 429} or status >= 500:
        return Outcome.busy
    return Outcome.unwelcome


class Sender:
    """Takes batches from the spool until each is accepted or refused for good.

    A refused batch is sent again in pieces, so that one bad point (422 names it, but answers are not read) costs its
    piece alone; a refused piece is dropped.
    """

    def __init__(self, spool: Spool, gateway: Gateway) -> None:
        self._spool, self._gateway = spool, gateway
        self._failures = 0
        self._told = ""
        self._piece = self._in_pieces = 0

    def run(self) -> None:
        """Send for ever."""
        while True:
            self._spool.wait()
            try:
                pause = self.step()
            except Exception as error:  # noqa: BLE001  # whatever it is, samples go on being kept, and sent later
                pause = self._later(repr(error))
            time.sleep(pause)

    def step(self) -> float:
        """Send one batch; seconds until the next request."""
        most = min(self._piece, self._in_pieces) if self._in_pieces else BATCH_SAMPLES
        batch = self._spool.peek(BATCH_BYTES, most)
        if not batch.records:
            return BETWEEN
        try:
            answer = self._gateway.send(batch.records)
        except (NoAnswer, OSError, ValueError) as error:
            return self._later(str(error))
        match outcome(answer.status):
            case Outcome.accepted:
                self._done(batch)
                if self._failures or self._told:
                    log.info("sending_again")
                self._failures, self._told = 0, ""
            case Outcome.refused:
                self._refuse(batch, answer)
            case Outcome.busy:
                return self._later(f"status {answer.status}", answer.retry_after)
            case Outcome.unwelcome:
                self._tell(f"status {answer.status}", answer.text)
                return _WITHOUT_HELP * random.uniform(0.75, 1.25)  # noqa: S311
        return BETWEEN * random.uniform(1.0, 1.5)  # noqa: S311

    def _refuse(self, batch: Batch, answer: Answer) -> None:
        count = len(batch.records)
        if not self._in_pieces and count > 1:
            self._in_pieces, self._piece = count, ceil(count / PIECES)
            return
        log.warning("samples_refused", dropped=count, status=answer.status, answer=answer.text)
        self._done(batch)

    def _done(self, batch: Batch) -> None:
        self._spool.advance(batch)
        self._in_pieces = max(0, self._in_pieces - len(batch.records))

    def _later(self, reason: str, retry_after: int | None = None) -> float:
        """Back off with jitter, so that agents do not return all at once; the platform's word counts within bounds."""
        self._tell(reason)
        self._failures += 1
        if retry_after is not None:
            return min(max(retry_after, 1), _LONGEST_RETRY_AFTER) * random.uniform(1.0, 1.25)  # noqa: S311
        return min(_SLOWEST, 2.0 ** min(self._failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311

    def _tell(self, reason: str, answer: str = "") -> None:
        if reason != self._told:
            log.warning("not_sent", reason=reason, answer=answer, kept="in the spool")
        self._told = reason
