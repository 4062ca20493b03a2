"""Indexes for look-ups that read a whole service or organisation, or all that is muted ahead."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    # In the order in which `unique` takes the first, for thousands may have the same timeout, no tags or no name.
    op.execute("DROP INDEX heartbeat_by_name, heartbeat_by_slug, heartbeat_by_tags")
    op.execute("CREATE INDEX heartbeat_by_name ON heartbeat (organisation, service, name, (state->>'created_at'), id)")
    for name, value in (
        ("slug", "(state->>'slug')"),
        ("tags", "(state->>'tags')"),
        ("period", "((state->>'period')::bigint)"),
        ("grace", "((state->>'grace')::bigint)"),
    ):
        op.execute(f"CREATE INDEX heartbeat_by_{name} ON heartbeat (service, {value}, (state->>'created_at'), id)")
    for noun in ("resource", "heartbeat"):
        op.execute(f"CREATE INDEX {noun}_channels ON {noun} USING gin ((state->'channels') jsonb_path_ops)")
    op.execute("CREATE INDEX resource_unknown ON resource (id) WHERE status = 'unknown'")
    op.execute("CREATE INDEX mute_begins ON mute (begins)")
    op.execute("CREATE INDEX integration_of ON integration (organisation)")
