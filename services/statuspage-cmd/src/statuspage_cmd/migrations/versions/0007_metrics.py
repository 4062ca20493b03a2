"""Metrics of pages."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for noun in ("metric", "custom_metric"):
        op.execute(f"""
            CREATE TABLE {noun} (
                id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
                page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE
            )
        """)
        op.execute(f"CREATE INDEX {noun}_of ON {noun} (page)")
