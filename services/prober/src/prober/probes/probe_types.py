"""The input of a probe, and its observation."""

from dataclasses import dataclass, field
from ssl import SSLObject

from pinghome_common.events.probe import Phases, Verdict

LOOKING_UP = "looking up the name"


@dataclass(slots=True, kw_only=True)
class Check:
    """What to probe: a monitor's settings with its headers and body opened (`Job` says what is for which type)."""

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
    """Who was at the other end of a TLS handshake; the connection is None when there was none.

    `problem` is why the certificate was refused, empty when it was not, None when nobody verified it.
    """

    host: str
    port: int
    address: str
    connection: SSLObject | None = None
    problem: str | None = None


@dataclass(slots=True, kw_only=True)
class Observation:
    """What one probe saw, filled in as it goes so that a failure keeps what came before it.

    `error` is a sentence for the user, empty when up; `address` is the last one connected to. `headers` and `body`
    (at most 1 MiB) are those of the last answer, raw; of them only `excerpt` leaves the prober. `complete` says that
    the answer came whole, `endless` that time ran out in its body, `cut` that it was read no further. `condition` is
    the one that failed or held last, `doing` the part it was in, for the sentence of a time-out. `peer` is that of
    the monitor's own host, not of where it redirects to. `tolerated` are sentences on what was not as it should be
    and did not count.
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
