"""The command line, the grid of samples, and what answers mean."""

import pytest

from pinghome_agent.main import next_due
from pinghome_agent.options import parsed
from pinghome_agent.post import parsed_url
from pinghome_agent.sender import Outcome, outcome

BASE = ["--url", "https://pinghome.example.com/"]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("URL", "TOKEN", "TOKEN_FILE", "INTERVAL"):
        monkeypatch.delenv(f"PINGHOME_AGENT_{name}", raising=False)
    return lambda **values: [monkeypatch.setenv(f"PINGHOME_AGENT_{name}", value) for name, value in values.items()]


def test_options_come_from_the_command_line_or_the_environment(environment, tmp_path):
    file = tmp_path / "token"
    file.write_text("from-file\n")
    assert parsed([*BASE, "--token", "given"]).token() == "given"
    assert parsed([*BASE, "--token-file", str(file)]).token() == "from-file"
    environment(URL="http://localhost:8000", TOKEN_FILE=str(file), INTERVAL="30")
    it = parsed([])
    assert (it.url.host, it.url.port, it.interval, it.token()) == ("localhost", 8000, 30, "from-file")
    assert parsed(["--token", "given"]).token() == "given"


def test_lists_may_be_repeated_or_separated_by_commas():
    it = parsed([*BASE, "--token", "x", "--include-interfaces", "wg0, br*", "--include-interfaces", "tun0"])

    assert it.choices.interfaces.include == ("wg0", "br*", "tun0")


def test_showing_a_sample_needs_neither_address_nor_token():
    assert parsed(["--once", "--print"]).shown


@pytest.mark.parametrize(
    "arguments",
    [
        [], BASE, ["--print"], [*BASE, "--token", "two words"], [*BASE, "--token", "line\r\nX-Evil: 1"],
        [*BASE, "--token-file", "/does/not/exist"], [*BASE, "--token", "x", "--token-file", "/x"],
        ["--token", "x", "--url", "ftp://example.com"], ["--token", "x", "--url", "https://user@example.com"],
        ["--token", "x", "--url", "https://example.com/a b"], ["--token", "x", "--url", "https://example.com/?a=b"],
        [*BASE, "--token", "x", "--interval", "0"], [*BASE, "--token", "x", "--interval", "nan"],
        [*BASE, "--token", "x", "--spool-limit", "1k"], [*BASE, "--token", "x", "--spool-limit", "lots"],
    ],
)  # fmt: skip
def test_wrong_options_are_refused_at_once(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(arguments)

    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_sizes_have_units():
    assert parsed([*BASE, "--token", "x"]).spool_limit == 64 << 20
    assert parsed([*BASE, "--token", "x", "--spool-limit", "2GiB"]).spool_limit == 2 << 30


def test_the_path_of_an_address_is_kept():
    assert parsed_url("https://example.com/pinghome/").path == "/pinghome"


@pytest.mark.parametrize(("now", "due"), [(100.0, 110), (104.9, 110), (110.0, 120), (131.0, 140), (100_000.0, 100_010)])
def test_samples_stay_on_their_grid_and_are_not_made_up_for(now, due):
    assert next_due(100, 10, now) == due


def test_what_an_answer_means():
    for status in (200, 202, 204):
        assert outcome(status) is Outcome.accepted
    for status in (400, 413, 422):
        assert outcome(status) is Outcome.refused
    for status in (408, 429, 500, 502, 503, 504):
        assert outcome(status) is Outcome.busy
    for status in (301, 302, 307, 308, 401, 403, 404, 405, 410):
        assert outcome(status) is Outcome.unwelcome
