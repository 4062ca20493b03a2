"""docs/settings.md says what the settings class says."""

from pathlib import Path

from pinghome import settings_page
from pinghome_common.settings import Settings

ROOT = Path(__file__).parents[3]


def test_page_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs/settings.md").read_text("utf-8") == settings_page.page(), "run `make docs`"


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_example_of_the_environment_names_every_setting() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    named = {line.partition("=")[0] for line in lines if line.startswith("PINGHOME_")}
    assert named == {f"PINGHOME_{name.upper()}" for name in Settings.model_fields}
