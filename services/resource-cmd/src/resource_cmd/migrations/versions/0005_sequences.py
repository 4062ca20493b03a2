"""The place of each event in EVENTS, so that what a killed broker has lost is published again."""

from alembic import op

from pinghome_common import eventlog

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in eventlog.SEQUENCES.split(";\n"):
        if statement.strip():
            op.execute(statement)
