"""Status pages, and the notifications about what they tell of."""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE statuspage (id uuid PRIMARY KEY, organisation uuid NOT NULL);
ALTER TABLE notification ADD COLUMN page uuid;
CREATE INDEX notification_of_page ON notification (page, at) WHERE page IS NOT NULL
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
