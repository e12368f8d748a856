"""`make check-invariants` on the running system: silent when all is well, and able to speak."""

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from check_invariants import INVARIANTS, Invariant, violations
from devstack.stack import Stack

pytestmark = pytest.mark.system

LAST_OF_MONEY = 15  # what deletions of accounts leave has tests of its own

SHOW = "00000000-0000-7000-8000-000000000001"
BUYER = "00000000-0000-7000-8000-000000000002"
OVER = "00000000-0000-7000-8000-000000000003"
PAYER = "00000000-0000-7000-8000-000000000004"
PAID, HELD, LATE, BACK, FORFEIT, UNPAID = (
    f"00000000-0000-7000-8000-0000000000{number}" for number in (11, 12, 13, 14, 15, 16)
)

# Two tickets at 499.00 cost 998.00 and 89.82 of fee, of which the platform's share is 79.84. Three
# days before the start half of it goes back to the buyer of BACK, to that of FORFEIT nothing.
SCENE = f"""
INSERT INTO identity."user" (id, role, email) VALUES ('{BUYER}', 'AUDIENCE', 'buyer@scene.example');

INSERT INTO catalog.show
SELECT (jsonb_populate_record(original, jsonb_build_object(
    'id', '{SHOW}', 'starts_at', now() + interval '2 days', 'capacity', 100,
    'updated_at', now() - interval '90 days'
))).* FROM catalog.show AS original WHERE status = 'PUBLISHED' ORDER BY id LIMIT 1;
INSERT INTO booking.ticket_inventory
SELECT (jsonb_populate_record(i, jsonb_build_object(
    'show_id', '{SHOW}', 'starts_at', s.starts_at, 'capacity', 100, 'version', s.version,
    'available', 94, 'locked', 2, 'sold', 4, 'on_sale', TRUE, 'moved_at', NULL,
    'price_paise', 49900,
    'updated_at', now() - interval '90 days'
))).* FROM booking.ticket_inventory AS i, catalog.show AS s
WHERE s.id = '{SHOW}' AND i.creator_id = s.creator_id AND i.creator_allowed LIMIT 1;

INSERT INTO booking.booking (
    id, show_id, user_id, quantity, unit_price_paise, ticket_total_paise,
    convenience_fee_basis_points, convenience_fee_paise, platform_fee_basis_points,
    platform_fee_paise, fee_schedule_version, settings_version, refund_policy, status, expires_at,
    created_at
)
SELECT id::uuid, '{SHOW}', '{BUYER}', 2, price, 2 * price, 900, price * 9 / 50, 800, price * 4 / 25,
       (SELECT max(version) FROM booking.fee_schedule), 0, policy::jsonb,
       status::booking.booking_status,
       CASE status WHEN 'PENDING' THEN now() + interval '10 minutes' END,
       now() - interval '10 days'
FROM (VALUES
    ('{PAID}', 49900, 'CONFIRMED', NULL),
    ('{HELD}', 49900, 'PENDING', NULL),
    ('{LATE}', 49900, 'FAILED', NULL),
    ('{BACK}', 49900, 'CANCELLED', '{{"refunds_convenience_fee": true, "tiers": [
        {{"hours_before_start": 168, "basis_points": 10000}},
        {{"hours_before_start": 24, "basis_points": 5000}}]}}'),
    ('{FORFEIT}', 49900, 'CANCELLED', '{{"refunds_convenience_fee": true, "tiers": [
        {{"hours_before_start": 168, "basis_points": 10000}}]}}'),
    ('{UNPAID}', 49900, 'CONFIRMED_UNPAID', NULL)
) AS sold (id, price, status, policy);
INSERT INTO booking.buyer_show (user_id, show_id, active) VALUES ('{BUYER}', '{SHOW}', 6);

INSERT INTO booking.booking_move (booking_id, from_status, to_status, moved_at)
SELECT id::uuid, before::booking.booking_status, after::booking.booking_status, now() - ago FROM (
    VALUES
    (1, '{PAID}', 'PENDING', 'CONFIRMED', interval '9 days'),
    (2, '{LATE}', 'PENDING', 'FAILED', '9 days'),
    (3, '{BACK}', 'PENDING', 'CONFIRMED', '9 days'),
    (4, '{BACK}', 'CONFIRMED', 'CANCELLED', '1 day'),
    (5, '{FORFEIT}', 'PENDING', 'CONFIRMED', '9 days'),
    (6, '{FORFEIT}', 'CONFIRMED', 'CANCELLED', '1 day')
) AS moved (number, id, before, after, ago) ORDER BY number;

INSERT INTO booking.payment_order (order_id, booking_id, provider, key_id, amount_paise, currency)
SELECT 'order_' || right(id::text, 2), id, 'razorpay', 'key', 108782, 'INR'
FROM booking.booking WHERE user_id = '{BUYER}' AND status <> 'CONFIRMED_UNPAID';
INSERT INTO booking.payment (payment_id, order_id, amount_paise, currency, status, verdict)
SELECT 'pay_' || right(b.id::text, 2), order_id, amount_paise, currency, 'CAPTURED',
       CASE b.status WHEN 'FAILED' THEN 'TOO_LATE' ELSE 'CONFIRMED' END::booking.payment_verdict
FROM booking.payment_order AS o JOIN booking.booking AS b ON b.id = o.booking_id
WHERE b.user_id = '{BUYER}' AND b.status <> 'PENDING';

INSERT INTO booking.refund (
    id, booking_id, reason, ticket_paise, convenience_fee_paise, status, payment_id,
    provider_refund_id
) VALUES
    ('{BACK}', '{BACK}', 'BUYER_CANCELLED', 49900, 4491, 'DONE', NULL, 'rfnd_14'),
    ('{LATE}', '{LATE}', 'LATE_CAPTURE', 108782, 0, 'SENT', 'pay_13', 'rfnd_13');
INSERT INTO booking.ledger_entry (
    show_id, booking_id, kind, ticket_paise, convenience_fee_paise, platform_fee_paise
) VALUES
    ('{SHOW}', '{PAID}', 'CAPTURE', 99800, 8982, 7984),
    ('{SHOW}', '{BACK}', 'CAPTURE', 99800, 8982, 7984),
    ('{SHOW}', '{FORFEIT}', 'CAPTURE', 99800, 8982, 7984),
    ('{SHOW}', '{BACK}', 'REFUND', -49900, -4491, -3992);

INSERT INTO identity."user" (id, role, email) VALUES ('{PAYER}', 'ADMIN', 'payer@scene.example');
INSERT INTO catalog.show
SELECT (jsonb_populate_record(original, jsonb_build_object(
    'id', '{OVER}', 'starts_at', now() - interval '2 days'
))).* FROM catalog.show AS original WHERE id = '{SHOW}';
INSERT INTO booking.ticket_inventory
SELECT (jsonb_populate_record(i, jsonb_build_object(
    'show_id', '{OVER}', 'starts_at', s.starts_at, 'available', 100, 'locked', 0, 'sold', 0
))).* FROM booking.ticket_inventory AS i, catalog.show AS s
WHERE i.show_id = '{SHOW}' AND s.id = '{OVER}';
INSERT INTO booking.ledger_person (reference, user_id) VALUES ('payer', '{PAYER}');
INSERT INTO booking.ledger_entry (show_id, kind, paid_out_paise, actor)
VALUES ('{OVER}', 'DISBURSEMENT', 0, 'payer');
INSERT INTO booking.idempotency_key (user_id, operation, key, fingerprint, facts)
VALUES ('{PAYER}', 'POST /api/v1/admin/collections', 'key', 'fingerprint',
    '{{"show_id": "{OVER}", "amount_paise": 0}}');

INSERT INTO booking.admission VALUES ('{PAID}', 1, 'nonce', FALSE, now());
INSERT INTO booking.notice (id, booking_id, kind, refund_id) VALUES
    ('{PAID}', '{PAID}', 'BOOKED', NULL), ('{BACK}', '{BACK}', 'REFUNDED', '{BACK}');
INSERT INTO booking.idempotency_key (user_id, operation, key, fingerprint, facts)
SELECT b.user_id, 'POST /api/v1/bookings' || answered.path, b.id, 'fingerprint', jsonb_build_object(
    'id', b.id, 'quantity', b.quantity, 'ticket_total_paise', b.ticket_total_paise,
    'convenience_fee_paise', b.convenience_fee_paise, 'platform_fee_paise', b.platform_fee_paise,
    'status', answered.status, 'show', jsonb_build_object('id', b.show_id)
) || answered.more::jsonb
FROM booking.booking AS b JOIN (VALUES
    ('{PAID}', '', 'PENDING', '{{}}'),
    ('{BACK}', '/{{id}}/cancel', 'CANCELLED', '{{
        "refunds": [{{"amount_paise": 54391, "status": "DUE"}}],
        "payment": {{"id": "order_14", "amount_paise": 108782}}}}')
) AS answered (id, path, status, more) ON b.id::text = answered.id;
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to the scene, and the names of the invariants that it breaks."""

    what: str
    breaks: str
    sql: str

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


