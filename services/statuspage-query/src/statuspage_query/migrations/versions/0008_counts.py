"""How many incidents, maintenances, templates and subscribers a page has, so that no page of a list counts them."""

from alembic import op

revision = "0008"
down_revision = "0007"

NOUNS = ("incident", "maintenance", "recurrence", "template", "subscribed")


def upgrade() -> None:
    op.execute("""
        CREATE TABLE counted (
            page uuid NOT NULL,
            noun text NOT NULL,
            n bigint NOT NULL,
            PRIMARY KEY (page, noun)
        ) WITH (fillfactor = 50)
    """)
    # As in resource-query: by triggers, once for each statement. None of these ever moves to another page.
    for noun in NOUNS:
        op.execute(f"LOCK TABLE {noun} IN SHARE ROW EXCLUSIVE MODE")
        for what, sign, rows in (("INSERT", "", "NEW"), ("DELETE", "-", "OLD")):
            name = f"count_{noun}_{what.lower()}"
            op.execute(f"""
                CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    {_add(noun, sign)};
                    RETURN NULL;
                END $$
            """)
            op.execute(f"""
                CREATE TRIGGER {name} AFTER {what} ON {noun} REFERENCING {rows} TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION {name}()
            """)
        op.execute(_add(noun, "").replace("FROM changed", f"FROM {noun}"))
    op.execute("CREATE INDEX statuspage_domain ON statuspage ((state->>'domain')) WHERE state->>'domain' <> ''")


def _add(noun: str, sign: str) -> str:
    return f"""
        INSERT INTO counted AS c SELECT page, '{noun}', {sign}count(*) FROM changed GROUP BY page ORDER BY page
        ON CONFLICT (page, noun) DO UPDATE SET n = c.n + excluded.n
    """  # noqa: S608  # our own words
