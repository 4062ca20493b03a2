"""What the next message of a channel is found by, and what a deleted monitor still has open."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = """
CREATE INDEX notification_next ON notification (channel, place) WHERE open AND planned IS NOT NULL AND due IS NOT NULL;
CREATE INDEX notification_undecided ON notification (channel, due) WHERE open AND planned IS NULL;
CREATE INDEX notification_under_way ON notification (channel, about) WHERE open AND planned IS NOT NULL;
CREATE INDEX notification_undecided_of ON notification (channel, place) WHERE open AND planned IS NULL;
CREATE INDEX notification_of ON notification (about) WHERE open;
DROP INDEX notification_open
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