def _changed(table: str, changes: str, where: str) -> str:
    return f"UPDATE {table} SET {changes} WHERE {where};"


def _of_show(changes: str) -> str:
    return _changed("booking.ticket_inventory", changes, f"show_id = '{SHOW}'")


def _of_booking(booking: str, changes: str) -> str:
    return _changed("booking.booking", changes, f"id = '{booking}'")


def _without(table: str, constraint: str) -> str:
    return f"ALTER TABLE booking.{table} DROP CONSTRAINT {constraint};"


def _paid_back(booking: str, reason: str, tickets: int, fee: int) -> str:
    """Have a cancelled booking refunded like this and no other way, also in the ledger."""
    kept = ((99_800 - tickets) * 800 + 5_000) // 10_000
    return f"""
    DELETE FROM booking.refund WHERE booking_id = '{booking}' AND reason <> 'LATE_CAPTURE';
    DELETE FROM booking.ledger_entry WHERE booking_id = '{booking}' AND kind = 'REFUND';
    INSERT INTO booking.refund (
        id, booking_id, reason, ticket_paise, convenience_fee_paise, status
    ) VALUES ('{booking}', '{booking}', '{reason}', {tickets}, {fee}, 'DUE');
    INSERT INTO booking.ledger_entry (
        show_id, booking_id, kind, ticket_paise, convenience_fee_paise, platform_fee_paise
    ) VALUES ('{SHOW}', '{booking}', 'REFUND', -{tickets}, -{fee}, {kept} - 7984);
    """


