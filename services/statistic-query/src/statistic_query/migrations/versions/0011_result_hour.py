"""The packed hours as rows, for SQL: a view of `result_day`."""

from alembic import op

revision = "0011"
down_revision = "0010"

# An hour is one string of bits, in which SQL can cut; OFFSET 0 keeps PostgreSQL from making it anew for each column.
STATEMENTS = """
CREATE FUNCTION float8_of_bits(bits bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE bits >> 52 & 2047 WHEN 0 THEN 0 WHEN 2047 THEN NULL
    ELSE ((bits & x'fffffffffffff'::bigint) + x'10000000000000'::bigint) * power(2::float8, (bits >> 52 & 2047) - 1075)
END
$$;
COMMENT ON FUNCTION float8_of_bits IS 'Of an IEEE 754 double that is not negative; null for infinity.';
CREATE VIEW result_hour AS
SELECT resource, day, (day + hour * interval '1 hour') AT TIME ZONE 'UTC' AS at, checks, failures, timed,
    float8_of_bits(total) AS total, float8_of_bits(fastest) AS fastest, float8_of_bits(slowest) AS slowest
FROM result_day CROSS JOIN generate_series(0, 23) AS hour
CROSS JOIN LATERAL (
    SELECT ('x' || encode(substr(hours, hour * 36 + 1, 36), 'hex'))::bit(288) AS bits OFFSET 0
) AS packed
CROSS JOIN LATERAL (
    SELECT substring(bits FROM 1 FOR 32)::int AS checks, substring(bits FROM 33 FOR 32)::int AS failures,
        substring(bits FROM 65 FOR 32)::int AS timed, substring(bits FROM 97 FOR 64)::bigint AS total,
        substring(bits FROM 161 FOR 64)::bigint AS fastest, substring(bits FROM 225 FOR 64)::bigint AS slowest OFFSET 0
) AS counts
WHERE checks > 0;
COMMENT ON VIEW result_hour IS
    'Hours in which something was counted. total is the sum of the times of timed answers, in ms; day has an index.'
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
