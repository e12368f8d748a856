"""The keys that tickets are signed with: made once, replaced without a restart."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from services.booking.tests.conftest import ERASURE_KEY

from booking_service.app import create_app
from booking_service.domain.errors import TicketInvalid
from booking_service.domain.ticket_codes import Seat
from booking_service.repositories.ticket_keyring import TicketKeyring, cipher_of
from booking_service.settings import Settings
from booking_service.usecases.reencrypt_ticket_keys import reencrypt_ticket_keys
from booking_service.usecases.rotate_ticket_keys import PUBLISHED_AHEAD, rotate_ticket_keys
from booking_service.usecases.withdraw_ticket_keys import withdraw_ticket_keys
from booking_service.wiring import Wiring
from devstack.testing import Databases
from service_kit.settings import SettingsError
from service_kit.testing import TokenIssuer

SEAT = Seat(UUID(int=1), UUID(int=2), 3, paid=True)
KEY = Fernet.generate_key().decode()
CIPHER = cipher_of([KEY])

ShowFactory = Callable[..., UUID]
KeyringFactory = Callable[..., TicketKeyring]


@pytest.fixture
def owner(databases: Databases) -> Iterator[psycopg.Connection]:
    """A connection that may do anything to keys, of which there are none during the test."""
    with psycopg.connect(databases.of("booking").owner_url, autocommit=True) as connection:
        kept = connection.execute("TABLE booking.ticket_key").fetchall()
        connection.execute("DELETE FROM booking.ticket_key")
        yield connection
        connection.execute("DELETE FROM booking.ticket_key")
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO booking.ticket_key VALUES (%s, %s, %s, %s, %s, %s)", kept
            )


@pytest.fixture
def process(use: Wiring, owner: psycopg.Connection) -> KeyringFactory:
    """Make the keyring of one more process, which looks at the database every time."""
    assert owner.execute("SELECT count(*) FROM booking.ticket_key").fetchone() == (0,)

    def make(cipher: MultiFernet = CIPHER) -> TicketKeyring:
        return TicketKeyring(use.begin, cipher, refresh_seconds=0)

    return make


def kids(keyring: TicketKeyring) -> list[str]:
    return [key["kid"] for key in keyring.jwks()["keys"]]


def test_eight_processes_that_start_at_once_make_one_key(process: KeyringFactory) -> None:
    with ThreadPoolExecutor(max_workers=8) as processes:
        published = list(processes.map(lambda _: kids(process()), range(8)))

    assert published == [published[0]] * 8
    assert len(published[0]) == 1


def test_a_seat_has_the_same_code_in_every_process(process: KeyringFactory) -> None:
    now = datetime.now(UTC)
    code = process().code(SEAT, booked_at=now)

    assert process().code(SEAT, booked_at=now) == code
    assert process().seat(code) == SEAT


def test_private_keys_are_stored_encrypted(
    process: KeyringFactory, owner: psycopg.Connection
) -> None:
    process().jwks()

    row = owner.execute("SELECT encrypted_private_key FROM booking.ticket_key").fetchone()
    assert row is not None
    assert len(CIPHER.decrypt(row[0])) == 32
    with pytest.raises(InvalidToken):
        process(cipher_of([Fernet.generate_key().decode()])).code(SEAT, booked_at=datetime.now(UTC))


def test_a_new_key_is_published_a_day_before_it_signs_and_leaves_old_tickets_alone(
    use: Wiring, process: KeyringFactory
) -> None:
    keyring, booked_at = process(), datetime.now(UTC)
    [first] = kids(keyring)
    old = keyring.code(SEAT, booked_at=booked_at)

    second = rotate_ticket_keys(use.begin, CIPHER)

    assert kids(keyring) == [first, second.kid]
    assert second.active_from - booked_at >= PUBLISHED_AHEAD
    before = second.active_from - timedelta(microseconds=1)
    assert keyring.code(SEAT, booked_at=before) == keyring.code(SEAT, booked_at=booked_at) == old
    new = keyring.code(SEAT, booked_at=second.active_from)
    assert new != old
    assert keyring.seat(new) == keyring.seat(old) == SEAT


def test_a_booking_that_is_older_than_every_key_has_the_first(
    use: Wiring, process: KeyringFactory
) -> None:
    keyring, now = process(), datetime.now(UTC)
    code = keyring.code(SEAT, booked_at=now)
    rotate_ticket_keys(use.begin, CIPHER)

    assert keyring.code(SEAT, booked_at=now - timedelta(days=300)) == code


def test_the_first_key_signs_at_once(use: Wiring, process: KeyringFactory) -> None:
    key = rotate_ticket_keys(use.begin, CIPHER)

    assert kids(process()) == [key.kid]
    assert key.active_from <= datetime.now(UTC) + timedelta(seconds=1)


def test_withdrawn_keys_prove_nothing_and_every_ticket_has_a_new_code(
    use: Wiring, process: KeyringFactory
) -> None:
    keyring, booked_at = process(), datetime.now(UTC)
    old = keyring.code(SEAT, booked_at=booked_at)
    rotate_ticket_keys(use.begin, CIPHER)

    key, withdrawn = withdraw_ticket_keys(use.begin, CIPHER)

    assert (kids(keyring), withdrawn) == ([key.kid], 2)
    with pytest.raises(TicketInvalid):
        keyring.seat(old)
    new = keyring.code(SEAT, booked_at=booked_at)
    assert new != old
    assert keyring.seat(new) == SEAT


def test_the_encryption_key_is_replaced_while_codes_go_on_being_read_and_written(
    use: Wiring, process: KeyringFactory
) -> None:
    now = datetime.now(UTC)
    code = process().code(SEAT, booked_at=now)
    other = Fernet.generate_key().decode()

    assert reencrypt_ticket_keys(use.begin, cipher_of([other, KEY])) == 1

    after = process(cipher_of([other]))
    assert after.code(SEAT, booked_at=now) == code
    assert after.seat(code) == SEAT
    with pytest.raises(InvalidToken):
        reencrypt_ticket_keys(use.begin, CIPHER)
    assert process(cipher_of([other])).code(SEAT, booked_at=now) == code


def test_a_process_is_not_ready_while_one_of_the_keys_is_encrypted_with_a_key_it_has_not(
    use: Wiring, process: KeyringFactory, owner: psycopg.Connection
) -> None:
    def readiness(cipher: MultiFernet) -> int:
        client = create_app(replace(use, ticket_keys=process(cipher))).test_client()
        return client.get("/readyz").status_code

    other = Fernet.generate_key().decode()
    assert readiness(cipher_of([other])) == 200
    assert owner.execute("SELECT count(*) FROM booking.ticket_key").fetchone() == (0,)
    process().jwks()
    rotate_ticket_keys(use.begin, cipher_of([other]))

    assert readiness(CIPHER) == readiness(cipher_of([other])) == 503
    assert readiness(cipher_of([other, KEY])) == 200
    withdraw_ticket_keys(use.begin, cipher_of([other]))
    assert readiness(cipher_of([other])) == 200


def test_operators_replace_keys_by_command(databases: Databases, process: KeyringFactory) -> None:
    [first] = kids(process())

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "booking_service.cli", *command],
            env=os.environ | ENVIRONMENT | {"DATABASE_URL": databases.of("booking").url},
            capture_output=True,
            text=True,
            check=False,
        )

    rotated = run("rotate-ticket-keys")
    unconfirmed = run("withdraw-ticket-keys")
    both = kids(process())
    withdrawn = run("withdraw-ticket-keys", "--yes")
    encrypted = run("reencrypt-ticket-keys")

    assert rotated.stdout.startswith(f"booking: key {both[1]} signs from 2"), rotated.stderr
    assert (unconfirmed.returncode, both[0]) == (1, first)
    [last] = kids(process())
    assert withdrawn.stdout == f"booking: key {last} signs all tickets; withdrawn keys: 2\n"
    assert encrypted.stdout == "booking: 1 ticket keys are encrypted with the first key\n"


def test_the_first_ticket_that_is_looked_at_makes_the_key_and_no_sale_does(
    use: Wiring,
    process: KeyringFactory,
    owner: psycopg.Connection,
    issuer: TokenIssuer,
    show_with: ShowFactory,
) -> None:
    client = create_app(replace(use, ticket_keys=process())).test_client()
    wish, buyer = {"showId": str(show_with()), "quantity": 1}, issuer.user(uuid4())

    def count() -> object:
        return owner.execute("SELECT count(*) FROM booking.ticket_key").fetchone()

    booking = client.post("/api/v1/bookings", json=wish, headers=buyer).json["booking"]
    assert count() == (0,)
    client.get(f"/api/v1/bookings/{booking['id']}/tickets", headers=buyer)
    assert count() == (1,)


ENVIRONMENT = {
    "ENV": "development",
    "DATABASE_URL": "postgresql://booking@127.0.0.1/none",
    "IDENTITY_URL": "http://127.0.0.1:9",
    "CONFIG_URL": "http://127.0.0.1:9",
    "JWT_ISSUER": "http://127.0.0.1:9",
    "SERVICE_CLIENT_SECRET": "not needed here, but long enough",
    "TICKET_KEY_ENCRYPTION_KEY": KEY,
    "ERASURE_KEY": ERASURE_KEY,
}


@pytest.mark.parametrize(
    "value", ["", "short", f"{KEY},", f"{KEY}{KEY}"], ids=["none", "short", "half a list", "two"]
)
def test_no_process_starts_without_a_key_to_encrypt_with(value: str) -> None:
    with pytest.raises(SettingsError, match="cannot start: TICKET_KEY_ENCRYPTION_KEY"):
        Settings.from_env(ENVIRONMENT | {"TICKET_KEY_ENCRYPTION_KEY": value})


def test_the_encryption_key_can_be_several() -> None:
    settings = Settings.from_env(ENVIRONMENT | {"TICKET_KEY_ENCRYPTION_KEY": f"{KEY}, {KEY}"})

    assert settings.ticket_key_encryption_keys == (KEY, KEY)