NOT_PAID_BACK = f"""
DELETE FROM booking.refund WHERE booking_id = '{BACK}';
DELETE FROM booking.ledger_entry WHERE booking_id = '{BACK}' AND kind = 'REFUND';
DELETE FROM booking.notice WHERE booking_id = '{BACK}';
DELETE FROM booking.idempotency_key WHERE user_id = '{BUYER}';
"""
MOVED = _of_show("moved_at = now() - interval '2 days'")
CANCELLED = (
    _of_show("on_sale = FALSE, cancelled_at = now() - interval '2 days'")
    + f"UPDATE catalog.show SET status = 'CANCELLED' WHERE id = '{SHOW}';"
)
TAKEN_BACK = _of_show("on_sale = FALSE") + (
    f"UPDATE catalog.show SET status = 'DRAFT' WHERE id = '{SHOW}';"
)


def _held(tickets: int) -> str:
    """Have the buyer hold so many unpaid tickets where one person may have one of a show."""
    more = tickets - 2  # those of HELD
    return (
        """
        INSERT INTO booking.platform_settings (version, document)
        VALUES (1000, '{"ticketsPerPersonAndShow": 1}');
        """
        + _of_booking(HELD, "settings_version = 1000")
        + _of_booking(
            UNPAID,
            f"quantity = {more}, ticket_total_paise = {more} * unit_price_paise,"
            " settings_version = 1000, status = 'PENDING',"
            " expires_at = now() + interval '10 minutes'",
        )
        + _changed("booking.buyer_show", f"active = 2 + {tickets}", f"user_id = '{BUYER}'")
        + _of_show(f"locked = {tickets}, sold = 2, available = 98 - {tickets}")
    )


