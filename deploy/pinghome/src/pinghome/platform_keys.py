"""The platform's own keys: made at the first start, kept in `<data>/keys.json`, unless the environment gives them."""

import secrets
from collections.abc import Callable

from pinghome.state_file import StateFile
from pinghome_common.secret import new_key, new_token
from pinghome_common.settings import Settings

KEYS: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(32),
    "bootstrap_token": new_token,
    "bootstrap_checks_key": lambda: new_key(32),
    "bootstrap_checks_read_key": lambda: new_key(32),
    "bootstrap_ping_key": lambda: new_key(22),
}
"""Each key of the settings, and how one is made."""


def complete(settings: Settings) -> tuple[Settings, dict[str, str]]:
    """The settings with every key, and those keys that were made just now.

    A key in the environment wins and is not stored. The new ones are on the disk when this returns.
    """
    kept = StateFile(settings.data / "keys.json")
    missing = [name for name in KEYS if not getattr(settings, name)]
    made = {name: KEYS[name]() for name in missing if not kept.get(name)}
    if made:
        kept.put(**made)
    return settings.but(**{name: str(kept.get(name)) for name in missing}), made
