"""Times as they are sent: RFC 3339 in UTC with microseconds and `Z`."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """The text of a UNIX time, such as `2026-11-27T04:00:00.123456Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