DAMAGES = [
    Change(
        "a seat too many",
        "I1",
        _without("ticket_inventory", "ck_ticket_inventory_seats_add_up")
        + _of_show("available = available + 1"),
    ),
    Change("a seat sold twice", "I2", _of_show("sold = sold - 1, available = available + 1")),
    Change("a hold nobody has", "I2", _of_show("locked = locked + 1, available = available - 1")),
    Change("tickets at another price than their show's", "I2", _of_show("price_paise = 49800")),
    Change(
        "a booking of no show",
        "I3 I4",
        f"DELETE FROM booking.ticket_inventory WHERE show_id = '{SHOW}'",
    ),
    Change("a seat let in that is not booked", "I3", "UPDATE booking.admission SET seat = 9"),
    Change(
        "a sale that was closed behind the buyers",
        "I3",
        TAKEN_BACK
        + f"""
        INSERT INTO catalog.show_change (id, show_id, kind, wish, version, status, decided_at)
        VALUES ('{SHOW}', '{SHOW}', 'PUBLISH', '{{}}', 1, 'APPLIED', now() - interval '9 days')
        """,
    ),
    Change(
        "a booked show that nobody published",
        "I3",
        TAKEN_BACK + _of_show("cancelled_at = now()"),
    ),
    Change("an offer of another version", "I4", _of_show("version = version + 1")),
    Change("an offer of fewer seats", "I4", _of_show("capacity = 99, available = available - 1")),
    Change(
        "a hold that does not end",
        "I5",
        _of_booking(HELD, "expires_at = now() - interval '2 minutes'"),
    ),
    Change(
        "a miscounted person",
        "I6",
        _changed("booking.buyer_show", "active = active + 1", f"user_id = '{BUYER}'"),
    ),
    Change(
        "more tickets than the rules allowed",
        "I6",
        """
        INSERT INTO booking.platform_settings (version, document)
        VALUES (1000, '{"ticketsPerPersonAndShow": 5}');
        """
        + _changed("booking.booking", "settings_version = 1000", f"user_id = '{BUYER}'"),
    ),
    Change(
        "more tickets than was ever allowed",
        "I6",
        _of_booking(UNPAID, "quantity = 9, ticket_total_paise = 9 * unit_price_paise")
        + _changed("booking.buyer_show", "active = 13", f"user_id = '{BUYER}'")
        + _of_show("sold = 11, available = 87"),
    ),
    Change("more unpaid tickets than of three shows", "I6", _held(4)),
    Change(
        "a key that names somebody else's booking",
        "I7",
        _changed(
            "booking.idempotency_key",
            "user_id = (SELECT id FROM identity.user WHERE role = 'ADMIN' LIMIT 1)",
            f"user_id = '{BUYER}'",
        ),
    ),
    Change(
        "two purchases with one effect",
        "I7",
        f"""
        INSERT INTO booking.idempotency_key (user_id, operation, key, fingerprint, facts)
        SELECT user_id, operation, 'another', fingerprint, facts FROM booking.idempotency_key
        WHERE key = '{PAID}'
        """,
    ),
    Change("keys used twice", "I7", _without("idempotency_key", "pk_idempotency_key")),
    Change(
        "two orders of one booking",
        "I8",
        _without("payment_order", "uq_payment_order_booking_id")
        + f"""
        INSERT INTO booking.payment_order
        SELECT (jsonb_populate_record(o, '{{"order_id": "order_twice"}}')).*
        FROM booking.payment_order AS o WHERE booking_id = '{HELD}'
        """,
    ),
    Change(
        "two refunds that are one",
        "I8",
        _without("refund", "uq_refund_provider_refund_id")
        + "UPDATE booking.refund SET provider_refund_id = 'rfnd_14' WHERE status = 'SENT'",
    ),
    Change(
        "a late capture that is kept",
        "I9",
        f"DELETE FROM booking.refund WHERE booking_id = '{LATE}'",
    ),
    Change(
        "captured money of a booking that failed",
        "I9 I12",
        _of_booking(PAID, "status = 'FAILED'")
        + _of_show("sold = 2, available = 96")
        + _changed("booking.buyer_show", "active = 4", f"user_id = '{BUYER}'")
        + "DELETE FROM booking.admission",
    ),
    Change(
        "a booking of a cancelled show",
        "I9",
        f"""
        INSERT INTO booking.show_cancellation (show_id, version, reason, total, completed_at)
        VALUES ('{SHOW}', 1, 'Ill.', 3, now())
        """,
    ),
    Change("a refund that nobody owes", "I9", NOT_PAID_BACK),
    Change(
        "a refund by the wrong tier",
        "I9",
        NOT_PAID_BACK + _paid_back(BACK, "BUYER_CANCELLED", 99_800, 8_982),
    ),
    Change(
        "a refund without its fee",
        "I9",
        NOT_PAID_BACK + _paid_back(BACK, "BUYER_CANCELLED", 49_900, 0),
    ),
    Change(
        "a refund after the last tier",
        "I9",
        _paid_back(FORFEIT, "BUYER_CANCELLED", 99_800, 8_982),
    ),
    Change(
        "a refund for a move that never was",
        "I9",
        NOT_PAID_BACK + _paid_back(BACK, "SHOW_MOVED", 99_800, 8_982),
    ),
    Change(
        "a refund for a cancellation that never was",
        "I9",
        _paid_back(FORFEIT, "SHOW_CANCELLED", 99_800, 8_982),
    ),
    Change(
        "half the money after a move",
        "I9",
        MOVED + _paid_back(FORFEIT, "SHOW_MOVED", 99_800, 8_982),
    ),
    Change(
        "nothing after a move",
        "I9",
        MOVED + NOT_PAID_BACK + _paid_back(BACK, "SHOW_MOVED", 99_800, 8_982),
    ),
    Change(
        "half the money of a cancelled show",
        "I9",
        CANCELLED + _paid_back(FORFEIT, "SHOW_CANCELLED", 99_800, 8_982),
    ),
    Change(
        "nothing by the policy that holds without one",
        "I9",
        _of_booking(FORFEIT, "refund_policy = NULL"),
    ),
    Change(
        "a refund by nobody knows which terms",
        "I9",
        _of_show("starts_at = now() - interval '1 day', updated_at = now()")
        + NOT_PAID_BACK
        + _paid_back(BACK, "BUYER_CANCELLED", 49_901, 4_491),
    ),
    Change(
        "a refund of less than a rupee",
        "I9",
        NOT_PAID_BACK
        + _of_booking(
            BACK,
            """refund_policy = '{"refunds_convenience_fee": false,
            "tiers": [{"hours_before_start": 24, "basis_points": 5}]}'""",
        )
        + _paid_back(BACK, "BUYER_CANCELLED", 50, 0),
    ),
    Change(
        "more back than was paid",
        "I9 I10",
        NOT_PAID_BACK + _paid_back(BACK, "BUYER_CANCELLED", 99_800, 8_983),
    ),
    Change(
        "a refund of what was never confirmed",
        "I10 I14 I20",
        "DELETE FROM booking.booking_move WHERE from_status = 'PENDING' AND booking_id ="
        f" '{BACK}'; UPDATE booking.booking_move SET from_status = 'CONFIRMED_UNPAID'"
        f" WHERE booking_id = '{BACK}'",
    ),
    Change(
        "a payment that goes back twice",
        "I10",
        f"""
        INSERT INTO booking.refund (
            id, booking_id, reason, ticket_paise, convenience_fee_paise, status, payment_id
        ) VALUES ('{PAID}', '{PAID}', 'LATE_CAPTURE', 108782, 0, 'DUE', 'pay_11')
        """,
    ),
    Change(
        "a refund that nobody sent",
        "I10",
        "UPDATE booking.refund SET provider_refund_id = NULL WHERE status = 'DONE'",
    ),
    Change(
        "a refund that failed without a word",
        "I10",
        "UPDATE booking.refund SET status = 'FAILED' WHERE status = 'SENT'",
    ),
    Change(
        "tickets for less than their price",
        "I11",
        "UPDATE booking.payment SET amount_paise = 1 WHERE payment_id = 'pay_11'",
    ),
    Change(
        "tickets for another currency",
        "I11",
        "UPDATE booking.payment SET currency = 'IDR' WHERE payment_id = 'pay_11'",
    ),
    Change(
        "a move back",
        "I12",
        "INSERT INTO booking.booking_move (booking_id, from_status, to_status) VALUES"
        f" ('{HELD}', 'CONFIRMED', 'PENDING')",
    ),
    Change(
        "a move that nobody wrote down",
        "I12",
        f"DELETE FROM booking.booking_move WHERE booking_id = '{LATE}'",
    ),
    Change(
        "moves that do not meet",
        "I12",
        "UPDATE booking.booking_move SET from_status = 'CONFIRMED_UNPAID'"
        f" WHERE booking_id = '{LATE}'; UPDATE booking.booking_move SET to_status = 'CANCELLED'"
        f" WHERE booking_id = '{LATE}'",
    ),
    Change(
        "a booking that began as a failed one",
        "I12 I15",
        f"UPDATE booking.booking_move SET from_status = 'FAILED' WHERE booking_id = '{PAID}'",
    ),
    Change(
        "amounts open to change",
        "I13",
        "GRANT UPDATE (platform_fee_paise) ON booking.booking TO booking",
    ),
    Change("an audit log with gaps", "I13", "GRANT DELETE ON identity.audit_entry TO identity"),
    Change("an audit log open to change", "I13", "GRANT UPDATE ON identity.audit_entry TO PUBLIC"),
    Change("a service that owns its tables", "I13", "GRANT config_owner TO config"),
    Change(
        "a capture that is in no ledger",
        "I14 I20",
        f"DELETE FROM booking.ledger_entry WHERE booking_id = '{PAID}'",
    ),
    Change(
        "a refund that creators pay for",
        "I14",
        "UPDATE booking.ledger_entry SET platform_fee_paise = 0 WHERE kind = 'REFUND'",
    ),
    Change(
        "a payout of more than was owed",
        "I14",
        "INSERT INTO booking.ledger_entry (show_id, kind, paid_out_paise, actor)"
        f" VALUES ('{SHOW}', 'DISBURSEMENT', 1, 'somebody')",
    ),
    Change(
        "fewer tickets than were answered",
        "I15",
        "UPDATE booking.idempotency_key SET facts = facts || '{\"quantity\": 3}'"
        f" WHERE user_id = '{BUYER}'",
    ),
    Change(
        "a confirmation that is forgotten",
        "I15",
        'UPDATE booking.idempotency_key SET facts = facts || \'{"status": "CANCELLED"}\''
        f" WHERE key = '{PAID}'",
    ),
    Change(
        "a refund that is forgotten",
        "I15",
        """
        UPDATE booking.idempotency_key SET facts = facts || '{"refunds": [{"amount_paise": 1}]}'
        """
        f" WHERE key = '{BACK}'",
    ),
    Change(
        "a payout of another amount than was answered",
        "I15",
        """
        UPDATE booking.idempotency_key SET facts = facts || '{"amount_paise": 1}'
        WHERE operation = 'POST /api/v1/admin/collections'
        """,
    ),
    Change(
        "a payout by somebody else than was answered",
        "I15 I16",
        "UPDATE booking.ledger_person SET user_id = gen_random_uuid() WHERE reference = 'payer'",
    ),
    Change(
        "an order that is forgotten",
        "I15",
        "DELETE FROM booking.payment WHERE order_id = 'order_12';"
        "UPDATE booking.idempotency_key SET facts = facts ||"
        ' \'{"payment": {"id": "order_of_nobody", "amount_paise": 108782}}\''
        f" WHERE key = '{BACK}'",
    ),
    Change(
        "a notice of nothing",
        "I15",
        f"INSERT INTO booking.notice (id, booking_id, kind) VALUES ('{SHOW}', '{SHOW}', 'BOOKED')",
    ),
    Change(
        "a booking that is gone",
        "I2 I6 I7 I14 I15 I20",
        f"DELETE FROM booking.booking WHERE id = '{PAID}'",
    ),
    Change(
        "a setting that is forgotten",
        "I15",
        """
        INSERT INTO config.setting_version (key, version, value, effective_from, author, reason)
        SELECT key, version + 2, value, now() + interval '1 day', author, reason
        FROM config.setting_version WHERE key = 'hold-time' ORDER BY version DESC LIMIT 1
        """,
    ),
    Change(
        "fees that are others in config",
        "I15",
        "UPDATE config.fee_schedule_version SET slabs = '[{\"from_rupees\": 0}]'",
    ),
    Change(
        "fees that are forgotten",
        "I15",
        _of_booking(PAID, "fee_schedule_version = 1000"),
    ),
    Change(
        "a decision nobody heard of",
        "I18",
        "INSERT INTO identity.standing (id, user_id, allowed, version, updated_at)"
        " SELECT gen_random_uuid(), id, true, 1000000, now() - interval '2 minutes'"
        " FROM identity.user WHERE email = 'comedian@comedy.example'",
    ),
]

