"""With 120,000 shows, 100,000 of them to come, a page reads what it shows and little more.

Plans and counts of rows only: nothing here depends on how fast the machine is.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from catalog_service.domain.discovery import Listing, ShowFilter, ShowOrder
from catalog_service.repositories.shows import ShowRepository, position_of
from devstack.plans import Node, database_of_its_own, explained, read_whole, rows_looked_at
from devstack.testing import Databases

SHOWS = 120_000
PAGE = 50
SMALL = {"creator_standing", "fenced_person"}  # about few creators, read whole
MOST_ROWS = 8_000  # that a page may look at, in tables and indexes: one in fifteen
COMEDIAN = UUID(f"00000000-0000-7000-8000-{191:012x}")  # one of 100 who perform in 200 shows each

# Texts repeat, so that they are parsed a thousand times, not a hundred thousand.
FILL = f"""
CREATE TEMPORARY TABLE said AS
SELECT n AS of, 'Comedy Night ' || md5(n::text) || CASE WHEN n = 7 THEN ' Zanzibar' ELSE '' END
    || CASE WHEN n % 7 = 0 THEN ' Improv' ELSE '' END AS title
FROM generate_series(0, 999) AS n;
CREATE TEMPORARY TABLE words AS
SELECT of, title, catalog.folded(title || ' Lamakaan Hyderabad') AS words,
    strip(to_tsvector('pg_catalog.simple', catalog.folded(title || ' Lamakaan Hyderabad')))
        AS document
FROM said;
CREATE TEMPORARY TABLE made AS
SELECT n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id, words.*
FROM generate_series(1, {SHOWS}) AS n JOIN words ON words.of = n % 1000;

INSERT INTO catalog.show (
    id, status, title, starts_at, duration_minutes, venue, city, google_maps_link, price_paise,
    capacity, youtube_urls, instagram_urls, creator_id, version, created_at
)
SELECT
    id, 'PUBLISHED', title,
    now() + (n::bigint * 7919 % {SHOWS} - 20000) * interval '3 minutes', 60, 'Lamakaan',
    CASE WHEN n % 2000 = 0 THEN 'Warangal' WHEN n % 10 = 3 THEN 'Mumbai' ELSE 'Hyderabad' END,
    'https://maps.app.goo.gl/x',
    CASE WHEN n % 4000 = 1 THEN 777700 ELSE n::bigint * 31 % 1000 * 100 END,
    100, '{{}}', '{{}}', ('00000000-0000-7000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid, 1,
    now() - (n::bigint * 104729 % {SHOWS}) * interval '1 minute'
FROM made;
INSERT INTO catalog.show_search (show_id, document, words) SELECT id, document, words FROM made;
INSERT INTO catalog.comedian (id, name, social_links, youtube_urls, instagram_urls)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n, '{{}}', '{{}}', '{{}}'
FROM generate_series(0, 599) AS n;
INSERT INTO catalog.show_comedian (show_id, comedian_id, position)
SELECT id, ('00000000-0000-7000-8000-' || lpad(to_hex(n % 600), 12, '0'))::uuid, 0
FROM made WHERE n % 6 = 5;
INSERT INTO catalog.creator_standing (creator_id, allowed, version)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, n % 50 <> 0, 1
FROM generate_series(0, 499) AS n;
INSERT INTO catalog.fenced_person (person_id)
SELECT creator_id FROM catalog.creator_standing ORDER BY creator_id LIMIT 5;
"""  # noqa: S608 numbers of our own
GIN = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'catalog' AND tablename = 'show_search' AND indexdef LIKE '%USING gin%'
"""


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[Engine]:
    """A database of this module's own, with catalog's schema and many shows."""
    with database_of_its_own(databases, "catalog") as url_of:
        owner_url = url_of("catalog_owner")
        _fill(owner_url)
        engine = create_engine(owner_url.replace("postgresql://", "postgresql+psycopg://"))
        yield engine
        engine.dispose()


def _fill(owner_url: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET temp_buffers = '64MB'")
        indexes = connection.execute(GIN).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX catalog.{name}")
        connection.execute("ALTER TABLE catalog.show DISABLE TRIGGER USER")
        connection.execute("ALTER TABLE catalog.show_comedian DISABLE TRIGGER USER")
        connection.execute(FILL)
        connection.execute("ALTER TABLE catalog.show ENABLE TRIGGER USER")
        connection.execute("ALTER TABLE catalog.show_comedian ENABLE TRIGGER USER")
        for _, definition in indexes:
            connection.execute(definition)
        for table in ("show", "show_search", "show_comedian", "comedian", "creator_standing"):
            connection.execute(f"VACUUM ANALYZE catalog.{table}")


class Reader:
    """Reads pages through the repository and says how Postgres came by them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, listing: Listing) -> tuple[int, list[Node], Listing]:
        """Return how many shows were found, the nodes of the plan, and the page in the middle."""
        with Session(self._engine) as session:
            now: datetime = session.scalar(text("SELECT now()"))
            shows, nodes = explained(
                session, lambda session: ShowRepository(session).upcoming(listing, now=now)
            )
        after = position_of(shows[-1], listing.order) if shows else None
        return len(shows), nodes, replace(listing, after=after)


@pytest.fixture(scope="module")
def reader(engine: Engine) -> Reader:
    return Reader(engine)


def days_from_now(days: int) -> datetime:
    return datetime.now().astimezone() + timedelta(days=days)


FILTERS = {
    "everything": ShowFilter(),
    "a large city": ShowFilter(city="hyderabad"),
    "a small city": ShowFilter(city="warangal"),
    "no city": ShowFilter(city="nowhere"),
    "a comedian": ShowFilter(comedian_id=COMEDIAN),
    "a day": ShowFilter(starts_from=days_from_now(30), starts_before=days_from_now(31)),
    "half a year": ShowFilter(starts_from=days_from_now(20)),
    "a usual price": ShowFilter(min_price_paise=20_000, max_price_paise=60_000),
    "a rare price": ShowFilter(min_price_paise=500_000),
    "a rare word": ShowFilter(text="zanzibar"),
    "half a rare word": ShowFilter(text="zanz"),
    "a usual word": ShowFilter(text="improv"),
    "a word of all": ShowFilter(text="comedy"),
    "a word of none": ShowFilter(text="xylophone"),
    "a letter": ShowFilter(text="c"),
    "a misspelt rare word": ShowFilter(text="zanzibr", typos_forgiven=True),
    "many at once": ShowFilter(
        text="improv",
        city="hyderabad",
        starts_from=days_from_now(10),
        starts_before=days_from_now(90),
        min_price_paise=10_000,
    ),
}


@pytest.mark.parametrize("order", ShowOrder)
@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_a_page_reads_little_whatever_is_wanted_in_whatever_order(
    reader: Reader, wanted: ShowFilter, order: ShowOrder
) -> None:
    listing = Listing(wanted, order, PAGE)

    for _ in range(2):  # the first page and the one after it
        found, nodes, listing = reader.page(listing)

        assert read_whole(nodes) <= SMALL
        assert rows_looked_at(nodes, but_of=SMALL) <= MOST_ROWS, nodes
        if found <= PAGE:
            break


def test_the_figures_of_these_tests_are_as_they_say(reader: Reader) -> None:
    found, nodes, _ = reader.page(Listing(ShowFilter(), ShowOrder.DATE, PAGE))

    assert found == PAGE + 1
    assert any(node.get("Index Name") == "ix_show_published_date" for node in nodes)
    assert rows_looked_at(nodes, but_of=SMALL) >= PAGE
