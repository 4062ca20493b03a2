"""Whether pages' domains point here."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE claim (
        page uuid PRIMARY KEY REFERENCES statuspage ON DELETE CASCADE, domain text NOT NULL,
        checked_at timestamptz NOT NULL, verified_at timestamptz, broken_at timestamptz
    )""")
