"""Tables are named after their contents."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE tally RENAME TO ping_sequence")
