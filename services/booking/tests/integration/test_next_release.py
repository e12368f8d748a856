"""What a release does on the schema of the next one, in connections that it has already."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.orm import Session

from booking_service.repositories.money_views import MoneyViewRepository
from devstack.testing import Databases

UNTIL_PREPARED = 10  # psycopg prepares a statement on the server when it is used again and again


@pytest.fixture
def connection(databases: Databases) -> Iterator[Engine]:
    url = make_url(databases.of("booking").url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, pool_size=1, max_overflow=0)
    yield engine
    engine.dispose()


def test_a_column_that_is_added_does_not_change_a_report(
    connection: Engine, databases: Databases
) -> None:
    def read() -> None:
        with Session(connection) as session, session.begin():
            views = MoneyViewRepository(session)
            views.shows_of(uuid4())
            views.dashboard_of(uuid4())
            views.collections(show_id=None)

    for _ in range(UNTIL_PREPARED):
        read()
    with psycopg.connect(databases.of("booking").owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE booking.ticket_inventory ADD COLUMN of_the_next_release text")
        try:
            read()
        finally:
            owner.execute("ALTER TABLE booking.ticket_inventory DROP COLUMN of_the_next_release")
