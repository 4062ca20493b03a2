"""What Healthchecks' dialect needs: runs with ids, and checks found by what of their ids read-only keys may see."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE vitals ADD COLUMN run_id uuid")
