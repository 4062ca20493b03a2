"""How results travel: no message is larger than a broker takes, whatever the targets said."""

from uuid import UUID

import msgspec

from pinghome_common.events.probe import Result, Results, Verdict
from prober.work import MOST_IN_A_MESSAGE, Done, _message


def results(count: int, excerpt: str) -> list[Done]:
    one = Result(
        resource=UUID(int=1), slot=1, checked_at=1, interval=60, verdict=Verdict.target_fail,
        error="e" * 300, condition="c" * 200, excerpt=excerpt,
    )  # fmt: skip
    return [Done(one, None)] * count


def size(done: list[Done]) -> int:
    return len(msgspec.msgpack.encode(Results(batch=UUID(int=1), region="a", results=[each.result for each in done])))


def test_message_with_long_excerpts_stays_below_half_a_mebibyte():
    done = results(1000, "é" * 2048)

    parts = []
    while done:
        parts.append(_message(done))
        done = done[len(parts[-1]) :]

    assert sum(map(len, parts)) == 1000
    assert max(map(size, parts)) < 512 << 10


def test_message_without_excerpts_holds_as_many_as_it_may():
    assert len(_message(results(1000, ""))) == MOST_IN_A_MESSAGE
    assert size(_message(results(1000, ""))) < 512 << 10
