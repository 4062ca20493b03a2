"""Histograms of response times, of each monitor in each region: the hours of a day in one row, and their sum."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # What is packed is MessagePack (`latency.py`); counts are columns, too, to be compared with the results.
    op.execute("""
        CREATE TABLE latency_day (
            series int NOT NULL REFERENCES series (id) ON DELETE CASCADE,
            day date NOT NULL,
            checks int NOT NULL,
            timed int NOT NULL,
            hours bytea NOT NULL,
            whole bytea NOT NULL,
            PRIMARY KEY (series, day)
        ) WITH (fillfactor = 50)
    """)
