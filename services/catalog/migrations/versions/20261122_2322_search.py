"""Search: what a show can be found by, kept right by triggers at the end of each transaction

Revision ID: 20261122_2322
Revises: 20261122_2310
"""

# squawk-ignore require-concurrent-index-creation: before the first release, on empty tables

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_2322"
down_revision = "20261122_2310"
branch_labels = None
depends_on = None

# Both sides of every comparison go through this: no case, no accents, no punctuation. Marks above
# and below Latin letters go; the signs of Indic scripts are no such marks and stay.
FOLDED = r"""
CREATE FUNCTION catalog.folded(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
    lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g')),
    'øłđßæœıþð!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~“”‘’„«»–—…·•।॥',
    'oldsaoitd' || repeat(' ', 46)
)
"""  # noqa: RUF001 these very characters are meant

# Every word of a text, each as the beginning of a word: what is not complete yet is found as well.
# The words come out of the same parser as those of the documents, quoted: nothing is an operator.
SEARCH_QUERY = """
CREATE FUNCTION catalog.search_query(value text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT string_agg(quote_literal(word.lexeme) || ':*', ' & ')::tsquery
    FROM unnest(to_tsvector('pg_catalog.simple'::regconfig, catalog.folded(value))) AS word
)
"""

# Waits for whoever else writes the documents of these shows, and only then reads what to write: the
# second of two, say a new title and a comedian's new name, sees what the first one committed.
REFRESH = """
CREATE FUNCTION catalog.refresh_search(show_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog.show_search (show_id, document, words)
    SELECT show.id, '', '' FROM catalog.show WHERE show.id = ANY (show_ids) ORDER BY show.id
    ON CONFLICT (show_id) DO NOTHING;
    PERFORM FROM catalog.show_search AS stored
    WHERE stored.show_id = ANY (show_ids) ORDER BY stored.show_id FOR UPDATE;
    UPDATE catalog.show_search AS stored
    SET words = found.words,
        document = strip(to_tsvector(
            'pg_catalog.simple'::regconfig, concat_ws(' ', found.words, found.description)
        ))
    FROM (
        SELECT
            show.id,
            catalog.folded(show.description) AS description,
            catalog.folded(concat_ws(' ', show.title, show.venue, show.city, bill.names)) AS words
        FROM catalog.show
        LEFT JOIN LATERAL (
            SELECT string_agg(concat_ws(' ', comedian.name, comedian.stage_name), ' ') AS names
            FROM catalog.show_comedian
            JOIN catalog.comedian ON comedian.id = show_comedian.comedian_id
            WHERE show_comedian.show_id = show.id
        ) AS bill ON true
        WHERE show.id = ANY (show_ids)
    ) AS found
    WHERE stored.show_id = found.id;
END
$$
"""

TRIGGER_FUNCTIONS = [
    """
    CREATE FUNCTION catalog.show_has_other_words() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM catalog.refresh_search(ARRAY[NEW.id]);
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE FUNCTION catalog.bill_has_other_names() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM catalog.refresh_search(ARRAY[coalesce(NEW.show_id, OLD.show_id)]);
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE FUNCTION catalog.comedian_has_another_name() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM catalog.refresh_search(ARRAY(
            SELECT show_comedian.show_id FROM catalog.show_comedian
            WHERE show_comedian.comedian_id = NEW.id
        ));
        RETURN NULL;
    END
    $$
    """,
]

# Deferred: documents are locked after everything else of the transaction, so that nobody who holds
# one waits for a show or a comedian.
TRIGGERS = [
    """
    CREATE CONSTRAINT TRIGGER show_has_words
    AFTER INSERT ON catalog.show
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION catalog.show_has_other_words()
    """,
    """
    CREATE CONSTRAINT TRIGGER show_has_other_words
    AFTER UPDATE OF title, description, venue, city ON catalog.show
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (
        (OLD.title, OLD.description, OLD.venue, OLD.city)
        IS DISTINCT FROM (NEW.title, NEW.description, NEW.venue, NEW.city)
    )
    EXECUTE FUNCTION catalog.show_has_other_words()
    """,
    """
    CREATE CONSTRAINT TRIGGER bill_has_other_names
    AFTER INSERT OR DELETE ON catalog.show_comedian
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION catalog.bill_has_other_names()
    """,
    """
    CREATE CONSTRAINT TRIGGER comedian_has_another_name
    AFTER UPDATE OF name, stage_name ON catalog.comedian
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.stage_name IS DISTINCT FROM NEW.stage_name)
    EXECUTE FUNCTION catalog.comedian_has_another_name()
    """,
]

# Without pg_trgm (deploy/postgres/roles.sql adds it where there is one) typos are not forgiven.
SIMILAR_WORDS = """
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_opclass
        WHERE opcname = 'gin_trgm_ops' AND opcnamespace = to_regnamespace('extensions')
    ) THEN
        CREATE INDEX ix_show_search_words ON catalog.show_search
            USING gin (words extensions.gin_trgm_ops) WITH (fastupdate = off);
    END IF;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "show_search",
        sa.Column("show_id", sa.Uuid(), nullable=False),
        sa.Column("document", postgresql.TSVECTOR(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["show_id"], ["catalog.show.id"], name="fk_show_search_show_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("show_id", name="pk_show_search"),
        schema="catalog",
    )
    for statement in (FOLDED, SEARCH_QUERY, REFRESH, *TRIGGER_FUNCTIONS, *TRIGGERS):
        op.execute(statement)
    op.execute("SELECT catalog.refresh_search(ARRAY(SELECT id FROM catalog.show))")
    op.create_index(
        "ix_show_search_document",
        "show_search",
        ["document"],
        schema="catalog",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.execute(SIMILAR_WORDS)
    op.create_index(
        "ix_show_published_city",
        "show",
        [sa.text("lower(city)"), "starts_at", "id"],
        schema="catalog",
        postgresql_where=sa.text("status = 'PUBLISHED'"),
    )


def downgrade() -> None:
    op.drop_index("ix_show_published_city", "show", schema="catalog")
    for trigger in ("show_has_other_words", "bill_has_other_names", "comedian_has_another_name"):
        op.execute(f"DROP FUNCTION catalog.{trigger}() CASCADE")
    op.execute("DROP FUNCTION catalog.refresh_search(uuid[])")
    op.execute("DROP FUNCTION catalog.search_query(text)")
    op.execute("DROP FUNCTION catalog.folded(text)")
    op.drop_table("show_search", schema="catalog")
