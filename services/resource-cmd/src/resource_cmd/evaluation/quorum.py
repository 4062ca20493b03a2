"""Turns probe results into went-down and came-up: a pure decision first, then the writing (house 7)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter

from pinghome_common import cron
from pinghome_common.clock import from_micros
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import fresh_for
from pinghome_common.events.resource import Change, Resource, Status

SILENT = 15 * MICRO
"""Microseconds without a word from any prober after which a region counts as silent; each speaks every ten seconds."""


@dataclass(slots=True, kw_only=True)
class RegionObservation:
    """What one region last said of a monitor; times are UNIX microseconds.

    `up` is None when the probe could not speak for or against the target; `since` is the first slot of those in which
    it has said the same, `slot` the last. `heard_at` is when any prober of the region last said that it lives, None if
    that is not known.
    """

    region: str
    slot: int
    checked_at: int
    up: bool | None
    since: int
    status_code: int | None = None
    error: str = ""
    heard_at: int | None = None

    def fresh(self, interval: int, at: int) -> bool:
        """Whether it still counts at a time."""
        silent = self.heard_at is not None and at - self.heard_at > SILENT
        return at - self.checked_at <= fresh_for(interval, silent=silent)


@dataclass(slots=True, kw_only=True)
class Decision:
    """What becomes of a monitor: another status or None, and when to look again without a new result.

    When `judge_at` is past already, a probe has to look: a period counts only when the target says the same at its end.
    """

    change: Change | None = None
    judge_at: int | None = None


def decide(it: Resource, observations: Sequence[RegionObservation], at: int, version: int, unit: int = 60) -> Decision:
    """The monitor's status at `at` (UNIX microseconds, the time of the newest result).

    Down when a quorum of fresh regions has failed for the grace period and still fails at its end; up again after the
    recovery period likewise; unknown when no fresh region can tell. A probe that failed for our own reasons speaks for
    nobody.

    Args:
        it: the monitor.
        observations: each region's last word.
        at: UNIX microseconds.
        version: that the aggregate would have with a change.
        unit: seconds in one unit of grace, recovery and maintenance.
    """
    if not it.enabled:
        return Decision()
    if _in_maintenance(it, at, unit):
        return _become(it, Status.maintenance, at, version, "a maintenance window is open")
    fresh = [each for each in observations if each.region in it.regions and each.fresh(it.interval, at)]
    speaking = [each for each in fresh if each.up is not None]
    if not speaking:
        if not observations and it.change.status is Status.pending:
            return Decision()
        reason = fresh[0].error if fresh else "no region has reported lately"
        return _become(it, Status.unknown, at, version, reason, fresh[0] if fresh else None)
    quorum = 1 if len(speaking) == 1 else max(2, -(-len(speaking) // 2))
    failing = sorted((each for each in speaking if not each.up), key=attrgetter("since"))
    if len(failing) >= quorum:
        return _bad(it, failing, quorum, at, version, unit, complete=len(fresh) >= len(it.regions))
    well = sorted((each for each in speaking if each.up), key=attrgetter("since"))
    return _good(it, well, min(len(speaking) - quorum + 1, len(well)), at, version, unit)


def failing_regions(
    it: Resource, status: Status, observations: Sequence[RegionObservation], at: int, unit: int = 60
) -> list[str]:
    """The regions that fail although the monitor is up (contract H).

    A region joins or leaves them when it has said the other thing for the grace period, at least for two intervals;
    one that has not spoken lately is none of them.

    Args:
        it: the monitor, with those until now.
        status: its status from now on.
        observations: each region's last word.
        at: UNIX microseconds.
        unit: seconds in one unit of the grace period.
    """
    if status is not Status.up:
        return []
    hold = max(it.grace_period * unit, 2 * it.interval) * MICRO
    found = []
    for each in observations:
        if each.region in it.regions and each.fresh(it.interval, at):
            known, settled = each.region in it.failing_regions, at - each.since >= hold
            if not each.up if settled and each.up is not None else known:
                found.append(each.region)
    return sorted(found)


def _bad(
    it: Resource, failing: list[RegionObservation], quorum: int, at: int, version: int, unit: int, *, complete: bool
) -> Decision:
    if it.change.status is Status.down:
        return Decision()
    if it.change.status is Status.pending and not complete:
        # The first region to answer does not speak for those that have not yet had their turn.
        turns = int(it.change.at.timestamp()) * MICRO + fresh_for(it.interval)
        if at < turns:
            return Decision(judge_at=turns)
    due = _end(failing, quorum, it.grace_period * unit * MICRO)
    return Decision(judge_at=due) if due else _become(it, Status.down, at, version, failing[0].error, failing[0])


def _good(it: Resource, well: list[RegionObservation], enough: int, at: int, version: int, unit: int) -> Decision:
    due = _end(well, enough, it.recovery_period * unit * MICRO) if it.change.status is Status.down else None
    return Decision(judge_at=due) if due else _become(it, Status.up, at, version, "")


def _end(same: list[RegionObservation], enough: int, period: int) -> int | None:
    """When `enough` regions, ordered by `since`, will have said the same for a period; None when they have."""
    end = same[enough - 1].since + period
    return end if period and sum(observation.slot >= end for observation in same) < enough else None


def _become(
    it: Resource, status: Status, at: int, version: int, reason: str, observation: RegionObservation | None = None
) -> Decision:
    if status is it.change.status:
        return Decision()
    change = Change(status=status, previous=it.change.status, at=from_micros(at), version=version, reason=reason)
    if observation:
        change = replace(change, status_code=observation.status_code, region=observation.region)
    return Decision(change=change)


def _in_maintenance(it: Resource, at: int, unit: int) -> bool:
    if not it.maintenance_cron_expression or not it.maintenance_duration:
        return False
    duration = timedelta(seconds=it.maintenance_duration * unit)
    return cron.inside(it.maintenance_cron_expression, duration, from_micros(at))
