"""The number and the stored kind of each ping, which depend on the pings before it (contract B.4, B.5, F)."""

from dataclasses import dataclass

from pinghome_common.events.ping import Kind, Ping

_KINDS = {int(kind): kind for kind in Kind}


@dataclass(slots=True, kw_only=True)
class PingSequence:
    """What storing a heartbeat's pings in stream order needs to know about earlier ones.

    Args:
        n: the number of pings.
        last_event: the time of the newest, in UNIX microseconds.
        running: whether a run is in progress.
        run_id: of that run, UUID bytes; empty if it has none.
        ignores_from: since when pings are ignored because of a manual pause, in UNIX microseconds.
    """

    n: int = 0
    last_event: int | None = None
    running: bool = False
    run_id: bytes = b""
    ignores_from: int | None = None

    def count(self, ping: Ping) -> Kind:
        """Counts a ping and returns its stored kind: a success that ends a run is a complete, else a tick.

        As in `heartbeat.take`, a ping older than the newest is counted but neither starts nor ends a run.
        """
        self.n += 1
        late = self.last_event is not None and ping.at < self.last_event
        if not late:
            self.last_event = ping.at
        kind = _KINDS[ping.kind]
        ends = not late and not self.ignores(ping) and self._update_run(kind, ping.run_id)
        return (Kind.complete if ends else Kind.tick) if kind is Kind.success else kind

    def ignores(self, ping: Ping) -> bool:
        """True for a ping since the manual pause, whatever its kind."""
        return self.ignores_from is not None and ping.at >= self.ignores_from

    def _update_run(self, kind: Kind, run_id: bytes) -> bool:
        """Starts or ends a run; true if a run ended."""
        if kind is Kind.run:
            self.running, self.run_id = True, run_id
        elif kind not in (Kind.log, Kind.ign) and (run_id in (b"", self.run_id) or kind is Kind.fail):
            ended, self.running, self.run_id = self.running, False, b""
            return ended
        return False
