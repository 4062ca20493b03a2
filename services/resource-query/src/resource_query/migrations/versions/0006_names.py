"""Tables are named after their contents."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE vitals RENAME TO runtime_state")
    op.execute("ALTER TABLE view RENAME TO region_observation")
