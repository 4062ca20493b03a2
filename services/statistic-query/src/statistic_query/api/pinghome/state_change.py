"""State changes as monitors and servers show them (contract A24, G)."""

from typing import Any

from pinghome_common.dialects.pinghome_documents import moment
from statistic_query.read import Row

LOGS = {
    "data": [
        {
            "state": "down",
            "previous_state": "up",
            "reason": "answered 503 Service Unavailable",
            "status_code": 503,
            "region": "eu-central-1",
            "created_at": "2022-04-07T21:14:05Z",
            "duration_seconds": 125.031,
        }
    ]
}


def state_change(row: Row) -> dict[str, Any]:
    """One state change."""
    return {
        "state": row["status"],
        "previous_state": row["previous"],
        "reason": row["reason"],
        "status_code": row["status_code"],
        "region": row["region"],
        "created_at": moment(row["at"]),
        "duration_seconds": None if row["lasted"] is None else round(row["lasted"].total_seconds(), 3),
    }
