"""What has served its time: response times that are no longer shown, boots of old gateways."""

from statuspage_query.response_times import KEPT

OLD = {
    "response_day": f"t.day < (now() AT TIME ZONE 'UTC')::date - {KEPT.days}",
    "seen": "at < now() - interval '30 days'",
}
"""By table, the condition of rows that nobody needs any more."""
