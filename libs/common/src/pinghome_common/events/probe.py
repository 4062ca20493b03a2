"""Messages between scheduler, probers and evaluation: a job, and the result of probing it."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

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


def attempt_deadline(interval: float) -> float:
    """Seconds one attempt may take, so that two fit into `interval` seconds."""
    return min(10.0, max(1.5, 0.45 * interval))


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


@dataclass(slots=True, kw_only=True)
class Results:
    """One message in TELEMETRY (`telemetry.result.<region>`): results of one region, never repacked."""

    batch: UUID
    region: str
    results: list[Result]
