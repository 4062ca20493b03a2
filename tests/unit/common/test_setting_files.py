"""Secrets from files, and secrets that are none."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from pinghome_common.setting_files import SECRETS
from pinghome_common.settings import Settings

KEY = "a key that nobody else has"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PINGHOME_SECRET_KEY_FILE", str(path := tmp_path / "key"))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_its_file_without_the_newline_at_the_end(file: Path, end: str):
    file.write_text(f" {KEY} {end}", newline="")
    assert Settings().secret_key == f" {KEY} "


def test_every_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    values = {"bootstrap_status_token": "s" * 40, "bootstrap_ping_key": "p" * 22, "mail_from": "a@example.com"}
    values |= {"smtp_url": "smtp://user:pw-of-ours@mail"}
    values |= {name: "c" * 32 for name in SECRETS if name not in values}
    for name, value in values.items():
        (tmp_path / name).write_text(value + "\n")
        monkeypatch.setenv(f"PINGHOME_{name.upper()}_FILE", str(tmp_path / name))
    assert Settings().model_dump(include=set(values)) == values


def test_env_may_name_the_file_and_an_argument_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(KEY)
    (tmp_path / ".env").write_text(f"PINGHOME_SECRET_KEY_FILE={tmp_path / 'key'}\n")
    assert Settings().secret_key == KEY
    assert Settings(secret_key="another one").secret_key == "another one"


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_secret_and_its_file_together_are_refused(file: Path, monkeypatch: pytest.MonkeyPatch, where: str):
    file.write_text(KEY)
    if where == ".env":
        file.with_name(".env").write_text(f"PINGHOME_SECRET_KEY={KEY}\n")
    else:
        monkeypatch.setenv("PINGHOME_SECRET_KEY", KEY)
    with pytest.raises(SettingsError, match="PINGHOME_SECRET_KEY and PINGHOME_SECRET_KEY_FILE are both set"):
        Settings()


def test_a_file_that_cannot_be_read_or_is_empty_is_named(file: Path):
    with pytest.raises(SettingsError, match=f"PINGHOME_SECRET_KEY_FILE cannot be read: .*{file}"):
        Settings()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="PINGHOME_SECRET_KEY_FILE cannot be read"):
        Settings()
    file.write_text("\n")
    with pytest.raises(SettingsError, match=f"empty file: {file}"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "change-me"), ("secret_key", "CHANGEME"), ("secret_key", "<your key>"),
        ("bootstrap_token", "secret"),
        ("smtp_url", "smtp://user:password@mail.example.com:587?starttls"),
        ("database_url", "postgresql://a:Change_Me@db"),
    ],
)  # fmt: skip
def test_secrets_of_examples_are_refused_and_no_value_is_shown(name: str, value: str):
    with pytest.raises(ValidationError, match=f"PINGHOME_{name.upper()}: this is an example's") as refused:
        Settings(**{name: value, "mail_from": "a@example.com"})
    assert value not in str(refused.value)


def test_a_service_with_wrong_settings_ends_with_one_sentence(file: Path):
    done = subprocess.run(
        [sys.executable, "-c", "from pinghome_common.serve import run; run(None)"],
        env={"PINGHOME_SECRET_KEY_FILE": str(file)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("The settings are wrong: PINGHOME_SECRET_KEY_FILE cannot be read")
    assert "Traceback" not in done.stderr
