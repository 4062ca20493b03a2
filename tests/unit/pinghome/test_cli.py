"""The `pinghome` command finds its commands, and tells an expected error in a sentence."""

import pytest
from typer.testing import CliRunner

from pinghome.cli import COMMANDS, app
from pinghome_common.settings import Settings


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found_and_says_what_it_does(name):
    done = CliRunner().invoke(app, [name, "--help"])

    assert done.exit_code == 0, done.output
    assert "usage:" in done.output.lower()


def test_what_is_close_to_a_command_is_proposed():
    done = CliRunner().invoke(app, ["bakup"])

    assert done.exit_code == 2
    assert "'backup'" in done.output


@pytest.mark.parametrize(
    "words",
    [
        ["organisation", "create", "Shop"],
        ["keys", "list"],
        ["prober", "add", "eu-central-1"],
        ["dead-letters", "list"],
        ["backup", "it.tar.gz"],
        ["rebuild", "resource-query"],
    ],
    ids=" ".join,
)
def test_without_a_platform_a_command_ends_with_a_sentence(words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("database_url", "nats_url"):
        monkeypatch.delenv(f"PINGHOME_{name.upper()}", raising=False)

    done = CliRunner().invoke(app, words)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.lstrip().startswith(f"Pinghome is not running on {tmp_path / Settings().data}; start it with")
