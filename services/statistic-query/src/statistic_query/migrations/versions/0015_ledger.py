"""The notifications of an organisation, also those in one state or for one channel, newest first."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for name, more in (("in", ""), ("in_state", "(state->>'state'), "), ("for", "(state->>'channel'), ")):
        op.execute(f"CREATE INDEX notification_{name} ON notification ((state->>'organisation'), {more}at, id)")