FINE = [
    Change("nothing", "", ""),
    Change("as many unpaid tickets as of three shows", "", _held(3)),
    Change(
        "more unpaid tickets whose time is over",
        "",
        _held(4) + _of_booking(HELD, "expires_at = now()"),
    ),
    Change(
        "all the money after a move",
        "",
        MOVED
        + NOT_PAID_BACK
        + _paid_back(BACK, "SHOW_MOVED", 99_800, 8_982)
        + _paid_back(FORFEIT, "SHOW_MOVED", 99_800, 8_982),
    ),
    Change(
        "a move of which later buyers knew", "", _of_show("moved_at = now() - interval '11 days'")
    ),
    Change("a move long ago", "", _of_show("moved_at = now() - interval '8 days'")),
    Change("a move after the cancellations", "", _of_show("moved_at = now() - interval '1 hour'")),
    Change(
        "all the money of a cancelled show",
        "",
        CANCELLED
        + NOT_PAID_BACK
        + _paid_back(BACK, "SHOW_CANCELLED", 99_800, 8_982)
        + _paid_back(FORFEIT, "SHOW_CANCELLED", 99_800, 8_982),
    ),
    Change(
        "a show cancelled after its buyers had",
        "",
        CANCELLED + _of_show("cancelled_at = now() - interval '1 hour', updated_at = now()"),
    ),
    Change(
        "a rupee for less than one",
        "",
        NOT_PAID_BACK
        + _of_booking(
            BACK,
            """refund_policy = '{"refunds_convenience_fee": false,
            "tiers": [{"hours_before_start": 24, "basis_points": 5}]}'""",
        )
        + _paid_back(BACK, "BUYER_CANCELLED", 100, 0),
    ),
    Change(
        "an hour that was changed since, when another tier held",
        "",
        _of_show("starts_at = now() + interval '2 days', updated_at = now()")
        + NOT_PAID_BACK
        + _paid_back(BACK, "BUYER_CANCELLED", 99_800, 8_982),
    ),
    Change(
        "an hour that was changed since, when nothing was due any more",
        "",
        _of_show("updated_at = now()") + NOT_PAID_BACK,
    ),
    Change(
        "a refund at the end of its tier",
        "",
        "UPDATE booking.booking_move SET moved_at = now() + interval '23 hours 58 minutes'"
        f" WHERE booking_id = '{BACK}' AND to_status = 'CANCELLED';",
    ),
    Change(
        "nothing right after the end of a tier",
        "",
        "UPDATE booking.booking_move SET moved_at = now() + interval '23 hours 58 minutes'"
        f" WHERE booking_id = '{BACK}' AND to_status = 'CANCELLED';" + NOT_PAID_BACK,
    ),
]


