"""Platform keys are generated once and stored; those in the environment take precedence."""

import stat

from pinghome.platform_keys import KEYS, complete
from pinghome_common.settings import Settings


def settings(tmp_path, **given) -> Settings:
    return Settings(data=tmp_path, **(dict.fromkeys(KEYS, "") | given))


def test_missing_keys_are_made_once_and_found_again(tmp_path):
    first, new = complete(settings(tmp_path))
    second, nothing = complete(settings(tmp_path))
    assert (set(new), nothing) == (set(KEYS), {})
    assert first == second
    assert [len(new[name]) for name in KEYS if "bootstrap_" in name and "token" not in name] == [32, 32, 22]
    assert (len(new["bootstrap_status_token"]), new["bootstrap_status_token"].isalnum()) == (40, True)
    assert len(new["secret_key"]) >= 32
    assert len(set(new.values())) == len(KEYS)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_keys_of_the_environment_win_and_are_not_stored(tmp_path):
    stored, _ = complete(settings(tmp_path))
    given, new = complete(settings(tmp_path, secret_key="from outside", bootstrap_ping_key="p" * 22))
    assert (given.secret_key, given.bootstrap_ping_key, new) == ("from outside", "p" * 22, {})
    assert given.bootstrap_token == stored.bootstrap_token
    assert "from outside" not in (tmp_path / "keys.json").read_text()
    again, _ = complete(settings(tmp_path))
    assert again.secret_key == stored.secret_key


def test_nothing_is_written_when_all_is_given(tmp_path):
    given = {"bootstrap_checks_key": "c" * 32, "bootstrap_checks_read_key": "r" * 32, "bootstrap_ping_key": "p" * 22}
    given["bootstrap_status_token"] = "s" * 40
    complete(settings(tmp_path, secret_key="s", bootstrap_token="t", **given))
    assert not (tmp_path / "keys.json").exists()
