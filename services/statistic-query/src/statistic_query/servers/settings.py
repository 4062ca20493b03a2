"""What pictures need of a server's settings."""

import msgspec


class Threshold(msgspec.Struct, frozen=True):
    """A bound of one field of one metric type."""

    type: str
    field: str
    operator: str
    value: float


class Settings(msgspec.Struct, frozen=True):
    """A part of a server's state; `interval` is in seconds."""

    name: str = ""
    timezone: str = "UTC"
    chart_type_default: str = "line"
    interval: int = 60
    thresholds: list[Threshold] = []


decode = msgspec.json.Decoder(Settings).decode


def settings(state: msgspec.Raw) -> str:
    """The settings in a server's state, as JSON."""
    return msgspec.json.encode(decode(state)).decode()
