"""Settings that are lists of pairs, as the environment and other processes have them."""

import pytest
from pydantic import ValidationError

from pinghome.services import environment
from pinghome_common.settings import Settings


def test_locations_name_regions_and_the_first_one_is_for_all_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PINGHOME_REGIONS", "eu-central-1,us-west-1")
    assert Settings().region_of("US West") == "eu-central-1"
    monkeypatch.setenv("PINGHOME_PINGPONG_LOCATIONS", "US West=us-west-1, Japan = us-west-1")
    for settings in (Settings(), again(monkeypatch, Settings())):
        found = [settings.region_of(place) for place in ("us west", "Japan", "Brazil")]
        assert found == ["us-west-1", "us-west-1", "eu-central-1"]


def again(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """The settings of a service in a process of its own."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize("value", ["US West", "=us-west-1", "US West=", "a=b,c"])
def test_a_location_needs_a_region(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("PINGHOME_PINGPONG_LOCATIONS", value)
    with pytest.raises(ValidationError, match="location=region"):
        Settings()
