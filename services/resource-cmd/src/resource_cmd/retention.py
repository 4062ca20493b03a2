"""What has served its time: answers to repeated requests, deliveries, boots of old gateways."""

OLD = {
    "idempotency": "created_at < now() - interval '24 hours'",
    "seen": "at < now() - interval '30 days'",
    "notification": "NOT open AND (state->>'at')::timestamptz < now() - interval '30 days'",
}
"""By table, the condition of rows that nobody needs any more."""
