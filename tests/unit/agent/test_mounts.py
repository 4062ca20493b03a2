"""File systems: traps 6 to 9 of host numbers."""

import os
import threading
import time

import pytest

from pinghome_agent.choice import Choice
from pinghome_agent.host import disk_usage
from pinghome_agent.host.disk_usage import DiskUsage, Space
from pinghome_agent.host.mount_table import devices

PSEUDO = (
    "20 1 0:5 / /proc rw - proc proc rw",
    "21 1 0:6 / /dev rw - devtmpfs udev rw",
    "22 1 0:7 / /run rw - tmpfs tmpfs rw",
    "23 1 0:8 / /net rw - autofs auto.net rw",
    "24 1 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro",
    "25 1 0:60 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw",
)
ROOT = "29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw"


def shown(host, *lines, choice=Choice(), sizes=None):  # noqa: B008  # frozen
    """The total and the sizes by mount that are measured; a size of None is a file."""
    host.mounts(*lines)
    found, by = DiskUsage(
        host.proc, choice, measure=lambda point: (sizes or {}).get(point, Space(100, 40, 60))
    ).sample()
    return found and found["total"], {point: it["total"] for point, it in by.items()}


def test_pseudo_file_systems_and_images_are_no_disks(host):
    assert shown(host, *PSEUDO, ROOT) == (100, {"/": 100})


def test_a_device_is_shown_once_by_its_best_mount(host):
    lines = (
        "30 1 8:2 /volumes/a /mnt/volume rw - ext4 /dev/sda2 rw",
        "31 1 8:2 / /var/lib/data rw - ext4 /dev/sda2 rw",
        "32 1 8:2 /b /b rw - ext4 /dev/sda2 rw",
        "33 1 0:33 /@home /home rw - btrfs /dev/sdb1 rw,subvol=/@home",
        "34 1 0:33 /@ / rw - btrfs /dev/sdb1 rw,subvol=/@",
    )

    assert shown(host, *lines) == (200, {"/var/lib/data": 100, "/": 100})


def test_files_of_a_container_are_no_disks_and_its_root_is_one(host):
    lines = (
        "40 1 0:70 / / rw - overlay overlay rw,upperdir=/x",
        "41 40 254:1 /docker/x/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw",
        "42 40 254:1 /docker/x/hosts /etc/hosts rw - ext4 /dev/vda1 rw",
    )

    assert shown(host, *lines, sizes={"/etc/resolv.conf": None, "/etc/hosts": None}) == (100, {"/": 100})


