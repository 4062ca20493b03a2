"""Settings from files: `X_FILE` names a file that holds `X`, the way containers are given secrets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsError

SECRETS = (
    "database_url", "nats_url", "secret_key", "region_key", "badge_secret", "page_secret", "subscription_secret",
    "console_secret",
    "bootstrap_token", "bootstrap_checks_key", "bootstrap_checks_read_key", "bootstrap_status_token",
    "bootstrap_ping_key", "smtp_url", "statuspage_io_token",
)  # fmt: skip
"""The settings that nobody else may see: secrets, and URLs that may have a password."""

_PLACEHOLDERS = {
    *("changeme", "secret", "secretkey", "mysecret", "password", "pass", "default", "example", "placeholder", "admin"),
    *("yoursecret", "yoursecretkey", "yourpassword", "test", "todo", "xxx", "xxxx", "none", "null", "pinghome"),
}


class SettingFiles(PydanticBaseSettingsSource):
    """Reads `X` from the file that `X_FILE` names in one of some sources: the environment, `.env`."""

    def __init__(self, settings: type[BaseSettings], *sources: EnvSettingsSource) -> None:
        super().__init__(settings)
        self._prefix = str(settings.model_config["env_prefix"]).lower()
        self._variables = {name: value for source in reversed(sources) for name, value in source.env_vars.items()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  # pydantic's
        """The content of the field's file without a newline at its end, or None.

        Raises:
            SettingsError: both are set, or the file cannot be read or is empty.
        """
        variable = f"{self._prefix}{field_name}"
        path = self._variables.get(f"{variable}_file")
        if not path:
            return None, field_name, False
        name = variable.upper()
        if self._variables.get(variable):
            raise SettingsError(f"{name} and {name}_FILE are both set; set one of them")
        try:
            value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error}") from None
        if not value:
            raise SettingsError(f"{name}_FILE names an empty file: {path}")
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values of all fields that have a file."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def placeholders(settings: BaseSettings) -> Iterator[str]:
    """The names of those secrets that are words of examples, such as `change-me` or smtp://user:password@host."""
    for name in SECRETS:
        value = str(getattr(settings, name))
        word = (urlsplit(value).password or "") if "://" in value else value
        plain = "".join(filter(str.isalnum, word)).lower()
        if plain in _PLACEHOLDERS or word[:1] + word[-1:] in ("<>", "{}", "[]"):
            yield name
