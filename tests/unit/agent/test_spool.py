"""The spool: order, bounds, torn ends, full disks."""

import os

import pytest

from pinghome_agent.spool import Spool, SpoolInUse

KB = 1024


@pytest.fixture
def opened(tmp_path):
    """Opens the spool; opening it again closes it before, as a kill would: nothing is flushed at the end."""
    spools = []

    def open_(limit=1024 * KB):
        if spools:
            spools.pop().close()
        spools.append(Spool(tmp_path / "spool", limit))
        return spools[0]

    yield open_
    spools.pop().close()


def drained(spool, most=7):
    found = []
    while (batch := spool.peek(500_000, most)).records:
        found += batch.records
        spool.advance(batch)
    return found


def records(count, start=0, size=100):
    return [f"{number:06d}".encode().ljust(size, b".") for number in range(start, start + count)]


def test_records_leave_in_their_order_across_segments_and_starts(opened):
    spool = opened(256 * KB)
    for each in records(400, size=KB):
        spool.append(each)
        if int(each[:6]) % 90 == 7:
            spool = opened(256 * KB)

    found = drained(spool)
    assert 220 < len(found) < 256  # the limit drops the oldest
    assert found == records(400, size=KB)[-len(found) :]


def test_what_was_not_advanced_is_there_again_and_the_rest_is_not(opened):
    spool = opened()
    for each in records(10):
        spool.append(each)
    spool.advance(spool.peek(500_000, 4))
    spool.peek(500_000, 4)

    assert drained(opened()) == records(10)[4:]
    assert drained(opened()) == []


def test_a_batch_is_bounded_in_bytes_and_has_at_least_one_record(opened):
    spool = opened()
    for each in records(5, size=1000):
        spool.append(each)

    assert [len(spool.peek(most, 10).records) for most in (10, 1001, 2002, 2500, 99_999)] == [1, 1, 2, 2, 5]


@pytest.mark.parametrize("torn", range(1, 108, 7))
def test_a_torn_end_is_cut_off(opened, tmp_path, torn):
    spool = opened()
    for each in records(3):
        spool.append(each)
    segment = next(tmp_path.glob("spool/*.segment"))
    os.truncate(segment, segment.stat().st_size - torn)
    spool = opened()
    spool.append(b"next")

    assert drained(spool) == [*records(2), b"next"]


def test_garbage_is_never_sent(opened, tmp_path):
    spool = opened()
    for each in records(3):
        spool.append(each)
    segment = next(tmp_path.glob("spool/*.segment"))
    with segment.open("r+b") as file:
        file.seek(108 + 20)
        file.write(b"X")
    spool.append(b"after the damage")
    found = drained(spool)
    spool.append(b"later")

    assert (found, drained(spool)) == (records(1), [b"later"])


def test_a_segment_that_was_removed_costs_only_itself(opened, tmp_path):
    spool = opened()
    spool.append(b"gone")
    next(tmp_path.glob("spool/*.segment")).unlink()

    assert drained(spool) == []
    spool.append(b"next")
    assert drained(spool) == [b"next"]


@pytest.mark.parametrize("text", ["", "garbage", "0", "99 0", "0 99999999", "0 -5", "\0\0\0"])
def test_a_lost_cursor_costs_only_repetition(opened, tmp_path, text):
    spool = opened()
    for each in records(3):
        spool.append(each)
    spool.advance(spool.peek(500_000, 2))
    (tmp_path / "spool/cursor").write_text(text)

    assert drained(opened()) == records(3)


def test_the_oldest_are_dropped_and_that_is_told(opened, tmp_path, capsys):
    spool = opened(64 * KB)
    for each in records(200, size=1000):
        spool.append(each)

    assert sum(path.stat().st_size for path in tmp_path.glob("spool/*.segment")) <= 64 * KB
    found = drained(spool)
    assert 55 <= len(found) < 65
    assert found == records(200, size=1000)[-len(found) :]
    told = [
        int(line.rpartition("=")[2].strip('"')) for line in capsys.readouterr().err.splitlines() if "spool_full" in line
    ]
    assert sum(told) == 200 - len(found)


def test_what_is_dropped_while_it_is_being_sent_is_not_taken_from_the_rest(opened):
    spool = opened(64 * KB)
    for each in records(60, size=1000):
        spool.append(each)
    batch = spool.peek(500_000, 3)
    for each in records(60, start=60, size=1000):
        spool.append(each)
    spool.advance(batch)

    found = drained(spool)
    assert found == records(120, size=1000)[-len(found) :]


def test_sent_segments_are_removed(opened, tmp_path):
    spool = opened(64 * KB)
    for each in records(50, size=1000):
        spool.append(each)
        drained(spool)

    assert len(list(tmp_path.glob("spool/*.segment"))) <= 2


def test_a_full_disk_costs_nothing_while_the_agent_lives(opened, monkeypatch, capsys):
    spool, write = opened(), os.pwrite

    def full(file, data, at):
        return write(file, data[:50], at)  # as the kernel does it: a part fits

    spool.append(b"on disk")
    monkeypatch.setattr(os, "pwrite", full)
    for each in records(3):
        spool.append(each)
    batch = spool.peek(500_000, 3)
    spool.advance(batch)
    held = spool.peek(500_000, 2)
    spool.advance(held)
    monkeypatch.setattr(os, "pwrite", write)
    spool.append(b"again")

    assert (batch.records, held.records) == ([b"on disk"], records(2))
    assert drained(opened()) == [records(3)[2], b"again"]
    assert capsys.readouterr().err.count("spool_not_written") == 1


def test_a_spool_has_one_agent(opened, tmp_path):
    opened()

    with pytest.raises(SpoolInUse):
        Spool(tmp_path / "spool", 64 * KB)