def check(stack: Stack) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "check_invariants"],
        env={"DATABASE_URL": stack.db_url("auditor")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def scene(stack: Stack) -> Iterator["psycopg.Connection[Any]"]:
    """Have some bookings, and neither triggers nor foreign keys; nothing of it is committed."""
    with psycopg.connect(stack.db_url("postgres")) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL lock_timeout = '10s'")
        connection.execute(SCENE.encode())
        yield connection
        connection.rollback()


@pytest.fixture(scope="module")
def broken_by(stack: Stack) -> Callable[[Change], list[Invariant]]:
    """Look at what a change of the scene breaks, once for each."""

    @functools.cache
    def look(change: Change) -> list[Invariant]:
        with scene(stack) as connection:
            connection.execute(change.sql.encode())
            return [invariant for invariant, rows in violations(connection) if rows]

    return look


def test_all_invariants_hold_after_the_journeys(stack: Stack) -> None:
    status, said = check(stack)

    assert status == 0, said
    assert "all invariants hold" in said


def test_what_is_broken_is_printed_and_fails(stack: Stack) -> None:
    with psycopg.connect(stack.db_url("postgres"), autocommit=True) as connection:
        connection.execute("GRANT UPDATE (platform_fee_paise) ON booking.booking TO booking")
        try:
            status, said = check(stack)
        finally:
            connection.execute("REVOKE UPDATE (platform_fee_paise) ON booking.booking FROM booking")

    lines = [line for line in said.splitlines() if line.startswith("I") and " 0 rows" not in line]
    assert (status, [line.split()[0] for line in lines]) == (1, ["I13"])
    assert "booking booking.booking UPDATE of platform_fee_paise" in said
    assert check(stack)[0] == 0


@pytest.mark.parametrize("change", FINE, ids=str)
def test_what_may_be_is_not_reported(
    broken_by: Callable[[Change], list[Invariant]], change: Change
) -> None:
    assert broken_by(change) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_damage_is_reported_by_the_invariants_it_breaks(
    broken_by: Callable[[Change], list[Invariant]], damage: Change
) -> None:
    names = dict.fromkeys(each.name for each in broken_by(damage))

    assert " ".join(names) == damage.breaks


def test_every_line_about_tickets_and_money_is_able_to_speak(
    broken_by: Callable[[Change], list[Invariant]],
) -> None:
    lines = [each for each in INVARIANTS if int(each.name[1:]) <= LAST_OF_MONEY]
    spoke = {each for damage in DAMAGES for each in broken_by(damage)}

    assert {each.name for each in lines} == {f"I{n}" for n in range(1, LAST_OF_MONEY + 1)}
    assert [each for each in lines if each not in spoke] == []
