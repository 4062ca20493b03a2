"""Regions, and when their probers were last heard."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE region (
            id uuid PRIMARY KEY,
            organisation uuid NOT NULL,  -- zeros: the platform's own
            version int NOT NULL,
            state jsonb NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE region_heard (
            region text PRIMARY KEY,
            heard_at bigint NOT NULL,
            silent_since bigint
        )
    """)
