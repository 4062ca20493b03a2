"""Servers."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE server_resource (
            id uuid PRIMARY KEY,
            organisation uuid NOT NULL,
            service uuid NOT NULL,
            name text NOT NULL,
            status text NOT NULL,
            version int NOT NULL,
            state jsonb NOT NULL
        )
    """)
    op.execute("CREATE INDEX ON server_resource (organisation, service, name)")
    op.execute("CREATE INDEX ON server_resource USING gin ((state->'channels'))")
    op.execute("CREATE INDEX ON server_resource ((state->>'parent_id'))")
    op.execute("CREATE INDEX ON key ((state->>'server')) WHERE state->>'server' IS NOT NULL")
