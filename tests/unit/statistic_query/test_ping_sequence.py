"""The stored kind of a ping agrees with its effect on the runtime state of its heartbeat."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.events.heartbeat import Heartbeat, take
from pinghome_common.events.ping import Kind, Ping
from statistic_query.ping_sequence import PingSequence

STAMP = datetime(2026, 11, 21, tzinfo=UTC)
RUNS = [b"", UUID(int=1).bytes, UUID(int=2).bytes]
IT = Heartbeat(
    id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", period=60, methods=["GET"],
    created_at=STAMP, updated_at=STAMP,
)  # fmt: skip

pings = st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 30), st.sampled_from(RUNS)), max_size=25)


@given(pings)
def test_numbers_and_runs_are_those_of_the_runtime_state(found):
    sequence, state = PingSequence(), IT.vitals
    for index, (kind, at, run) in enumerate(found, 1):
        ping = Ping(id=b"", heartbeat=b"", at=at, kind=kind, run_id=run)
        before, state = state, take(IT, state, ping, index)
        kind_stored = sequence.count(ping)
        ended = before.last_start is not None and state.last_start is None
        assert kind_stored == (kind if kind is not Kind.success else Kind.complete if ended else Kind.tick)
        assert (sequence.n, sequence.last_event, sequence.running) == (
            state.n_pings, state.last_event, state.last_start is not None,
        )  # fmt: skip
        assert sequence.run_id == (state.run_id.bytes if state.run_id else b"")


def test_from_a_pause_by_hand_on_everything_is_ignored_and_still_counted():
    sequence = PingSequence(ignores_from=10)
    pings = [Ping(id=b"", heartbeat=b"", at=at, kind=kind) for at, kind in enumerate(Kind, 9)]
    assert [sequence.count(ping) for ping in pings] == [*list(Kind)[:-1], Kind.tick]
    assert [sequence.ignores(ping) for ping in pings] == [False, *[True] * 6]
    assert (sequence.n, sequence.running) == (7, False)
