"""What Healthchecks' dialect needs: runs with ids, and heartbeats found by their tags, slugs and unique keys."""

from alembic import op

from pinghome_common import vitals

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(vitals.RUN_ID)
