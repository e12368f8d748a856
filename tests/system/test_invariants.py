"""`make check-invariants` on the running system: silent when all is well, and able to speak."""

import subprocess
import sys

import psycopg
import pytest

from devstack.stack import Stack

pytestmark = pytest.mark.system


def check(stack: Stack) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "check_invariants"],
        env={"DATABASE_URL": stack.db_url("auditor")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_invariants_hold_after_the_journeys(stack: Stack) -> None:
    status, said = check(stack)

    assert status == 0, said
    assert "all invariants hold" in said


@pytest.mark.parametrize(
    ("invariant", "damage", "repair"),
    [
        (
            "I2",
            "UPDATE booking.ticket_inventory SET sold = sold + 1, available = available - 1"
            " WHERE available > 0",
            "UPDATE booking.ticket_inventory SET sold = sold - 1, available = available + 1"
            " WHERE sold <> (SELECT coalesce(sum(quantity), 0) FROM booking.booking b"
            " WHERE b.show_id = ticket_inventory.show_id"
            " AND b.status IN ('CONFIRMED', 'CONFIRMED_UNPAID'))",
        ),
        (
            "I6",
            "UPDATE booking.buyer_show SET active = active + 1",
            "UPDATE booking.buyer_show SET active = active - 1",
        ),
        (
            "I13",
            "GRANT UPDATE (platform_fee_paise) ON booking.booking TO booking",
            "REVOKE UPDATE (platform_fee_paise) ON booking.booking FROM booking",
        ),
        (
            "I18",
            "INSERT INTO identity.standing (id, user_id, allowed, version, updated_at)"
            " SELECT gen_random_uuid(), id, true, 1000000, now() - interval '2 minutes'"
            " FROM identity.user WHERE email = 'comedian@comedy.example'",
            "DELETE FROM identity.standing WHERE version = 1000000",
        ),
    ],
    ids=[
        "a seat sold without a booking",
        "a miscounted person",
        "amounts open to change",
        "a decision nobody heard of",
    ],
)
def test_damage_is_reported_by_the_invariant_it_breaks(
    stack: Stack, invariant: str, damage: str, repair: str
) -> None:
    with psycopg.connect(stack.db_url("postgres"), autocommit=True) as connection:
        connection.execute(damage.encode())
        try:
            status, said = check(stack)
        finally:
            connection.execute(repair.encode())

    broken = [
        line.split()[0]
        for line in said.splitlines()
        if line.startswith("I") and " 0 rows" not in line
    ]
    assert (status, broken) == (1, [invariant])


def test_everything_is_whole_again(stack: Stack) -> None:
    assert check(stack)[0] == 0
