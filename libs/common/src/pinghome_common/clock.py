"""The one clock, which tests may replace."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def micros(moment: datetime) -> int:
    """UNIX microseconds, the unit of times in telemetry; exact, where `timestamp()` rounds."""
    return int((moment - _EPOCH).total_seconds()) * 1_000_000 + moment.microsecond


def from_micros(value: int) -> datetime:
    """The UTC time of UNIX microseconds."""
    return _EPOCH + timedelta(0, 0, value)


_EPOCH = datetime.fromtimestamp(0, UTC)
