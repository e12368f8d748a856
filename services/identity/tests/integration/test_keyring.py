"""The keys that tokens are signed with."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet, MultiFernet
from cryptography.fernet import InvalidToken as NotDecrypted
from joserfc import jws, jwt
from joserfc.jwk import ECKey
from services.identity.tests.conftest import PUBLIC_URL
from sqlalchemy import text

from devstack.listening import listening
from identity_service.app import create_app
from identity_service.domain.errors import RotationUnderWay
from identity_service.repositories.keyring import REFRESH_SECONDS, Keyring, cipher_of
from identity_service.settings import MAX_KEY_REFRESH_SECONDS
from identity_service.usecases.issue_service_token import LIFETIME_SECONDS, issue_service_token
from identity_service.usecases.issue_user_token import (
    LIFETIME_SECONDS as USER_TOKEN_LIFETIME_SECONDS,
)
from identity_service.usecases.purge_expired import purge_expired
from identity_service.usecases.reencrypt_keys import reencrypt_keys
from identity_service.usecases.rotate_keys import (
    ACCEPTED_AFTERWARDS,
    PUBLISHED_AHEAD,
    rotate_keys,
)
from identity_service.wiring import Wiring
from service_kit.tokens import (
    JWKS_RETRY_SECONDS,
    JWKS_SECONDS,
    LEEWAY_SECONDS,
    InvalidToken,
    Jwks,
    KeysUnavailable,
    TokenVerifier,
)


def stored_kids(use: Wiring) -> list[str]:
    with use.engine.connect() as connection:
        found = connection.execute(text("SELECT kid FROM identity.signing_key"))
        return list(found.scalars())


@pytest.fixture
def cipher(use: Wiring) -> MultiFernet:
    return cipher_of(use.settings.key_encryption_keys)


def some_key() -> str:
    return Fernet.generate_key().decode()


def add_key(use: Wiring, cipher: MultiFernet, *, active_in: str, published_for: str | None) -> str:
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    with use.begin() as tx:
        public = {**key.as_dict(private=False), "kid": kid}
        tx.signing_keys.add(kid, cipher.encrypt(key.as_pem(private=True)), public)
    with use.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE identity.signing_key SET active_from = now() + :active ::interval, "
                "published_until = now() + :published ::interval WHERE kid = :kid"
            ),
            {"active": active_in, "published": published_for, "kid": kid},
        )
    return kid


def remove_keys(use: Wiring) -> None:
    with use.engine.begin() as connection:
        connection.execute(text("DELETE FROM identity.signing_key"))


def test_eight_processes_that_start_at_once_make_one_key(use: Wiring, cipher: MultiFernet) -> None:
    remove_keys(use)

    with ThreadPoolExecutor(max_workers=8) as processes:
        published = list(processes.map(lambda _: Keyring(use.begin, cipher).jwks(), range(8)))

    [kid] = stored_kids(use)
    assert all([key["kid"] for key in keys["keys"]] == [kid] for keys in published)


def test_what_one_process_signs_another_verifies(use: Wiring, cipher: MultiFernet) -> None:
    one, other = Keyring(use.begin, cipher), Keyring(use.begin, cipher)

    token = jwt.decode(one.sign("test+jwt", {"a": 1}), other.public_keys("x"), algorithms=["ES256"])

    assert token.header["typ"] == "test+jwt"
    assert token.claims == {"a": 1}


def test_a_key_is_published_before_it_signs_and_after_it_did(
    use: Wiring, cipher: MultiFernet
) -> None:
    remove_keys(use)
    over = add_key(use, cipher, active_in="-3 days", published_for="-1 day")
    before = add_key(use, cipher, active_in="-2 days", published_for="1 hour")
    now = add_key(use, cipher, active_in="-1 day", published_for=None)
    soon = add_key(use, cipher, active_in="1 hour", published_for=None)

    keyring = Keyring(use.begin, cipher)

    kids = [key["kid"] for key in keyring.jwks()["keys"]]
    assert kids == [before, now, soon]
    assert over not in kids
    token = jwt.decode(keyring.sign("t", {}), keyring.public_keys(now), algorithms=["ES256"])
    assert token.header["kid"] == now
    remove_keys(use)


def make_time_pass(use: Wiring, how_long: timedelta) -> None:
    with use.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE identity.signing_key SET active_from = active_from - :t, "
                "published_until = published_until - :t"
            ),
            {"t": how_long},
        )


class Load:
    """Requests with tokens, one after the other, to services that verify them over HTTP."""

    def __init__(self, keyring: Keyring, jwks_url: str) -> None:
        self._keyring = keyring
        self._jwks_url = jwks_url
        self._stopping = threading.Event()
        self.refused: list[str] = []
        self.accepted: Counter[str] = Counter()

    def service(self) -> TokenVerifier:
        """Return the verifier of a service that has just started."""
        return TokenVerifier(Jwks(self._jwks_url), issuer=PUBLIC_URL, service="booking")

    def token(self) -> str:
        return issue_service_token(
            self._keyring,
            issuer=PUBLIC_URL,
            client_id="catalog",
            audience="booking",
            scopes=frozenset({str(uuid4())}),
        )

    def run(self) -> None:
        service, kept = self.service(), self.token()
        while not self._stopping.is_set():
            for token in (self.token(), kept):
                try:
                    service.verify(token)
                except (InvalidToken, KeysUnavailable) as error:
                    self.refused.append(str(error))
                self.accepted[kid_of(token)] += 1
            time.sleep(0.01)

    def stop(self) -> None:
        self._stopping.set()


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


@pytest.fixture
def keyring(use: Wiring, cipher: MultiFernet) -> Keyring:
    """A keyring that looks at the database often, for a test in which minutes are moments."""
    remove_keys(use)
    return Keyring(use.begin, cipher, refresh_seconds=0.05)


@pytest.fixture
def jwks_url(use: Wiring, keyring: Keyring) -> Iterator[str]:
    with listening(create_app(replace(use, keyring=keyring))) as url:
        yield f"{url}/.well-known/jwks.json"


def rotate_by_command(use: Wiring) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "identity_service.cli", "rotate-keys"],
        env={
            **os.environ,
            "DATABASE_URL": use.settings.database_url,
            "KEY_ENCRYPTION_KEY": ",".join(use.settings.key_encryption_keys),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_key_is_rotated_under_load_without_one_refused_token(
    use: Wiring, keyring: Keyring, jwks_url: str
) -> None:
    load = Load(keyring, jwks_url)
    old_token = load.token()
    threads = [threading.Thread(target=load.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(JWKS_RETRY_SECONDS + 0.1)  # the services have been running for a while

        done = rotate_by_command(use)
        assert done.returncode == 0, done.stderr
        time.sleep(0.3)
        [old, new] = [key["kid"] for key in keyring.jwks()["keys"]]
        assert done.stdout.startswith(f"identity: key {new} signs from ")
        assert kid_of(load.token()) == old == kid_of(old_token)

        make_time_pass(use, PUBLISHED_AHEAD)
        time.sleep(0.3)
        assert kid_of(load.token()) == new
        load.service().verify(old_token)

        make_time_pass(use, timedelta(minutes=10))  # all that the old key signed has expired
        time.sleep(0.3)
        load.service().verify(old_token)
    finally:
        load.stop()
        for thread in threads:
            thread.join()
    assert load.refused == []
    assert min(load.accepted[old], load.accepted[new]) > 20

    make_time_pass(use, ACCEPTED_AFTERWARDS - timedelta(minutes=10))
    time.sleep(0.1)
    assert [key["kid"] for key in keyring.jwks()["keys"]] == [new]
    with pytest.raises(InvalidToken):
        load.service().verify(old_token)
    purge_expired(use.begin)
    assert stored_kids(use) == [new]
    remove_keys(use)


def test_a_rotation_waits_for_the_one_before(use: Wiring, keyring: Keyring) -> None:
    keyring.jwks()
    assert rotate_by_command(use).returncode == 0

    again = rotate_by_command(use)

    assert (again.returncode, again.stdout) == (1, "")
    assert "does not sign yet" in again.stderr
    assert len(stored_kids(use)) == 2
    make_time_pass(use, PUBLISHED_AHEAD)
    assert rotate_by_command(use).returncode == 0
    remove_keys(use)


def test_two_rotations_at_the_same_moment_are_one(
    use: Wiring, keyring: Keyring, cipher: MultiFernet
) -> None:
    keyring.jwks()

    def rotate(_number: int) -> str:
        try:
            rotate_keys(use.begin, cipher)
        except RotationUnderWay:
            return "under way"
        return "rotated"

    with ThreadPoolExecutor(max_workers=4) as operators:
        outcomes = list(operators.map(rotate, range(4)))

    assert outcomes.count("rotated") == 1
    assert len(stored_kids(use)) == 2
    remove_keys(use)


def test_the_first_key_signs_at_once(use: Wiring, keyring: Keyring, cipher: MultiFernet) -> None:
    rotation = rotate_keys(use.begin, cipher)

    assert [key["kid"] for key in keyring.jwks()["keys"]] == [rotation.kid] == stored_kids(use)
    assert rotation.older_keys == 0
    remove_keys(use)


def test_a_key_is_known_everywhere_before_it_signs_and_as_long_as_what_it_signed() -> None:
    assert MAX_KEY_REFRESH_SECONDS == REFRESH_SECONDS
    assert PUBLISHED_AHEAD.total_seconds() > JWKS_SECONDS + REFRESH_SECONDS + JWKS_RETRY_SECONDS
    longest = max(LIFETIME_SECONDS, USER_TOKEN_LIFETIME_SECONDS) + LEEWAY_SECONDS
    assert ACCEPTED_AFTERWARDS.total_seconds() > longest + REFRESH_SECONDS + 60


def test_private_keys_are_stored_encrypted(use: Wiring, cipher: MultiFernet) -> None:
    Keyring(use.begin, cipher).jwks()
    with use.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT encrypted_private_key, public_key FROM identity.signing_key")
        )
        for encrypted, public in rows:
            assert b"PRIVATE KEY" not in encrypted
            assert b"PRIVATE KEY" in cipher.decrypt(encrypted)
            assert "d" not in public


def test_with_another_encryption_key_nothing_is_signed(use: Wiring, cipher: MultiFernet) -> None:
    Keyring(use.begin, cipher).jwks()

    with pytest.raises(NotDecrypted):
        Keyring(use.begin, cipher_of([some_key()])).sign("t", {})


def test_the_encryption_key_is_replaced_while_tokens_go_on_being_signed_and_verified(
    use: Wiring, cipher: MultiFernet
) -> None:
    before = Keyring(use.begin, cipher)
    token = before.sign("test+jwt", {"a": 1})
    old, new = use.settings.key_encryption_keys, some_key()
    both = cipher_of([new, *old])

    assert Keyring(use.begin, both).jwks() == before.jwks()  # processes restarted with both
    stored = len(stored_kids(use))
    assert (reencrypt_keys(use.begin, both), reencrypt_keys(use.begin, both)) == (stored, stored)

    after = Keyring(use.begin, cipher_of([new]))
    assert jwt.decode(token, after.public_keys("x"), algorithms=["ES256"]).claims == {"a": 1}
    assert jwt.decode(after.sign("t", {}), before.public_keys("x"), algorithms=["ES256"])
    with pytest.raises(NotDecrypted):
        Keyring(use.begin, cipher).sign("t", {})
    reencrypt_keys(use.begin, cipher_of([*old, new]))  # as the other tests know it


def test_keys_that_cannot_be_opened_stay_as_they_are(use: Wiring, cipher: MultiFernet) -> None:
    Keyring(use.begin, cipher).jwks()

    with pytest.raises(NotDecrypted):
        reencrypt_keys(use.begin, cipher_of([some_key()]))

    assert Keyring(use.begin, cipher).sign("t", {})
