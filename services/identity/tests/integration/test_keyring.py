"""The keys that tokens are signed with."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import text

from identity_service.repositories.keyring import Keyring
from identity_service.wiring import Wiring


def stored_kids(use: Wiring) -> list[str]:
    with use.engine.connect() as connection:
        found = connection.execute(text("SELECT kid FROM identity.signing_key"))
        return list(found.scalars())


@pytest.fixture
def cipher(use: Wiring) -> Fernet:
    return Fernet(use.settings.key_encryption_key)


def add_key(use: Wiring, cipher: Fernet, *, active_in: str, published_for: str | None) -> str:
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


def test_eight_processes_that_start_at_once_make_one_key(use: Wiring, cipher: Fernet) -> None:
    remove_keys(use)

    with ThreadPoolExecutor(max_workers=8) as processes:
        published = list(processes.map(lambda _: Keyring(use.begin, cipher).jwks(), range(8)))

    [kid] = stored_kids(use)
    assert all([key["kid"] for key in keys["keys"]] == [kid] for keys in published)


def test_what_one_process_signs_another_verifies(use: Wiring, cipher: Fernet) -> None:
    one, other = Keyring(use.begin, cipher), Keyring(use.begin, cipher)

    token = jwt.decode(one.sign("test+jwt", {"a": 1}), other.public_keys("x"), algorithms=["ES256"])

    assert token.header["typ"] == "test+jwt"
    assert token.claims == {"a": 1}


def test_a_key_is_published_before_it_signs_and_after_it_did(use: Wiring, cipher: Fernet) -> None:
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


def test_private_keys_are_stored_encrypted(use: Wiring, cipher: Fernet) -> None:
    Keyring(use.begin, cipher).jwks()
    with use.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT encrypted_private_key, public_key FROM identity.signing_key")
        )
        for encrypted, public in rows:
            assert b"PRIVATE KEY" not in encrypted
            assert b"PRIVATE KEY" in cipher.decrypt(encrypted)
            assert "d" not in public


def test_with_another_encryption_key_nothing_is_signed(use: Wiring, cipher: Fernet) -> None:
    Keyring(use.begin, cipher).jwks()

    with pytest.raises(InvalidToken):
        Keyring(use.begin, Fernet(Fernet.generate_key())).sign("t", {})
