"""What a ping is when it is stored: its number and its word, by the pings before it (contract B.4, B.5, F)."""

from dataclasses import dataclass

from pinghome_common.events.ping import Kind, Ping


@dataclass(slots=True, kw_only=True)
class PingSequence:
    """What is known of a heartbeat while its pings are stored, in the order of the stream.

    `n` pings were counted; `last_event` is the time of the newest, `ignores_from` that from which on nothing it says
    counts because it was paused by hand, both in UNIX microseconds. `run_id` (UUID bytes) is that of the run under way.
    """

    n: int = 0
    last_event: int | None = None
    running: bool = False
    run_id: bytes = b""
    ignores_from: int | None = None

    def count(self, ping: Ping) -> Kind:
        """Counts a ping and returns what it is kept as: a success completes a run, or is a tick.

        As in `heartbeat.take`, one that comes after a later one is counted but neither begins nor ends a run.
        """
        self.n += 1
        late = self.last_event is not None and ping.at < self.last_event
        if not late:
            self.last_event = ping.at
        kind = Kind(ping.kind)
        ends = not late and not self.ignores(ping) and self._moves(kind, ping.run_id)
        return (Kind.complete if ends else Kind.tick) if kind is Kind.success else kind

    def ignores(self, ping: Ping) -> bool:
        """True for a ping of the time since the pause: Healthchecks shows it as `ign`, whatever it says."""
        return self.ignores_from is not None and ping.at >= self.ignores_from

    def _moves(self, kind: Kind, run_id: bytes) -> bool:
        """Begins a run, or ends the one under way; true when it ends it."""
        if kind is Kind.run:
            self.running, self.run_id = True, run_id
        elif kind not in (Kind.log, Kind.ign) and (run_id in (b"", self.run_id) or kind is Kind.fail):
            ended, self.running, self.run_id = self.running, False, b""
            return ended
        return False
