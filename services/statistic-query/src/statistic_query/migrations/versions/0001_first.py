"""The tables of the first release."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE monitor (
    id uuid PRIMARY KEY, noun text NOT NULL, organisation uuid NOT NULL, version int NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE state_change (
    resource uuid NOT NULL, version int NOT NULL, at timestamptz NOT NULL, status text NOT NULL, previous text,
    reason text NOT NULL, status_code int, region text, PRIMARY KEY (resource, version)
);
CREATE INDEX state_change_at ON state_change (resource, at);

-- Every monitor has a small number in every region, so that a result and its key are small.
CREATE TABLE series (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, resource uuid NOT NULL, region text NOT NULL,
    UNIQUE (resource, region)
);

-- Single results, in partitions of a day that retention drops. Times of phases are milliseconds.
-- verdict: 0 up, 1 target_fail, 2 probe_error, 3 blocked. Widest columns first: no padding.
CREATE TABLE result (
    slot timestamptz NOT NULL, series int NOT NULL,
    total real NOT NULL, dns real, connect real, tls real, first_byte real,
    verdict smallint NOT NULL, status_code smallint
) PARTITION BY RANGE (slot);
CREATE UNIQUE INDEX result_key ON result (series, slot);

-- What a failed probe saw, beside the lean rows of all results.
CREATE TABLE failure (
    slot timestamptz NOT NULL, series int NOT NULL, error text NOT NULL, address text NOT NULL
) PARTITION BY RANGE (slot);
CREATE INDEX failure_key ON failure (series, slot);

CREATE TABLE result_hour (
    resource uuid NOT NULL, at timestamptz NOT NULL, checks int NOT NULL, failures int NOT NULL,
    timed int NOT NULL, total double precision NOT NULL, fastest real, slowest real, PRIMARY KEY (resource, at)
) WITH (fillfactor = 80);
CREATE TABLE result_day (LIKE result_hour INCLUDING ALL);

CREATE TABLE ping (
    id uuid NOT NULL, heartbeat uuid NOT NULL, at timestamptz NOT NULL, kind smallint NOT NULL, message text NOT NULL,
    method text NOT NULL, scheme text NOT NULL, remote_addr text NOT NULL, user_agent text NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX ping_of ON ping (heartbeat, at);

CREATE TABLE ping_hour (
    heartbeat uuid NOT NULL, at timestamptz NOT NULL, tick int NOT NULL, run int NOT NULL, complete int NOT NULL,
    fail int NOT NULL, PRIMARY KEY (heartbeat, at)
) WITH (fillfactor = 80);

CREATE TABLE checkpoint (stream text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE dead_letter (
    stream text NOT NULL, seq bigint NOT NULL, subject text NOT NULL, body bytea NOT NULL,
    error text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (stream, seq)
);
CREATE TABLE seen (boot uuid PRIMARY KEY, applied int8multirange NOT NULL, at timestamptz NOT NULL DEFAULT now());
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
