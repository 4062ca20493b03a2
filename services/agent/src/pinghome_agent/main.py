"""The `pinghome-agent` command: samples on a steady grid, kept first, sent by a thread of its own."""

import json
import signal
import sys
import time
from threading import Thread
from typing import Any

from pinghome_agent import VERSION
from pinghome_agent.gateway import Gateway, batch
from pinghome_agent.host.identity import identity
from pinghome_agent.logs import log
from pinghome_agent.options import Options, parsed
from pinghome_agent.post import NoAnswer, Url
from pinghome_agent.sample import PRIMING, Sampler
from pinghome_agent.sender import Outcome, Sender, outcome
from pinghome_agent.spool import Spool, SpoolInUse

_STOPS = {signal.SIGTERM, signal.SIGINT}


def main(arguments: list[str] | None = None) -> None:
    """Run the agent until SIGTERM or Ctrl-C; exits with 1 when it cannot start, with 2 for wrong options."""
    if sys.platform != "linux":
        sys.exit("pinghome-agent measures Linux hosts only")
    options = parsed(arguments)
    log.configure(options.log_level)
    sampler = Sampler(options.interval, options.choices)
    try:
        if options.once:
            _once(options, sampler)
        else:
            _run(options, sampler)
    except (OSError, SpoolInUse) as error:
        sys.exit(f"pinghome-agent cannot start: {error}")


def _run(options: Options, sampler: Sampler) -> None:
    # Blocked, they wait for sigtimedwait: a handler could run in the middle of anything.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    spool = Spool(options.spool, options.spool_limit)
    gateway = _gateway(options, sampler)
    log.info("started", version=VERSION, interval=options.interval, spool=options.spool)
    Thread(target=Sender(spool, gateway).run, name="sender", daemon=True).start()
    due = time.monotonic() + PRIMING
    while not signal.sigtimedwait(_STOPS, max(0.0, due - time.monotonic())):
        sample = sampler.sample()
        spool.append(sample)
        log.debug("sample_kept", at=sample[7:34].decode())
        due = next_due(due, options.interval, time.monotonic())
    log.info("stopped")


def next_due(due: float, interval: float, now: float) -> float:
    """The next time of the grid after `now`: what was missed, such as while the host slept, is not made up for."""
    return due + interval * max(1, int((now - due) // interval) + 1)


def _once(options: Options, sampler: Sampler) -> None:
    time.sleep(PRIMING)
    sample = sampler.sample()
    if options.shown:
        shown: Any = json.loads(batch(_identity(sampler), [sample]))
        print(json.dumps(shown, indent=2, ensure_ascii=False))  # noqa: T201
        return
    try:
        answer = _gateway(options, sampler).send([sample])
    except NoAnswer as error:
        sys.exit(f"not sent: {error}")
    if outcome(answer.status) is not Outcome.accepted:
        sys.exit(f"not accepted: status {answer.status} {answer.text}")
    print("accepted")  # noqa: T201


def _gateway(options: Options, sampler: Sampler) -> Gateway:
    assert isinstance(options.url, Url)  # noqa: S101  # the options demand it where something is sent
    if not options.url.secure and not options.url.loopback:
        log.warning("token_goes_unencrypted", host=options.url.host)
    return Gateway(options.url, options.token, lambda: _identity(sampler), options.ca_file)


def _identity(sampler: Sampler) -> bytes:
    return json.dumps(identity(sampler.proc), separators=(",", ":"), ensure_ascii=False).encode()
