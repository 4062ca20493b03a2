"""Metrics of status pages that monitors measure: how far each was heard, also when it is deleted."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("CREATE TABLE page_metric (id uuid PRIMARY KEY, version int NOT NULL)")
