"""Messages between scheduler, probers and evaluation: a job, and the result of probing it."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import msgspec

from pinghome_common.events.certificate import Certificate
from pinghome_common.events.condition import Condition


@dataclass(slots=True, kw_only=True)
class Job:
    """One monitor's probe as the scheduler sends it to a region (`job.<region>.<resource>`).

    `interval` is in seconds. `sealed` holds the request headers and body, encrypted with the region's key
    (`secret.seal`); empty if there are none. `url` is for http; all other types have `host` and `port`. `data` is what
    tcp and udp send. For dns, host and port are those of the server (empty: the region's own resolver) and `data` is
    the query, `NAME TYPE [expected]`.
    """

    resource: UUID
    type: str
    interval: int
    url: str = ""
    host: str = ""
    port: int = 0
    data: str = ""
    method: str = "GET"
    skip_ssl_error: bool = False
    not_follow_redirect: bool = False
    max_redirects: int = 10
    conditions: list[Condition] = field(default_factory=list)
    sealed: bytes = b""


class SchedulePage(msgspec.Struct):
    """The answer to `request.schedule.<region>`: jobs of the region, ordered by monitor, as the scheduler sends them.

    The body of the request is the id of a monitor, 16 bytes, after which the page begins, or empty. `next` is that for
    the next page, None after the last.
    """

    jobs: list[msgspec.Raw]
    next: UUID | None = None


def attempt_deadline(interval: float) -> float:
    """Seconds one attempt may take, so that two fit into `interval` seconds."""
    return min(10.0, max(1.5, 0.45 * interval))


def phase(resource: UUID, interval: int) -> int:
    """Seconds after a multiple of the interval (UTC) at which a monitor's probes are due: its own, always the same."""
    return int.from_bytes(hashlib.sha256(resource.bytes).digest()[:8], "big") % interval


def fresh_for(interval: int, *, silent: bool = False) -> int:
    """Microseconds that a region's word counts: two intervals, and ten seconds for the way here.

    That of a `silent` region, none of whose probers has said lately that it lives, counts so long that a look each
    tenth of an interval finds within two intervals that it does not.
    """
    return 1_800_000 * interval if silent else (2 * interval + 10) * 1_000_000


class Verdict(StrEnum):
    """The outcome of a probe. Only `target_fail` is the target's fault (reliability.md 3.2)."""

    up = "up"
    target_fail = "target_fail"
    probe_error = "probe_error"
    blocked = "blocked"


@dataclass(slots=True, kw_only=True)
class Phases:
    """The duration of each phase of a probe in milliseconds; None if there was no such phase."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float = 0.0


@dataclass(slots=True, kw_only=True)
class Result:
    """One probe of one monitor from one region; its key is (resource, region, slot).

    `slot` and `checked_at` are UNIX microseconds: when the probe was due, and when it started. `condition` is the one
    that failed, or the last of those that all held. `excerpt` is the beginning of a failing target's answer, at most
    4 KiB of text. `certificate` is None if there is none or this prober has reported it recently. `tolerated`
    holds at most 10 short sentences on protocol violations that did not count.
    """

    resource: UUID
    slot: int
    checked_at: int
    interval: int
    verdict: Verdict
    status_code: int | None = None
    error: str = ""
    address: str = ""
    phases: Phases = field(default_factory=Phases)
    certificate: Certificate | None = None
    condition: str = ""
    excerpt: str = ""
    tolerated: list[str] = field(default_factory=list)

    def late(self, received_at: int) -> bool:
        """True if the broker received it (UNIX microseconds, 0: unknown) when its word no longer counted.

        The prober had lost its link: such a result is for the history and changes nothing of the present.
        """
        return received_at - self.slot > fresh_for(self.interval)


@dataclass(slots=True, kw_only=True)
class Results:
    """One message in TELEMETRY (`telemetry.result.<region>`): results of one region, never repacked."""

    batch: UUID
    region: str
    results: list[Result]


PROBER_PATIENCE = 30
"""Seconds without a word after which a prober counts as silent."""


@dataclass(slots=True, kw_only=True)
class ProberSign:
    """A prober's sign of life in TELEMETRY (`telemetry.prober.<region>`), every ten seconds.

    `name` stays the same after a restart. `monitors` counts those of the schedule that it holds.
    """

    name: str
    version: str
    monitors: int
