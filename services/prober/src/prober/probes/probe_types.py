"""The input of a probe, and its observation."""

from dataclasses import dataclass, field
from ssl import SSLObject

from pinghome_common.events.probe import Phases, Verdict

LOOKING_UP = "looking up the name"


@dataclass(slots=True, kw_only=True)
class ProbeSpec:
    """What to probe: a monitor's settings with decrypted headers and body (see `Job` for the fields of each type)."""

    url: str = ""
    host: str = ""
    port: int = 0
    data: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    skip_ssl_error: bool = False
    not_follow_redirect: bool = False
    max_redirects: int = 10


@dataclass(slots=True)
class Peer:
    """The other end of a TLS handshake; `connection` is None if the handshake failed.

    `problem` is why the certificate was refused, empty if it was accepted, None if it was not verified.
    """

    host: str
    port: int
    address: str
    connection: SSLObject | None = None
    problem: str | None = None


@dataclass(slots=True, kw_only=True)
class Observation:
    """What one probe observed, filled in step by step so that a failure keeps the earlier steps.

    `error` is a sentence for the user, empty if up; `address` is the last one connected to. `headers` and `body` (at
    most 1 MiB) are those of the last answer, raw; only `excerpt` leaves the prober. `complete` means that the whole
    answer was received, `endless` that time ran out in its body, `cut` that the body was not read to its end.
    `condition` is the one that failed or held last; `doing` is the current step, for timeouts. `peer` is that of the
    monitor's own host, not of a redirect. `tolerated` are sentences on protocol violations that did not count.
    """

    verdict: Verdict = Verdict.up
    status_code: int | None = None
    error: str = ""
    address: str = ""
    phases: Phases = field(default_factory=Phases)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    endless: bool = False
    cut: bool = False
    doing: str = ""
    peer: Peer | None = None
    condition: str = ""
    excerpt: str = ""
    tolerated: list[str] = field(default_factory=list)
