import hashlib
import hmac
from uuid import UUID, uuid4

from service_kit.person_hashes import PersonHashes

KEY = "correct horse battery staple, thrice"
SOMEBODY = UUID("0199c0de-0000-7000-8000-000000000001")


def test_a_key_is_recognised_by_its_check() -> None:
    assert PersonHashes(KEY).key_check == PersonHashes(KEY).key_check
    assert PersonHashes(KEY).key_check != PersonHashes(KEY[::-1]).key_check


def test_a_person_has_the_same_hash_in_every_service() -> None:
    assert PersonHashes(KEY).of(SOMEBODY) == PersonHashes(KEY).of(SOMEBODY)


def test_people_have_hashes_of_their_own() -> None:
    hashes = PersonHashes(KEY)

    assert hashes.of(SOMEBODY) != hashes.of(uuid4())


def test_without_the_key_nobody_can_look_for_an_id() -> None:
    assert PersonHashes(KEY).of(SOMEBODY) != PersonHashes(KEY[::-1]).of(SOMEBODY)


def test_the_hash_is_what_common_tools_compute() -> None:
    expected = hmac.new(KEY.encode(), str(SOMEBODY).encode(), hashlib.sha256).digest()

    assert PersonHashes(KEY).of(SOMEBODY) == expected
