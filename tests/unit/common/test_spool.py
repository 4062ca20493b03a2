"""Batches on disk until the broker has them."""

import resource
import tracemalloc

import pytest

from pinghome_common.spool import MAX_FILE, Spool, next_part


def test_what_was_appended_comes_back_in_order_also_after_a_restart(tmp_path):
    spool = Spool(tmp_path)
    assert not spool
    for batch in (b"one", b"two", b""):
        spool.append(batch)
    again = Spool(tmp_path)
    assert again
    assert list(again.oldest()[1]) == [b"one", b"two", b""]


def test_a_file_that_is_being_sent_is_not_written_to(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"one")
    path, batches = spool.oldest()
    spool.append(b"two")
    assert list(batches) == [b"one"]
    spool.remove(path)
    assert list(spool.oldest()[1]) == [b"two"]


def test_a_torn_last_record_is_left_out_and_what_came_before_is_kept(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"whole")
    spool.append(b"torn in the middle")
    path, _ = spool.oldest()
    for cut in range(1, 25):
        path.write_bytes(path.read_bytes()[:-1])
        assert list(Spool(tmp_path).oldest()[1]) == [b"whole"], cut


def test_an_empty_spool_stays_empty_after_everything_is_sent(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"one")
    spool.remove(spool.oldest()[0])
    assert not spool
    assert not Spool(tmp_path)


def test_a_record_that_the_disk_cut_short_hides_none_that_come_after_it(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            spool.append(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert spool.oldest()[0].stat().st_size == 100
    spool.append(b"after")
    for expected in ([b"before"], [b"after"]):
        path, batches = spool.oldest()
        assert list(batches) == expected
        spool.remove(path)
    assert not spool


def test_a_first_record_that_could_not_be_written_at_all_leaves_a_spool_that_goes_on(tmp_path):
    spool = Spool(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            spool.append(b"one")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    spool.append(b"two")
    found = []
    while spool:
        path, batches = spool.oldest()
        found += list(batches)
        spool.remove(path)
    assert found == [b"two"]


def test_a_long_spool_is_many_files_and_none_is_held_as_a_whole(tmp_path):
    spool = Spool(tmp_path)
    batches = [bytes([number]) * (1 << 20) for number in range(40)]
    for batch in batches:
        spool.append(batch)
    files = sorted(tmp_path.iterdir())
    assert [path.stat().st_size >> 20 for path in files] == [8] * 5
    assert max(path.stat().st_size for path in files) < MAX_FILE + (2 << 20)

    old = tmp_path / "000000000000.spool"  # one of an earlier version, which did not rotate
    old.write_bytes(b"".join(path.read_bytes() for path in files))
    for path in files[1:]:
        path.unlink()
    spool, found = Spool(tmp_path), []
    tracemalloc.start()
    path, there = spool.oldest()
    while part := next_part(there):
        found += [batch[:1] for batch in part]
        assert tracemalloc.get_traced_memory()[0] < 4 << 20
    assert tracemalloc.get_traced_memory()[1] < 6 << 20
    tracemalloc.stop()
    assert (path, found) == (old, [batch[:1] for batch in batches])


def test_a_length_that_the_file_does_not_have_is_not_believed(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"whole")
    path, _ = spool.oldest()
    with path.open("ab") as file:
        file.write(b"\xff\xff\xff\xff\x00\x00\x00\x00torn")
    tracemalloc.start()
    assert list(Spool(tmp_path).oldest()[1]) == [b"whole"]
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_spool_with_a_limit_drops_its_oldest_files_and_goes_on(tmp_path):
    spool, limit = Spool(tmp_path, 3 * MAX_FILE), 3 * MAX_FILE
    for number in range(60):
        spool.append(bytes([number]) * (1 << 20))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) < limit + (1 << 20)
    found = []
    while spool:
        path, batches = spool.oldest()
        found += [batch[0] for batch in batches]
        spool.remove(path)
    assert found == list(range(60 - len(found), 60))
    assert len(found) >= 12
