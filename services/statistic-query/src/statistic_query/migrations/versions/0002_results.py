"""The address of each result, and the time and the target's answer of each failure."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
-- Targets have few addresses and many results: a small number stands for each. It is null for older results.
CREATE TABLE address (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text NOT NULL UNIQUE);

-- With this a row of all phases has no padding; another four bytes would make every row eight longer.
ALTER TABLE result ADD COLUMN address int;

-- late: milliseconds from slot to check.
ALTER TABLE failure ALTER COLUMN address SET DEFAULT '', ADD COLUMN late real,
    ADD COLUMN condition text NOT NULL DEFAULT '', ADD COLUMN excerpt text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
