"""What a state looks like, everywhere in the console."""

_SHAPES = {
    "up": "ok",
    "running": "ok",
    "operational": "ok",
    "sent": "ok",
    "completed": "ok",
    "resolved": "ok",
    "down": "major",
    "fail": "major",
    "failed": "major",
    "offline": "major",
    "critical": "major",
    "degraded": "degraded",
    "late": "degraded",
    "minor": "degraded",
    "partial-outage": "partial",
    "major": "partial",
    "investigating": "partial",
    "identified": "partial",
    "monitoring": "maintenance",
    "maintenance": "maintenance",
    "in_progress": "maintenance",
    "scheduled": "maintenance",
    "paused": "paused",
    "suppressed": "paused",
    "silent": "major",
}


def shape(state: str) -> str:
    """The name of a glyph and of a class."""
    return _SHAPES.get(state, "unknown")


def of_bucket(uptime: float | None) -> str:
    """How a bucket of a bar looks: by the part of its time, in percent, in which something was up."""
    if uptime is None:
        return "unknown"
    if uptime >= 100:
        return "ok"
    return "partial" if uptime > 0 else "major"
