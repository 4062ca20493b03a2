"""What a backup has of the data folder: check-ins that wait in spools, names, and sealed passwords."""

import pytest

from pinghome.backup import files
from pinghome_common.spool import Spool

KEY = "a-secret-key"


def test_spools_names_and_passwords_of_the_broker_come_back_and_passwords_are_sealed(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    Spool(one / "data-gateway/0/spool").append(b"a batch")
    (one / "data-gateway/0/name").write_text("gateway-1f6c9a0b7d2e")
    (one / "data-gateway/0/known").write_text("is learnt again")
    (one / "regions").mkdir()
    (one / "regions/us-east-1.conf").write_text('password: "secret"')
    (one / "keys.json").write_text(KEY)
    found = dict(files.read(one, KEY))
    assert found.keys() == {
        "files/data-gateway/0/name", "files/data-gateway/0/spool/000000000001.spool", "sealed/regions/us-east-1.conf",
    }  # fmt: skip
    assert b"secret" not in found["sealed/regions/us-east-1.conf"]
    for name, content in found.items():
        files.write(other, KEY, name, content)
    assert (other / "data-gateway/0/name").read_text() == "gateway-1f6c9a0b7d2e"
    assert (other / "regions/us-east-1.conf").read_text() == 'password: "secret"'
    _, batches = Spool(other / "data-gateway/0/spool").oldest()
    assert list(batches) == [b"a batch"]


def test_nothing_is_written_outside_of_the_data_folder(tmp_path):
    with pytest.raises(ValueError, match="outside"):
        files.write(tmp_path / "data", KEY, "files/../elsewhere", b"")
