"""What conditions on an answer are about, and what they demand."""

TYPES = (
    ("response-status-check", "Status"),
    ("response-time-check", "Response time, ms"),
    ("response-body-check", "Body"),
    ("response-json-check", "JSON"),
    ("response-header-check", "Header"),
)
OPERATORS = (
    ("equal", "is"),
    ("not-equal", "is not"),
    ("contains", "contains"),
    ("not-contains", "does not contain"),
    ("greater-than", "is more than"),
    ("less-than", "is less than"),
    ("exists", "is there"),
    ("not-exists", "is not there"),
    ("regex", "matches"),
)
