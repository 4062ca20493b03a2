"""The platform's keys: from the environment, or generated at the first start and stored in `<data>/keys.json`."""

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
    "bootstrap_status_token": lambda: new_key(40),
    "bootstrap_ping_key": lambda: new_key(22),
}
"""The settings that are keys, with their generators."""


def complete(settings: Settings) -> tuple[Settings, dict[str, str]]:
    """The settings with all keys, and the keys that were generated now.

    A key in the environment takes precedence and is not stored. New keys are on disk when this returns.
    """
    state = StateFile(settings.data / "keys.json")
    missing = [name for name in KEYS if not getattr(settings, name)]
    new = {name: KEYS[name]() for name in missing if not state.get(name)}
    if new:
        state.put(**new)
    return settings.but(**{name: str(state.get(name)) for name in missing}), new


def printed(new: dict[str, str]) -> list[str]:
    """The lines that tell the operator new keys of the first organisation; the secret key is nobody's to use."""
    return [f"PINGHOME_{name.upper()}={key}" for name, key in new.items() if name != "secret_key"]
