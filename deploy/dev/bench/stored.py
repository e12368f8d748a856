"""What years leave behind: a thousand shows with a thousand bookings each.

The owners of the schemas write them in a few statements, because selling them takes an hour.
Keys are kept for a day only: these bookings are a month old and have none.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg

from bench.stage import Stage

SHOWS = 1_000
_BOOKINGS_EACH = 1_000
_CAPACITY = 2 * _BOOKINGS_EACH
_BUYERS = 20_000

# Copies of a show that is there, each a minute later than the one before.
_SHOWS = """
INSERT INTO {table}
SELECT (jsonb_populate_record(original, jsonb_build_object(
    '{key}', copy.id, 'starts_at', starts_at + copy.number * interval '1 minute',
    'capacity', %(capacity)s, 'available', %(capacity)s - %(bookings)s, 'sold', %(bookings)s,
    'price_paise', 49900
))).*
FROM {table} AS original, unnest(%(copies)s::uuid[]) WITH ORDINALITY AS copy(id, number)
WHERE original.{key} = %(original)s
"""
_PEOPLE = """
INSERT INTO identity."user" (id, role, email)
SELECT md5('buyer ' || nth)::uuid, 'AUDIENCE', 'buyer' || nth || '@bench.example'
FROM generate_series(0, %(buyers)s - 1) AS nth
"""
# Ids that grow with time, as version 7 does.
_BOOKINGS = """
INSERT INTO booking.booking (
    id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
    convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
    platform_fee_paise, fee_schedule_version, status, created_at, updated_at
)
SELECT overlay(
           overlay(md5(show.id::text || nth) PLACING '7' FROM 13)
           PLACING lpad(to_hex(1700000000000 + show.number * 1000 + nth), 12, '0') FROM 1
       )::uuid,
       show.id, md5('buyer ' || mod(show.number * 7919 + nth, %(buyers)s))::uuid,
       1, 49900, 49900, 900, 4491, 800, 3992,
       (SELECT max(version) FROM booking.fee_schedule), 'CONFIRMED_UNPAID',
       now() - interval '30 days', now() - interval '30 days'
FROM unnest(%(copies)s::uuid[]) WITH ORDINALITY AS show(id, number),
     generate_series(1, %(bookings)s) AS nth
"""
_LIMITS = """
INSERT INTO booking.buyer_show (user_id, show_id, active)
SELECT user_id, show_id, sum(quantity) FROM booking.booking WHERE show_id = ANY (%(copies)s)
GROUP BY user_id, show_id
"""


def store(stage: Stage, like: str) -> int:
    """Store a thousand shows like this one, with their bookings; return how many bookings."""
    parameters = {
        "original": UUID(like),
        "copies": [uuid4() for _ in range(SHOWS)],
        "capacity": _CAPACITY,
        "bookings": _BOOKINGS_EACH,
        "buyers": _BUYERS,
    }
    for owner, tables, statements in (
        ("identity_owner", ['identity."user"'], [_PEOPLE]),
        ("catalog_owner", ["catalog.show"], [_SHOWS.format(table="catalog.show", key="id")]),
        (
            "booking_owner",
            ["booking.ticket_inventory", "booking.booking", "booking.buyer_show"],
            [_SHOWS.format(table="booking.ticket_inventory", key="show_id"), _BOOKINGS, _LIMITS],
        ),
    ):
        _write(stage.stack.db_url(owner), statements, tables, parameters)
    return SHOWS * _BOOKINGS_EACH


def _write(
    url: str, statements: Sequence[str], tables: Sequence[str], parameters: dict[str, object]
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement, parameters)
        for table in tables:  # what autovacuum would do after a while
            connection.execute(f"VACUUM (ANALYZE) {table}")