def test_a_file_is_not_measured_as_a_disk(tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1")

    assert disk_usage.space(str(tmp_path / "resolv.conf")) is None
    assert disk_usage.space(str(tmp_path)).total > 0


def test_of_an_immutable_system_the_disk_is_shown_not_the_image_at_its_root(host):
    lines = (
        "50 1 0:80 / / ro - overlay composefs ro",
        "51 50 8:3 / /sysroot ro - ext4 /dev/sda3 ro",
        "52 50 8:3 /ostree/deploy/x/var /var rw - ext4 /dev/sda3 rw",
    )

    assert shown(host, *lines) == (100, {"/sysroot": 100})


def test_datasets_of_a_zfs_pool_share_their_free_space_once(host):
    lines = ("60 1 0:90 / / rw - zfs tank/root rw", "61 60 0:91 / /home rw - zfs tank/home rw")
    sizes = {"/": Space(110, 10, 100), "/home": Space(130, 30, 100)}

    assert shown(host, *lines, sizes=sizes) == (140, {"/": 110, "/home": 130})


def test_remote_file_systems_are_shown_but_are_no_space_of_this_host(host):
    assert shown(host, ROOT, "70 1 0:99 / /srv rw - nfs4 nas:/srv rw") == (100, {"/": 100, "/srv": 100})


def test_of_two_mounts_at_one_point_the_last_is_seen(host):
    assert shown(host, ROOT, "71 1 8:1 / /a rw - ext4 /dev/sda1 rw", "72 1 0:1 / /a rw - tmpfs x rw") == (
        100,
        {"/": 100},
    )


def test_includes_beat_excludes_and_both_beat_the_default(host):
    choice = Choice(include=("/run", "/data/keep"), exclude=("/data/*",))
    lines = (*PSEUDO, ROOT, "73 1 8:4 / /data/keep rw - xfs /dev/sdc rw", "74 1 8:5 / /data/no rw - xfs /dev/sdd rw")

    assert shown(host, *lines, choice=choice) == (200, {"/": 100, "/data/keep": 100, "/run": 100})


def test_names_with_spaces_and_unprintable_bytes_are_read(host):
    host.mounts(r"75 1 8:6 / /mnt/my\040disk rw - ext4 /dev/sde rw", ROOT)
    with (host.proc / "self/mountinfo").open("ab") as file:
        file.write(b"76 1 8:7 / /mnt/\xff rw - ext4 /dev/sdf rw\n")

    assert {it.mounts[0].point for it in devices(host.proc, Choice()).values()} == {"/", "/mnt/\udcff", "/mnt/my disk"}


def test_a_size_is_read_each_time(host):
    sizes = iter([Space(100, 40, 60), Space(200, 40, 160)])
    usage = DiskUsage(host.proc, measure=lambda _: next(sizes))

    assert [usage.sample()[0]["total"] for _ in range(2)] == [100, 200]


def test_percent_is_that_of_df():
    assert Space(total=100, used=45, free=45).figures()["percent"] == 50


def test_an_unreadable_mount_costs_only_itself_and_is_told_once(host, capsys):
    def measure(point):
        if point == "/secret":
            raise PermissionError(13, "Permission denied")
        return Space(100, 40, 60)

    host.mounts(ROOT, "80 1 8:8 / /secret rw - ext4 /dev/sdg rw")
    usage = DiskUsage(host.proc, measure=measure)

    assert [sorted(usage.sample()[1]) for _ in range(3)] == [["/"]] * 3
    assert capsys.readouterr().err.count("mount_unreadable") == 1


@pytest.fixture
def hanging(tmp_path):
    """A system call that blocks: opening a pipe for reading, as long as nobody writes; `answer()` ends it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def measure(point):
        if point == "/srv":
            os.close(os.open(pipe, os.O_RDONLY))
        return Space(100, 40, 60)

    measure.answer = lambda: os.close(os.open(pipe, os.O_WRONLY))
    return measure


def threads():
    return [it for it in threading.enumerate() if it.name == "mount /srv"]


def test_a_mount_that_hangs_is_left_alone_with_one_thread_until_it_answers(host, hanging, capsys):
    host.mounts(ROOT, "90 1 0:99 / /srv rw - nfs nas:/srv rw")
    usage = DiskUsage(host.proc, deadline=0.2, measure=hanging)

    begun = time.monotonic()
    for _ in range(5):
        total, by = usage.sample()
        assert (total["total"], list(by)) == (100, ["/"])
        assert len(threads()) == 1
    assert time.monotonic() - begun < 10 * 0.2  # it is waited for once
    hanging.answer()
    for it in threads():
        it.join()
    hanging_again = threading.Thread(target=hanging.answer)  # the next measurement opens the pipe anew
    hanging_again.start()
    assert list(usage.sample()[1]) == ["/", "/srv"]
    hanging_again.join()
    assert threads() == []
    assert capsys.readouterr().err.count("mount_does_not_answer") == 1


def test_while_a_local_disk_hangs_there_is_no_total_rather_than_a_wrong_one(host, hanging):
    host.mounts(ROOT, "91 1 8:9 / /srv rw - ext4 /dev/sdh rw")
    total, by = DiskUsage(host.proc, deadline=0.05, measure=hanging).sample()

    assert (total, list(by)) == (None, ["/"])
    hanging.answer()
    for it in threads():
        it.join()
