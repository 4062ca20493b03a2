"""Values are kept between starts, readable only by their owner."""

import socket
import stat

from pinghome.state_file import StateFile
from pinghome_common.files import write_private


def test_values_are_found_again(tmp_path):
    StateFile(tmp_path / "kept").put(word="secret", number=7)
    again = StateFile(tmp_path / "kept")
    assert (again.get("word"), again.get("number"), again.get("other")) == ("secret", 7, None)


def test_file_is_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (0o600, "new")


def test_a_crash_while_writing_leaves_the_old_file_and_the_next_write_works(tmp_path):
    path = tmp_path / "kept"
    write_private(path, "old")
    (tmp_path / "kept.new").write_text("half")  # what a kill -9 leaves
    assert path.read_text() == "old"
    write_private(path, "new")
    assert path.read_text() == "new"


def test_port_stays_the_same_while_it_is_free(tmp_path):
    port = StateFile(tmp_path / "kept").port("nats_port")
    assert StateFile(tmp_path / "kept").port("nats_port") == port
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        other = StateFile(tmp_path / "kept").port("nats_port")
    assert other != port
    assert StateFile(tmp_path / "kept").port("nats_port") == other
